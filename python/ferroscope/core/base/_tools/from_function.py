"""The conversion of a function's signature and docstring to the parts of a tool class."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, get_type_hints

from pydantic import BaseModel, Field

from .docstring import FunctionDoc, read_docstring
from .field import fields_of
from .mistakes import explain_unannotated

_EMPTY: Final = inspect.Parameter.empty
_RECEIVERS: Final = ("self", "cls")
_UNDOCUMENTED: Final = FunctionDoc("", (), ())
_INHERITED: Final = inspect.getdoc(object.__call__)


@dataclass(frozen=True, slots=True)
class ToolParameter:
    """A parameter of a function, and the tool's field that stores its value."""

    name: str
    field: str
    kind: inspect._ParameterKind
    annotation: object
    default: object


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """The parts of a tool class that come from a function.

    Attributes:
        name: The name of the tool.
        description: The description from the docstring.
        parameters: The parameters in the order of the signature.
        examples: The JSON examples from the docstring.
        receiver: "self" or "cls" if that is the function's first parameter; it is not a parameter of the tool.
    """

    name: str
    description: str
    parameters: tuple[ToolParameter, ...]
    receiver: str | None
    examples: tuple[object, ...]


def read_function(fn: Callable[..., object], base: type[BaseModel], doc: str | None = None) -> FunctionTool:
    """Inspect a function; `doc` replaces its docstring.

    Raises:
        ValueError: A parameter has no annotation, or the docstring documents the parameters under other names, in
            another order or without a description.
    """
    named = _underlying_function(fn)
    documented = read_docstring(doc) if doc else _documented(fn, named) if doc is None else _UNDOCUMENTED
    accepted = list(inspect.signature(fn).parameters.values())
    receiver = accepted.pop(0).name if accepted and accepted[0].name in _RECEIVERS else None
    unannotated = next((parameter.name for parameter in accepted if parameter.annotation is _EMPTY), None)
    if unannotated is not None:
        raise ValueError(explain_unannotated(fn, unannotated))
    types = _parameter_types(named, accepted)
    # A docstring may describe the receiver and arguments of a partial, which are not parameters of the tool.
    asked = {parameter.name for parameter in accepted}
    elsewhere = {*_RECEIVERS, *inspect.signature(named).parameters} - asked
    descriptions = [entry for entry in documented.parameters if entry[0] not in elsewhere]
    return FunctionTool(
        name=_name(fn),
        description=documented.description,
        parameters=tuple(
            ToolParameter(
                name=parameter.name,
                field=_field_name(parameter.name, base),
                kind=parameter.kind,
                annotation=_described(types[parameter.name], parameter, _description(descriptions, index, parameter)),
                default=parameter.default,
            )
            for index, parameter in enumerate(accepted)
        ),
        receiver=receiver,
        examples=documented.examples,
    )


def has_receiver(fn: Callable[..., object]) -> bool:
    """Return whether the function's first parameter is `self` or `cls`."""
    return next(iter(inspect.signature(fn).parameters), None) in _RECEIVERS


def field_definitions(tool: FunctionTool) -> tuple[dict[str, object], dict[str, object]]:
    """Return the annotations and the defaults of the tool's fields."""
    annotations: dict[str, object] = {}
    defaults: dict[str, object] = {}
    for parameter in tool.parameters:
        annotation: Any = parameter.annotation  # Any: a type form
        if parameter.field != parameter.name:
            annotation = Annotated[annotation, Field(alias=parameter.name)]
        annotations[parameter.field] = annotation
        if parameter.default is not _EMPTY:
            defaults[parameter.field] = parameter.default
    return annotations, defaults


def call_function(fn: Callable[..., object], tool: FunctionTool, values: Mapping[str, Any], receiver: object) -> object:
    """Call the function with the tool's values, each as the kind of argument that its parameter requires.

    The receiver is the first argument if the function has a parameter `self` or `cls`.
    """
    positional: list[object] = []
    named: dict[str, object] = {}
    if tool.receiver is not None:
        positional.append(receiver)
    for parameter in tool.parameters:
        value = values[parameter.field]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            positional.append(value)
    return fn(*positional, **named)


def _underlying_function(fn: Callable[..., object]) -> Callable[..., object]:
    """Return the function behind partials and callable objects, which has the docstring and the annotations."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn if hasattr(fn, "__name__") else type(fn).__call__


def _documented(fn: Callable[..., object], named: Callable[..., object]) -> FunctionDoc:
    """Parse a function's own docstring; for a callable object without one, the description of its class."""
    text = inspect.getdoc(named)
    # `inspect.getdoc` falls back to the docstring that every callable inherits from `object`.
    if text and text != _INHERITED:
        return read_docstring(text)
    while isinstance(fn, functools.partial):
        fn = fn.func
    if hasattr(fn, "__name__"):
        return _UNDOCUMENTED
    text = inspect.getdoc(type(fn))
    # The default docstring of a dataclass is its signature.
    if not text or text.startswith(f"{type(fn).__name__}("):
        return _UNDOCUMENTED
    # The parameters in the docstring of a class are those of its constructor.
    return replace(read_docstring(text), parameters=())


def _name(fn: Callable[..., object]) -> str:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", type(fn).__name__)


def _parameter_types(
    fn: Callable[..., object], parameters: list[inspect.Parameter]
) -> dict[str, Any]:  # Any: the result of typing.get_type_hints
    def holder() -> None: ...

    # Only the annotations of the parameters: the return annotation is not used and may not resolve.
    holder.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    unwrapped = inspect.unwrap(fn)
    names = getattr(unwrapped, "__globals__", {})
    try:
        return get_type_hints(holder, names, include_extras=True)
    except NameError:
        enclosing = _enclosing_locals(unwrapped)
        try:
            return get_type_hints(holder, names, enclosing, include_extras=True)
        except NameError as error:
            error.add_note(
                f"while reading the annotations of the tool {getattr(fn, '__name__', fn)!r}: "
                "they must be importable when the tool is created, not only for type checkers"
            )
            raise


def _enclosing_locals(fn: Callable[..., object]) -> dict[str, object]:
    """Return the local variables of the function that defines `fn`, if it is still running."""
    enclosing = getattr(fn, "__qualname__", "").rpartition(".<locals>.")[0]
    frame = inspect.currentframe()
    while enclosing and frame is not None:
        if frame.f_code.co_qualname == enclosing:
            return dict(frame.f_locals)
        frame = frame.f_back
    return {}


def _description(documented: Sequence[tuple[str, str]], index: int, parameter: inspect.Parameter) -> str | None:
    if index >= len(documented):
        return None
    name, description = documented[index]
    if name != parameter.name:
        raise ValueError(
            f"Function parameter name {parameter.name} does not match docstring "
            f"parameter name {name}. Make sure that the parameter names match exactly."
        )
    if not description:
        raise ValueError(f"All parameters must have a description. The docstring has none for `{name}`.")
    return description


def _described(annotation: Any, parameter: inspect.Parameter, description: str | None) -> object:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        annotation = list[annotation]
    elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
        annotation = dict[str, annotation]
    if description is None:
        return annotation
    return Annotated[annotation, Field(description=description)]


def _field_name(name: str, base: type[BaseModel]) -> str:
    # Pydantic reserves `model_*`, and names with a leading underscore are private attributes. A field must not hide the
    # attributes of every tool (`id`, `args`, `call`, ...).
    if name.startswith("model_") or hasattr(base, name) or name in fields_of(base) or name == "tool_call":
        return f"aliased_{name}"
    return f"aliased{name}" if name.startswith("_") else name
