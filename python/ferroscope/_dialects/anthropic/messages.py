"""Messages in Anthropic's form, to the wire and back.

Both ways keep everything: what the common form has no part for (thinking, citations, what the server's own
tools did) stays beside the parts in the extra field `anthropic`, and goes back as it came for as long as the
parts have not been changed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from ...core.base._media import data_url_bytes
from ...core.base.message_param import (
    BaseMessageParam,
    CacheControlPart,
    ContentPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

WireMessage: TypeAlias = dict[str, Any] | BaseModel
"""A message as the SDK takes it: the dict we make, or whatever of the provider's own the caller passed."""

Block: TypeAlias = dict[str, Any]
"""A block of a message's content. Any: JSON of the provider's."""

_IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF: Final = "application/pdf"
# How long a cache entry lives, where that is said instead of the cache's type.
_LIFETIMES: Final = frozenset({"5m", "1h"})
_EXTRA: Final = "anthropic"


# -- what we send ----------------------------------------------------------------------------------------------


def render_messages(messages: Iterable[WireMessage]) -> list[WireMessage]:
    """Make the request's messages; Anthropic's own messages pass through untouched.

    Results of tools that follow one another become one message, as the API wants the answers to parallel calls.

    Raises:
        ValueError: A part is of a kind or type that Anthropic does not take.
    """
    wire: list[WireMessage] = []
    results: list[Block] | None = None
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            wire.append(message)
            results = None
            continue
        content = _content(message)
        if message.role != "tool":
            wire.append({"role": message.role, "content": content})
            results = None
        elif results is not None and isinstance(content, list):
            results += content
        else:
            results = content if isinstance(content, list) else None
            wire.append({"role": "user", "content": content})
    return wire


def _content(message: BaseMessageParam) -> str | list[Block]:
    content = message.content
    if isinstance(content, str):
        return content
    whole = (message.__pydantic_extra__ or {}).get(_EXTRA)
    if whole is not None and _unnamed(_parse_blocks(whole)[0]) == _unnamed(content):
        return [dict(block) for block in whole]
    return _render_parts(content)


def _unnamed(parts: Iterable[ContentPart]) -> list[ContentPart]:
    """The parts without the names of tools in their answers, which blocks do not have."""
    return [p.model_copy(update={"name": ""}) if isinstance(p, ToolResultPart) else p for p in parts]


def _render_parts(parts: Sequence[ContentPart]) -> list[Block]:
    blocks: list[Block] = []
    for part in parts:
        match part:
            case CacheControlPart() if blocks:
                blocks[-1]["cache_control"] = _cache_control(part.cache_type)
            case TextPart(text="") if len(parts) > 1:
                continue  # the API refuses an empty text
            case _:
                blocks.append(_render_part(part))
    return blocks


def _cache_control(cache_type: str) -> dict[str, str]:
    return {"type": "ephemeral", "ttl": cache_type} if cache_type in _LIFETIMES else {"type": cache_type}


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
            return {
                "type": "tool_result",
                "tool_use_id": part.id,
                "content": part.content,
                "is_error": part.is_error,
            }
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
    # Arguments that were no JSON object: an input has to be one.
    arguments = (part.__pydantic_extra__ or {}).get("arguments")
    return {"arguments": arguments} if arguments else {}


# -- the system prompt -----------------------------------------------------------------------------------------


def split_system(messages: Iterable[WireMessage]) -> tuple[list[Any], list[WireMessage]]:
    """The contents of the system messages, and the other messages: the system prompt is no message here."""
    system: list[Any] = []
    others: list[WireMessage] = []
    for message in messages:
        if _member(message, "role") == "system":
            system.append(_member(message, "content"))
        else:
            others.append(message)
    return system, others


def join_system(contents: Sequence[str | Iterable[Any]]) -> str | list[Any]:
    """One system prompt of several: a text as it is, more as blocks."""
    if len(contents) == 1 and isinstance(contents[0], str):
        return contents[0]
    blocks: list[Any] = []
    for content in contents:
        blocks += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return blocks


def with_text(message: WireMessage, text: str) -> WireMessage:
    """The message with a text at its end; the given one stays as it is."""
    content = _member(message, "content")
    longer = content + text if isinstance(content, str) else [*content, {"type": "text", "text": text}]
    return {"role": _member(message, "role"), "content": longer}


def _member(message: WireMessage, name: str) -> Any:
    return message.get(name) if isinstance(message, dict) else getattr(message, name, None)


# -- what we read ----------------------------------------------------------------------------------------------


def parse_messages(wire: Iterable[WireMessage]) -> list[BaseMessageParam]:
    """Read messages of a request or of an answer; common ones pass through.

    A tool's answer gets the name of the tool from the call that it answers.
    """
    messages: list[BaseMessageParam] = []
    names: dict[str, str] = {}
    for one in wire:
        message = parse_message(one)
        if message is not one and not isinstance(message.content, str):
            for part in message.content:
                if isinstance(part, ToolCallPart) and part.id is not None:
                    names[part.id] = part.name
                elif isinstance(part, ToolResultPart) and not part.name:
                    part.name = names.get(part.id or "", "")
        messages.append(message)
    return messages


def parse_message(wire: WireMessage) -> BaseMessageParam:
    """Read one message."""
    if isinstance(wire, BaseMessageParam):
        return wire
    role, content = str(_member(wire, "role")), _member(wire, "content")
    if isinstance(content, str):
        return BaseMessageParam(role=role, content=content)
    blocks = [_as_dict(block) for block in content or ()]
    parts, whole = _parse_blocks(blocks)
    if whole:
        return BaseMessageParam(role=role, content=parts)
    return BaseMessageParam(role=role, content=parts, **{_EXTRA: blocks})


def _as_dict(block: Any) -> Block:
    return block.model_dump(exclude_unset=True, warnings=False) if isinstance(block, BaseModel) else dict(block)


def _parse_blocks(blocks: Iterable[Mapping[str, Any]]) -> tuple[list[ContentPart], bool]:
    """The parts of a content, and whether they say all that it says."""
    parts: list[ContentPart] = []
    whole = True
    for block in blocks:
        part, said = _parse_block(block)
        known = {"type", "cache_control", *said}
        whole &= part is not None and all(name in known or block[name] is None for name in block)
        if part is not None:
            parts.append(part)
            if cache := block.get("cache_control"):
                parts.append(CacheControlPart(type="cache_control", cache_type=cache.get("ttl") or cache["type"]))
    return parts, whole


def _parse_block(block: Mapping[str, Any]) -> tuple[ContentPart | None, tuple[str, ...]]:
    """The part that a block is, and the members of the block that it says."""
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
        case "document", "url":
            return DocumentURLPart(type="document_url", url=source["url"]), ("source",)
        case "tool_use", _:
            args = block["input"] if isinstance(block["input"], dict) else None
            part = ToolCallPart(type="tool_call", name=block["name"], args=args, id=block["id"])
            return part, ("id", "name", "input")
        case "tool_result", _:
            content, said = _result_text(block.get("content"))
            result = ToolResultPart(
                type="tool_result",
                content=content,
                id=block["tool_use_id"],
                is_error=bool(block.get("is_error")),
            )
            return result, ("tool_use_id", "is_error", *(("content",) if said else ()))
        case _:
            return None, ()


def _bytes(data: Any) -> bytes:
    """The bytes of a source: base64 text, or a file or its path, which the SDK takes too."""
    if isinstance(data, str):
        return base64.b64decode(data)
    if hasattr(data, "read"):
        found: bytes = data.read()
        data.seek(0)
        return found
    with open(data, "rb") as file:
        return file.read()


def _result_text(content: Any) -> tuple[str, bool]:
    """The text of a tool's answer, and whether that is all of it."""
    if content is None or isinstance(content, str):
        return content or "", True
    blocks = [_as_dict(block) for block in content]
    texts = [block["text"] for block in blocks if block.get("type") == "text"]
    return "".join(texts), len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
