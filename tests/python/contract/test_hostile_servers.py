"""Hostile bodies in every wire format: refused in bounded time, with what came before readable, or read as they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.testing import Exchange, Piece, Response

from .bodies import BODIES, SENT_EVENTS
from .conftest import ROWS, Caller, for_rows

MEGABYTE = 1 << 20
TOO_LONG = 5.0  # seconds, on a busy machine


@dataclass(frozen=True)
class Sent:
    """A streamed body."""

    pieces: tuple[bytes, ...]

    def respond(self, exchange: Exchange) -> Response:
        content_type = (("content-type", "text/event-stream"),)
        return Response(tuple(map(Piece, self.pieces)), headers=content_type)


# Server-sent events; for AWS's binary framing, see test_bedrock_streams.
FIRST = [next(row for row in ROWS if row.wire.format == format) for format in SENT_EVENTS]
pytestmark = for_rows(FIRST.__contains__)


def reply(caller: Caller, *pieces: bytes) -> None:
    caller.server.reply(Sent((BODIES[caller.wire.format].opening(), *pieces)))


REFUSED: dict[str, tuple[Callable[[Any], tuple[bytes, ...]], str]] = {
    "an event of 20 MiB": (lambda wire: (wire.text(b"x" * 20 * MEGABYTE),), "the size of an event"),
    "a line without an end": (
        lambda _: (b"data: " + b"x" * MEGABYTE, *[b"x" * MEGABYTE] * 40),
        "the size of an event",
    ),
    "too many tool calls": (lambda wire: tuple(map(wire.calls, range(2000))), "the number of tool calls"),
    "too many tool calls in one read": (lambda wire: (wire.calls(*range(10_000)),), "the number of tool calls"),
    "JSON too deep": (
        lambda wire: (wire.text(b"", b',"x":' + b"[" * 100_000 + b"]" * 100_000),),
        "the nesting of JSON",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_passes_a_limit_is_refused(caller: Caller, name: str) -> None:
    pieces, limit = REFUSED[name]
    reply(caller, *pieces(BODIES[caller.wire.format]))
    stream = caller.call("Say hello", stream=True)
    start = time.monotonic()
    with pytest.raises(errors.LimitExceededError, match=f"{limit} exceeds the limit of") as caught:
        caller.consume(stream)
    assert time.monotonic() - start < TOO_LONG
    assert caught.value.partial is not None
    assert (caught.value.partial.content, stream.content) == ("Hello", "Hello")
    caller.server.wait_closed(1.0)


TAKEN: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "nothing but line ends": (lambda _: b"\n" * MEGABYTE, "Hello"),
    "nothing but comments": (lambda _: b": still here\n\n" * 50_000, "Hello"),
    "no UTF-8": (lambda wire: wire.text(b" \xff"), "Hello \N{REPLACEMENT CHARACTER}"),
    "half a character per event": (
        lambda wire: wire.text(rb" \ud83d") + wire.text(rb"\ude00"),
        "Hello \N{GRINNING FACE}",
    ),
    "a number of 5000 digits": (lambda wire: wire.text(b"!", b',"x":' + b"9" * 5000), "Hello!"),
    "fields of other types": (lambda wire: wire.odd, "Hello"),
    "an index beyond reason": (lambda wire: wire.calls(4_000_000_000), "Hello"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_merely_strange_is_taken_as_said(caller: Caller, name: str) -> None:
    body, text = TAKEN[name]
    wire = BODIES[caller.wire.format]
    reply(caller, body(wire), wire.end())
    stream = caller.call("Say hello", stream=True)
    start = time.monotonic()
    pairs = caller.consume(stream)
    assert time.monotonic() - start < TOO_LONG
    assert "".join(chunk.content for chunk, _ in pairs) == stream.content == text
    assert stream.construct_call_response().content == text
    assert all(chunk.chunk is not None for chunk, _ in pairs)
