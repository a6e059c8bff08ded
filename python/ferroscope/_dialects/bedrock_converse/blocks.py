"""Content blocks in the Converse format: rendering and parsing.

A block is a dict with one member, which is named like its kind. As in AWS's SDKs, blobs are bytes.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from ...core.base._media.parts import data_url_bytes, document_media_type, image_media_type
from ...core.base._messages.provider_data import Piece
from ...core.base.message_param import (
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
from ..openai_chat.message_parts import dump_json

Fetch: TypeAlias = Callable[[str], bytes]
"""A function that reads the bytes of a URL."""

_IMAGES: Final = {"image/jpeg": "jpeg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    _WORD: "docx",
    "application/vnd.ms-excel": "xls",
    _EXCEL: "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/md": "md",
}
_MEDIA_TYPES: Final = {kind: media_type for media_type, kind in reversed([*_IMAGES.items(), *_DOCUMENTS.items()])}
_LIFETIMES: Final = frozenset({"5m", "1h"})
_OWN_TYPES: Final = frozenset({None, "tool_use"})


# -- rendering -------------------------------------------------------------------------------------------------


def is_fetched(part: ContentPart) -> bool:
    """Return whether rendering a part has to read a URL."""
    url = getattr(part, "url", None)
    return url is not None and part.type != "audio_url" and urlsplit(url).scheme.lower() in ("http", "https")


def render_part(part: ContentPart, fetch: Fetch, document_name: Callable[[], str]) -> Piece:
    """Return the block for a part.

    Args:
        part: The part.
        fetch: Reads the bytes of the web URL of an image or document, because the service does not read URLs.
        document_name: Returns the required name of a document.

    Raises:
        ValueError: Bedrock does not accept the kind or the media type of the part.
    """
    # Match by the tag: `isinstance` over pydantic's classes costs more than the rest of this function.
    match part.type:
        case "text":
            return {"text": part.text}
        case "image":
            return _image(part.media_type, {"bytes": part.image})
        case "image_url":
            return _image(*_load(part.url, image_media_type, fetch))
        case "document":
            return _document(part.media_type, {"bytes": part.document}, document_name)
        case "document_url":
            return _document(*_load(part.url, document_media_type, fetch), document_name)
        case "cache_control":
            lifetime = {"ttl": part.cache_type} if part.cache_type in _LIFETIMES else {}
            return {"cachePoint": {"type": "default", **lifetime}}
        case "tool_call":
            return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": _input(part)}}
        case "tool_result":
            # The API refuses blank texts.
            content = [{"text": part.content}] if part.content.strip() else []
            status = {"status": "error"} if part.is_error else {}
            return {"toolResult": {"toolUseId": part.id, "content": content, **status}}
        case _:
            raise ValueError(
                f"Bedrock currently only supports text, image and document parts. Part provided: {part.type}"
            )


def _image(media_type: str, source: dict[str, Any]) -> Piece:
    if media_type not in _IMAGES:
        raise ValueError(
            f"Unsupported image media type: {media_type}. Bedrock currently only supports JPEG, PNG, GIF, and WebP "
            "images."
        )
    return {"image": {"format": _IMAGES[media_type], "source": source}}


def _document(media_type: str, source: dict[str, Any], document_name: Callable[[], str]) -> Piece:
    if media_type not in _DOCUMENTS:
        known = ", ".join(dict.fromkeys(_DOCUMENTS.values()))
        raise ValueError(
            f"Unsupported document media type: {media_type}. Bedrock currently only supports documents of the formats "
            f"{known}."
        )
    return {"document": {"format": _DOCUMENTS[media_type], "name": document_name(), "source": source}}


def _load(url: str, media_type_of: Callable[[bytes], str], fetch: Fetch) -> tuple[str, dict[str, Any]]:
    """Return the media type and the source for the content of a URL."""
    if url[:5].lower() == "data:":
        media_type, data = data_url_bytes(url)
        return media_type, {"bytes": data}
    address = urlsplit(url)
    guess = mimetypes.guess_type(address.path)[0] or ""
    if address.scheme.lower() == "s3":
        return guess, {"s3Location": {"uri": url}}
    if address.scheme.lower() not in ("http", "https"):
        raise ValueError(f"Bedrock accepts media as bytes or from S3, and {url!r} cannot be fetched")
    try:
        data = fetch(url)
    except (OSError, ValueError) as error:
        raise ValueError(f"Failed to load or encode data from {url}") from error
    try:
        return media_type_of(data), {"bytes": data}
    except ValueError:
        # Text files have no magic bytes, so use the media type of the URL's name.
        if guess not in _DOCUMENTS:
            raise
        return guess, {"bytes": data}


def _input(part: ToolCallPart) -> dict[str, Any]:
    if part.args is not None:
        return part.args
    # The arguments were not a JSON object, but `input` must be one.
    arguments = (part.__pydantic_extra__ or {}).get("arguments")
    return {"arguments": arguments} if arguments else {}


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_block(block: Mapping[str, Any]) -> ContentPart | None:
    """Read a block; None if the common format has no such part."""
    kind, value = kind_of(block), None
    if kind:
        value = block[kind]
    match kind, value:
        case "text", str():
            return TextPart(type="text", text=value)
        case "citationsContent", {"content": list(content)}:
            return TextPart(type="text", text=_texts(content))
        case "guardContent", {"text": {"text": str(guarded)}}:
            return TextPart(type="text", text=guarded)
        case "image" | "document", {"format": str(media), "source": Mapping() as source}:
            return _parse_media(kind, _MEDIA_TYPES.get(media, f"{kind}/{media}"), source)
        case "cachePoint", Mapping():
            return CacheControlPart(type="cache_control", cache_type=value.get("ttl") or "ephemeral")
        case "toolUse", Mapping() if value.get("type") in _OWN_TYPES:
            return _parse_tool_use(value)
        case "toolResult", Mapping() if "type" not in value:  # a result with a type is from a tool of the service
            return ToolResultPart(
                type="tool_result",
                content=_texts(value.get("content") or ()),
                id=value.get("toolUseId"),
                is_error=value.get("status") == "error",
            )
        case _:
            return None


def kind_of(block: Mapping[str, Any]) -> str:
    """Return the kind of a block: the name of its first member that is set."""
    return next((name for name, value in block.items() if value is not None), "")


def _texts(content: Any) -> str:
    """Return the texts and the JSON of some blocks of a result, joined."""
    texts: list[str] = []
    for block in content:
        if isinstance(block.get("text"), str):
            texts.append(block["text"])
        elif "json" in block:
            texts.append(dump_json(block["json"]))
    return "".join(texts)


def _parse_media(kind: str, media_type: str, source: Mapping[str, Any]) -> ContentPart | None:
    match source:
        case {"bytes": bytes(data)} if kind == "image":
            return ImagePart(type="image", media_type=media_type, image=data, detail=None)
        case {"bytes": bytes(data)}:
            return DocumentPart(type="document", media_type=media_type, document=data)
        case {"s3Location": {"uri": str(uri)}} if kind == "image":
            return ImageURLPart(type="image_url", url=uri, detail=None)
        case {"s3Location": {"uri": str(uri)}}:
            return DocumentURLPart(type="document_url", url=uri)
        case {"text": str(text)}:
            return TextPart(type="text", text=text)
        case _:
            return None


def _parse_tool_use(value: Mapping[str, Any]) -> ToolCallPart:
    given = value.get("input")
    args = dict(given) if isinstance(given, Mapping) else None
    return ToolCallPart(type="tool_call", name=value.get("name") or "", args=args, id=value.get("toolUseId"))


def is_represented(block: Piece) -> bool:
    """Return whether the common part of a block represents all of it."""
    part = parse_block(block)
    if part is None or "document" in block:  # a part has no field for its name
        return False
    tool_use = block.get("toolUse")
    if tool_use and tool_use.get("type") == "tool_use":
        block = {"toolUse": {name: value for name, value in tool_use.items() if name != "type"}}
    try:
        return render_part(part, _no_fetch, str) == block
    except ValueError:
        return False


def _no_fetch(url: str) -> bytes:
    raise ValueError(f"{url} is not read here")


def may_be_sent_back(block: Piece, *, same_model: bool) -> bool:
    """Return whether a block of an answer may be sent again.

    Reasoning is sent only with its signature, and only to the model that wrote it.
    """
    reasoning = block.get("reasoningContent")
    if reasoning is None:
        return True
    signed = bool((reasoning.get("reasoningText") or {}).get("signature"))
    return same_model and (signed or "redactedContent" in reasoning)
