"""Messages in Cohere's v2 chat format, to the wire and back.

Content parts and tool calls have the form that OpenAI's chat has. The tool plan, thinking and citations have no common
form: they are kept as provider data, and go back in their place (https://docs.cohere.com/v2/docs/tool-use-overview).
Thinking goes back to the model that wrote it, the plan to every model of Cohere, citations with the text they belong
to.

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
from ...core.base.message_param import BaseMessageParam, ContentPart, TextPart, ToolCallPart, ToolResultPart
from ..openai_chat.message_parts import (
    MessageRules,
    dump_json,
    for_other_model,
    is_call,
    is_represented,
    parse_piece,
    render_piece,
)

WireMessage: TypeAlias = dict[str, Any] | BaseModel
"""A message as the SDK takes it: the dict we make, or whatever of the provider's own the caller passed."""

_FORMAT: Final = "cohere"
_RULES: Final = MessageRules(provider="Cohere")
_SUPPORTED: Final = frozenset({"text", "image", "image_url", "tool_call"})
_SYSTEM: Final = frozenset({"system", "developer"})
# The roles of the old API, in lower case.
_ROLES: Final = {"chatbot": "assistant"}
# The names under which a tool's output is one member of an object; the second marks an error.
_OUTPUT: Final = "output"
_ERROR: Final = "error"


# -- what we send ----------------------------------------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage | BaseMessageParam], destination: Endpoint | None = None
) -> list[WireMessage]:
    """Return the request's messages; Cohere's own messages pass through untouched.

    Each tool result is a message of its own, with the id of its call. Its content is the text of a JSON object, as the
    API asks for. Messages of the assistant that are empty are left out.

    Args:
        messages: Common messages, and Cohere's own as dicts or SDK models.
        destination: The provider and model that the messages are sent to.

    Raises:
        ValueError: A part is of a kind that Cohere does not take.
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
    """The content and the calls, as they came but for what was edited since, and the other members of the message."""
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
        # Citations count the characters of the text that they came with.
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
    """The messages of parts among which are tool results: each result is a message between the others."""
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
    """The content of a tool result: as it came if it was not edited, else the text of a JSON object."""
    for piece in original.pieces if original is not None else ():
        if _read_result(piece["content"]) == (part.content, part.is_error):
            return piece["content"]
    return dump_json({_ERROR: part.content}) if part.is_error else result_content(part.content)


def result_content(text: str) -> str:
    """Return the output of a tool as the text of a JSON object: the text itself if it is one."""
    return dump_json({_OUTPUT: text}) if _object(text) is None else text


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None if it is none."""
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
    """A message that is Cohere's own already; one of the old API in the form of this one."""
    if _member(message, "content") is not None or not isinstance(_member(message, "message"), str):
        return message
    fields = _as_dict(message)
    text = fields.pop("message")
    return {**fields, "role": _role(fields.get("role")), "content": text}


def _tool_ids(message: WireMessage) -> list[ToolId]:
    """The ids of tool calls and results in a message."""
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


# -- what we read ----------------------------------------------------------------------------------------------


def parse_messages(
    wire: Iterable[WireMessage | BaseMessageParam], origin: Endpoint | None = None
) -> list[BaseMessageParam]:
    """Read messages of a request or of an answer; common ones pass through.

    A tool result gets the name of its tool from the call.
    """
    messages: list[BaseMessageParam] = []
    names: dict[str, str] = {}
    for one in wire:
        message = parse_message(one, origin)
        if message is not one and not isinstance(message.content, str):
            for part in message.content:
                if isinstance(part, ToolCallPart) and part.id is not None:
                    names[part.id] = part.name
                elif isinstance(part, ToolResultPart) and not part.name:
                    part.name = names.get(part.id or "", "")
        messages.append(message)
    return messages


def parse_message(wire: WireMessage | BaseMessageParam, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message; an assistant's is bound to its origin as far as the parts do not represent it."""
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
    # Of a message with citations the text is kept, to see whether it was edited; a part that only Cohere's own form can
    # have goes back in that form.
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
    """A tool's result: of a text, the one output in an object, or of blocks."""
    if isinstance(content, list | tuple):
        content = [_as_dict(block) for block in content]
    text, is_error = _read_result(content)
    result = ToolResultPart(type="tool_result", content=text, id=fields.pop("tool_call_id", None), is_error=is_error)
    message = BaseMessageParam(role="tool", content=[result])
    whole = _result_content(result, None) == content
    return keep_original(message, _FORMAT, origin, pieces=() if whole else [{"content": content}], members=fields)


def _read_result(content: Any) -> tuple[str, bool]:
    """The text of a tool result's content, and whether it is an error."""
    if not isinstance(content, str):
        return "".join(map(_block_text, content or ())), False
    value = _object(content) or {}
    if len(value) == 1:
        [(name, output)] = value.items()
        if name in (_OUTPUT, _ERROR) and isinstance(output, str):
            return output, name == _ERROR
    return content, False


def _block_text(block: Mapping[str, Any]) -> str:
    """The text of a block of a tool result: its own, or a document's data."""
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
