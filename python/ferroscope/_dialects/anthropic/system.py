"""System prompts and system messages in Anthropic's format.

The system prompt is a parameter of the request, made of the system messages at the beginning. Models from Claude 4.8
on also accept a system message later in the conversation, which keeps the cached prefix valid. For older models, and
in places that the API refuses, the message becomes part of the system prompt.

https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

WireMessage: TypeAlias = dict[str, Any] | BaseModel
"""A message that the SDK accepts: a dict, or an object of the provider's SDK."""

# OpenAI's newer models use the role `developer`.
_SYSTEM: Final = frozenset({"system", "developer"})
# Claude 1 to 4.7, with family and number in either order. A bare `4` may be followed by a date.
_WITHOUT_SYSTEM_MESSAGES: Final = re.compile(
    r"claude-(?:instant|mythos-preview|v?[123]\b|4(?!-8|-9|\.[89])|[a-z]+-[123]\b|[a-z]+-4(?!-[89]\b|\.[89]))"
)


def accepts_system_messages(model: str) -> bool:
    """Return whether a model accepts a system message in the middle of a conversation."""
    name = model.lower()
    return "claude" in name and _WITHOUT_SYSTEM_MESSAGES.search(name) is None


def place_system(messages: Sequence[WireMessage], model: str) -> list[WireMessage]:
    """Return the messages with all system messages first that the model does not accept in place."""
    first: list[WireMessage] = []
    others: list[WireMessage] = []
    takes = accepts_system_messages(model)
    for place, message in enumerate(messages):
        if member(message, "role") not in _SYSTEM:
            others.append(message)
        elif takes and others and _may_stay(message, others[-1], messages[place + 1 : place + 2]):
            others.append({**_as_dict(message), "role": "system"})
        else:
            first.append(message)
    return [*first, *others]


def _may_stay(message: WireMessage, before: WireMessage, after: Sequence[WireMessage]) -> bool:
    """Return whether the API accepts a system message in this place.

    It must follow a message of the user, and come before one of the model or at the end.
    """
    content = member(message, "content")
    if isinstance(content, list) and not content:
        return True  # a message with only an output configuration
    if after and member(after[0], "role") != "assistant":
        return False
    if member(before, "role") == "user":
        return True
    blocks = member(before, "content")
    return isinstance(blocks, list) and bool(blocks) and member(blocks[-1], "type") == "server_tool_use"


def split_system(messages: Iterable[WireMessage]) -> tuple[list[Any], list[WireMessage]]:
    """Return the contents of the system messages at the beginning, and the other messages."""
    system: list[Any] = []
    others: list[WireMessage] = []
    for message in messages:
        if not others and member(message, "role") in _SYSTEM:
            system.append(member(message, "content"))
        else:
            others.append(message)
    return system, others


def join_system(contents: Sequence[str | Iterable[Any]]) -> str | list[Any]:
    """Return one system prompt for several contents. A single text stays a string; otherwise the result is a list of
    blocks.
    """
    if len(contents) == 1 and isinstance(contents[0], str):
        return contents[0]
    blocks: list[Any] = []
    for content in contents:
        blocks += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return blocks


def member(value: Any, name: str) -> Any:
    """Return a member of a message or a block, which may be a dict or an SDK's model."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _as_dict(message: WireMessage) -> dict[str, Any]:
    return message if isinstance(message, dict) else message.model_dump(exclude_unset=True, warnings=False)
