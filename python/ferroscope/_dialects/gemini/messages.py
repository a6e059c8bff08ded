"""Contents in Gemini's format, to the wire and back.

Both ways keep everything: thoughts, signatures, code and its results are kept as provider data, and go back as they
came, in their place. A model turn is one content, with its signatures on the very parts that they came on
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
"""A content as the SDK takes it: the dict we make, or whatever of the provider's own the caller passed."""

_FORMAT: Final = "gemini"
_ROLES: Final = {"model": "assistant", "function": "tool"}
_SYSTEM: Final = frozenset({"system", "developer"})
# What Google names for calls that its model did not make, which have no signature.
_NO_SIGNATURE: Final = b"context_engineering_is_the_way_to_go"
_SIGNING_MODELS: Final = re.compile(r"gemini-(?![12]\b)")


# -- what we send ----------------------------------------------------------------------------------------------


def render_messages(
    messages: Iterable[WireMessage | BaseMessageParam],
    rules: MessageRules = GOOGLE,
    destination: Endpoint | None = None,
    *,
    fetch: Fetch = fetch_url,
) -> list[WireMessage]:
    """Make the request's contents, system messages included; Google's own contents pass through untouched.

    Results of tools that follow one another become one content, as the API wants the answers to parallel calls. They
    get the names of their calls. Messages of the model that are empty are left out: the API sends them, and refuses
    them when they come back.

    Args:
        messages: Common messages, and Google's own in any form that the SDK takes.
        rules: What the server takes.
        destination: The provider and model that the messages are sent to.
        fetch: Reads the bytes of media that the server does not read itself. It blocks: where `needs_fetch` says so,
            an async caller runs the rendering in a thread.

    Raises:
        ValueError: A part is of a kind or type that the server does not take.
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
    """Whether rendering these messages has to read a URL."""
    return any(
        isinstance(message, BaseMessageParam)
        and not isinstance(message.content, str)
        and any(is_fetched(part, rules) for part in message.content)
        for message in messages
    )


def _render(message: BaseMessageParam, rules: MessageRules, destination: Endpoint | None, fetch: Fetch) -> list[Piece]:
    content = message.content
    parts = [TextPart(type="text", text=content)] if isinstance(content, str) else content
    parts = _solid(parts, message.role)
    original = original_of(message, _FORMAT, destination)
    if original is None or not original.pieces:
        return _signed([render_part(part, rules, fetch) for part in parts], destination)
    # A call that was cut off has no result.
    pieces = [piece for piece in original.pieces if not is_cut_off(piece)]
    if not original.same_model:
        pieces = [piece for piece in map(for_other_model, pieces) if piece is not None]

    def write(part: ContentPart, old: Piece | None) -> Piece:
        piece = render_part(part, rules, fetch)
        if old is not None and "function_call" in piece and "thought_signature" in old:
            return {**piece, "thought_signature": old["thought_signature"]}
        return piece

    restored = restore_pieces(pieces, parts, read=parse_piece, write=write)
    return restored if original.same_model else _signed(restored, destination)


def _solid(parts: Sequence[ContentPart], role: str) -> Sequence[ContentPart]:
    """The parts without cache marks, which Gemini does not have, and without empty texts, which it refuses."""
    kept = [part for part in parts if part.type != "cache_control"]
    solid = [part for part in kept if not (isinstance(part, TextPart) and not part.text)]
    return solid if solid or role == "assistant" else kept


def _signed(pieces: list[Piece], destination: Endpoint | None) -> list[Piece]:
    """The parts of a model turn that another model wrote, for a model that wants a signature on the first call."""
    first = next((place for place, piece in enumerate(pieces) if "function_call" in piece), None)
    if first is None or destination is None or not _SIGNING_MODELS.search(destination.model):
        return pieces
    if "thought_signature" in pieces[first]:
        return pieces
    return [*pieces[:first], {**pieces[first], "thought_signature": _NO_SIGNATURE}, *pieces[first + 1 :]]


class _Calls:
    """The function calls of a conversation so far, to find the one that a result answers."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        # The names of the last turn's calls that have no id, until they are answered.
        self._unnamed: list[str] = []

    def add(self, message: WireMessage) -> None:
        calls = [piece["function_call"] for piece in pieces_of(message) if piece.get("function_call")]
        if calls:
            self._unnamed = [call.get("name") or "" for call in calls if not call.get("id")]
        self._names.update((call["id"], call.get("name") or "") for call in calls if call.get("id"))

    def answer(self, piece: Piece) -> Piece:
        """The part of a result, with the name of its call; without an id that its call does not have."""
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
    """The parts of a content in any form that the SDK takes; none for what is no content."""
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
    """Return the parts of the system messages, and the other messages: the system prompt is no content here."""
    system: list[Piece] = []
    others: list[WireMessage] = []
    for message in messages:
        if not isinstance(message, str | list) and _member(message, "role") in _SYSTEM:
            system += pieces_of(message)
        else:
            others.append(message)
    return system, others


def join_system(given: Any, pieces: Sequence[Piece]) -> Any:  # Any: as `system_instruction` takes it
    """Return the system instruction of the configuration and of the messages, in this order.

    A lone text stays a text, and what is given alone stays as it is.
    """
    if not pieces:
        return given
    before = [] if given is None else pieces_of(given)
    parts = [*before, *pieces]
    if len(parts) == 1 and parts[0].keys() == {"text"}:
        return parts[0]["text"]
    return {"parts": parts}


# -- what we read ----------------------------------------------------------------------------------------------


def parse_messages(
    wire: Iterable[WireMessage | BaseMessageParam], origin: Endpoint | None = None
) -> list[BaseMessageParam]:
    """Read messages of a request or of an answer; common ones pass through."""
    return [parse_message(message, origin) for message in wire]


def parse_message(wire: WireMessage | BaseMessageParam, origin: Endpoint | None = None) -> BaseMessageParam:
    """Read one message; an assistant's is bound to its origin as far as the parts do not represent it.

    Raises:
        ValueError: It has no form that the SDK takes.
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
    """Who wrote parts that are no content, as the SDK takes them."""
    return "assistant" if any(isinstance(part, ToolCallPart) for part in parts) else "user"
