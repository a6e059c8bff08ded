"""The HTTP messages of the server: requests as received, and responses to send."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qs

__all__ = [
    "SECRET_HEADERS",
    "UNTIL_CLIENT_LEAVES",
    "Ending",
    "Headers",
    "Outcome",
    "Piece",
    "Request",
    "Response",
    "json_response",
    "paced",
    "phrase_of",
]

UNTIL_CLIENT_LEAVES = math.inf

SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "x-amz-security-token", "cookie"}
)

# Nonstandard statuses of providers.
_OWN_PHRASES = {529: "Overloaded"}

Outcome = Literal["open", "complete", "cut", "abandoned"]
"""The state of a response: still being sent, sent in full, ended by a scripted fault, or left by the client."""

Ending = Literal["complete", "reset", "close"]
"""The end of a connection after the last byte: a proper end, a TCP reset, or a close inside the body."""


class Headers(dict[str, str]):
    """HTTP headers by lower-case name. `repr` hides the values that carry keys."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        for name, value in pairs:
            lower = name.lower()
            self[lower] = f"{self[lower]}, {value}" if lower in self else value

    def __repr__(self) -> str:
        shown = {name: "***" if name in SECRET_HEADERS else value for name, value in self.items()}
        return f"Headers({shown})"


@dataclass(eq=False)
class Request:
    """A request as received, and the outcome of its response.

    `connection` counts TCP connections from 1 in the order of opening: two requests with the same number shared
    one. Times are `time.monotonic()`, the same clock in every process of a machine. A client may have its whole
    response a moment before `outcome` changes: call `wait_closed()` first.
    """

    number: int
    connection: int
    method: str
    path: str
    query: str = field(repr=False)  # some providers accept the key here
    headers: Headers
    body: bytes = field(repr=False)
    received_at: float = field(repr=False)
    outcome: Outcome = "open"
    bytes_sent: int = 0
    """Body bytes handed to the operating system."""
    ended_at: float | None = field(default=None, repr=False)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `ValueError` for other bodies."""
        value = json.loads(self.body)
        if not isinstance(value, dict):
            raise ValueError(f"the body of {self.method} {self.path} is not a JSON object: {self.body[:80]!r}")
        return value

    @property
    def parameters(self) -> dict[str, str]:
        """The query string, with the last value of each name."""
        return {name: values[-1] for name, values in parse_qs(self.query, keep_blank_values=True).items()}


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes written together, in one HTTP chunk, after `wait` seconds (`math.inf`: never)."""

    data: bytes
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """One response, complete before the first byte is sent."""

    pieces: tuple[Piece, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = True
    header_wait: float = 0.0
    ending: Ending = "complete"
    silent: bool = False
    """Send nothing at all, not even a status line."""
    length: int | None = None
    """The `content-length` to announce when it differs from the length of the body."""

    @property
    def full_length(self) -> int:
        """The value of the content-length header, in bytes."""
        return sum(len(piece.data) for piece in self.pieces) if self.length is None else self.length

    @property
    def body(self) -> bytes:
        """The bytes of all pieces."""
        return b"".join(piece.data for piece in self.pieces)

    def cut(self, at: int, ending: Ending) -> Response:
        """Return the response with its end after `at` bytes of the body."""
        kept: list[Piece] = []
        room = at
        for piece in self.pieces:
            if room <= 0:
                break
            kept.append(replace(piece, data=piece.data[:room]))
            room -= len(piece.data)
        return replace(self, pieces=tuple(kept), ending=ending, length=self.full_length)

    def stalled(self, after: int, seconds: float) -> Response:
        """Return the response with a pause after its first `after` pieces."""
        pieces = list(self.pieces)
        if after >= len(pieces):
            pieces.append(Piece(b"", seconds))
        else:
            pieces[after] = replace(pieces[after], wait=pieces[after].wait + seconds)
        return replace(self, pieces=tuple(pieces))


def phrase_of(status: int) -> str:
    """Return the reason phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return _OWN_PHRASES.get(status, "Unknown")


def json_response(
    body: bytes, *, status: int = 200, headers: Sequence[tuple[str, str]] = (), wait: float = 0.0
) -> Response:
    """Return a plain response with a JSON body and its length."""
    return Response(
        pieces=(Piece(body, wait),),
        status=status,
        headers=(("content-type", "application/json"), *headers),
        chunked=False,
    )


def paced(
    events: Iterable[bytes], *, delay: float, first_delay: float | None = None, coalesce: int = 1
) -> tuple[Piece, ...]:
    """Return events as pieces: `coalesce` of them in each (0: all in one), `delay` seconds before each."""
    parts = list(events)
    if coalesce != 1:
        size = coalesce or max(len(parts), 1)
        parts = [b"".join(parts[start : start + size]) for start in range(0, len(parts), size)]
    if not delay and not first_delay:
        return tuple(map(Piece, parts))
    first = delay if first_delay is None else first_delay
    return tuple(Piece(part, delay if number else first) for number, part in enumerate(parts))
