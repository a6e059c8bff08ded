"""Messages of a wire format whose tool results may lack the name of their tool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ..core.base.message_param import BaseMessageParam, ToolCallPart, ToolResultPart

_Wire = TypeVar("_Wire")


def parse_with_tool_names(wire: Iterable[_Wire], parse: Callable[[_Wire], BaseMessageParam]) -> list[BaseMessageParam]:
    """Read the messages of a request or a response. A tool result without a name gets the name from its call.

    Args:
        wire: The messages of the format. Common messages among them are not changed.
        parse: Reads one message, and returns a common message as it is.
    """
    messages: list[BaseMessageParam] = []
    names: dict[str, str] = {}
    for one in wire:
        message = parse(one)
        if not isinstance(message.content, str):
            for part in message.content:
                if isinstance(part, ToolCallPart) and part.id is not None:
                    names[part.id] = part.name
                elif isinstance(part, ToolResultPart) and not part.name and one is not message:
                    part.name = names.get(part.id or "", "")
        messages.append(message)
    return messages
