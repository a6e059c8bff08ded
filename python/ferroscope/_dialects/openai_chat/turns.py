"""The order of messages that some servers require: repairs of the copy that is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.base.quirks import Quirks
from ..sdk_model import member

_USER = "user"
_ASSISTANT = "assistant"
_TOOL = "tool"


def arrange_turns(messages: Sequence[Any], quirks: Quirks) -> list[Any]:  # Any: messages as the SDK takes them
    """Return the messages in an order that the server accepts. The messages themselves are not changed."""
    arranged: list[Any] = []
    for message in messages:
        if quirks.after_tools and arranged and _role(message) == _USER and _role(arranged[-1]) == _TOOL:
            arranged.append({"role": _ASSISTANT, "content": quirks.after_tools})
        arranged.append(message)
    last = arranged[-1] if arranged else None
    if quirks.prefix and isinstance(last, Mapping) and _role(last) == _ASSISTANT:
        arranged[-1] = {"prefix": True, **last}
    return arranged


def _role(message: Any) -> Any:
    return member(message, "role")
