"""Streams that hold events back for a short time (`stream={"batch": seconds}`)."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.core import openai
from ferroscope.testing import Answer, Cut, ProviderServer, Stall, Text
from ferroscope.transport import NativeTransport

from .conftest import Caller

STREAMED = {"model": "m", "messages": [{"role": "user", "content": "Go on."}], "stream": True}
WORDS = [f"word{number} " for number in range(40)]
native = pytest.mark.skipif(sys.platform == "win32", reason="the native transport is not available there")


@pytest.fixture(params=[name for name in ("httpx", "httpx2") if find_spec(name)])
def library(request: pytest.FixtureRequest) -> Any:
    return import_module(request.param)


def spread() -> Answer:
    """An answer whose events come one after the other."""
    return Answer(Text("".join(WORDS), len(WORDS)), delay=0.002)


@pytest.mark.parametrize("batch", [0.003, 0.05])
def test_nothing_is_lost_or_changes_its_place(caller: Caller, batch: float) -> None:
    caller.server.reply(spread(), spread())
    stream, plain = caller.stream(stream={"batch": batch}), caller.stream()
    assert stream.content == plain.content == "".join(WORDS)
    assert stream.usage == plain.usage
    assert stream.finish_reasons == plain.finish_reasons


def test_an_error_has_all_that_came_before_it(caller: Caller) -> None:
    caller.server.reply(Cut(spread(), at=4000))
    stream = caller.call("Say hello", stream={"batch": 0.02})
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(stream)
    assert "".join(WORDS).startswith(caught.value.partial.content)
    assert len(caught.value.partial.content.split()) > 2


def test_deadlines_count_as_before(caller: Caller) -> None:
    caller.server.reply(Stall(spread(), after=8))
    stream = caller.call("Say hello", stream={"batch": 0.01, "idle_timeout": 0.2})
    with pytest.raises(errors.StreamInterruptedError, match="no chunk arrived"):
        caller.consume(stream)


@pytest.mark.parametrize("seconds", [0, -0.1, 1.5, float("nan")])
def test_a_batch_is_a_short_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="batch is the longest delay of an event, more than 0 and at most 1 second"):

        @openai.call("gpt-4o-mini", stream={"batch": seconds})
        def recommend() -> str:
            return ""


async def reads_of(library: Any, client: Any, url: str, hold: float | None) -> list[bytes]:
    async with client.stream("POST", url, json=STREAMED) as response:
        if hold is not None:
            response.stream._stream.hold(hold)
        return [read async for read in response.aiter_raw()]


@native
def test_events_that_arrive_in_the_time_are_one_read(library: Any, server: ProviderServer) -> None:
    server.reply(spread(), spread(), spread())

    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            url = server.base_url("openai") + "/chat/completions"
            together, alone, again = [await reads_of(library, client, url, hold) for hold in (0.05, None, 0.05)]
        bodies = [b"".join(reads) for reads in (together, alone, again)]
        assert [body.count(b"data: {") for body in bodies] == [bodies[0].count(b"data: {")] * 3
        assert all(body.endswith(b"data: [DONE]\n\n") for body in bodies)
        assert max(len(together), len(again)) * 2 < len(WORDS)

    asyncio.run(main())


@native
def test_a_connection_holds_nothing_back_for_the_next_request(library: Any) -> None:
    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            url = server.base_url("openai") + "/chat/completions"
            for hold in (0.01, None, 0.01):
                await reads_of(library, client, url, hold)

    with ProviderServer(default=Answer(Text("word " * 5, 5))) as server:
        asyncio.run(main())
        assert server.connections_opened == 1


@native
def test_other_streams_of_the_event_loop_are_not_held_back(library: Any) -> None:
    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            url = server.base_url("openai") + "/chat/completions"
            async with client.stream("POST", url, json=STREAMED) as held:
                body = held.stream._stream
                body.hold(1.0)
                while isinstance(read := body.take(), bytes):
                    assert read
                for _ in range(5):
                    await reads_of(library, client, url, None)
                assert not read.done()
                await read
                assert body.take()

    with ProviderServer(default=Answer(Text("word " * 3, 3), delay=0.003)) as server:
        asyncio.run(main())


@native
@pytest.mark.parametrize("behind", [Stall(spread(), after=6), Cut(spread(), at=3000)], ids=["nothing", "the end"])
def test_what_is_held_back_is_read_although_little_follows(library: Any, server: ProviderServer, behind: Any) -> None:
    server.reply(behind)

    async def main() -> None:
        async with (
            library.AsyncClient(transport=NativeTransport()) as client,
            client.stream("POST", server.base_url("openai") + "/chat/completions", json=STREAMED) as response,
        ):
            body = response.stream._stream
            body.hold(0.02)
            received = b""
            while received.count(b"data: {") < 4:
                read = body.take()
                if isinstance(read, bytes):
                    received += read
                else:
                    await asyncio.wait_for(read, 10)

    asyncio.run(main())
