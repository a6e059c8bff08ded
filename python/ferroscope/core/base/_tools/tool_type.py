"""The creation of tool classes from functions, classes, models and types, each of which is cached."""

from __future__ import annotations

import inspect
import threading
import types
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar, cast, get_args, get_origin
from weakref import WeakValueDictionary

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from ..from_call_args import FromCallArgs, is_from_call_args
from .binding import bind_tool_type, unbound_tool_type
from .field import fields_of
from .from_function import FunctionTool, call_function, field_definitions, has_receiver, read_function
from .mistakes import reject_no_tool

if TYPE_CHECKING:
    from ..tool import BaseTool

_ToolT = TypeVar("_ToolT", bound="BaseTool")

DEFAULT_TOOL_DOCSTRING: Final = (
    "Correctly formatted and typed parameters extracted from the completion. "
    "Must include required parameters and may exclude optional parameters unless present in the text."
)
"""The description of a tool without a docstring."""

# The tool classes of a function or class are stored on it. They refer to it, so a table in this module would keep both
# alive forever.
_ATTRIBUTE: Final = "__provider_tool_types__"
_SOURCE: Final = "__provider_tool_source__"
# Bound methods and callable objects cannot store attributes. An entry here lives as long as its tool class. The class
# keeps the callable alive, so no id in a key is reused.
_types_of_callables: Final = WeakValueDictionary[tuple[int, int, type], "type[BaseTool]"]()
_CachedTypes: TypeAlias = "tuple[object, dict[type, type[BaseTool]]]"
_FilledField: TypeAlias = Annotated[SkipJsonSchema[Any], FromCallArgs()]  # Any: the argument of the call
_lock: Final = threading.RLock()


def provider_tool_type(tool: type[BaseModel] | Callable[..., object], base: type[_ToolT]) -> type[_ToolT]:
    """Return the provider's class for a user's function, tool class or model.

    The class is cached for each pair of arguments as long as the user's object lives. For a class, it is a subclass, so
    `isinstance(tool, UserTool)` is true.

    Example:
        ```python
        provider_tool_type(FormatBook, OpenAITool).tool_schema()
        ```
    """
    if isinstance(tool, type | types.FunctionType):
        cached: _CachedTypes | None = vars(tool).get(_ATTRIBUTE)
        # The owner is stored with the classes, because `functools.wraps` copies attributes to the wrapper.
        if cached is not None and cached[0] is tool and base in cached[1]:
            return cast("type[_ToolT]", cached[1][base])
        reject_no_tool(tool)
        with _lock:
            cached = vars(tool).get(_ATTRIBUTE)
            if cached is None or cached[0] is not tool:
                cached = (tool, {})
                setattr(tool, _ATTRIBUTE, cached)
            if base not in cached[1]:
                cached[1][base] = _build_with_source(tool, base)
            return cast("type[_ToolT]", cached[1][base])
    # Each access to a method creates a new object, so the key of a method consists of its object and its function.
    parts: tuple[object, object] = (
        (tool.__self__, tool.__func__) if isinstance(tool, types.MethodType) else (tool, None)
    )
    key = (id(parts[0]), id(parts[1]), base)
    made = _types_of_callables.get(key)
    if made is None:
        reject_no_tool(tool)
        with _lock:
            made = _types_of_callables.get(key) or _build_with_source(tool, base)
            _types_of_callables[key] = made
    return cast("type[_ToolT]", made)


def tool_source(made: type[BaseTool]) -> tuple[object, type[BaseTool]] | None:
    """Return the user's object and the provider's class that `provider_tool_type` created a class from, or None."""
    source: tuple[object, type[BaseTool]] | None = vars(made).get(_SOURCE)
    return source


def _build_with_source(tool: type[BaseModel] | Callable[..., object], base: type[_ToolT]) -> type[_ToolT]:
    made = _build(tool, base)
    if made is not tool:
        setattr(made, _SOURCE, (tool, base))
    return made


def _build(tool: type[BaseModel] | Callable[..., object], base: type[_ToolT]) -> type[_ToolT]:
    if not isinstance(tool, type):
        if isinstance(tool, types.MethodType) and has_receiver(tool.__func__):
            return bind_tool_type(provider_tool_type(tool.__func__, base), tool.__self__)
        return tool_type_from_function(tool, base)
    if issubclass(tool, base):
        return tool
    model = cast("type[BaseModel]", tool)
    bound = cast("type[BaseTool]", tool)
    unbound = unbound_tool_type(bound)
    if unbound is not None and bound.__receiver__ is not None:
        return bind_tool_type(provider_tool_type(unbound, base), bound.__receiver__[0], bound)
    return tool_type_from_model(model, base)


def tool_type_from_function(
    fn: Callable[..., object], base: type[_ToolT], *, doc: str | None = None, name: str | None = None
) -> type[_ToolT]:
    """Return a subclass of `base` whose fields are the function's parameters.

    Args:
        fn: The function; with a coroutine function, `call` of the tool is async.
        base: The tool class to extend.
        doc: The docstring to use instead of the function's.
        name: The name to use instead of the function's.
    """
    tool = read_function(fn, base, doc)
    annotations, defaults = field_definitions(tool)
    config: dict[str, object] = {"json_schema_extra": {"examples": list(tool.examples)}} if tool.examples else {}
    return _new_class(
        name or tool.name,
        (base,),
        defaults
        | {
            "__annotations__": annotations,
            "__doc__": tool.description or DEFAULT_TOOL_DOCSTRING,
            "__module__": getattr(fn, "__module__", None) or base.__module__,
            "__parameter_names__": {
                parameter.field: parameter.name for parameter in tool.parameters if parameter.field != parameter.name
            },
            "call": _call_method(fn, tool),
        },
        config,
    )


def _call_method(fn: Callable[..., object], tool: FunctionTool) -> Callable[..., object]:
    def receiver(tool_instance: BaseTool) -> object:
        bound = type(tool_instance).__receiver__
        if bound is not None:
            return bound[0]
        return type(tool_instance) if tool.receiver == "cls" else tool_instance

    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__):

        async def call_async(self: BaseTool) -> object:
            return await cast("Awaitable[object]", call_function(fn, tool, self.__dict__, receiver(self)))

        call_async.__name__ = "call"
        return call_async

    def call(self: BaseTool) -> object:
        return call_function(fn, tool, self.__dict__, receiver(self))

    return call


def tool_type_from_model(model: type[BaseModel], base: type[_ToolT]) -> type[_ToolT]:
    """Return a subclass of the model and of `base`, without the fields marked with `FromCallArgs`."""
    if model.__pydantic_root_model__:
        raise TypeError(
            f"{model.__name__!r} is a root model, but the arguments of a tool are an object: "
            "use a model with a field of this type"
        )
    # The class belongs to another provider or another SDK, and stores its own tool call in this field.
    foreign = getattr(model, "__pending_tool_call__", None) is not None
    if "tool_call" in fields_of(model) and not foreign:
        raise TypeError(
            f"{model.__name__!r} has a field 'tool_call', which tools use for the call that created them: "
            "rename the field, and set `alias='tool_call'`"
        )
    # The model does not generate fields that the call's own arguments fill. They are only needed in the real model,
    # which is validated with both.
    filled_in = [name for name, field in fields_of(model).items() if is_from_call_args(field)]
    namespace: dict[str, object] = dict.fromkeys(filled_in) | {
        "__annotations__": dict.fromkeys(filled_in, _FilledField),
        "__doc__": model.__doc__,
        "__module__": model.__module__,
    }
    if not callable(getattr(model, "call", None)):
        namespace["call"] = _call_of_model(model)
    # The provider's class defines the wire format of a foreign tool; otherwise the user's class takes precedence.
    return _new_class(model.__name__, (base, model) if foreign else (model, base), namespace, {})


def tool_type_in_toolkit(tool: type[_ToolT], *, doc: str, name: str | None) -> type[_ToolT]:
    """Return a subclass of a tool class whose instances can read the attributes of their toolkit."""

    def attribute(self: BaseTool, name: str) -> object:
        try:
            # Type checkers do not see this method of pydantic.
            return cast("Any", BaseModel).__getattr__(self, name)
        except AttributeError:
            receiver = type(self).__receiver__
            if receiver is None or name.startswith("__"):
                raise
            return getattr(receiver[0], name)

    namespace: dict[str, object] = {"__doc__": doc, "__module__": tool.__module__, "__getattr__": attribute}
    if name is not None:
        namespace["__custom_name__"] = name
    return _new_class(name or tool.__name__, (tool,), namespace, {})


def _call_of_model(model: type[BaseModel]) -> Callable[..., object]:
    def call(self: BaseTool) -> BaseModel:
        fields = {name: self.__dict__[name] for name in fields_of(model)}
        return model.model_construct(self.model_fields_set & fields.keys(), **fields)

    call.__doc__ = f"Return the {model.__name__} that the model generated."
    return call


def tool_type_from_base_type(base_type: object, base: type[_ToolT]) -> type[_ToolT]:
    """Return a subclass of `base` with one field, `value`, of the given type."""

    def call(self: BaseTool) -> object:
        return self.__dict__["value"]

    call.__doc__ = "Return the value that the model generated."
    return _new_class(
        _type_name(base_type),
        (base,),
        {
            "__annotations__": {"value": base_type},
            "__doc__": DEFAULT_TOOL_DOCSTRING,
            "__module__": base.__module__,
            "call": call,
        },
        {},
    )


def _type_name(base_type: object) -> str:
    if get_origin(base_type) is Annotated:
        return _type_name(get_args(base_type)[0])
    if isinstance(base_type, types.UnionType):
        return "Union"
    return cast("type", base_type).__name__


def _new_class(
    name: str,
    bases: tuple[type[BaseModel], ...],
    namespace: dict[str, object],
    config: dict[str, object],
) -> type[Any]:  # Any: a subclass of all the bases
    return types.new_class(name, bases, config, lambda body: body.update({"__qualname__": name} | namespace))
