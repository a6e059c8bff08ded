"""How streams end that do not end well: left, cancelled, closed from elsewhere, or held open by the server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ferroscope._engine.watchdog import watchdog
from ferroscope.testing import Answer, Exchange, Piece, Response, SlowHeaders, Stall, Text

from .conftest import Caller

LONG = Answer(Text("word " * 500), delay=0.001)
SILENT = Stall(Answer(Text("word " * 50)), after=8)
HELD_OPEN = Stall(Answer("Hello"), after=99)  # after the terminator, that is
AT_ONCE = 0.05
GRACE = 0.5  # for what must not last, on a busy machine


async def hello() -> str:
    return "Say hello"


@dataclass(frozen=True)
class Chatty:
    """A server that goes on with comments, for ever, after the end of its answer."""

    def respond(self, exchange: Exchange) -> Response:
        response = Answer("Hello").respond(exchange)
        return replace(response, pieces=(*response.pieces, *[Piece(b": still here\n\n", 0.01)] * 1000))


def needs_last_event(caller: Caller) -> None:
    if not caller.wire.has_last_event:
        pytest.skip("no event is the last by its form: a stream is over when its body is")
    if not caller.wire.reads_bytes:
        pytest.skip("the SDK closes the connection")


class Mishap(Exception):
    pass


async def closed_at_once(caller: Caller) -> None:
    await asyncio.to_thread(caller.server.wait_closed, AT_ONCE)


def text_of(stream: Any) -> str:
    return str(stream.construct_call_response().content)


def test_an_exception_in_the_loop_closes_the_connection(caller: Caller) -> None:
    caller.server.reply(LONG)
    stream = caller.call("Say hello", stream=True)

    def sync() -> None:
        try:
            for chunk, _ in stream:
                if chunk.content:
                    raise Mishap
        except Mishap:
            caller.server.wait_closed(AT_ONCE)

    async def asynchronous() -> None:
        try:
            async for chunk, _ in stream:
                if chunk.content:
                    raise Mishap
        except Mishap:
            await closed_at_once(caller)

    gc.disable()  # it must not be the collector that closes it
    try:
        caller.run(sync, asynchronous)
    finally:
        gc.enable()
    assert text_of(stream) == "word "


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_ctrl_c_while_waiting_closes_the_connection(caller: Caller) -> None:
    caller.server.reply(SILENT)
    stream = caller.call("Say hello", stream=True)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        for chunk, _ in stream:
            if chunk.content and not timer.is_alive():
                timer.start()
    caller.server.wait_closed(AT_ONCE)
    timer.join()
    assert text_of(stream) == stream.content
    assert stream.content.startswith("word ")


def tasks_of_streams() -> set[asyncio.Task[Any]]:
    """Return the tasks of the loop, without those in which Google's SDK closes collected clients of earlier tests."""
    closing = {"BaseApiClient.aclose", "AsyncClient.aclose"}
    tasks = asyncio.all_tasks()
    return {task for task in tasks if getattr(task.get_coro(), "__qualname__", "") not in closing}


@pytest.mark.parametrize("kind", ["async"], indirect=True)
@pytest.mark.parametrize(
    ("answer", "text"), [(SlowHeaders("Hello"), ""), (SILENT, "word ")], ids=["while opening", "while reading"]
)
def test_cancelling_closes_the_connection(caller: Caller, answer: Any, text: str) -> None:
    caller.server.reply(answer)

    async def main() -> None:
        stream = await caller.row.decorator(caller.row.model, stream=True)(hello)()

        async def consume() -> None:
            async for _ in stream:
                pass

        task = asyncio.create_task(consume())
        await asyncio.to_thread(caller.server.wait_requests, 1)
        while not stream.content.startswith(text):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gc.collect()  # a generator that is found unfinished becomes a task
        assert tasks_of_streams() == {asyncio.current_task()}
        await closed_at_once(caller)
        assert text_of(stream) == stream.content
        assert stream.content[:5] == text
        assert stream.end_time > 0

    caller.await_(main())


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_cancelling_while_the_connection_is_drained_loses_nothing(caller: Caller) -> None:
    needs_last_event(caller)
    caller.server.reply(HELD_OPEN)

    async def main() -> None:
        stream = await caller.row.decorator(caller.row.model, stream=True)(hello)()

        async def consume() -> None:
            async for _ in stream:
                pass

        task = asyncio.create_task(consume())
        while not stream.end_time:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed_at_once(caller)
        assert text_of(stream) == "Hello"
        assert stream.finish_reasons

    caller.await_(main())


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_cancelling_in_the_body_of_the_loop_closes_the_connection(caller: Caller) -> None:
    caller.server.reply(LONG)

    async def main() -> None:
        stream = await caller.row.decorator(caller.row.model, stream=True)(hello)()

        reached = asyncio.Event()

        async def consume() -> None:
            async for _ in stream:
                reached.set()
                await asyncio.sleep(10)

        task = asyncio.create_task(consume())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed_at_once(caller)

    caller.await_(main())


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.parametrize("stream", [True, {"idle_timeout": 10}], ids=["drain", "deadline"])
def test_what_cuts_off_a_read_too_late_cuts_off_nobody_else(
    caller: Caller, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread can have ended its read, and not have come to say so, while another one uses the connection again."""
    needs_last_event(caller)
    late: list[Callable[[], None]] = []
    monkeypatch.setattr(watchdog, "arm", lambda seconds, action: late.append(action))
    monkeypatch.setattr(watchdog, "disarm", lambda token: True)
    caller.server.reply("Hello", Answer(Text("word " * 20, 20), delay=0.01))
    caller.consume(caller.call("Say hello", stream=stream))
    cuts = list(late)
    assert cuts
    after = caller.call("Go on", stream=True)
    for position, _ in enumerate(after):
        if position == 2:
            for cut in cuts:
                cut()
    assert after.content == "word " * 20


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.parametrize("answer", [SlowHeaders("Hello", seconds=0.3), SILENT], ids=["opening", "reading"])
def test_another_thread_closes_a_stream_that_waits(caller: Caller, answer: Any) -> None:
    """To close a socket wakes nobody who waits for it: the reader stayed until its timeout, ten minutes later."""
    caller.server.reply(answer)
    stream = caller.call("Say hello", stream=True)
    seen: list[Any] = []
    reader = threading.Thread(target=lambda: seen.extend(stream), daemon=True)
    reader.start()
    caller.server.wait_requests(1)
    time.sleep(0.1)
    stream.close()
    reader.join(2)
    assert not reader.is_alive()
    caller.server.wait_closed(GRACE)
    assert "".join(chunk.content for chunk, _ in seen) == stream.content
    assert stream.end_time > 0


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_another_task_closes_a_stream_that_waits(caller: Caller) -> None:
    caller.server.reply(SILENT)

    async def main() -> None:
        stream = await caller.row.decorator(caller.row.model, stream=True)(hello)()

        async def consume() -> str:
            return "".join([chunk.content async for chunk, _ in stream])

        task = asyncio.create_task(consume())
        while not stream.content:
            await asyncio.sleep(0.001)
        await stream.aclose()
        assert await asyncio.wait_for(task, 2) == stream.content
        await closed_at_once(caller)

    caller.await_(main())


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_an_iterator_dropped_in_another_thread_closes_its_connection(caller: Caller) -> None:
    caller.server.reply(LONG)
    iterators = [iter(caller.call("Say hello", stream=True))]
    next(iterators[0])
    thread = threading.Thread(target=iterators.clear)
    thread.start()
    thread.join()
    caller.server.wait_closed(AT_ONCE)


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_threads_that_share_an_iterator_are_told(caller: Caller) -> None:
    caller.server.reply(LONG)
    iterator = iter(caller.call("Say hello", stream=True))
    errors: list[ValueError] = []

    def consume() -> None:
        try:
            for _ in iterator:
                pass
        except ValueError as error:
            errors.append(error)

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {str(error) for error in errors} == {"generator already executing"}


@pytest.mark.parametrize("answer", [HELD_OPEN, Chatty()], ids=["silent", "chatty"])
def test_a_server_that_does_not_close_its_answer_delays_little(caller: Caller, answer: Any) -> None:
    needs_last_event(caller)
    caller.server.reply(answer)
    stream = caller.call("Say hello", stream=True)
    start = time.monotonic()
    pairs = caller.consume(stream)
    assert time.monotonic() - start < GRACE
    assert "".join(chunk.content for chunk, _ in pairs) == "Hello"
    caller.server.wait_closed(AT_ONCE)


def test_the_end_of_an_answer_is_not_the_end_of_its_connection(caller: Caller) -> None:
    """What was waited for only to use the connection again is no part of the answer's time."""
    needs_last_event(caller)
    caller.server.reply(HELD_OPEN)
    stream = caller.call("Say hello", stream=True)
    caller.consume(stream)
    consumed = time.time() * 1000
    assert consumed - stream.end_time > 50


def test_a_terminator_that_comes_late_saves_the_connection(caller: Caller) -> None:
    if not caller.wire.reads_bytes:
        pytest.skip("the SDK closes the connection")
    late = Stall(Answer("Hello"), after=99, seconds=0.02)
    caller.server.reply("Hello", late, late, late)
    caller.stream()
    opened = caller.server.connections_opened
    for _ in range(3):
        caller.stream()
    assert caller.server.connections_opened == opened
