"""Turns a function's signature and docstring into the parts of a tool class."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_type_hints

from pydantic import BaseModel, Field

from ._docstring import FunctionDoc, read_docstring

_EMPTY: Final = inspect.Parameter.empty
_UNDOCUMENTED: Final = FunctionDoc("", (), ())


@dataclass(frozen=True, slots=True)
class ToolParameter:
    """One parameter of a function and the tool's field that holds its value."""

    name: str
    field: str
    kind: inspect._ParameterKind
    annotation: object
    default: object


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """All that a tool class takes from a function.

    Attributes:
        receiver: "self" or "cls" if that is the function's first parameter, which is none of the tool's.
    """

    name: str
    description: str
    parameters: tuple[ToolParameter, ...]
    receiver: str | None
    examples: tuple[object, ...]


def read_function(fn: Callable[..., object], base: type[BaseModel], doc: str | None = None) -> FunctionTool:
    """Reads a function; `doc` replaces its docstring.

    Raises:
        ValueError: A parameter has no annotation, or the docstring documents the parameters under other
            names, in another order or with nothing to say.
    """
    text = doc if doc is not None else inspect.getdoc(fn) if _has_own_doc(fn) else None
    documented = read_docstring(text) if text else _UNDOCUMENTED
    signature = inspect.signature(fn)
    receiver: str | None = None
    accepted: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            receiver = parameter.name
        elif parameter.annotation is _EMPTY:
            raise ValueError("All parameters must have a type annotation.")
        else:
            accepted.append(parameter)
    types = _parameter_types(fn, accepted)
    return FunctionTool(
        name=_function(fn).__name__,
        description=documented.description,
        parameters=tuple(
            ToolParameter(
                name=parameter.name,
                field=_field_name(parameter.name, base),
                kind=parameter.kind,
                annotation=_described(
                    types[parameter.name], parameter, _description(documented, index, parameter)
                ),
                default=parameter.default,
            )
            for index, parameter in enumerate(accepted)
        ),
        receiver=receiver,
        examples=documented.examples,
    )


def takes_receiver(fn: Callable[..., object]) -> bool:
    """Whether the function's first parameter is `self` or `cls`."""
    return next(iter(inspect.signature(fn).parameters), None) in ("self", "cls")


def field_definitions(tool: FunctionTool) -> tuple[dict[str, object], dict[str, object]]:
    """Returns the annotations and the defaults of the tool's fields."""
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


def call_function(
    fn: Callable[..., object], tool: FunctionTool, values: Mapping[str, Any], receiver: object
) -> object:
    """Calls the function with the tool's values, each the way its parameter takes it.

    The receiver goes first, if the function has a parameter `self` or `cls`.
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


def _function(fn: Callable[..., object]) -> Callable[..., object]:
    """The named function behind partials and callable objects."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn if hasattr(fn, "__name__") else type(fn).__call__


def _has_own_doc(fn: Callable[..., object]) -> bool:
    # A partial or a callable object answers with the docstring of its class.
    return inspect.isroutine(fn) and bool(fn.__doc__)


def _parameter_types(
    fn: Callable[..., object], parameters: list[inspect.Parameter]
) -> dict[str, Any]:  # Any: what typing.get_type_hints gives
    def holder() -> None: ...

    holder.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    behind = inspect.unwrap(_function(fn))
    closure = inspect.getclosurevars(behind).nonlocals if inspect.isfunction(behind) else {}
    try:
        return get_type_hints(holder, getattr(behind, "__globals__", {}), dict(closure), include_extras=True)
    except NameError as error:
        error.add_note(
            f"while reading the annotations of the tool {_function(fn).__name__!r}: "
            "they must be importable when the tool is made, not only for type checkers"
        )
        raise


def _description(doc: FunctionDoc, index: int, parameter: inspect.Parameter) -> str | None:
    if index >= len(doc.parameters):
        return None
    name, description = doc.parameters[index]
    if name != parameter.name:
        raise ValueError(
            f"Function parameter name {parameter.name} does not match docstring "
            f"parameter name {name}. Make sure that the parameter names match exactly."
        )
    if not description:
        raise ValueError("All parameters must have a description.")
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
    # pydantic reserves `model_*`, takes a leading underscore for a private attribute, and a field must not
    # hide what every tool has (`id`, `args`, `call`, ...).
    if name.startswith("model_") or hasattr(base, name) or name in base.model_fields or name == "tool_call":
        return f"aliased_{name}"
    return f"aliased{name}" if name.startswith("_") else name
