"""Content parts and tool calls of messages in OpenAI's chat format: rendering and parsing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson
from pydantic_core import from_json

from ...core.base._media.parts import audio_media_type, data_url_bytes
from ...core.base._messages.cache_marks import Marked, parse_mark, render_mark
from ...core.base._messages.provider_data import Piece
from ...core.base.message_param import (
    AudioPart,
    ContentPart,
    DocumentPart,
    DocumentURLPart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
)
from ...core.base.quirks import Quirks

Fetch: TypeAlias = Callable[[str], bytes]
"""A function that reads the bytes of a URL."""

FUNCTION_CALL: Final = "function_call"

IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}
_PDF: Final = "application/pdf"
_THOUGHTS: Final = frozenset({"thinking", "reasoning"})
_CALL_MEMBERS: Final = frozenset({"id", "type", "function", "custom", FUNCTION_CALL})
# The members of each kind of piece that its part represents.
_REPRESENTED: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"type", "text"}),
    "image_url": frozenset({"type", "image_url"}),
    "input_audio": frozenset({"type", "input_audio"}),
    "function": frozenset({"id", "type", "function", "index"}),
    "custom": frozenset({"id", "type", "custom", "index"}),
}
_REPRESENTED_INSIDE: Final[Mapping[str, frozenset[str]]] = {
    "image_url": frozenset({"url", "detail"}),
    "input_audio": frozenset({"format", "data"}),
    "function": frozenset({"name", "arguments"}),
    "custom": frozenset({"name", "input"}),
}


@dataclass(frozen=True, slots=True)
class MessageRules:
    """The rules of one server for messages.

    Attributes:
        provider: The provider's name in error messages.
        quirks: The server's differences from OpenAI's format.
    """

    provider: str = "OpenAI"
    quirks: Quirks = field(default_factory=Quirks)


OPENAI: Final = MessageRules(quirks=Quirks(documents=True))


# -- rendering ---------------------------------------------------------------


def render_piece(unit: Marked, rules: MessageRules, fetch: Fetch) -> Piece:
    """Return the piece for a part, with its cache mark if the server accepts marks.

    Raises:
        ValueError: The server does not accept the kind or the media type of the part.
    """
    part, mark = unit
    if part.type == "tool_call":
        return _render_tool_call(part)
    piece = _render_part(part, rules, fetch)
    return render_mark(piece, mark) if rules.quirks.cache_control else piece


def render_again(unit: Marked, old: Piece | None, rules: MessageRules, fetch: Fetch) -> Piece:
    """Return the piece for a part that is new or was edited.

    A tool call with new arguments keeps the members of its old piece that the common format lacks (signatures).
    """
    piece, part = render_piece(unit, rules, fetch), unit[0]
    if old is None or not isinstance(part, ToolCallPart):
        return piece
    read = parse_piece(old)
    if not isinstance(read, ToolCallPart) or (read.id, read.name) != (part.id, part.name):
        return piece
    if FUNCTION_CALL in old:
        return {FUNCTION_CALL: {**old[FUNCTION_CALL], **piece["function"]}}
    return {**old, **piece}


def keep_piece(piece: Piece, unit: Marked, rules: MessageRules) -> Piece:
    """Return a piece unchanged, except for an edited cache mark."""
    if parse_mark(piece) == unit[1]:
        return piece
    return render_mark(piece, unit[1] if rules.quirks.cache_control else None)


def for_other_model(piece: Piece) -> Piece | None:
    """Return a piece without reasoning and signatures, for another model; None if nothing is left."""
    if piece.get("type") in _THOUGHTS:
        return None
    if is_call(piece):
        return {name: value for name, value in piece.items() if name in _CALL_MEMBERS}
    return piece


def is_call(piece: Mapping[str, Any]) -> bool:
    """Return whether a piece is a tool call."""
    return "function" in piece or "custom" in piece or FUNCTION_CALL in piece


def _render_part(part: ContentPart, rules: MessageRules, fetch: Fetch) -> Piece:
    # Match by the tag: `isinstance` over pydantic's classes costs more than the rest of this function.
    if part.type == "text":
        return {"type": "text", "text": part.text}
    if part.type == "image_url":
        return _render_image(part.url, part.detail, rules)
    if part.type == "image":
        if part.media_type not in IMAGE_TYPES:
            raise ValueError(
                f"Unsupported image media type: {part.media_type}. {rules.provider} currently only "
                "supports JPEG, PNG, GIF, and WebP images."
            )
        encoded = base64.b64encode(part.image).decode()
        return _render_image(f"data:{part.media_type};base64,{encoded}", part.detail, rules)
    if part.type == "audio" and rules.quirks.audio:
        data = part.audio if isinstance(part.audio, str) else base64.b64encode(part.audio).decode()
        return _render_audio(part.media_type, data, rules)
    if part.type == "audio_url" and rules.quirks.audio:
        sound = _load(part.url, "audio", rules, fetch)[1]
        return _render_audio(audio_media_type(sound), base64.b64encode(sound).decode(), rules)
    if part.type == "document" and rules.quirks.documents:
        return _render_document(part.media_type, part.document, rules)
    if part.type == "document_url" and rules.quirks.documents:
        return _render_document(*_load(part.url, "a document", rules, fetch), rules)
    kinds = "text, image and audio" if rules.quirks.audio else "text and image"
    raise ValueError(f"{rules.provider} currently only supports {kinds} parts. Part provided: {part.type}")


def _render_image(url: str, detail: str | None, rules: MessageRules) -> Piece:
    image = {"url": url, "detail": detail or "auto"} if rules.quirks.image_detail else {"url": url}
    return {"type": "image_url", "image_url": image}


def _render_audio(media_type: str, data: str, rules: MessageRules) -> Piece:
    audio_format = AUDIO_FORMATS.get(media_type)
    if audio_format is None:
        raise ValueError(
            f"Unsupported audio media type: {media_type}. {rules.provider} currently only "
            "supports WAV and MP3 audio file types."
        )
    return {"type": "input_audio", "input_audio": {"format": audio_format, "data": data}}


def _render_document(media_type: str, data: bytes, rules: MessageRules) -> Piece:
    if media_type != _PDF:
        raise ValueError(
            f"Unsupported document media type: {media_type}. {rules.provider} currently only supports PDF documents."
        )
    # The file name is required.
    encoded = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return {"type": "file", "file": {"filename": "document.pdf", "file_data": encoded}}


def _load(url: str, what: str, rules: MessageRules, fetch: Fetch) -> tuple[str, bytes]:
    """Return the media type and the bytes of a URL, for content that this format cannot pass on as a URL."""
    if url[:5].lower() == "data:":
        return data_url_bytes(url)
    if not url.startswith(("http://", "https://")):
        raise ValueError(
            f"{rules.provider} accepts {what} only as bytes, and {url!r} cannot be fetched: pass its bytes"
        )
    try:
        return _PDF, fetch(url)
    except (OSError, ValueError) as error:
        raise ValueError(f"Failed to load or encode data from {url}") from error


def _render_tool_call(part: ToolCallPart) -> Piece:
    extra = part.__pydantic_extra__ or {}
    if "custom_input" in extra:
        custom = {"name": part.name, "input": extra["custom_input"]}
        return {"id": part.id, "type": "custom", "custom": custom}
    function = {"name": part.name, "arguments": arguments_text(part)}
    return {"id": part.id, "type": "function", "function": function}


def arguments_text(part: ToolCallPart) -> str:
    """Return the arguments of a tool call as JSON text. Arguments that were no JSON object stay as received."""
    if part.args is None:
        return str((part.__pydantic_extra__ or {}).get("arguments", "{}"))
    return dump_json(part.args)


def dump_json(value: Any) -> str:  # Any: JSON of whatever shape
    """Return JSON text as models write it. Identical bytes keep the provider's prompt cache valid."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Integers over 64 bits, and text with lone surrogates.
        return json.dumps(value)


# -- parsing -----------------------------------------------------------------


def read_unit(piece: Piece) -> Marked | None:
    """Return the common part for a piece, with its cache mark; None if the common format has no such part."""
    part = parse_piece(piece)
    return None if part is None else (part, parse_mark(piece))


def is_represented(piece: Piece) -> bool:
    """Return whether the part of a piece represents all of it."""
    kind = next((name for name in ("function", "custom") if name in piece), piece.get("type") or "")
    members = _REPRESENTED.get(kind)
    if members is None or not all(name in members or value is None for name, value in piece.items()):
        return False
    inside, known = piece.get(kind), _REPRESENTED_INSIDE.get(kind)
    if isinstance(inside, Mapping):
        return known is None or known.issuperset(inside)
    return kind in ("text", "image_url")  # an address that is a string


def parse_piece(piece: Mapping[str, Any]) -> ContentPart | None:
    """Read a content part or a tool call; None if the common format has no such part."""
    if is_call(piece):
        return _parse_tool_call(piece)
    match piece.get("type"):
        case "text":
            return TextPart(type="text", text=piece.get("text") or "")
        case "refusal":
            return TextPart(type="text", text=piece["refusal"])
        case "image_url":
            image = piece["image_url"]
            if isinstance(image, str):  # Mistral's servers and some others
                return ImageURLPart(type="image_url", url=image, detail=None)
            return ImageURLPart(type="image_url", url=image["url"], detail=image.get("detail"))
        case "input_audio":
            audio = piece["input_audio"]
            if isinstance(audio, str):
                return _parse_audio(audio)
            return AudioPart(type="audio", media_type=f"audio/{audio['format']}", audio=audio["data"])
        case "file":
            return _parse_file(piece.get("file") or {})
        case "document_url" | "file_url" as kind:  # Mistral's and Perplexity's forms
            url = piece[kind]
            return DocumentURLPart(type="document_url", url=url if isinstance(url, str) else url["url"])
        case _:
            return None


def _parse_file(file: Mapping[str, Any]) -> ContentPart | None:
    """Return the document in a file part; None for a file that is stored at the provider."""
    data = file.get("file_data")
    if not isinstance(data, str):
        return None
    if data.startswith(("http://", "https://")):  # OpenRouter
        return DocumentURLPart(type="document_url", url=data)
    try:
        media_type, document = data_url_bytes(data) if data[:5].lower() == "data:" else ("", b"")
    except ValueError:
        return None
    return DocumentPart(type="document", media_type=media_type, document=document) if media_type else None


def _parse_audio(data: str) -> ContentPart | None:
    """Return the audio in plain base64 text, Mistral's form; None if its media type is unknown."""
    try:
        return AudioPart(type="audio", media_type=audio_media_type(base64.b64decode(data)), audio=data)
    except ValueError:
        return None


def _parse_tool_call(call: Mapping[str, Any]) -> ToolCallPart:
    if "custom" in call:
        custom = call["custom"]
        return _tool_call(custom["name"], {"input": custom["input"]}, call, {"custom_input": custom["input"]})
    function = call.get("function") or call[FUNCTION_CALL]
    raw = function.get("arguments") or "{}"
    if isinstance(raw, dict):
        return _tool_call(function["name"], raw, call, {})
    try:
        args = from_json(raw)
    except ValueError:
        args = None
    if isinstance(args, dict):
        return _tool_call(function["name"], args, call, {})
    return _tool_call(function["name"], None, call, {"arguments": raw})


def _tool_call(name: str, args: dict[str, Any] | None, call: Mapping[str, Any], extra: dict[str, Any]) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=name, args=args, id=call.get("id"), **extra)
