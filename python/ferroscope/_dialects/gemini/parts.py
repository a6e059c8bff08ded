"""The parts of contents in Gemini's format: rendering and parsing.

A rendered part is a dict with the names of google-genai's `PartDict`, and with bytes as bytes. Parts in the API's own
JSON (`inlineData`, base64 text) are read too.

https://ai.google.dev/api/caching#Part
"""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel

from ...core.base._media.parts import audio_media_type, data_url_bytes, document_media_type, image_media_type
from ...core.base._messages.provider_data import Piece
from ...core.base._suggestions import with_article
from ...core.base.message_param import (
    AudioPart,
    AudioURLPart,
    ContentPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

Fetch: TypeAlias = Callable[[str], bytes]
"""A function that reads the bytes of a URL."""

_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"})
_SOUNDS: Final = frozenset(
    {
        "audio/aac",
        "audio/aiff",
        "audio/flac",
        "audio/mp3",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/wave",
        "audio/x-wav",
    }
)
_DOCUMENTS: Final = frozenset(
    {
        "application/pdf",
        "application/x-javascript",
        "application/x-python",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/markdown",
        "text/md",
        "text/plain",
        "text/rtf",
        "text/x-python",
        "text/xml",
    }
)
# The hosts of URLs that the API itself reads: its Files API, and videos.
_OWN_HOSTS: Final = frozenset({"generativelanguage.googleapis.com", "www.youtube.com", "youtube.com", "youtu.be"})
# Members whose values are the caller's own JSON.
_FREE: Final = frozenset({"args", "response", "part_metadata"})
_BYTES: Final = frozenset({"data", "thought_signature"})
_UPPER: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass(frozen=True, slots=True)
class MessageRules:
    """The rules of one server for contents.

    Attributes:
        provider: The provider's name in error messages.
        reads_urls: Whether the server reads media from any URL, as Vertex AI does. Other servers need the bytes.
    """

    provider: str = "Google"
    reads_urls: bool = False


GOOGLE: Final = MessageRules()


# -- rendering -------------------------------------------------------------------------------------------------


def is_fetched(part: ContentPart, rules: MessageRules) -> bool:
    """Return whether rendering a part has to read a URL."""
    url = getattr(part, "url", None)
    return url is not None and url[:5].lower() != "data:" and not _is_read_by_server(url, rules)


def render_part(part: ContentPart, rules: MessageRules, fetch: Fetch) -> Piece:
    """Return the wire form of a part.

    Raises:
        ValueError: The provider does not accept the kind or the media type of the part.
    """
    # Match by the tag: `isinstance` over pydantic's classes costs more than the rest of this function.
    match part.type:
        case "text":
            return {"text": part.text}
        case "image":
            return _inline(part.media_type, part.image, "image", _IMAGES, rules)
        case "audio":
            data = base64.b64decode(part.audio) if isinstance(part.audio, str) else part.audio
            return _inline(part.media_type, data, "audio", _SOUNDS, rules)
        case "document":
            return _inline(part.media_type, part.document, "document", _DOCUMENTS, rules)
        case "image_url":
            return _render_url(part.url, "image", _IMAGES, image_media_type, rules, fetch)
        case "audio_url":
            return _render_url(part.url, "audio", _SOUNDS, audio_media_type, rules, fetch)
        case "document_url":
            return _render_url(part.url, "document", _DOCUMENTS, document_media_type, rules, fetch)
        case "tool_call":
            return {"function_call": _with_id({"name": part.name, "args": _arguments(part)}, part.id)}
        case "tool_result":
            response = {"error" if part.is_error else "content": part.content}
            return {"function_response": _with_id({"name": part.name, "response": response}, part.id)}
        case _:
            raise ValueError(
                f"{rules.provider} currently only supports text, image, audio and document parts. "
                f"Part provided: {part.type}"
            )


def _with_id(value: dict[str, Any], identifier: str | None) -> dict[str, Any]:
    return {**value, "id": identifier} if identifier else value


def _arguments(part: ToolCallPart) -> dict[str, Any]:
    if part.args is not None:
        return part.args
    # The arguments were not a JSON object, but `args` must be one.
    arguments = (part.__pydantic_extra__ or {}).get("arguments")
    return {"arguments": arguments} if arguments else {}


def _inline(media_type: str, data: bytes, kind: str, known: frozenset[str], rules: MessageRules) -> Piece:
    if media_type not in known:
        raise ValueError(
            f"Unsupported {kind} media type: {media_type}. {rules.provider} currently only supports the {kind} types "
            f"{', '.join(sorted(known))}."
        )
    return {"inline_data": {"mime_type": media_type, "data": data}}


def _render_url(
    url: str,
    kind: str,
    known: frozenset[str],
    media_type_of: Callable[[bytes], str],
    rules: MessageRules,
    fetch: Fetch,
) -> Piece:
    if url[:5].lower() == "data:":
        return _inline(*data_url_bytes(url), kind, known, rules)
    guess = mimetypes.guess_type(urlsplit(url).path)[0]
    if _is_read_by_server(url, rules):
        file = {"file_uri": url}
        return {"file_data": {**file, "mime_type": guess} if guess else file}
    try:
        data = fetch(url)
    except (OSError, ValueError) as error:
        raise ValueError(f"Failed to load or encode data from {url}") from error
    try:
        media_type = media_type_of(data)
    except ValueError:
        # Text files have no magic bytes, so use the media type of the URL's name.
        if guess not in known:
            raise
        media_type = guess
    return _inline(media_type, data, kind, known, rules)


def _is_read_by_server(url: str, rules: MessageRules) -> bool:
    address = urlsplit(url)
    return rules.reads_urls or address.scheme.lower() not in ("http", "https") or address.hostname in _OWN_HOSTS


# -- parsing ---------------------------------------------------------------------------------------------------


def as_piece(part: Any) -> Piece:  # Any: a part in any form that the SDK accepts
    """Return a part as a dict with the names of the SDK's dicts.

    Raises:
        ValueError: The value is not a part.
    """
    if isinstance(part, str):
        return {"text": part}
    if isinstance(part, BaseModel):
        if (uri := getattr(part, "uri", None)) is not None:  # an uploaded file
            return {"file_data": _without_none({"file_uri": uri, "mime_type": getattr(part, "mime_type", None)})}
        part = part.model_dump(exclude_none=True, warnings=False)
    if not isinstance(part, Mapping):
        raise ValueError(f"{with_article(type(part).__name__)} is not a message part: pass text, a `Part` or a file")
    piece: Piece = _normal(part)
    return piece


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _normal(value: Any, name: str = "") -> Any:
    """Return JSON of the API, or a dump of the SDK's objects, under the names of the SDK's dicts."""
    if isinstance(value, Mapping):
        if name in _FREE:
            return dict(value)
        names = {member: _UPPER.sub(r"_\1", member).lower() for member in value}
        return {names[member]: _normal(one, names[member]) for member, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_normal(one, name) for one in value]
    if isinstance(value, str) and name in _BYTES:
        try:
            return base64.b64decode(value.replace("-", "+").replace("_", "/"))
        except binascii.Error:  # not base64: the API's error will name it
            return value
    return value.value if isinstance(value, Enum) else value


def parse_piece(piece: Mapping[str, Any]) -> ContentPart | None:
    """Read a part; None if the common format has no such part."""
    if piece.get("thought"):
        return None
    if piece.get("text"):
        return TextPart(type="text", text=piece["text"])
    if is_cut_off(piece):
        return None
    if call := piece.get("function_call"):
        return ToolCallPart(
            type="tool_call", name=call.get("name") or "", args=call.get("args") or {}, id=call.get("id")
        )
    if response := piece.get("function_response"):
        text, is_error = _result_text(response.get("response"))
        name, identifier = response.get("name") or "", response.get("id")
        return ToolResultPart(type="tool_result", name=name, content=text, id=identifier, is_error=is_error)
    if blob := piece.get("inline_data"):
        return _parse_bytes(blob.get("mime_type") or "", blob.get("data") or b"")
    if file := piece.get("file_data"):
        return _parse_file(file.get("mime_type") or "", file.get("file_uri") or "")
    return None


def is_cut_off(piece: Mapping[str, Any]) -> bool:
    """Return whether a part is a function call without its end."""
    return bool((piece.get("function_call") or {}).get("will_continue"))


def _parse_bytes(media_type: str, data: bytes) -> ContentPart | None:
    match media_type.partition("/")[0]:
        case "image":
            return ImagePart(type="image", media_type=media_type, image=data, detail=None)
        case "audio":
            return AudioPart(type="audio", media_type=media_type, audio=data)
        case "video":
            return None
        case _:
            return DocumentPart(type="document", media_type=media_type, document=data)


def _parse_file(media_type: str, uri: str) -> ContentPart | None:
    match media_type.partition("/")[0]:
        case "image":
            return ImageURLPart(type="image_url", url=uri, detail=None)
        case "audio":
            return AudioURLPart(type="audio_url", url=uri)
        case "application" | "text":
            return DocumentURLPart(type="document_url", url=uri)
        case _:  # videos, and files in the API's own storage
            return None


def _result_text(response: Any) -> tuple[str, bool]:
    """Return the text of a tool's result, and whether it is an error."""
    if isinstance(response, Mapping) and len(response) == 1:
        [(name, value)] = response.items()
        if isinstance(value, str) and name in ("content", "result", "output", "error"):
            return value, name == "error"
    return json.dumps(response or {}, ensure_ascii=False, default=str), False


def is_represented(piece: Piece, rules: MessageRules = GOOGLE) -> bool:
    """Return whether the common part of a piece represents all of it."""
    part = parse_piece(piece)
    if part is None or "file_data" in piece:
        return False
    try:
        return render_part(part, rules, _no_fetch) == piece
    except ValueError:
        return False


def _no_fetch(url: str) -> bytes:
    raise ValueError(f"{url} is not read here")


def kind_of(piece: Mapping[str, Any]) -> str:
    """Return the kind of a part without a common form."""
    media = piece.get("inline_data") or piece.get("file_data")
    if media is not None:
        return (media.get("mime_type") or "file").partition("/")[0]
    if piece.get("thought"):
        return "thought"
    return next((name for name in piece if name not in ("text", "thought_signature")), "")


# -- other models ----------------------------------------------------------------------------------------------


def for_other_model(piece: Piece) -> Piece | None:
    """Return a part without thoughts and signatures, for another model; None if nothing is left."""
    if piece.get("thought"):
        return None
    plain = {name: value for name, value in piece.items() if name != "thought_signature"}
    return plain if plain and plain != {"text": ""} else None
