"""Contents in Gemini's format: rendering and parsing.

Both directions keep everything. Thoughts, signatures, code and its results are kept as provider data and sent back
unchanged, in place. A turn of the model is one content, and each signature stays on its part
(https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from ...core.base._media.fetch import fetch as fetch_url
from ...core.base._messages.provider_data import Endpoint, Piece, keep_original, original_of, restore_pieces
from ...core.base.message_param import BaseMessageParam, ContentPart, TextPart, ToolCallPart, ToolResultPart
from .parts import (
    GOOGLE,
    Fetch,
    MessageRules,
    as_piece,
    for_other_model,
    is_cut_off,
    is_fetched,
    is_represented,
    kind_of,
    parse_piece,
    render_part,
)

WireMessage: TypeAlias = dict[str, Any] | BaseModel | str | list[Any]
"""A content that the SDK accepts: a dict, or an object of the provider's SDK."""

_FORMAT: Final = "gemini"
_ROLES: Final = {"model": "assistant", "function": "tool"}
_SYSTEM: Final = frozenset({"system", "developer"})
# Google's placeholder signature for calls that its model did not make.
_NO_SIGNATURE: Final = b"context_engineering_is_the_way_to_go"
_SIGNING_MODELS: Final = re.compile(r"gemini-(?![12]\b)")


# -- rendering -------------------------------------------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage | BaseMessageParam],
    rules: MessageRules = GOOGLE,
    destination: Endpoint | None = None,
    *,
    fetch: Fetch = fetch_url,
) -> list[WireMessage]:
    """Return the contents of the request, with system messages. Google's own contents pass through unchanged.

    Consecutive tool results become one content, as the API requires for parallel calls. They get the names of their
    calls. Empty messages of the model are left out: the API sends them, but refuses them in a request.

    Args:
        messages: Common messages, and Google's own in any form that the SDK accepts.
        rules: The rules of the server.
        destination: The provider and model that receive the messages.
        fetch: Reads the bytes of media that the server does not read itself. It blocks: if `needs_fetch` is true,
            an async caller runs the rendering in a thread.

    Raises:
        ValueError: The server does not accept the kind or the media type of a part.
    """
    wire: list[WireMessage] = []
    calls = _Calls()
    results: list[Piece] | None = None
    for message in messages:
        if not isinstance(message, BaseMessageParam):
            wire.append(message)
            calls.add(message)
            results = None
            continue
        pieces = _render(message, rules, destination, fetch)
        if message.role == "assistant":
            if pieces:
                wire.append({"role": "model", "parts": pieces})
                calls.add(wire[-1])
            results = None
            continue
        pieces = [calls.answer(piece) for piece in pieces]
        if message.role != "tool":
            role = "system" if message.role in _SYSTEM else "user"
            wire.append({"role": role, "parts": pieces})
            results = None
        elif results is not None:
            results += pieces
        elif pieces:
            results = pieces
            wire.append({"role": "user", "parts": results})
    return wire


def needs_fetch(messages: Iterable[object], rules: MessageRules = GOOGLE) -> bool:
    """Return whether rendering these messages has to read a URL."""
    return any(
        isinstance(message, BaseMessageParam)
        and not isinstance(message.content, str)
        and any(is_fetched(part, rules) for part in message.content)
        for message in messages
    )


def _render(message: BaseMessageParam, rules: MessageRules, destination: Endpoint | None, fetch: Fetch) -> list[Piece]:
    content = message.content
    parts = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    parts = _sendable_parts(parts, message.role)
    original = original_of(message, _FORMAT, destination)
    if original is None or not original.pieces:
        return _signed([render_part(part, rules, fetch) for part in parts], destination)
    # A call that was cut off has no result, so it is not sent. Gemini refuses empty parts.
    pieces = [piece for piece in original.pieces if not is_cut_off(piece) and not _is_empty(piece)]
    if not original.same_model:
        pieces = [piece for piece in map(for_other_model, pieces) if piece is not None]

    def write(part: ContentPart, old: Piece | None) -> Piece:
        piece = render_part(part, rules, fetch)
        if old is not None and "function_call" in piece and "thought_signature" in old:
            return {**piece, "thought_signature": old["thought_signature"]}
        return piece

    restored = restore_pieces(pieces, parts, read=parse_piece, write=write)
    return restored if original.same_model else _signed(restored, destination)


def _sendable_parts(parts: Sequence[ContentPart], role: str) -> Sequence[ContentPart]:
    """Return the parts without cache marks, which Gemini lacks, and without empty texts, which it refuses."""
    kept = [part for part in parts if part.type != "cache_control"]
    solid = [part for part in kept if not (isinstance(part, TextPart) and not part.text)]
    return solid if solid or role == "assistant" else kept


def _is_empty(piece: Piece) -> bool:
    """Return whether a part has nothing in it, not even a signature."""
    return not any(piece.values())


def _signed(pieces: list[Piece], destination: Endpoint | None) -> list[Piece]:
    """Return the parts of another model's turn, with a placeholder signature on the first call if the model requires
    it.
    """
    first = next((place for place, piece in enumerate(pieces) if "function_call" in piece), None)
    if first is None or destination is None or not _SIGNING_MODELS.search(destination.model):
        return pieces
    if "thought_signature" in pieces[first]:
        return pieces
    return [*pieces[:first], {**pieces[first], "thought_signature": _NO_SIGNATURE}, *pieces[first + 1 :]]


class _Calls:
    """The function calls of a conversation so far, to match results with calls."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        # The names of the last turn's unanswered calls without an id.
        self._unnamed: list[str] = []

    def add(self, message: WireMessage) -> None:
        calls = [piece["function_call"] for piece in pieces_of(message) if piece.get("function_call")]
        if calls:
            self._unnamed = [call.get("name") or "" for call in calls if not call.get("id")]
        self._names.update((call["id"], call.get("name") or "") for call in calls if call.get("id"))

    def answer(self, piece: Piece) -> Piece:
        """Return the part of a result with the name of its call, and without an id if the call has none."""
        if "function_response" not in piece:
            return piece
        result = dict(piece["function_response"])
        name = result["name"] or self._names.get(result.get("id") or "", "")
        if result.get("id") not in self._names and self._unnamed:
            result.pop("id", None)
            name = name or self._unnamed[0]
            if name in self._unnamed:
                self._unnamed.remove(name)
        return {**piece, "function_response": {**result, "name": name or "unknown_tool"}}


def pieces_of(message: WireMessage) -> list[Piece]:
    """Return the parts of a content in any form that the SDK accepts; empty for a value that is no content."""
    if isinstance(message, list):
        return [as_piece(part) for part in message]
    if isinstance(message, str) or not _is_content(message):
        return [as_piece(message)]
    parts = _member(message, "parts")
    return [as_piece(part) for part in ([parts] if isinstance(parts, str) else parts or ())]


def _is_content(message: Any) -> bool:
    if isinstance(message, Mapping):
        return "parts" in message or "role" in message
    return hasattr(message, "parts")


def _member(message: Any, name: str) -> Any:
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)


# -- the system prompt -----------------------------------------------------------------------------------------


def split_system(messages: Iterable[WireMessage]) -> tuple[list[Piece], list[WireMessage]]:
    """Return the parts of the system messages, and the other messages. The system prompt is not a content in this
    API.
    """
    system: list[Piece] = []
    others: list[WireMessage] = []
    for message in messages:
        if not isinstance(message, str | list) and _member(message, "role") in _SYSTEM:
            system += pieces_of(message)
        else:
            others.append(message)
    return system, others


def join_system(given: Any, pieces: Sequence[Piece]) -> Any:  # Any: as `system_instruction` takes it
    """Return the system instruction of the configuration, followed by that of the messages.

    A single text stays a string. With only one source, its value is unchanged.
    """
    if not pieces:
        return given
    before = [] if given is None else pieces_of(given)
    parts = [*before, *pieces]
    if len(parts) == 1 and parts[0].keys() == {"text"}:
        return parts[0]["text"]
    return {"parts": parts}


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_messages(
    wire: Iterable[WireMessage | BaseMessageParam], origin: Endpoint | None = None
) -> list[BaseMessageParam]:
    """Read the messages of a request or a response. Common messages pass through."""
    return [parse_message(message, origin) for message in wire]


def parse_message(wire: WireMessage | BaseMessageParam, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message. Content of an assistant that the parts do not represent is kept with its origin.

    Raises:
        ValueError: The SDK does not accept a message of this form.
    """
    if isinstance(wire, BaseMessageParam):
        return wire
    if isinstance(wire, str):
        return BaseMessageParam(role="user", content=wire)
    pieces = pieces_of(wire)
    given = _member(wire, "role") if _is_content(wire) else None
    parts = [part for part in map(parse_piece, pieces) if part is not None]
    role = _ROLES.get(given or "", given) or _role_of(parts)
    if role == "user" and parts and all(isinstance(part, ToolResultPart) for part in parts):
        role = "tool"
    content: str | list[ContentPart] = parts
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        content = parts[0].text
    message = BaseMessageParam(role=role, content=content)
    if all(map(is_represented, pieces)):
        return message
    unsupported = (kind_of(piece) for piece in pieces if parse_piece(piece) is None)
    return keep_original(message, _FORMAT, origin, pieces=pieces, unsupported=filter(None, unsupported))


def _role_of(parts: Sequence[ContentPart]) -> str:
    """Return the role for parts outside of a content."""
    return "assistant" if any(isinstance(part, ToolCallPart) for part in parts) else "user"
