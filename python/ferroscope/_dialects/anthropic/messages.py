"""Messages in Anthropic's format: rendering and parsing.

Both directions keep everything. Blocks without a common form (thinking, citations, server tools) are kept as provider
data and sent back unchanged. An edited part replaces its block in place.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from ...core.base._media.parts import data_url_bytes
from ...core.base._messages.cache_marks import Marked, parse_mark, render_mark, with_marks
from ...core.base._messages.provider_data import Endpoint, Piece, keep_original, original_of, restore_pieces
from ...core.base._tools.ids import ToolId, unify_tool_ids
from ...core.base.message_param import (
    BaseMessageParam,
    ContentPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ..tool_names import parse_with_tool_names
from .system import WireMessage, member, place_system

Block: TypeAlias = Piece
"""A block of a message's content."""

_IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF: Final = "application/pdf"
_FORMAT: Final = "anthropic"
_TOOL_IDS: Final = "[a-zA-Z0-9_-]+"
_SPEAKERS: Final = frozenset({"user", "assistant"})
# `function` is the role of OpenAI's old API.
_TOOL_ROLES: Final = frozenset({"tool", "function"})
# The member with the id, for each kind of block.
_ID_MEMBERS: Final = {"tool_use": "id", "tool_result": "tool_use_id"}
# Blocks that only the model that wrote them accepts: they are signed or encrypted.
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})


# -- rendering -------------------------------------------------------------------------------------------------


def render_messages(messages: Iterable[WireMessage], destination: Endpoint | None = None) -> list[WireMessage]:
    """Return the messages of the request. Anthropic's own messages pass through unchanged.

    Consecutive tool results become one message, as the API requires for parallel calls. The other rules of the API are
    applied to the copy that is sent. Blank texts are removed and ids of tool calls are made valid. Blanks at the end of
    an answer that the model continues are removed. System messages come first, unless the model accepts them in place.

    Raises:
        ValueError: Anthropic does not accept the kind or the media type of a part.
    """
    wire: list[WireMessage] = []
    results: list[Block] | None = None
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            wire.append(message)
            results = None
            continue
        content = _content(message, destination)
        if message.role not in _TOOL_ROLES:
            wire.append({"role": message.role, "content": content})
            results = None
        elif results is not None and isinstance(content, list):
            results += content
        else:
            results = content if isinstance(content, list) else None
            wire.append({"role": "user", "content": content})
    unified = unify_tool_ids(_without_blanks(wire), _TOOL_IDS, _tool_ids, _with_tool_ids)
    return _without_trailing_blanks(place_system(unified, destination.model if destination is not None else ""))


def _tool_ids(message: WireMessage) -> list[ToolId]:
    """Return the ids of tool calls and results in a message."""
    content = member(message, "content")
    if not isinstance(content, list):
        return []
    return [
        ToolId(key == "id", member(block, key), member(block, "name") or "")
        for block in content
        if (key := _ID_MEMBERS.get(member(block, "type")))
    ]


def _with_tool_ids(message: WireMessage, ids: Sequence[str]) -> dict[str, Any]:
    new = iter(ids)
    blocks = [
        {**_as_dict(block), key: next(new)} if (key := _ID_MEMBERS.get(member(block, "type"))) else block
        for block in member(message, "content")
    ]
    return {**_as_dict(message), "content": blocks}


def _without_blanks(messages: Sequence[WireMessage]) -> list[WireMessage]:
    """Return the messages without blank texts, and without messages that then are empty.

    Models write such texts, and the API refuses them in a request. A prompt that is entirely blank stays, so that the
    API's error shows it.
    """
    kept: list[WireMessage] = []
    for message in messages:
        content = member(message, "content")
        if isinstance(content, list) and any(map(_is_blank, content)):
            content = [block for block in content if not _is_blank(block)]
            message = {**_as_dict(message), "content": content}
        # Only lists and strings: an iterator could be read only once.
        empty = isinstance(content, list | str) and (not content or _is_blank(content))
        if not empty or member(message, "role") not in _SPEAKERS:
            kept.append(message)
    return kept if any(member(message, "role") in _SPEAKERS for message in kept) else list(messages)


def _is_blank(block: Any) -> bool:
    text = block if isinstance(block, str) else member(block, "text") if member(block, "type") == "text" else None
    return isinstance(text, str) and not text.strip()


def _without_trailing_blanks(messages: list[WireMessage]) -> list[WireMessage]:
    """Return the messages without blanks at the end of an answer that the model continues.

    The API refuses such blanks.
    """
    last = messages[-1] if messages else {}
    content = member(last, "content") if member(last, "role") == "assistant" else None
    if isinstance(content, str):
        stripped: str | list[Any] = content.rstrip()
    elif isinstance(content, list) and content and isinstance(text := member(content[-1], "text"), str):
        stripped = [*content[:-1], {**_as_dict(content[-1]), "text": text.rstrip()}]
    else:
        return messages
    return messages if stripped == content else [*messages[:-1], {**_as_dict(last), "content": stripped}]


def _content(message: BaseMessageParam, destination: Endpoint | None) -> str | list[Block]:
    content = message.content
    original = original_of(message, _FORMAT, destination)
    if original is None or not original.pieces:
        return content if isinstance(content, str) else [_render(part) for part in with_marks(content)]
    blocks = original.pieces
    if not original.same_model:
        blocks = [block for block in blocks if block.get("type") not in _THOUGHTS]
    parts = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    return restore_pieces(
        blocks,
        with_marks(parts),
        read=_read,
        write=lambda part, block: _render(part),
        same=lambda one, other: _unnamed(one[0]) == _unnamed(other[0]),
        keep=lambda block, part: render_mark(block, part[1]),
    )


def _read(block: Block) -> Marked | None:
    part = _parse_block(block)[0]
    return None if part is None else (part, parse_mark(block))


def _unnamed(part: ContentPart) -> ContentPart:
    """Return the part without the tool name in a tool result, because a block has no such member."""
    return part.model_copy(update={"name": ""}) if isinstance(part, ToolResultPart) else part


def _render(part: Marked) -> Block:
    return render_mark(_render_part(part[0]), part[1])


def _render_part(part: ContentPart) -> Block:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return _image(part.media_type, part.image)
        case ImageURLPart() if part.url[:5].lower() == "data:":
            return _image(*data_url_bytes(part.url))
        case ImageURLPart():
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        case DocumentPart():
            return _document(part.media_type, part.document)
        case DocumentURLPart() if part.url[:5].lower() == "data:":
            return _document(*data_url_bytes(part.url))
        case DocumentURLPart():
            return {"type": "document", "source": {"type": "url", "url": part.url}}
        case ToolCallPart():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part)}
        case ToolResultPart():
            # A tool result may be empty, but a text block may not.
            content = {"content": part.content} if part.content else {}
            return {"type": "tool_result", "tool_use_id": part.id, **content, "is_error": part.is_error}
        case _:
            raise ValueError(
                f"Anthropic currently only supports text, image, and cache control parts. Part provided: {part.type}"
            )


def _image(media_type: str, data: bytes) -> Block:
    if media_type not in _IMAGE_TYPES:
        raise ValueError(
            f"Unsupported image media type: {media_type}. "
            "Anthropic currently only supports JPEG, PNG, GIF, and WebP images."
        )
    return {"type": "image", "source": _base64(media_type, data)}


def _document(media_type: str, data: bytes) -> Block:
    if media_type != _PDF:
        raise ValueError(
            f"Unsupported document media type: {media_type}. Anthropic currently only supports PDF document."
        )
    return {"type": "document", "source": _base64(media_type, data)}


def _base64(media_type: str, data: bytes) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}


def _input(part: ToolCallPart) -> dict[str, Any]:
    if part.args is not None:
        return part.args
    # The arguments were not a JSON object, but `input` must be one.
    arguments = (part.__pydantic_extra__ or {}).get("arguments")
    return {"arguments": arguments} if arguments else {}


def with_text(message: WireMessage, text: str) -> WireMessage:
    """Return a copy of the message with a text added at its end."""
    content = member(message, "content")
    longer = content + text if isinstance(content, str) else [*content, {"type": "text", "text": text}]
    return {"role": member(message, "role"), "content": longer}


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_messages(wire: Iterable[WireMessage], origin: Endpoint | None = None) -> list[BaseMessageParam]:
    """Read the messages of a request or a response. Common messages pass through.

    A tool result gets the name of its tool from the call.
    """
    return parse_with_tool_names(wire, lambda one: parse_message(one, origin))


def parse_message(wire: WireMessage, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message. Content of an assistant that the parts do not represent is kept with its origin."""
    if isinstance(wire, BaseMessageParam):
        return wire
    role, content = str(member(wire, "role")), member(wire, "content")
    if isinstance(content, str):
        return BaseMessageParam(role=role, content=content)
    blocks = [_as_dict(block) for block in content or ()]
    parts, whole = _parse_blocks(blocks)
    message = BaseMessageParam(role=role, content=parts)
    if whole:
        return message
    unsupported = (kind for block in blocks for kind in _unsupported(block))
    return keep_original(message, _FORMAT, origin, pieces=blocks, unsupported=unsupported)


def _as_dict(block: Any) -> Block:
    return block.model_dump(exclude_unset=True, warnings=False) if isinstance(block, BaseModel) else dict(block)


def _parse_blocks(blocks: Iterable[Mapping[str, Any]]) -> tuple[list[ContentPart], bool]:
    """Return the parts of a content, and whether they represent all of it."""
    parts: list[ContentPart] = []
    whole = True
    for block in blocks:
        part, represented = _parse_block(block)
        known = {"type", "cache_control", *represented}
        whole &= part is not None and all(name in known or block[name] is None for name in block)
        if part is not None:
            parts.append(part)
            if mark := parse_mark(block):
                parts.append(mark)
    return parts, whole


def _unsupported(block: Mapping[str, Any]) -> list[str]:
    """Return the kinds of content in a block that no part represents."""
    if _parse_block(block)[0] is None:
        return [block["type"]]
    content = block.get("content") if block["type"] == "tool_result" else None
    return [] if isinstance(content, str) else [kind for one in content or () if (kind := one["type"]) != "text"]


def _parse_block(block: Mapping[str, Any]) -> tuple[ContentPart | None, tuple[str, ...]]:
    """Return the part for a block, and the members of the block that the part represents."""
    source = block.get("source")
    source = source if isinstance(source, Mapping) else {}
    match block.get("type"), source.get("type"):
        case "text", _:
            return TextPart(type="text", text=block["text"]), ("text",)
        case "image", "base64":
            data = _bytes(source["data"])
            return ImagePart(type="image", media_type=source["media_type"], image=data, detail=None), ("source",)
        case "image", "url":
            return ImageURLPart(type="image_url", url=source["url"], detail=None), ("source",)
        case "document", "base64":
            data = _bytes(source["data"])
            return DocumentPart(type="document", media_type=source["media_type"], document=data), ("source",)
        case "document", "text":
            return TextPart(type="text", text=source["data"]), ()
        case "document", "url":
            return DocumentURLPart(type="document_url", url=source["url"]), ("source",)
        case "tool_use", _:
            args = block["input"] if isinstance(block["input"], dict) else None
            part = ToolCallPart(type="tool_call", name=block["name"], args=args, id=block["id"])
            return part, ("id", "name", "input")
        case "tool_result", _:
            content, is_complete = _result_text(block.get("content"))
            result = ToolResultPart(
                type="tool_result",
                content=content,
                id=block["tool_use_id"],
                is_error=bool(block.get("is_error")),
            )
            return result, ("tool_use_id", "is_error", *(("content",) if is_complete else ()))
        case _:
            return None, ()


def _bytes(data: Any) -> bytes:
    """Return the bytes of a source: base64 text, or a file or its path, which the SDK accepts too."""
    if isinstance(data, str):
        return base64.b64decode(data)
    if hasattr(data, "read"):
        found: bytes = data.read()
        data.seek(0)
        return found
    with open(data, "rb") as file:
        return file.read()


def _result_text(content: Any) -> tuple[str, bool]:
    """Return the text of a tool result, and whether the text is the complete result."""
    if content is None or isinstance(content, str):
        return content or "", True
    blocks = [_as_dict(block) for block in content]
    texts = [block["text"] for block in blocks if block.get("type") == "text"]
    return "".join(texts), len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
