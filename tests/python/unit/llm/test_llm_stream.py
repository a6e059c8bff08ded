"""What streams offer to services: views, collecting, replaying, deadlines. For provider streams and `llm` streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest

from ferroscope import errors, llm
from ferroscope.core import openai as provider
from ferroscope.core.base import Usage
from ferroscope.core.base.stream_events import (
    FinishEvent,
    TextEvent,
    ThinkingEvent,
    ToolArgumentsEvent,
    ToolEvent,
    UsageEvent,
)
from ferroscope.testing import Answer, Cut, ProviderServer, Reasoning, SlowHeaders, Stall, Text, ToolCall, ToolCalls
from ferroscope.testing import Usage as Tokens


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


DECORATORS: dict[str, Callable[..., Any]] = {
    "llm": lambda **options: llm.call("openai", "gpt-4o-mini", **options),
    "provider": lambda **options: provider.call("gpt-4o-mini", **options),
}


class Streams:
    """Makes streams, sync or async, and reads them the one way or the other."""

    def __init__(self, decorator: Callable[..., Any], kind: str, runner: asyncio.Runner) -> None:
        self.decorator = decorator
        self.kind = kind
        self.runner = runner

    def make(self, **config: Any) -> Any:
        options = {"tools": [add], "stream": config or True}
        if self.kind == "sync":
            return self.decorator(**options)(lambda: "1 + 2?")()

        @self.decorator(**options)  # type: ignore[untyped-decorator]
        async def ask() -> str:
            return "1 + 2?"

        return self.runner.run(ask())

    def read(self, view: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [item async for item in view]

        return list(view) if self.kind == "sync" else self.runner.run(collect())

    def collect(self, stream: Any) -> Any:
        return stream.collect() if self.kind == "sync" else self.runner.run(stream.acollect())


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=DECORATORS)
def streams(request: pytest.FixtureRequest, kind: str, server: ProviderServer) -> Iterator[Streams]:
    with asyncio.Runner() as runner:
        yield Streams(DECORATORS[request.param], kind, runner)


ANSWER = Answer(
    Reasoning("Let me see."),
    Text("One moment"),
    ToolCalls(ToolCall("add", {"a": 1, "b": 2}, chunks=2)),
    usage=Tokens(9, 4),
)
USAGE = Usage(input_tokens=9, cached_tokens=0, output_tokens=4, total_tokens=13)


def test_text_is_all_that_its_view_gives(streams: Streams, server: ProviderServer) -> None:
    server.reply(ANSWER)
    stream = streams.make()
    assert streams.read(stream.text()) == ["One ", "moment"]
    assert (stream.content, stream.input_tokens) == ("One moment", 9)
    assert len(stream.construct_call_response().tools) == 1


def test_events_come_kind_by_kind(streams: Streams, server: ProviderServer) -> None:
    server.reply(ANSWER)
    events = streams.read(streams.make().events())
    arguments = [event.arguments for event in events if isinstance(event, ToolArgumentsEvent)]
    tools = [event.tool for event in events if isinstance(event, ToolEvent)]
    others = [event for event in events if not isinstance(event, ToolArgumentsEvent | ToolEvent)]
    assert others == [
        ThinkingEvent("Let "),
        ThinkingEvent("me "),
        ThinkingEvent("see."),
        TextEvent("One "),
        TextEvent("moment"),
        FinishEvent(["tool_calls"]),
        UsageEvent(USAGE),
    ]
    assert "".join(arguments) == '{"a": 1, "b": 2}'
    assert [(tool.call(), tool.id) for tool in tools] == [(3, "call_1")]
    first = next(event for event in events if isinstance(event, ToolArgumentsEvent))
    assert (first.position, first.id, first.name) == (0, "call_1", "add")


def test_collecting_gives_the_response_of_the_whole_stream(streams: Streams, server: ProviderServer) -> None:
    server.reply(ANSWER, ANSWER)
    stream, other = streams.make(), streams.make()
    response = streams.collect(stream)
    streams.read(other)
    wanted = other.construct_call_response()
    assert (response.content, response.tools[0].args, response.usage, response.finish_reasons) == (
        wanted.content,
        wanted.tools[0].args,
        wanted.usage,
        wanted.finish_reasons,
    )
    assert response is stream.construct_call_response()
    assert streams.collect(stream) is response
    assert streams.collect(other) is wanted
    assert len({request.connection for request in server.requests}) == 1


def test_a_stream_that_somebody_reads_is_not_collected(streams: Streams, server: ProviderServer) -> None:
    stream = streams.make()
    if streams.kind == "sync":
        pairs = iter(stream)
        next(pairs)
        with pytest.raises(ValueError, match="No stream response: the stream is being iterated over"):
            stream.collect()
        pairs.close()
        closed = streams.make()
        closed.close()
        with pytest.raises(ValueError, match="No stream response: the stream is closed before it was read"):
            closed.collect()
        with pytest.raises(AssertionError):
            streams.runner.run(stream.acollect())
    else:
        with pytest.raises(AssertionError):
            stream.collect()
        with pytest.raises(AssertionError):
            list(stream.text())


def test_a_second_iteration_gives_nothing_and_forgets_nothing(streams: Streams, server: ProviderServer) -> None:
    stream = streams.make()
    streams.read(stream)
    assert streams.read(stream) == []
    assert streams.read(stream.text()) == []
    assert stream.content == "Hello there"


def test_a_kept_stream_is_replayed_without_a_request(streams: Streams, server: ProviderServer) -> None:
    server.reply(ANSWER)
    stream = streams.make(replay=True)
    seen = [(chunk.content, tool and tool.args) for chunk, tool in streams.read(stream)]
    response = stream.construct_call_response()
    for _ in range(2):
        assert [(chunk.content, tool and tool.args) for chunk, tool in streams.read(stream)] == seen
    assert streams.read(stream.text()) == ["One ", "moment"]
    assert streams.read(stream.events())[-1] == UsageEvent(USAGE)
    assert stream.construct_call_response() is response
    assert len(server.requests) == 1


def test_what_came_before_a_break_is_replayed(streams: Streams, server: ProviderServer) -> None:
    server.reply(Cut("Hello there, all of you", at=700))
    stream = streams.make(replay=True)
    with pytest.raises(errors.StreamInterruptedError):
        streams.read(stream)
    assert stream.content
    assert "".join(streams.read(stream.text())) == stream.content


def test_no_more_is_kept_than_allowed(streams: Streams, server: ProviderServer) -> None:
    stream = streams.make(replay=300)
    streams.read(stream)
    with pytest.raises(
        errors.LimitExceededError, match=r"longer than the replay buffer of 300 bytes.*stream=\{'replay': bytes\}"
    ):
        streams.read(stream)
    assert stream.content == "Hello there"


# ---- deadlines

LATE: dict[str, tuple[Any, dict[str, float], str]] = {
    "no headers": (
        SlowHeaders("Hello", seconds=0.4),
        {"first_chunk_timeout": 0.1},
        "no first chunk arrived within 0.1 s",
    ),
    "no headers in all": (
        SlowHeaders("Hello", seconds=0.4),
        {"total_timeout": 0.1},
        "the stream did not end within 0.1 s",
    ),
    "no first chunk": (Stall("Hello", after=0), {"first_chunk_timeout": 0.1}, "no first chunk arrived within 0.1 s"),
    "silence": (
        Stall("Hello there", after=2),
        {"first_chunk_timeout": 5, "idle_timeout": 0.1},
        "no chunk arrived for 0.1 s",
    ),
    "too long": (
        Answer(Text("word " * 100), delay=0.02),
        {"idle_timeout": 5, "total_timeout": 0.2},
        "the stream did not end within 0.2 s",
    ),
}


@pytest.mark.parametrize(("answer", "deadlines", "message"), LATE.values(), ids=LATE)
def test_a_deadline_that_passes_ends_the_stream(
    answer: Any, deadlines: dict[str, float], message: str, streams: Streams, server: ProviderServer
) -> None:
    server.reply(answer)
    stream = streams.make(**deadlines)
    begun = time.perf_counter()
    with pytest.raises(errors.StreamInterruptedError, match=message) as raised:
        streams.read(stream)
    assert time.perf_counter() - begun < 1
    assert isinstance(raised.value, openai.APITimeoutError)
    assert raised.value.partial is not None
    assert raised.value.partial.content == stream.content
    assert "provider 'openai', model 'gpt-4o-mini'" in str(raised.value)


def test_a_stream_in_time_is_left_alone(streams: Streams, server: ProviderServer) -> None:
    server.reply(Answer(Text("a b c d e"), delay=0.03), "Hello")
    stream = streams.make(first_chunk_timeout=5, idle_timeout=0.25, total_timeout=5)
    assert streams.read(stream.text()) == ["a ", "b ", "c ", "d ", "e"]
    assert streams.collect(streams.make()).content == "Hello"
    assert len({request.connection for request in server.requests}) == 1


def test_the_connection_of_a_late_answer_is_closed(server: ProviderServer) -> None:
    server.reply(SlowHeaders("Hello", seconds=0.3))
    stream = Streams(DECORATORS["llm"], "sync", asyncio.Runner()).make(first_chunk_timeout=0.05)
    with pytest.raises(errors.StreamInterruptedError):
        list(stream)
    server.wait_closed(timeout=2)


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_deadline_of_no_time_is_a_mistake(seconds: float) -> None:
    with pytest.raises(ValueError, match="idle_timeout must be more than 0 seconds"):
        DECORATORS["llm"](stream={"idle_timeout": seconds})(lambda: "Hi")


async def test_cancelling_the_reader_is_no_deadline(server: ProviderServer) -> None:
    server.reply(Stall("Hello there", after=2))

    @llm.call("openai", "gpt-4o-mini", stream={"idle_timeout": 30})
    async def ask() -> str:
        return "Hi"

    stream = await ask()
    reading = asyncio.ensure_future(stream.acollect())
    while not stream.content:
        await asyncio.sleep(0.01)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    await asyncio.to_thread(server.wait_closed, 2)
    assert stream.content == "Hello "
