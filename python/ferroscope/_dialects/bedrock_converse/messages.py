"""Messages in the Converse format: rendering and parsing.

Both directions keep everything. Reasoning, citations, tools of the service and document names are kept as provider
data and sent back unchanged, in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final, TypeAlias

from ...core.base._media.fetch import fetch as fetch_url
from ...core.base._messages.provider_data import Endpoint, Piece, keep_original, original_of, restore_pieces
from ...core.base._tools.ids import ToolId, unify_tool_ids
from ...core.base.message_param import BaseMessageParam, ContentPart, TextPart, ToolResultPart
from ..tool_names import parse_with_tool_names
from .blobs import with_bytes
from .blocks import Fetch, is_fetched, is_represented, kind_of, may_be_sent_back, parse_block, render_part

WireMessage: TypeAlias = dict[str, Any]
"""A message in the form that AWS's SDKs accept."""

_FORMAT: Final = "bedrock_converse"
_SYSTEM: Final = frozenset({"system", "developer"})
# Newer models also accept `.` and `:`.
_TOOL_IDS: Final = "[a-zA-Z0-9_-]{1,64}"
# The member with the id, for each kind of block.
_ID_BLOCKS: Final = ("toolUse", "toolResult")


# -- rendering -------------------------------------------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage | BaseMessageParam],
    destination: Endpoint | None = None,
    *,
    fetch: Fetch = fetch_url,
) -> list[WireMessage]:
    """Return the messages of the request, with system messages. Bedrock's own messages pass through unchanged.

    The rules of the API are applied to the copy that is sent. The roles must alternate, so consecutive messages of one
    role become one message, and so do the results of parallel calls. Blank texts and empty messages are left out. Ids
    of tool calls are made valid.

    Args:
        messages: Common messages, and Bedrock's own.
        destination: The provider and model that receive the messages.
        fetch: Reads the bytes of images and documents at a web URL. It blocks: if `needs_fetch` is true, an async
            caller runs the rendering in a thread.

    Raises:
        ValueError: Bedrock does not accept the kind or the media type of a part.
    """
    wire: list[WireMessage] = []
    numbers = count(1)
    last: WireMessage | None = None  # the last message, if it was rendered here
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            wire.append(message)
            last = None
            continue
        role = _wire_role(message.role)
        blocks = _render(message, destination, fetch, lambda: f"document-{next(numbers)}")
        if not blocks:
            continue
        if last is not None and last["role"] == role:
            last["content"] += blocks
        else:
            last = {"role": role, "content": blocks}
            wire.append(last)
    return unify_tool_ids(wire, _TOOL_IDS, _tool_ids, _with_tool_ids)


def needs_fetch(messages: Iterable[object]) -> bool:
    """Return whether rendering these messages has to read a URL."""
    return any(
        isinstance(message, BaseMessageParam)
        and not isinstance(message.content, str)
        and any(map(is_fetched, message.content))
        for message in messages
    )


def _wire_role(role: str) -> str:
    return "system" if role in _SYSTEM else "assistant" if role == "assistant" else "user"


def _render(
    message: BaseMessageParam, destination: Endpoint | None, fetch: Fetch, document_name: Callable[[], str]
) -> list[Piece]:
    content = message.content
    parts: Sequence[ContentPart] = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    if parts and parts[0].type == "cache_control":  # a mark with no part before it
        parts = parts[1:]
    original = original_of(message, _FORMAT, destination)
    if original is None or not original.pieces:
        blocks = [render_part(part, fetch, document_name) for part in parts]
    else:
        kept = [piece for piece in original.pieces if may_be_sent_back(piece, same_model=original.same_model)]
        blocks = restore_pieces(
            kept,
            parts,
            read=parse_block,
            write=lambda part, old: render_part(part, fetch, document_name),
            same=lambda one, other: _unnamed(one) == _unnamed(other),
        )
    return [block for block in blocks if not _is_blank(block)]


def _unnamed(part: ContentPart) -> ContentPart:
    """Return the part without the tool name in a tool result, because a block has no such member."""
    return part.model_copy(update={"name": ""}) if isinstance(part, ToolResultPart) else part


def _is_blank(block: Piece) -> bool:
    text = block.get("text")
    return isinstance(text, str) and not text.strip()


def _tool_ids(message: WireMessage) -> list[ToolId]:
    """Return the ids of tool calls and results in a message."""
    return [
        ToolId(kind == "toolUse", block[kind].get("toolUseId"), block[kind].get("name") or "")
        for block in message.get("content") or ()
        for kind in _ID_BLOCKS
        if kind in block
    ]


def _with_tool_ids(message: WireMessage, ids: Sequence[str]) -> WireMessage:
    new = iter(ids)
    blocks = []
    for block in message["content"]:
        kind = next((kind for kind in _ID_BLOCKS if kind in block), None)
        blocks.append(block if kind is None else {**block, kind: {**block[kind], "toolUseId": next(new)}})
    return {**message, "content": blocks}


def split_system(messages: Iterable[WireMessage]) -> tuple[list[Piece], list[WireMessage]]:
    """Return the blocks of the system messages, and the other messages. The system prompt is a parameter in this
    API.
    """
    system: list[Piece] = []
    others: list[WireMessage] = []
    for message in messages:
        if message.get("role") in _SYSTEM:
            content = message.get("content") or ()
            system += [{"text": content}] if isinstance(content, str) else content
        else:
            others.append(message)
    return system, others


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_messages(
    wire: Iterable[WireMessage | BaseMessageParam], origin: Endpoint | None = None
) -> list[BaseMessageParam]:
    """Read the messages of a request or a response. Common messages pass through.

    A tool result gets the name of its tool from the call.
    """
    return parse_with_tool_names(wire, lambda one: parse_message(one, origin))


def parse_message(wire: WireMessage | BaseMessageParam, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message. Content of an assistant that the parts do not represent is kept with its origin.

    Blobs may be bytes, as in AWS's SDKs, or base64 text, as in the JSON of a body.
    """
    if isinstance(wire, BaseMessageParam):
        return wire
    given = wire.get("content") or ()
    blocks: list[Piece] = [{"text": given}] if isinstance(given, str) else [_as_block(block) for block in given]
    parts = [part for part in map(parse_block, blocks) if part is not None]
    role = str(wire.get("role") or "user")
    if role == "user" and parts and all(isinstance(part, ToolResultPart) for part in parts):
        role = "tool"
    content: str | list[ContentPart] = parts
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        content = parts[0].text
    elif not parts:
        content = ""
    message = BaseMessageParam(role=role, content=content)
    if all(map(is_represented, blocks)):
        return message
    unsupported = (kind_of(block) for block in blocks if parse_block(block) is None)
    return keep_original(message, _FORMAT, origin, pieces=blocks, unsupported=filter(None, unsupported))


def _as_block(block: Mapping[str, Any]) -> Piece:
    piece: Piece = with_bytes(block)
    return piece
