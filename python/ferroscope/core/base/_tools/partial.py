"""Partial tools during a stream: fields that are not received yet are None."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from .._partial import partial
from .binding import bind_tool_type, unbound_tool_type
from .field import fields_of

if TYPE_CHECKING:
    from ..tool import BaseTool

_ToolT = TypeVar("_ToolT", bound="BaseTool")

_ATTRIBUTE: Final = "__partial_tool_type__"
_WHOLE: Final = "__complete_tool_type__"


def partial_tool_type(tool: type[_ToolT]) -> type[_ToolT]:
    """Return the class `Partial<Name>` of the tool's partial instances, which is cached."""
    known: type[_ToolT] | None = vars(tool).get(_ATTRIBUTE)
    if known is None:
        unbound = unbound_tool_type(tool)
        if unbound is not None and tool.__receiver__ is not None:
            known = bind_tool_type(partial_tool_type(unbound), tool.__receiver__[0], tool)
        else:
            known = partial(tool, {"tool_call", "delta"} & tool.__bookkeeping__)
            known.__custom_name__ = tool._name()
        setattr(tool, _ATTRIBUTE, known)
        setattr(known, _WHOLE, tool)
    return known


def complete_tool_type(tool: type[BaseTool]) -> type[BaseTool] | None:
    """Return the tool class that a class of partial instances was made from, or None for any other class."""
    complete: type[BaseTool] | None = vars(tool).get(_WHOLE)
    return complete


def partial_tool(tool: type[_ToolT], values: Mapping[str, object] | BaseModel) -> _ToolT:
    """Return an instance of the tool's partial class."""
    made = partial_tool_type(tool)
    if isinstance(values, BaseModel):
        return _from_instance(made, values)
    fields: dict[str, object] = {}
    given: set[str] = set()
    for name, field in fields_of(made).items():
        if name in made.__bookkeeping__:
            continue
        key = field.alias if field.alias is not None and field.alias in values else name
        fields[name] = value = _with_partial_models(field.annotation, values.get(key))
        if value is not None:
            given.add(name)
    return made.model_construct(given, **fields)


def _from_instance(made: type[_ToolT], instance: BaseModel) -> _ToolT:
    """Return the tool with the fields of a partial instance, without converting or copying them deeply."""
    tool = made.__new__(made)
    # Like `model_construct`, but without its loop over all fields.
    object.__setattr__(tool, "__dict__", vars(instance).copy())
    object.__setattr__(tool, "__pydantic_fields_set__", instance.model_fields_set - made.__bookkeeping__)
    object.__setattr__(tool, "__pydantic_extra__", instance.__pydantic_extra__)
    object.__setattr__(tool, "__pydantic_private__", instance.__pydantic_private__)
    return tool


def _with_partial_models(annotation: Any, value: object) -> object:  # Any: a type form
    """Return the value with partial models in place of the dicts that will become models."""
    if not isinstance(value, dict | list):
        return value
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        # If the value could become several types, it stays as it is.
        candidates = [argument for argument in arguments if _accepts(argument, value)]
        return _with_partial_models(candidates[0], value) if len(candidates) == 1 else value
    if isinstance(value, list):
        return [_with_partial_models(arguments[0], item) for item in value] if arguments else value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {
            name: _with_partial_models(field.annotation, value.get(field.alias or name))
            for name, field in annotation.model_fields.items()
        }
        return annotation.model_construct({name for name in fields if fields[name] is not None}, **fields)
    if len(arguments) == 2:
        return {key: _with_partial_models(arguments[1], item) for key, item in value.items()}
    return value


def _accepts(annotation: Any, value: dict[str, object] | list[object]) -> bool:  # Any: a type form
    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return False
    return issubclass(kind, dict | Mapping | BaseModel) if isinstance(value, dict) else issubclass(kind, list)
