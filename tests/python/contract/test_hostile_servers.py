"""Bodies that no honest server sends: refused in bounded time with what came before them readable, or taken as said."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ferroscope import errors
from ferroscope.testing import Exchange, Piece, Response

from .conftest import Caller
from .wires import OpenAIChat

MEGABYTE = 1 << 20
TOO_LONG = 5.0  # seconds, on a busy machine
HEAD = b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{'


def event(inner: bytes) -> bytes:
    return b"data: " + HEAD + inner + b"}}]}\n\n"


def tool_call(index: int) -> bytes:
    return b'{"index":%d,"id":"c%d","type":"function","function":{"name":"f","arguments":"{}"}}' % (index, index)


HELLO = event(b'"content":"Hello"')
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Sent:
    """A streamed body, after a first event that is as it should be."""

    pieces: tuple[bytes, ...]

    def respond(self, exchange: Exchange) -> Response:
        content_type = (("content-type", "text/event-stream"),)
        return Response(tuple(map(Piece, (HELLO, *self.pieces))), headers=content_type)


@pytest.fixture(autouse=True)
def _openai_only(caller: Caller) -> None:
    if caller.wire is not OpenAIChat:
        pytest.skip("the bodies are chat completions")


REFUSED: dict[str, tuple[Callable[[], tuple[bytes, ...]], str]] = {
    "an event of 20 MiB": (
        lambda: (event(b'"content":"' + b"x" * 20 * MEGABYTE + b'"'),),
        "the size of an event",
    ),
    "a line without an end": (lambda: (b"data: " + b"x" * MEGABYTE, *[b"x" * MEGABYTE] * 40), "the size of an event"),
    "too many tool calls": (
        lambda: tuple(event(b'"tool_calls":[' + tool_call(index) + b"]") for index in range(2000)),
        "the number of tool calls",
    ),
    "too many tool calls in one event": (
        lambda: (event(b'"tool_calls":[' + b",".join(map(tool_call, range(10_000))) + b"]"),),
        "the number of tool calls",
    ),
    "JSON too deep": (
        lambda: (event(b'"x":' + b"[" * 100_000 + b"]" * 100_000),),
        "the nesting of JSON",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_passes_a_limit_is_refused(caller: Caller, name: str) -> None:
    pieces, limit = REFUSED[name]
    caller.server.reply(Sent(pieces()))
    stream = caller.call("Say hello", stream=True)
    start = time.monotonic()
    with pytest.raises(errors.LimitExceededError, match=f"{limit} exceeds the limit of") as caught:
        caller.consume(stream)
    assert time.monotonic() - start < TOO_LONG
    assert caught.value.partial is not None
    assert (caught.value.partial.content, stream.content) == ("Hello", "Hello")
    caller.server.wait_closed(1.0)


TAKEN: dict[str, tuple[bytes, str]] = {
    "nothing but line ends": (b"\n" * MEGABYTE, "Hello"),
    "nothing but comments": (b": still here\n\n" * 50_000, "Hello"),
    "no UTF-8": (event(b'"content":" \xff"'), "Hello \N{REPLACEMENT CHARACTER}"),
    "half a character an event": (
        event(rb'"content":" \ud83d"') + event(rb'"content":"\ude00"'),
        "Hello \N{GRINNING FACE}",
    ),
    "a number of 5000 digits": (event(b'"content":"!","x":' + b"9" * 5000), "Hello!"),
    "fields of other types": (b'data: {"id":5,"choices":null,"model":[1],"usage":"none"}\n\n', "Hello"),
    "an index beyond reason": (event(b'"tool_calls":[' + tool_call(4_000_000_000) + b"]"), "Hello"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_merely_strange_is_taken_as_said(caller: Caller, name: str) -> None:
    body, text = TAKEN[name]
    caller.server.reply(Sent((body, DONE)))
    stream = caller.call("Say hello", stream=True)
    start = time.monotonic()
    pairs = caller.consume(stream)
    assert time.monotonic() - start < TOO_LONG
    assert "".join(chunk.content for chunk, _ in pairs) == stream.content == text
    assert stream.construct_call_response().content == text
    assert all(chunk.chunk is not None for chunk, _ in pairs)
