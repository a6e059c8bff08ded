"""Messages in Cohere's v2 chat format: rendering and parsing.

Content parts and tool calls have the same form as in OpenAI's chat format. The tool plan, thinking and citations have
no common form. They are kept as provider data and sent back in place
(https://docs.cohere.com/v2/docs/tool-use-overview): thinking only to the model that wrote it, the plan to every model
of Cohere, and citations with their text.

Messages of the old API (`message` in place of `content`, `CHATBOT` as a role) are read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic_core import from_json

from ...core.base._media.fetch import fetch as fetch_url
from ...core.base._messages.provider_data import Endpoint, Original, Piece, keep_original, original_of, restore_pieces
from ...core.base._tools.ids import ToolId, unify_tool_ids
from ...core.base.message_param import BaseMessageParam, ContentPart, TextPart, ToolResultPart
from ..openai_chat.message_parts import (
    MessageRules,
    dump_json,
    for_other_model,
    is_call,
    is_represented,
    parse_piece,
    render_piece,
)
from ..tool_names import parse_with_tool_names

WireMessage: TypeAlias = dict[str, Any] | BaseModel
"""A message that the SDK accepts: a dict, or an object of the provider's SDK."""

_FORMAT: Final = "cohere"
_RULES: Final = MessageRules(provider="Cohere")
_SUPPORTED: Final = frozenset({"text", "image", "image_url", "tool_call"})
_SYSTEM: Final = frozenset({"system", "developer"})
# The roles of the old API, in lower case.
_ROLES: Final = {"chatbot": "assistant"}
# The names of the only member of an object that wraps a tool's output. The second one marks an error.
_OUTPUT: Final = "output"
_ERROR: Final = "error"


# -- rendering -------------------------------------------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage | BaseMessageParam], destination: Endpoint | None = None
) -> list[WireMessage]:
    """Return the messages of the request. Cohere's own messages pass through unchanged.

    Each tool result becomes a message with the id of its call. Its content is the text of a JSON object, as the API
    requires. Empty messages of the assistant are left out.

    Args:
        messages: Common messages, and Cohere's own as dicts or SDK models.
        destination: The provider and model that receive the messages.

    Raises:
        ValueError: Cohere does not accept the kind of a part.
    """
    wire: list[WireMessage] = []
    for message in messages:
        if isinstance(message, BaseMessageParam):
            wire += _render(message, original_of(message, _FORMAT, destination))
        else:
            wire.append(_own(message))
    return unify_tool_ids(wire, "", _tool_ids, _with_tool_ids)


def _render(message: BaseMessageParam, original: Original | None) -> list[WireMessage]:
    content = message.content
    parts = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    parts = [part for part in parts if part.type != "cache_control"]
    role = "system" if message.role in _SYSTEM else message.role
    results = [part for part in parts if isinstance(part, ToolResultPart)]
    if results or role == "tool":
        return _render_results(role, parts, original)
    pieces, members = _restored(parts, original)
    if role == "assistant":
        pieces = [piece for piece in pieces if piece.get("text") != ""]
        if not pieces and not members:
            return []
    return [_one_message(role, pieces, members)]


def _restored(parts: Sequence[ContentPart], original: Original | None) -> tuple[list[Piece], dict[str, Any]]:
    """Return the original content and calls with later edits applied, and the other members of the message."""
    if original is None:
        return [_render_part(part) for part in parts], {}
    members = original.members
    if not original.pieces:
        return [_render_part(part) for part in parts], members
    pieces = original.pieces
    if not original.same_model:
        pieces = [piece for piece in map(for_other_model, pieces) if piece is not None]
    restored = restore_pieces(pieces, parts, read=parse_piece, write=lambda part, old: _render_part(part))
    if _texts(restored) != _texts(original.pieces):
        # Citations refer to character positions in the original text.
        members = {name: value for name, value in members.items() if name != "citations"}
    return restored, members


def _texts(pieces: Iterable[Piece]) -> list[str]:
    return [text for piece in pieces if (text := piece.get("text"))]


def _one_message(role: str, pieces: Sequence[Piece], members: Mapping[str, Any]) -> dict[str, Any]:
    content = [piece for piece in pieces if not is_call(piece)]
    calls = [piece for piece in pieces if is_call(piece)]
    message: dict[str, Any] = {"role": role}
    if calls:
        message["tool_calls"] = calls
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        message["content"] = content[0]["text"]
    elif content or role != "assistant":
        message["content"] = content
    return {**message, **members}


def _render_results(role: str, parts: Sequence[ContentPart], original: Original | None) -> list[WireMessage]:
    """Return the messages for parts with tool results. Each result becomes a message of its own."""
    wire: list[WireMessage] = []
    others: list[Piece] = []

    def flush() -> None:
        if others:
            wire.append(_one_message("user" if role == "tool" else role, others, {}))
            others.clear()

    for part in parts:
        if isinstance(part, ToolResultPart):
            flush()
            wire.append({"role": "tool", "tool_call_id": part.id, "content": _result_content(part, original)})
        else:
            others.append(_render_part(part))
    flush()
    return wire


def _result_content(part: ToolResultPart, original: Original | None) -> Any:  # Any: a text, or blocks as they came
    """Return the content of a tool result: the original if it was not edited, else the text of a JSON object."""
    for piece in original.pieces if original is not None else ():
        if _read_result(piece["content"]) == (part.content, part.is_error):
            return piece["content"]
    return dump_json({_ERROR: part.content}) if part.is_error else result_content(part.content)


def result_content(text: str) -> str:
    """Return the output of a tool as the text of a JSON object: the text itself if it is one."""
    return dump_json({_OUTPUT: text}) if _object(text) is None else text


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text; None if the text is something else."""
    try:
        value = from_json(text) if text.lstrip().startswith("{") else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _render_part(part: ContentPart) -> Piece:
    if part.type not in _SUPPORTED:
        raise ValueError(f"Cohere currently only supports text and image parts. Part provided: {part.type}")
    return render_piece((part, None), _RULES, fetch_url)


def _own(message: WireMessage) -> WireMessage:
    """Return a message of Cohere's own. A message of the old API is converted to the current form."""
    if _member(message, "content") is not None or not isinstance(_member(message, "message"), str):
        return message
    fields = _as_dict(message)
    text = fields.pop("message")
    return {**fields, "role": _role(fields.get("role")), "content": text}


def _tool_ids(message: WireMessage) -> list[ToolId]:
    """Return the ids of tool calls and results in a message."""
    role = _member(message, "role")
    if role == "tool":
        return [ToolId(False, _member(message, "tool_call_id"))]
    calls = _member(message, "tool_calls") if role == "assistant" else None
    if not isinstance(calls, list):
        return []
    return [ToolId(True, _member(call, "id"), str(_member(_member(call, "function"), "name") or "")) for call in calls]


def _with_tool_ids(message: WireMessage, ids: Sequence[str]) -> dict[str, Any]:
    fields = _as_dict(message)
    if fields["role"] == "tool":
        return {**fields, "tool_call_id": ids[0]}
    calls = [{**_as_dict(call), "id": id} for call, id in zip(fields["tool_calls"], ids, strict=True)]
    return {**fields, "tool_calls": calls}


def answer_message(message: Any) -> dict[str, Any]:  # Any: the SDK's message; None if the server sent none
    """Return the message of a response as a message of a request, without members and texts that are empty."""
    fields = _as_dict(message) if message is not None else {}
    content = fields.get("content")
    if isinstance(content, list):
        fields["content"] = [block for block in content if block.get("text") != ""]
    members = {name: value for name, value in fields.items() if value not in ("", [])}
    return {"role": "assistant", **(members if members.keys() - {"role"} else {"content": ""})}


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_messages(
    wire: Iterable[WireMessage | BaseMessageParam], origin: Endpoint | None = None
) -> list[BaseMessageParam]:
    """Read the messages of a request or a response. Common messages pass through.

    A tool result gets the name of its tool from the call.
    """
    return parse_with_tool_names(wire, lambda one: parse_message(one, origin))


def parse_message(wire: WireMessage | BaseMessageParam, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message. Content of an assistant that the parts do not represent is kept with its origin."""
    if isinstance(wire, BaseMessageParam):
        return wire
    fields = _as_dict(_own(wire))
    role, content = _role(fields.pop("role", None)), fields.pop("content", None)
    if role == "tool":
        return _parse_result(content, fields, origin)
    blocks = content if isinstance(content, list | tuple) else [content] if content else []
    pieces = [{"type": "text", "text": one} if isinstance(one, str) else _as_dict(one) for one in blocks]
    pieces += [_as_dict(call) for call in fields.pop("tool_calls", None) or ()]
    parts = [part for part in map(parse_piece, pieces) if part is not None]
    lone = parts[0].text if len(parts) == 1 and isinstance(parts[0], TextPart) else ""
    message = BaseMessageParam(role=role, content=lone if lone or not parts else parts)
    # With citations, keep the original text, to detect whether it was edited. A part that only Cohere's own form
    # supports is sent back in that form.
    whole = all(map(is_represented, pieces)) and all(part.type in _SUPPORTED for part in parts)
    whole = whole and not fields.get("citations")
    return keep_original(
        message,
        _FORMAT,
        origin,
        pieces=() if whole else pieces,
        members={name: value for name, value in fields.items() if value != ""},
        unsupported=(str(piece.get("type")) for piece in pieces if parse_piece(piece) is None),
    )


def _parse_result(content: Any, fields: dict[str, Any], origin: Endpoint | None) -> BaseMessageParam:
    """Return the result of a tool. Its content is a text, an object with one output, or blocks."""
    if isinstance(content, list | tuple):
        content = [_as_dict(block) for block in content]
    text, is_error = _read_result(content)
    result = ToolResultPart(type="tool_result", content=text, id=fields.pop("tool_call_id", None), is_error=is_error)
    message = BaseMessageParam(role="tool", content=[result])
    whole = _result_content(result, None) == content
    return keep_original(message, _FORMAT, origin, pieces=() if whole else [{"content": content}], members=fields)


def _read_result(content: Any) -> tuple[str, bool]:
    """Return the text of a tool result's content, and whether it is an error."""
    if not isinstance(content, str):
        return "".join(map(_block_text, content or ())), False
    value = _object(content) or {}
    if len(value) == 1:
        [(name, output)] = value.items()
        if name in (_OUTPUT, _ERROR) and isinstance(output, str):
            return output, name == _ERROR
    return content, False


def _block_text(block: Mapping[str, Any]) -> str:
    """Return the text of a block of a tool result: its own, or the data of a document."""
    if block.get("type") != "document":
        return block.get("text") or ""
    data = (block.get("document") or {}).get("data")
    return data if isinstance(data, str) else dump_json(data)


def _role(role: Any) -> str:
    name = str(role or "user").lower()
    return _ROLES.get(name, name)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _as_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True, warnings=False)
    return dict(value)
