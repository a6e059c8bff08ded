"""Messages in OpenAI's chat format: rendering and parsing.

Both directions keep everything that a request can carry: text beside several tool calls, tool results, images, audio,
files, names, refusals and the id of an audio answer. Content without a common form is kept as provider data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import orjson
from pydantic import BaseModel

from ...core.base._media.fetch import fetch as fetch_url
from ...core.base._messages.cache_marks import with_marks
from ...core.base._messages.provider_data import (
    Endpoint,
    Original,
    Piece,
    keep_original,
    original_of,
    restore_pieces,
)
from ...core.base._tools.ids import ToolId, unify_tool_ids
from ...core.base.message_param import (
    BaseMessageParam,
    ContentPart,
    TextPart,
    ToolResultPart,
)
from ..tool_names import parse_with_tool_names
from .message_parts import (
    FUNCTION_CALL,
    OPENAI,
    Fetch,
    for_other_model,
    is_call,
    is_represented,
    keep_piece,
    parse_piece,
    read_unit,
    render_again,
    render_piece,
)
from .message_parts import MessageRules as MessageRules

WireMessage: TypeAlias = dict[str, Any] | BaseModel
"""A message that the SDK accepts: a dict, or an object of the provider's SDK."""

_FORMAT: Final = "openai_chat"
# The members of an assistant message that a request may have. Strict servers refuse the other members of an answer
# (annotations, citations).
_REQUEST_MEMBERS: Final = frozenset({"name", "prefix", "refusal", "audio"})
# The extra fields that a user may write on a common message.
_OWN_FIELDS: Final = _REQUEST_MEMBERS | {"tool_call_id"}
# `function` is the role of the old API.
_TOOL_ROLES: Final = frozenset({"tool", "function"})
# The members whose text is also in the content, for other providers.
_TWINS: Final = ("audio", "refusal")
_FETCHED: Final = frozenset({"audio_url", "document_url"})


# -- rendering ---------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage],
    rules: MessageRules = OPENAI,
    destination: Endpoint | None = None,
    *,
    fetch: Fetch = fetch_url,
) -> list[WireMessage]:
    """Return the messages of the request. The provider's own messages pass through unchanged.

    Args:
        messages: Common messages, and the provider's own as dicts or SDK models.
        rules: The rules of the server.
        destination: The provider and model that receive the messages.
        fetch: Reads the bytes of an audio or document URL, because this format accepts only bytes. It blocks: if
            `needs_fetch` is true, an async caller runs the rendering in a thread.

    Raises:
        ValueError: The server does not accept the kind or the media type of a part.
    """
    wire: list[WireMessage] = []
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            wire.append(_own(message))
            continue
        content = message.content
        if message.role == "function":
            wire += _render_functions(message, wire, rules, fetch)
        elif message.__pydantic_extra__:
            wire += _render_with_extra(message, rules, destination, fetch)
        elif isinstance(content, str):
            wire.append({"role": message.role, "content": content})
        else:
            wire += _render_parts(message.role, content, rules, fetch)
    return unify_tool_ids(wire, rules.quirks.tool_ids, _tool_ids, _with_tool_ids)


def needs_fetch(messages: Iterable[object]) -> bool:
    """Return whether rendering these messages has to read a URL."""
    return any(
        isinstance(message, BaseMessageParam)
        and not isinstance(message.content, str)
        and any(part.type in _FETCHED for part in message.content)
        for message in messages
    )


def _render_parts(role: str, parts: Sequence[ContentPart], rules: MessageRules, fetch: Fetch) -> list[WireMessage]:
    """Return the messages for a list of parts. Each tool result becomes a message of its own."""
    wire: list[WireMessage] = []
    pieces: list[Piece] = []

    def flush() -> None:
        if pieces:
            wire.append(_one_message(role, pieces))
            pieces.clear()

    for unit in with_marks(parts):
        part = unit[0]
        if part.type == "tool_result":
            flush()
            # Without an id, the name identifies the call.
            name = {} if part.id or not part.name else {"name": part.name}
            wire.append({"role": "tool", "tool_call_id": part.id, "content": part.content, **name})
        elif part.type != "cache_control":  # a mark with no part before it
            pieces.append(render_piece(unit, rules, fetch))
    flush()
    return wire


def _one_message(role: str, pieces: Sequence[Piece]) -> dict[str, Any]:
    content = [piece for piece in pieces if not is_call(piece)]
    calls = [piece for piece in pieces if FUNCTION_CALL not in piece and is_call(piece)]
    message: dict[str, Any] = {"role": role}
    if not content:
        message["content"] = None
    elif role == "assistant" and len(content) == 1 and content[0].keys() == {"type", "text"}:
        # The form that models write. Several servers accept an assistant's text only as a string.
        message["content"] = content[0]["text"]
    else:
        message["content"] = content
    if calls:
        message["tool_calls"] = calls
    for piece in pieces:
        if FUNCTION_CALL in piece:
            message[FUNCTION_CALL] = piece[FUNCTION_CALL]
    return message


def _render_functions(
    message: BaseMessageParam, before: Sequence[WireMessage], rules: MessageRules, fetch: Fetch
) -> list[WireMessage]:
    """Return the result of a function of the old API. If its call is sent as a tool call, so is the result."""
    last = next((one for one in reversed(before) if isinstance(one, dict) and one.get("role") == "assistant"), {})
    if isinstance(message.content, str):
        extra = message.__pydantic_extra__ or {}
        return [{"role": "function", "content": message.content, **extra}]
    if last.get("tool_calls"):
        return _render_parts(message.role, message.content, rules, fetch)
    return [
        {"role": "function", "name": part.name, "content": part.content}
        for part in message.content
        if isinstance(part, ToolResultPart)
    ]


def _render_with_extra(
    message: BaseMessageParam, rules: MessageRules, destination: Endpoint | None, fetch: Fetch
) -> list[WireMessage]:
    """Return the messages for a message with extra members. The members go to the message of its own role."""
    original = original_of(message, _FORMAT, destination)
    content, members = _without_twins(message.content, _members_back(message, original, rules))
    pieces = original.pieces if original is not None else []
    if original is not None and not original.same_model:
        pieces = [piece for piece in map(for_other_model, pieces) if piece is not None]
    wire: list[WireMessage] = []
    if pieces:
        wire = _restored(message.role, pieces, content, rules, fetch)
    elif not isinstance(content, str):
        wire = _render_parts(message.role, content, rules, fetch)
    own: dict[str, Any] | None = next(
        (one for one in wire if isinstance(one, dict) and one["role"] == message.role), None
    )
    if own is None and (members or isinstance(content, str)):
        # If a member has the text of the content, the content is empty.
        empty = not content and any(name in members for name in _TWINS)
        own = {"role": message.role, "content": content if isinstance(content, str) and not empty else None}
        wire.insert(0, own)
    if own is not None:
        own.update(members)
        if "audio" in members:
            own["audio"] = {"id": members["audio"]["id"]}
            if own["content"] is None:
                del own["content"]
    return wire


def _members_back(message: BaseMessageParam, original: Original | None, rules: MessageRules) -> dict[str, Any]:
    """Return the members of the message, besides role and content, that go into the request."""
    extra = message.__pydantic_extra__ or {}
    allowed = _OWN_FIELDS.union(rules.quirks.reasoning_back)
    members = {name: value for name, value in extra.items() if name in allowed and value is not None}
    if original is None:
        return members
    kept = original.members
    if message.role == "assistant":
        allowed = _REQUEST_MEMBERS.union(rules.quirks.reasoning_back if original.same_model else ())
        kept = {name: value for name, value in kept.items() if name in allowed}
    return {**members, **kept}


def _without_twins(
    content: str | Sequence[ContentPart], members: dict[str, Any]
) -> tuple[str | Sequence[ContentPart], dict[str, Any]]:
    """Return the content without the text that a member has too (a refusal, a transcript).

    If that text was edited, the member is outdated and is left out.
    """
    for name in _TWINS:
        if name not in members:
            continue
        value = members[name]
        twin = value if isinstance(value, str) else value.get("transcript") or ""
        if isinstance(content, str):
            same = content == twin
            rest: str | Sequence[ContentPart] = ""
        else:
            rest = [part for part in content if not (isinstance(part, TextPart) and part.text == twin)]
            same = len(rest) < len(content)
        if same:
            content = rest
        elif twin:
            members = {other: value for other, value in members.items() if other != name}
    return content, members


def _restored(
    role: str, pieces: list[Piece], content: str | Sequence[ContentPart], rules: MessageRules, fetch: Fetch
) -> list[WireMessage]:
    """Return the message of the original pieces, with later edits applied."""
    parts = content if not isinstance(content, str) else [TextPart(type="text", text=content)] if content else []
    if role == "tool":
        return [_restored_result(pieces, part) for part in parts if isinstance(part, ToolResultPart)]
    units = [unit for unit in with_marks(parts) if unit[0].type != "cache_control"]
    if any(part.type == "tool_result" for part, _ in units):
        return _render_parts(role, parts, rules, fetch)
    restored = restore_pieces(
        pieces,
        units,
        read=read_unit,
        write=lambda unit, old: render_again(unit, old, rules, fetch),
        same=lambda one, other: one[0] == other[0],
        keep=lambda piece, unit: keep_piece(piece, unit, rules),
    )
    return [_one_message(role, restored)] if restored else []


def _restored_result(pieces: list[Piece], part: ToolResultPart) -> dict[str, Any]:
    content = pieces if part.content == _result_text(pieces) else part.content
    return {"role": "tool", "tool_call_id": part.id, "content": content}


def _tool_ids(message: WireMessage) -> list[ToolId]:
    """Return the ids of tool calls and results in a message."""
    role = _member(message, "role")
    if role == "tool":
        return [ToolId(False, _member(message, "tool_call_id"), _member(message, "name") or "")]
    calls = _member(message, "tool_calls") if role == "assistant" else None
    return [ToolId(True, _member(call, "id"), _tool_name(call)) for call in calls] if isinstance(calls, list) else []


def _with_tool_ids(message: WireMessage, ids: Sequence[str]) -> dict[str, Any]:
    fields = _as_dict(message)
    if fields["role"] == "tool":
        return {**fields, "tool_call_id": ids[0]}
    calls = [{**_as_dict(call), "id": id} for call, id in zip(fields["tool_calls"], ids, strict=True)]
    return {**fields, "tool_calls": calls}


def _tool_name(call: Any) -> str:
    function = _member(call, "function") or _member(call, "custom")
    return str(_member(function, "name") or "")


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


# -- parsing -----------------------------------------------------------------


def parse_messages(wire: Iterable[WireMessage], origin: Endpoint | None = None) -> list[BaseMessageParam]:
    """Read the messages of a request or a response. Common messages pass through.

    A tool result without a name gets the name from its call.
    """
    return parse_with_tool_names(wire, lambda one: parse_message(one, origin))


def parse_message(wire: WireMessage, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message. Content of an assistant that the parts do not represent is kept with its origin."""
    if isinstance(wire, BaseMessageParam):
        return wire
    fields = dict(wire) if isinstance(wire, dict) else plain_message(wire)
    role, content = str(fields.pop("role")), fields.pop("content", None)
    pieces = _content_pieces(content)
    if role in _TOOL_ROLES:
        return _parse_result(role, content, pieces, fields, origin)
    calls = [_call_piece(call) for call in fields.pop("tool_calls", None) or ()]
    old_call = fields.pop(FUNCTION_CALL, None)
    if not calls and old_call and old_call.get("name"):
        calls = [{FUNCTION_CALL: old_call}]
    pieces += calls
    parts: list[ContentPart] = []
    for piece in pieces:
        unit = read_unit(piece)
        if unit is not None:
            parts += [part for part in unit if part is not None]
    refusal, spoken = fields.get("refusal"), fields.get("audio")
    if refusal:
        parts.append(TextPart(type="text", text=refusal))
    if spoken:
        # A request refers to the audio by its id. The data stays in the response.
        fields["audio"] = {key: value for key, value in spoken.items() if key != "data"}
        if spoken.get("transcript"):
            parts.append(TextPart(type="text", text=spoken["transcript"]))
    message = BaseMessageParam(role=role, content=_plain(parts, content))
    whole = all(map(is_represented, pieces))
    return keep_original(
        message,
        _FORMAT,
        origin,
        pieces=() if whole else pieces,
        members=fields,
        unsupported=(str(piece.get("type")) for piece in pieces if parse_piece(piece) is None),
    )


def _parse_result(
    role: str, content: Any, pieces: list[Piece], fields: dict[str, Any], origin: Endpoint | None
) -> BaseMessageParam:
    """Return the result of a tool, or of a function of the old API."""
    result = ToolResultPart(
        type="tool_result",
        name=fields.pop("name", None) or "",
        content=content if isinstance(content, str) else _result_text(pieces),
        id=fields.pop("tool_call_id", None),
    )
    others = [str(piece.get("type")) for piece in pieces if piece.get("type") != "text"]
    whole = isinstance(content, str) or not (others or any(len(piece) > 2 for piece in pieces))
    return keep_original(
        BaseMessageParam(role=role, content=[result]),
        _FORMAT,
        origin,
        pieces=() if whole else pieces,
        members=fields,
        unsupported=others,
    )


def _content_pieces(content: Any) -> list[Piece]:
    """Return the content as a list of pieces. It may be a string, an object or a list of both."""
    if not content:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, Mapping):
        # One content part, or a tool output that was not converted to text.
        content = [content if "type" in content else orjson.dumps(dict(content)).decode()]
    return [{"type": "text", "text": one} if isinstance(one, str) else _as_dict(one) for one in content]


def _call_piece(call: Any) -> Piece:
    """Return a tool call without its index, which strict servers refuse in a request."""
    return {name: value for name, value in _as_dict(call).items() if name != "index"}


def _as_dict(value: Any) -> dict[str, Any]:
    """Return a content part or a call as a dict. It may be an SDK's object even inside a dict."""
    return dict(value) if isinstance(value, Mapping) else plain_message(value)


def _plain(parts: list[ContentPart], content: Any) -> str | list[ContentPart]:
    """Return a single text as a string, unless it arrived in a list."""
    if not parts:
        return ""
    alone = len(parts) == 1 and isinstance(parts[0], TextPart)
    return parts[0].text if alone and not isinstance(content, list | tuple) else parts  # type: ignore[union-attr]


def _result_text(pieces: list[Piece]) -> str:
    return "".join(piece.get("text") or "" for piece in pieces)


def plain_message(message: Any) -> dict[str, Any]:
    """Return the members of an SDK's message that are set: a pydantic model, or a model of azure-core."""
    if isinstance(message, BaseModel):
        return message.model_dump(exclude_none=True, exclude_unset=True, warnings=False)
    return {name: value for name, value in message.as_dict().items() if value is not None}


def _own(message: Any) -> WireMessage:
    """Return a message of the provider's own. Models of azure-core become dicts."""
    return plain_message(message) if hasattr(message, "as_dict") else message
