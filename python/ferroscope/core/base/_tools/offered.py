"""Finds the tool that a model called among the tools of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ....errors import UnknownToolError
from ..tool import BaseTool

_ToolT = TypeVar("_ToolT", bound=BaseTool)


def offered_tool(
    by_name: Mapping[str, type[_ToolT]], name: str | None, call_id: str | None, arguments: str
) -> type[_ToolT]:
    """Return the tool class with that name.

    Raises:
        ferroscope.errors.UnknownToolError: The call offered no such tool.
    """
    tool_type = by_name.get(name or "")
    if tool_type is None:
        raise UnknownToolError(
            f"the model called {name!r} (call {call_id!r}), which is not among the tools "
            f"{', '.join(map(repr, by_name))}",
            name=name or "",
            call_id=call_id,
            arguments=arguments,
        )
    return tool_type
