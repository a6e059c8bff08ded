"""Messages in OpenAI's chat format, to the wire and back.

Both ways keep everything that a request can carry: text beside several tool calls, tool results, images,
sounds, names, refusals and the id of a spoken answer. What the common form has no field for is an extra field
of the `BaseMessageParam`, which the other dialects do not look at.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

import orjson
from pydantic import BaseModel
from pydantic_core import from_json

from ...core.base._fetch import fetch as fetch_url
from ...core.base._media import audio_media_type, data_url_bytes
from ...core.base.message_param import (
    AudioPart,
    AudioURLPart,
    BaseMessageParam,
    ContentPart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

WireMessage: TypeAlias = dict[str, Any] | BaseModel
"""A message as the SDK takes it: the dict we make, or whatever of the provider's own the caller passed."""

_IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}
# The extra fields that a request may have; an answer's other fields (annotations, reasoning) are refused by
# strict servers when they come back.
_REQUEST_FIELDS: Final = ("name", "tool_call_id", "function_call")


@dataclass(frozen=True, slots=True)
class MessageRules:
    """What a server of this format takes in messages.

    Attributes:
        provider: Its name, as errors say it.
        audio: Whether it hears sounds.
        image_detail: Whether it knows the `detail` of an image.
        reasoning_field: The field in which it wants earlier reasoning back; None if it does not.
    """

    provider: str = "OpenAI"
    audio: bool = True
    image_detail: bool = True
    reasoning_field: str | None = None


OPENAI: Final = MessageRules()


# -- what we send ------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage],
    rules: MessageRules = OPENAI,
    *,
    fetch: Callable[[str], bytes] = fetch_url,
) -> list[WireMessage]:
    """Make the request's messages; a provider's own messages pass through untouched.

    Args:
        messages: Common messages, and the provider's own as dicts or SDK models.
        rules: What the server takes.
        fetch: Reads the bytes of a sound given by URL, which this format cannot pass on as a URL. It blocks:
            where `needs_fetch` says so, an async caller runs the rendering in a thread.

    Raises:
        ValueError: A part is of a kind or type that the server does not take.
    """
    wire: list[WireMessage] = []
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            wire.append(_own(message))
            continue
        content, extra = message.content, message.__pydantic_extra__
        if extra:
            wire += _render_with_extra(message, extra, rules, fetch)
        elif isinstance(content, str):
            wire.append({"role": message.role, "content": content})
        else:
            wire += _render_parts(message.role, content, rules, fetch)
    return wire


def needs_fetch(messages: Iterable[object]) -> bool:
    """Whether rendering these messages has to read a URL."""
    return any(
        isinstance(message, BaseMessageParam)
        and not isinstance(message.content, str)
        and any(isinstance(part, AudioURLPart) for part in message.content)
        for message in messages
    )


def _render_parts(
    role: str, parts: Sequence[ContentPart], rules: MessageRules, fetch: Callable[[str], bytes]
) -> list[WireMessage]:
    """The messages of a list of parts: each tool result is a message of its own between the others."""
    wire: list[WireMessage] = []
    content: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []

    def flush() -> None:
        if content or calls:
            wire.append(_one_message(role, content, calls))
            content.clear()
            calls.clear()

    for part in parts:
        if part.type == "tool_call":
            calls.append(_render_tool_call(part))
        elif part.type == "tool_result":
            flush()
            wire.append({"role": "tool", "tool_call_id": part.id, "content": part.content})
        else:
            content.append(_render_part(part, rules, fetch))
    flush()
    return wire


def _one_message(role: str, content: list[dict[str, Any]], calls: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role}
    if not content:
        message["content"] = None
    elif role == "assistant" and len(content) == 1 and content[0]["type"] == "text":
        # What the model itself would have sent; several servers take an assistant's text only like this.
        message["content"] = content[0]["text"]
    else:
        message["content"] = content.copy()
    if calls:
        message["tool_calls"] = calls.copy()
    return message


def _render_part(part: ContentPart, rules: MessageRules, fetch: Callable[[str], bytes]) -> dict[str, Any]:
    # By the tag: asking pydantic's classes one after the other costs more than the rest of this.
    if part.type == "text":
        return {"type": "text", "text": part.text}
    if part.type == "image_url":
        return _render_image(part.url, part.detail, rules)
    if part.type == "image":
        if part.media_type not in _IMAGE_TYPES:
            raise ValueError(
                f"Unsupported image media type: {part.media_type}. {rules.provider} currently only "
                "supports JPEG, PNG, GIF, and WebP images."
            )
        encoded = base64.b64encode(part.image).decode()
        return _render_image(f"data:{part.media_type};base64,{encoded}", part.detail, rules)
    if part.type == "audio" and rules.audio:
        data = part.audio if isinstance(part.audio, str) else base64.b64encode(part.audio).decode()
        return _render_audio(part.media_type, data, rules)
    if part.type == "audio_url" and rules.audio:
        sound = _read_audio(part.url, rules, fetch)
        return _render_audio(audio_media_type(sound), base64.b64encode(sound).decode(), rules)
    kinds = "text, image and audio" if rules.audio else "text and image"
    raise ValueError(f"{rules.provider} currently only supports {kinds} parts. Part provided: {part.type}")


def _render_image(url: str, detail: str | None, rules: MessageRules) -> dict[str, Any]:
    image = {"url": url, "detail": detail or "auto"} if rules.image_detail else {"url": url}
    return {"type": "image_url", "image_url": image}


def _render_audio(media_type: str, data: str, rules: MessageRules) -> dict[str, Any]:
    audio_format = _AUDIO_FORMATS.get(media_type)
    if audio_format is None:
        raise ValueError(
            f"Unsupported audio media type: {media_type}. {rules.provider} currently only "
            "supports WAV and MP3 audio file types."
        )
    return {"type": "input_audio", "input_audio": {"format": audio_format, "data": data}}


def _read_audio(url: str, rules: MessageRules, fetch: Callable[[str], bytes]) -> bytes:
    if url[:5].lower() == "data:":
        return data_url_bytes(url)[1]
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{rules.provider} takes a sound by its bytes, and {url!r} cannot be fetched")
    try:
        return fetch(url)
    except (OSError, ValueError) as error:
        raise ValueError(f"Failed to load or encode data from {url}") from error


def _render_tool_call(part: ToolCallPart) -> dict[str, Any]:
    extra = part.__pydantic_extra__ or {}
    if "custom_input" in extra:
        custom = {"name": part.name, "input": extra["custom_input"]}
        return {"id": part.id, "type": "custom", "custom": custom}
    # Arguments that were no JSON object go back as they came.
    arguments = extra.get("arguments", "{}") if part.args is None else _json(part.args)
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _json(args: dict[str, Any]) -> str:
    try:
        # As models write it: the same bytes as the first time keep the provider's prompt cache warm.
        return orjson.dumps(args).decode()
    except TypeError:
        # Integers of any size, and text that is not quite Unicode.
        return json.dumps(args)


def _render_with_extra(
    message: BaseMessageParam, extra: Mapping[str, Any], rules: MessageRules, fetch: Callable[[str], bytes]
) -> list[WireMessage]:
    """The messages of one that has fields of this format only; they go to the message of its own role."""
    spoken, refusal = extra.get("audio"), extra.get("refusal")
    twin = spoken.get("transcript") or "" if spoken is not None else refusal
    parts = _without_twin(message.content, twin)
    wire = _render_parts(message.role, parts, rules, fetch) if isinstance(parts, list) else []
    own: dict[str, Any] | None = next(
        (one for one in wire if isinstance(one, dict) and one["role"] == message.role), None
    )
    if own is None:
        own = {"role": message.role, "content": parts if isinstance(parts, str) else None}
        wire.insert(0, own)
    for field in _REQUEST_FIELDS:
        if extra.get(field) is not None:
            own[field] = extra[field]
    if refusal is not None:
        own["refusal"] = refusal
    if spoken is not None:
        own["audio"] = {"id": spoken["id"]}
        if own["content"] is None:
            del own["content"]
    if rules.reasoning_field is not None and extra.get(rules.reasoning_field) is not None:
        own[rules.reasoning_field] = extra[rules.reasoning_field]
    return wire


def _without_twin(content: str | Sequence[ContentPart], twin: str | None) -> str | list[ContentPart] | None:
    """The content without the text that stands in a field of its own too (a refusal, a transcript)."""
    if isinstance(content, str):
        return None if twin is not None and content == twin else content
    return [part for part in content if not (isinstance(part, TextPart) and part.text == twin)]


# -- what we read ------------------------------------------------------------


def parse_messages(wire: Iterable[WireMessage]) -> list[BaseMessageParam]:
    """Read messages of a request or of an answer; common ones pass through.

    A tool's answer that names only its call gets the name from that call.
    """
    messages: list[BaseMessageParam] = []
    names: dict[str, str] = {}
    for one in wire:
        message = parse_message(one)
        if not isinstance(message.content, str):
            for part in message.content:
                if isinstance(part, ToolCallPart) and part.id is not None:
                    names[part.id] = part.name
                elif isinstance(part, ToolResultPart) and not part.name and one is not message:
                    part.name = names.get(part.id or "", "")
        messages.append(message)
    return messages


def parse_message(wire: WireMessage) -> BaseMessageParam:
    """Read one message.

    Raises:
        ValueError: It has a content part that the common form has no part for.
    """
    if isinstance(wire, BaseMessageParam):
        return wire
    fields = dict(wire) if isinstance(wire, dict) else plain_message(wire)
    role = str(fields.pop("role"))
    content, calls = fields.pop("content", None), fields.pop("tool_calls", None)
    if role == "tool" and "tool_call_id" in fields:
        result = ToolResultPart(
            type="tool_result",
            name=fields.pop("name", None) or "",
            content=_plain_text(content),
            id=fields.pop("tool_call_id"),
        )
        return _message(role, [result], fields)

    parts: str | list[ContentPart] = ""
    if isinstance(content, str):
        parts = content
    elif content:
        parts = []
        for part in content:
            if part["type"] == "refusal":
                fields["refusal"] = part["refusal"]
            else:
                parts.append(_parse_part(part))
    refusal = fields.get("refusal")
    if refusal:
        parts = _with_text(parts, refusal)
    spoken = fields.get("audio")
    if spoken:
        # The sound itself is in the response; here its id is what a request says.
        fields["audio"] = {key: value for key, value in spoken.items() if key != "data"}
        parts = _with_text(parts, spoken.get("transcript") or "")
    if calls:
        texts = [TextPart(type="text", text=parts)] if isinstance(parts, str) and parts else []
        before: list[ContentPart] = [*texts] if isinstance(parts, str) else parts
        parts = [*before, *(_parse_tool_call(call) for call in calls)]
    return _message(role, parts, fields)


def plain_message(message: Any) -> dict[str, Any]:
    """The members of an SDK's message that are set: of a pydantic model, or of one of azure-core's."""
    if isinstance(message, BaseModel):
        return message.model_dump(exclude_none=True, warnings=False)
    return {name: value for name, value in message.as_dict().items() if value is not None}


def _own(message: Any) -> WireMessage:
    """A message that is the provider's own already; models that only one SDK knows become dicts."""
    return plain_message(message) if hasattr(message, "as_dict") else message


def _message(role: str, content: str | list[ContentPart], extra: dict[str, Any]) -> BaseMessageParam:
    kept = {name: value for name, value in extra.items() if value is not None and value != []}
    return BaseMessageParam(role=role, content=content, **kept)


def _with_text(content: str | list[ContentPart], text: str) -> str | list[ContentPart]:
    """The content with a text that so far stood in a field of its own."""
    if not content:
        return text
    before: list[ContentPart] = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    return [*before, TextPart(type="text", text=text)]


def _plain_text(content: Any) -> str:
    """A tool's answer: text, or a list of texts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part in content)


def _parse_part(part: Mapping[str, Any]) -> ContentPart:
    match part["type"]:
        case "text":
            return TextPart(type="text", text=part["text"])
        case "image_url":
            image = part["image_url"]
            return ImageURLPart(type="image_url", url=image["url"], detail=image.get("detail"))
        case "input_audio":
            audio = part["input_audio"]
            return AudioPart(type="audio", media_type=f"audio/{audio['format']}", audio=audio["data"])
        case _:
            _no_common_form(part)


def _no_common_form(part: Mapping[str, Any]) -> NoReturn:
    raise ValueError(f"a content part of type {part['type']!r} has no common form; it can be sent as it is")


def _parse_tool_call(call: Mapping[str, Any]) -> ToolCallPart:
    if call.get("type") == "custom":
        custom = call["custom"]
        return _tool_call(custom["name"], {"input": custom["input"]}, call, {"custom_input": custom["input"]})
    function = call["function"]
    raw = function.get("arguments") or "{}"
    try:
        args = from_json(raw)
    except ValueError:
        args = None
    if isinstance(args, dict):
        return _tool_call(function["name"], args, call, {})
    return _tool_call(function["name"], None, call, {"arguments": raw})


def _tool_call(name: str, args: dict[str, Any] | None, call: Mapping[str, Any], extra: dict[str, Any]) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=name, args=args, id=call.get("id"), **extra)
