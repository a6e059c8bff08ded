"""The content of a call in the form of OpenTelemetry's conventions: messages, instructions, tools."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ..core.base.message_param import (
    AudioPart,
    AudioURLPart,
    BaseMessageParam,
    CacheControlPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from . import names

if TYPE_CHECKING:
    from .._engine.call import Call
    from ..core.base.call_response import AnyCallResponse
    from ..core.base.tool import BaseTool

# Any: JSON.
Json = dict[str, Any]


def dump(value: object) -> str:
    """Return a value as JSON; what JSON cannot represent becomes text."""
    try:
        return orjson.dumps(value, default=plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return repr(value)


def plain(value: object) -> Any:
    """Return a value as JSON can have it: a model as a dict, bytes as base64."""
    if isinstance(value, dict):
        return value
    model_dump = getattr(value, "model_dump", None)
    if callable(model_dump):
        return model_dump(mode="json", warnings=False)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return list(value) if isinstance(value, set | frozenset) else str(value)


def request_content(call: Call) -> dict[str, str]:
    """Return the opt-in attributes of a request."""
    messages = [_message(message) for message in call.prompt.messages]
    system = [part for message in messages if message["role"] == "system" for part in message["parts"]]
    found = {names.INPUT_MESSAGES: dump([message for message in messages if message["role"] != "system"])}
    if system:
        found[names.SYSTEM_INSTRUCTIONS] = dump(system)
    if call.tools:
        found[names.TOOL_DEFINITIONS] = dump([_tool(tool) for tool in call.tools])
    for name, value in call.fn_args.items():
        found[f"{names.PROMPT_VARIABLE}{name}"] = value if isinstance(value, str) else dump(value)
    return found


def output_messages(response: AnyCallResponse, finish_reasons: Sequence[str]) -> str:
    """Return the answer as the attribute for output messages."""
    message = _message(response.common_message_param)
    return dump([{**message, "finish_reason": finish_reasons[0] if finish_reasons else "stop"}])


def tool_calls(response: AnyCallResponse) -> list[ToolCallPart]:
    """Return the tool calls of a response."""
    content = response.common_message_param.content
    return [part for part in content if isinstance(part, ToolCallPart)] if not isinstance(content, str) else []


def answer_json(call: Call, response: AnyCallResponse) -> Any:
    """Return the structured answer of a response as JSON; its text if it is not JSON."""
    assert call.extraction is not None
    try:
        text = call.provider.dialect.answer_text(response, call.extraction.mode)
    except (ValueError, TypeError):
        return response.content
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def _tool(tool: type[BaseTool]) -> Json:
    return {
        "type": "function",
        "name": tool._name(),
        "description": tool._description(),
        "parameters": tool.model_json_schema(),
    }


def _message(message: object) -> Json:
    if isinstance(message, BaseMessageParam):
        role, content = message.role, message.content
    else:
        given = plain(message)
        if not isinstance(given, dict):
            return {"role": "user", "parts": [_text(str(given))]}
        role, content = str(given.get("role", "user")), given.get("content", given)
    if isinstance(content, str):
        return {"role": role, "parts": [_text(content)]}
    parts = content if isinstance(content, Sequence) else [content]
    return {"role": role, "parts": [part for part in map(_part, parts) if part is not None]}


def _text(text: str) -> Json:
    return {"type": "text", "content": text}


def _blob(modality: str, media_type: str, data: bytes | str) -> Json:
    content = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {"type": "blob", "mime_type": media_type, "modality": modality, "content": content}


def _uri(modality: str, url: str) -> Json:
    return {"type": "uri", "modality": modality, "uri": url}


def _part(part: object) -> Json | None:
    match part:
        case TextPart(text=text):
            return _text(text)
        case ToolCallPart(name=name, args=arguments, id=identifier):
            return {"type": "tool_call", "id": identifier, "name": name, "arguments": arguments}
        case ToolResultPart(content=content, id=identifier):
            return {"type": "tool_call_response", "id": identifier, "response": content}
        case ImagePart(media_type=media_type, image=data):
            return _blob("image", media_type, data)
        case AudioPart(media_type=media_type, audio=data):
            return _blob("audio", media_type, data)
        case DocumentPart(media_type=media_type, document=data):
            return _blob("document", media_type, data)
        case ImageURLPart(url=url):
            return _uri("image", url)
        case AudioURLPart(url=url):
            return _uri("audio", url)
        case DocumentURLPart(url=url):
            return _uri("document", url)
        case CacheControlPart():
            return None
        case str():
            return _text(part)
        case {"type": "text", "text": str(text)}:
            return _text(text)
        case dict():
            return {"type": "unknown", **part}
    return {"type": type(part).__name__, "content": dump(part)}
