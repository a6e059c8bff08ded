"""Tools in the middle of a stream: the fields known so far, None for the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from pydantic import create_model

from ._tool_binding import bind_tool_type, unbound_tool_type

if TYPE_CHECKING:
    from .tool import BaseTool

_ToolT = TypeVar("_ToolT", bound="BaseTool")

_ATTRIBUTE = "__partial_type__"


def partial_tool_type(tool: type[_ToolT]) -> type[_ToolT]:
    """Returns the class `Partial<Name>` of the tool's partial instances; made once for each tool."""
    known: type[_ToolT] | None = vars(tool).get(_ATTRIBUTE)
    if known is None:
        unbound = unbound_tool_type(tool)
        if unbound is not None and tool.__receiver__ is not None:
            known = bind_tool_type(partial_tool_type(unbound), tool.__receiver__[0], tool)
        else:
            known = create_model(f"Partial{tool.__name__}", __base__=tool, __module__=tool.__module__)
            known.__doc__ = tool.__doc__
            known.__custom_name__ = tool._name()
        setattr(tool, _ATTRIBUTE, known)
    return known


def partial_tool(tool: type[_ToolT], values: Mapping[str, object]) -> _ToolT:
    """Returns an instance of the tool's partial class."""
    fields = {
        name: values.get(name if field.alias is None else field.alias)
        for name, field in tool.model_fields.items()
        if name not in tool.__bookkeeping__
    }
    given = {name for name, value in fields.items() if value is not None}
    return partial_tool_type(tool).model_construct(given, **fields)
