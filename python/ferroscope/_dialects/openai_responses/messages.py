"""Messages as items of the Responses API: rendering and parsing.

A message of the model is a sequence of items: reasoning, texts, tool calls and calls of hosted tools. The common
message keeps the items as provider data, so that they can be sent back unchanged. A request sends its items as one
flat list. `message_param` of a response is one message whose content is the list of items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from ...core.base._media.fetch import fetch as fetch_url
from ...core.base._messages.cache_marks import with_marks
from ...core.base._messages.provider_data import Endpoint, Piece, keep_original, original_of, restore_pieces
from ...core.base._tools.ids import ToolId, unify_tool_ids
from ...core.base.message_param import BaseMessageParam, ContentPart, TextPart, ToolCallPart, ToolResultPart
from ..openai_chat.messages import parse_message as parse_chat_message
from .items import (
    OPENAI,
    TOOL_CALLS,
    TOOL_OUTPUTS,
    Fetch,
    ItemRules,
    is_content_represented,
    is_output,
    is_represented,
    kind_of,
    output_text,
    parse_content,
    parse_item,
    plain_item,
    render_call,
    render_content,
    render_output_text,
)

WireItem: TypeAlias = dict[str, Any]
"""An item as the SDK accepts it."""

_FORMAT: Final = "openai_responses"
_TOOL_ROLES: Final = frozenset({"tool", "function"})
_CHAT_PARTS: Final = frozenset({"text", "image_url", "file"})
# A stored item refers by its id to the items that belong to it.
_WITH_STORED_IDS: Final = TOOL_CALLS | {"message", "reasoning"}


# -- rendering -----------------------------------------------------------------


def render_messages(
    messages: Iterable[Any],
    rules: ItemRules = OPENAI,
    destination: Endpoint | None = None,
    *,
    fetch: Fetch = fetch_url,
) -> list[WireItem]:
    """Return the input items of a request. The API's own items pass through.

    Messages in the form of chat completions, such as those of an earlier call, are accepted too.

    Args:
        messages: Common messages, items as dicts or objects of the SDK, and messages with items as their content.
        rules: The rules of the server.
        destination: The provider and model that receive the items.
        fetch: Reads the bytes of an audio URL, because the API accepts only bytes.

    Raises:
        ValueError: The server does not accept the kind or the media type of a part.
    """
    wire: list[WireItem] = []
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            item = plain_item(message)
            if not _is_chat_message(item):
                wire += _own_items(item)
                continue
            message = parse_chat_message(item)
        if message.role == "assistant":
            wire += _render_answer(message, rules, destination)
        else:
            wire += _render_input(message, rules, destination, fetch)
    return unify_tool_ids(wire, "", _tool_ids, _with_tool_ids)


def _is_chat_message(message: Mapping[str, Any]) -> bool:
    """Return whether a message of the provider's own has the form of chat completions."""
    if "role" not in message or "type" in message:
        return False
    if message["role"] in _TOOL_ROLES or message.get("tool_calls") or message.get("function_call"):
        return True
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    return any(isinstance(part, Mapping) and part.get("type") in _CHAT_PARTS for part in parts)


def needs_fetch(messages: Iterable[object]) -> bool:
    """Return whether rendering these messages has to read a URL."""
    return any(
        isinstance(message, BaseMessageParam)
        and not isinstance(message.content, str)
        and any(part.type == "audio_url" for part in message.content)
        for message in messages
    )


def _own_items(message: Any) -> list[WireItem]:
    item = plain_item(message)
    content = item.get("content")
    # An answer without items adds nothing to the request.
    if item.get("role") == "assistant" and isinstance(content, list | tuple) and all(map(_is_item, content)):
        return [plain_item(one) for one in content]
    return [item]


def _is_item(value: Any) -> bool:
    """Return whether an element of an assistant's content is an item, and not a content part."""
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return kind is not None and kind not in ("output_text", "refusal", "input_text", "summary_text")


def _render_answer(message: BaseMessageParam, rules: ItemRules, destination: Endpoint | None) -> list[WireItem]:
    content = message.content
    parts = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    units: list[ContentPart] = [part for part, _ in with_marks(parts) if part.type != "cache_control"]
    original = original_of(message, _FORMAT, destination)
    if original is None or not original.pieces:
        return [_render_part(part, rules) for part in units if not _is_blank(part)]
    pieces = original.pieces
    if not original.same_model:
        pieces = without_stored_ids(piece for piece in pieces if kind_of(piece) != "reasoning")
    restored = restore_pieces(
        pieces,
        units,
        read=parse_item,
        write=lambda part, old: _render_again(part, old, rules),
    )
    return _without_orphaned_reasoning(pieces, restored)


def _is_blank(part: ContentPart) -> bool:
    return isinstance(part, TextPart) and not part.text


def _render_part(part: ContentPart, rules: ItemRules) -> Piece:
    match part:
        case TextPart():
            return render_output_text(part.text)
        case ToolCallPart():
            return render_call(part)
        case ToolResultPart():
            return _render_result(part)
        case _:
            raise ValueError(
                f"{rules.provider} accepts text and tool calls in a message of the assistant. "
                f"Part provided: {part.type}"
            )


def _render_again(part: ContentPart, old: Piece | None, rules: ItemRules) -> Piece:
    """Return the item for a part that is new or was edited. A call keeps its other members."""
    piece = _render_part(part, rules)
    same_call = old is not None and all(old.get(name) == piece.get(name) for name in ("type", "call_id", "name"))
    if old is None or "call_id" not in piece or not same_call:
        return piece
    # Remove the id: it refers to the arguments stored on the server.
    return {**{name: value for name, value in old.items() if name != "id"}, **piece}


def _without_orphaned_reasoning(before: Sequence[Piece], items: list[Piece]) -> list[Piece]:
    """Return the items without each reasoning item whose next item was edited or removed.

    The API refuses a reasoning item without the item that followed it.
    """
    kept: list[Piece] = []
    for place, item in enumerate(items):
        if kind_of(item) == "reasoning" and _follower(items, place) != _follower(before, before.index(item)):
            continue
        kept.append(item)
    return kept


def _follower(items: Sequence[Piece], place: int) -> Piece | None:
    return next((item for item in items[place + 1 :] if kind_of(item) != "reasoning"), None)


def _render_input(
    message: BaseMessageParam, rules: ItemRules, destination: Endpoint | None, fetch: Fetch
) -> list[WireItem]:
    """Return the items for a message that the model did not write."""
    content, extra = message.content, message.__pydantic_extra__ or {}
    role = "user" if message.role in _TOOL_ROLES else message.role
    if isinstance(content, str):
        if message.role in _TOOL_ROLES and extra.get("tool_call_id"):
            return [{"type": "function_call_output", "call_id": extra["tool_call_id"], "output": content}]
        return [{"role": role, "content": content}]
    original = original_of(message, _FORMAT, destination)
    units: list[ContentPart] = [part for part, _ in with_marks(content) if part.type != "cache_control"]
    if original is not None and original.pieces:
        if not units or message.role in _TOOL_ROLES:
            return _restored_input(original.pieces, units)
        pieces = restore_pieces(
            original.pieces,
            units,
            read=parse_content,
            write=lambda part, old: render_content(part, rules, fetch),
        )
        return [{"role": role, "content": pieces}]
    items: list[WireItem] = []
    pieces = []
    for part in units:
        if not isinstance(part, ToolResultPart):
            pieces.append(render_content(part, rules, fetch))
            continue
        if pieces:
            items.append({"role": role, "content": pieces})
            pieces = []
        items.append(_render_result(part))
    return [*items, {"role": role, "content": pieces}] if pieces else items


def _restored_input(pieces: Sequence[Piece], units: Sequence[ContentPart]) -> list[WireItem]:
    """Return the items of the caller, with the current outputs of tools."""
    results = iter([part for part in units if isinstance(part, ToolResultPart)])
    items: list[WireItem] = []
    for piece in pieces:
        part = next(results, None) if kind_of(piece) in TOOL_OUTPUTS else None
        if part is not None and part.content != output_text(piece.get("output"))[0]:
            piece = {**piece, "output": part.content}
        items.append({**piece, "call_id": part.id} if part is not None else piece)
    return items


def _render_result(part: ToolResultPart) -> Piece:
    return {"type": "function_call_output", "call_id": part.id, "output": part.content}


def without_stored_ids(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the items without the ids that refer to items stored on the server."""
    return [
        {name: value for name, value in item.items() if name != "id" or kind_of(item) not in _WITH_STORED_IDS}
        for item in items
    ]


def sendable_items(items: Iterable[Mapping[str, Any]], *, stored: bool) -> list[dict[str, Any]]:
    """Return the input items that the API's rules for reasoning allow.

    A reasoning item is sent only with the item that follows it. If the server stores nothing, items have no ids, and
    only encrypted reasoning can be sent.
    """
    found = [dict(item) for item in items]
    if not stored:
        found = [item for item in found if kind_of(item) != "reasoning" or item.get("encrypted_content")]
        found = without_stored_ids(found)
    kept = []
    for place, item in enumerate(found):
        follower = _follower(found, place)
        if kind_of(item) != "reasoning" or (follower is not None and is_output(follower)):
            kept.append(item)
    return kept


def _tool_ids(item: WireItem) -> list[ToolId]:
    """Return the id of the tool call or tool output in an item."""
    kind = item.get("type")
    if kind in TOOL_CALLS:
        return [ToolId(True, item.get("call_id"), item.get("name") or "")]
    return [ToolId(False, item.get("call_id"))] if kind in TOOL_OUTPUTS else []


def _with_tool_ids(item: WireItem, ids: Sequence[str]) -> WireItem:
    return {**item, "call_id": ids[0]}


# -- parsing -------------------------------------------------------------------


def parse_messages(items: Iterable[Any], origin: Endpoint | None = None) -> list[BaseMessageParam]:
    """Read the items of a request. Consecutive items of the model become one message; common messages pass through."""
    messages: list[BaseMessageParam] = []
    answer: list[WireItem] = []
    names: dict[str, str] = {}

    def flush() -> None:
        if answer:
            messages.append(parse_output(answer, origin))
            answer.clear()

    for one in items:
        for item in [one] if isinstance(one, BaseMessageParam) else _own_items(one):
            if isinstance(item, BaseMessageParam):
                flush()
                messages.append(item)
            elif is_output(item):
                if kind_of(item) in TOOL_CALLS and item.get("call_id"):
                    names[item["call_id"]] = item.get("name") or ""
                answer.append(item)
            else:
                flush()
                messages.append(_parse_input(item, names, origin))
    flush()
    return messages


def parse_output(items: Sequence[Any], origin: Endpoint | None = None) -> BaseMessageParam:
    """Read the items of an answer as one message. Items that the parts do not represent are kept with their origin."""
    found = [plain_item(item) for item in items]
    parts = [part for part in map(parse_item, found) if part is not None]
    alone = len(parts) == 1 and isinstance(parts[0], TextPart)
    content: str | list[Any] = parts[0].text if alone and isinstance(parts[0], TextPart) else list(parts)
    message = BaseMessageParam(role="assistant", content=content)
    if all(map(is_represented, found)):
        return message
    unsupported = (kind_of(item) for item in found if parse_item(item) is None)
    return keep_original(message, _FORMAT, origin, pieces=found, unsupported=unsupported)


def _parse_input(item: WireItem, names: Mapping[str, str], origin: Endpoint | None) -> BaseMessageParam:
    kind = kind_of(item)
    if kind in TOOL_OUTPUTS:
        text, whole = output_text(item.get("output"))
        call_id = item.get("call_id")
        part = ToolResultPart(type="tool_result", name=names.get(call_id or "", ""), content=text, id=call_id)
        message = BaseMessageParam(role="tool", content=[part])
        whole &= kind == "function_call_output" and item.keys() <= {"type", "call_id", "output", "id", "status"}
        return message if whole else keep_original(message, _FORMAT, origin, pieces=[item])
    if kind != "message":
        message = BaseMessageParam(role="user", content=[])
        return keep_original(message, _FORMAT, origin, pieces=[item], unsupported=[kind])
    role, content = str(item.get("role")), item.get("content")
    if isinstance(content, str):
        return BaseMessageParam(role=role, content=content)
    pieces = [part if isinstance(part, dict) else _plain_part(part) for part in content or ()]
    parts = [part for part in map(parse_content, pieces) if part is not None]
    message = BaseMessageParam(role=role, content=parts)
    if all(map(is_content_represented, pieces)):
        return message
    unsupported = (str(piece.get("type")) for piece in pieces if parse_content(piece) is None)
    return keep_original(message, _FORMAT, origin, pieces=pieces, unsupported=unsupported)


def _plain_part(part: Any) -> dict[str, Any]:
    return part.model_dump(exclude_unset=True, warnings=False) if isinstance(part, BaseModel) else dict(part)
