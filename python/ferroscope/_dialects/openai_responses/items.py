"""The input and output items of the Responses API: rendering and parsing.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from ...core.base._media.parts import audio_media_type, data_url_bytes
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
from ..openai_chat.message_parts import AUDIO_FORMATS, IMAGE_TYPES, arguments_text

Fetch: TypeAlias = Callable[[str], bytes]
"""A function that reads the bytes of a URL."""

_PDF: Final = "application/pdf"
# The items that the caller writes. All others come from the model or a hosted tool.
_CALLERS_OUTPUTS: Final = frozenset(
    {
        "apply_patch_call_output",
        "computer_call_output",
        "custom_tool_call_output",
        "function_call_output",
        "local_shell_call_output",
        "shell_call_output",
    }
)
_CALLERS: Final = (
    _CALLERS_OUTPUTS
    | {"additional_tools", "configuration_update", "item_reference"}
    | {
        "mcp_approval_response",
        "compaction_trigger",
    }
)
TOOL_OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
"""The items with the output of one of the caller's tools."""
TOOL_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
"""The items that call one of the caller's tools."""
_SERVERS_OUTPUTS: Final = _CALLERS_OUTPUTS - TOOL_OUTPUTS
# The items that the model writes itself.
_MODELS: Final = TOOL_CALLS | {"message", "reasoning", "compaction"}
# The members of each item that its part represents. The id only refers to items stored on the server.
_REPRESENTED: Final[Mapping[str, frozenset[str]]] = {
    "message": frozenset({"type", "id", "status", "role", "content"}),
    "function_call": frozenset({"type", "id", "status", "call_id", "name", "arguments"}),
    "custom_tool_call": frozenset({"type", "id", "status", "call_id", "name", "input"}),
}
_REPRESENTED_IN_TEXT: Final = frozenset({"type", "text"})
# The members that the SDK adds when it parses a response.
_ADDED_BY_SDK: Final = frozenset({"parsed", "parsed_arguments"})


@dataclass(frozen=True, slots=True)
class ItemRules:
    """The rules of one server for items.

    Attributes:
        provider: The provider's name in error messages.
        audio: Whether messages may contain audio.
        documents: Whether messages may contain documents.
    """

    provider: str = "OpenAI"
    audio: bool = True
    documents: bool = True


OPENAI: Final = ItemRules()


def kind_of(item: Mapping[str, Any]) -> str:
    """Return the type of an item. A message may omit it."""
    return str(item.get("type") or ("message" if "role" in item else ""))


def is_output(item: Mapping[str, Any]) -> bool:
    """Return whether an item comes from the model or a hosted tool."""
    kind = kind_of(item)
    if kind == "message":
        return item.get("role") == "assistant"
    # A tool that the server runs has its output in the response, with an id.
    return kind not in _CALLERS or (kind in _SERVERS_OUTPUTS and "id" in item)


def is_hosted(item: Mapping[str, Any]) -> bool:
    """Return whether an item of a response is a call or a result of a hosted tool."""
    return kind_of(item) not in _MODELS


def plain_item(item: Any) -> dict[str, Any]:
    """Return an item as a dict; it may be an object of the SDK."""
    if not isinstance(item, Mapping):
        item = item.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    found = {name: value for name, value in item.items() if name not in _ADDED_BY_SDK}
    if found.get("type") == "message" and isinstance(found.get("content"), list | tuple):
        found["content"] = [
            {name: value for name, value in part.items() if name not in _ADDED_BY_SDK}
            if isinstance(part, Mapping)
            else part
            for part in found["content"]
        ]
    return found


# -- rendering -----------------------------------------------------------------


def render_call(part: ToolCallPart) -> Piece:
    """Return the item for a tool call."""
    extra = part.__pydantic_extra__ or {}
    named = {"call_id": part.id, "name": part.name}
    if "custom_input" in extra:
        return {"type": "custom_tool_call", **named, "input": extra["custom_input"]}
    return {"type": "function_call", **named, "arguments": arguments_text(part)}


def render_output_text(text: str) -> Piece:
    """Return the message item for a text that the model wrote."""
    return {"role": "assistant", "content": text}


def render_content(part: ContentPart, rules: ItemRules, fetch: Fetch) -> Piece:
    """Return the piece for a part of a message's content.

    Raises:
        ValueError: The server does not accept the kind or the media type of the part.
    """
    if part.type == "text":
        return {"type": "input_text", "text": part.text}
    if part.type == "image_url":
        return {"type": "input_image", "image_url": part.url, "detail": part.detail or "auto"}
    if part.type == "image":
        if part.media_type not in IMAGE_TYPES:
            raise ValueError(
                f"Unsupported image media type: {part.media_type}. {rules.provider} currently only "
                "supports JPEG, PNG, GIF, and WebP images."
            )
        url = f"data:{part.media_type};base64,{base64.b64encode(part.image).decode()}"
        return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
    if part.type == "document_url" and rules.documents:
        if part.url[:5].lower() == "data:":
            return _render_document(*data_url_bytes(part.url), rules)
        return {"type": "input_file", "file_url": part.url}
    if part.type == "document" and rules.documents:
        return _render_document(part.media_type, part.document, rules)
    if part.type == "audio" and rules.audio:
        data = part.audio if isinstance(part.audio, str) else base64.b64encode(part.audio).decode()
        return _render_audio(part.media_type, data, rules)
    if part.type == "audio_url" and rules.audio:
        sound = data_url_bytes(part.url)[1] if part.url[:5].lower() == "data:" else fetch(part.url)
        return _render_audio(audio_media_type(sound), base64.b64encode(sound).decode(), rules)
    kinds = "text, image and audio" if rules.audio else "text and image"
    raise ValueError(f"{rules.provider} currently only supports {kinds} parts. Part provided: {part.type}")


def _render_document(media_type: str, data: bytes, rules: ItemRules) -> Piece:
    if media_type != _PDF:
        raise ValueError(
            f"Unsupported document media type: {media_type}. {rules.provider} currently only supports PDF documents."
        )
    encoded = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return {"type": "input_file", "filename": "document.pdf", "file_data": encoded}


def _render_audio(media_type: str, data: str, rules: ItemRules) -> Piece:
    audio_format = AUDIO_FORMATS.get(media_type)
    if audio_format is None:
        raise ValueError(
            f"Unsupported audio media type: {media_type}. {rules.provider} currently only "
            "supports WAV and MP3 audio file types."
        )
    return {"type": "input_audio", "input_audio": {"format": audio_format, "data": data}}


# -- parsing -------------------------------------------------------------------


def parse_item(item: Mapping[str, Any]) -> TextPart | ToolCallPart | None:
    """Read an output item; None if the common format has no such part."""
    match kind_of(item):
        case "message":
            return TextPart(type="text", text=message_text(item))
        case "function_call":
            raw = item.get("arguments") or "{}"
            return _tool_call(item, *_arguments(raw))
        case "custom_tool_call":
            text = item.get("input") or ""
            return _tool_call(item, {"input": text}, {"custom_input": text})
        case _:
            return None


def message_text(item: Mapping[str, Any]) -> str:
    """Return the text of a message, or of its refusal."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in content or ())


def _arguments(raw: Any) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    if isinstance(raw, dict):
        return raw, {}
    try:
        args = from_json(raw)
    except ValueError:
        args = None
    # Arguments that are not a JSON object are sent back unchanged.
    return (args, {}) if isinstance(args, dict) else (None, {"arguments": raw})


def _tool_call(item: Mapping[str, Any], args: dict[str, Any] | None, extra: dict[str, Any]) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=item.get("name") or "", args=args, id=item.get("call_id"), **extra)


def is_represented(item: Mapping[str, Any]) -> bool:
    """Return whether the part of an output item represents all of it."""
    members = _REPRESENTED.get(kind_of(item))
    if members is None or not all(name in members or value is None for name, value in item.items()):
        return False
    content = item.get("content")
    if not isinstance(content, list | tuple):
        return True
    return len(content) <= 1 and all(
        part.get("type") in ("output_text", "input_text")
        and all(name in _REPRESENTED_IN_TEXT or not value for name, value in part.items())
        for part in content
    )


def parse_content(part: Mapping[str, Any]) -> ContentPart | None:
    """Read a part of a message's content; None if the common format has no such part."""
    match part.get("type"):
        case "input_text" | "output_text" | "text":
            return TextPart(type="text", text=part.get("text") or "")
        case "refusal":
            return TextPart(type="text", text=part.get("refusal") or "")
        case "input_image" if part.get("image_url"):
            return ImageURLPart(type="image_url", url=part["image_url"], detail=part.get("detail"))
        case "input_audio":
            audio = part["input_audio"]
            return AudioPart(type="audio", media_type=f"audio/{audio['format']}", audio=audio["data"])
        case "input_file" if part.get("file_url"):
            return DocumentURLPart(type="document_url", url=part["file_url"])
        case "input_file" if part.get("file_data"):
            return _parse_document(part["file_data"])
        case _:
            return None


def _parse_document(data: str) -> ContentPart | None:
    try:
        media_type, document = data_url_bytes(data) if data[:5].lower() == "data:" else ("", b"")
    except ValueError:
        return None
    return DocumentPart(type="document", media_type=media_type, document=document) if media_type else None


def is_content_represented(part: Mapping[str, Any]) -> bool:
    """Return whether the common part represents all of a part of a message's content."""
    members = {
        "input_text": {"type", "text"},
        "input_image": {"type", "image_url", "detail"},
        "input_audio": {"type", "input_audio"},
        "input_file": {"type", "file_url"} if part.get("file_url") else {"type", "file_data", "filename"},
    }.get(str(part.get("type")), set())
    return bool(members) and all(name in members or value is None for name, value in part.items())


def output_text(output: Any) -> tuple[str, bool]:
    """Return the text of a tool's output, and whether the text is the complete output."""
    if isinstance(output, str) or output is None:
        return output or "", True
    parts: Sequence[Mapping[str, Any]] = list(output)
    texts = [str(part["text"]) for part in parts if part.get("type") == "input_text"]
    return "".join(texts), False
