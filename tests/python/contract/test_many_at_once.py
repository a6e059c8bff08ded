"""Many calls at once: threads, tasks, event loops, forks."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest
import trio

from ferroscope._engine import clients  # only its lock: to hold it is the point of one test
from ferroscope.testing import Answer, Stall, Text

from .conftest import Caller

THREADS = 50
TASKS = 200


async def hello() -> str:
    return "Say hello"


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    """What the work gives in so many threads that begin together."""
    together = threading.Barrier(count)

    def begin() -> object:
        together.wait()
        return work()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(begin) for _ in range(count)]]


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_one_function_in_many_threads(caller: Caller) -> None:
    caller.server.reply_always("Hello there")
    call, stream = caller.decorate(lambda: "x"), caller.decorate(lambda: "x", stream=True)

    def work() -> object:
        return call().content, "".join(chunk.content for chunk, _ in stream())

    assert set(in_threads(THREADS, work)) == {("Hello there", "Hello there")}
    caller.server.reply_always(None)


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_one_function_in_many_tasks(caller: Caller) -> None:
    caller.server.reply_always("Hello there")
    call = caller.row.decorator(caller.row.model, stream=True)(hello)

    async def one() -> str:
        return "".join([chunk.content async for chunk, _ in await call()])

    async def main() -> None:
        assert set(await asyncio.gather(*(one() for _ in range(TASKS)))) == {"Hello there"}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    caller.await_(main())
    caller.server.reply_always(None)


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_event_loops_in_threads_keep_nothing(caller: Caller) -> None:
    caller.server.reply_always("Hello there")
    call = caller.row.decorator(caller.row.model, stream=True)(hello)

    async def main() -> str:
        return "".join([chunk.content async for chunk, _ in await call()])

    before, connected = len(clients._caches.by_loop), caller.server.open_connections
    for _ in range(3):
        assert set(in_threads(4, lambda: asyncio.run(main()))) == {"Hello there"}
    assert len(clients._caches.by_loop) == before
    caller.server.wait_disconnected(connections=connected)
    caller.server.reply_always(None)


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_a_loop_closed_without_being_shut_down_is_forgotten(caller: Caller) -> None:
    if not caller.wire.warns_of_open_clients:
        pytest.skip("its SDK does not warn of open clients, or at any time later")
    caller.server.reply("one", "two")
    call = caller.row.decorator(caller.row.model)(hello)
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(call()).content == "one"
    loop.close()

    def again() -> str:
        content = asyncio.run(call()).content
        gc.collect()
        return str(content)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of what nobody closed
        assert again() == "two"
    assert loop not in clients._caches.by_loop


# v1's names of Google's packages warn when they are imported.
STRICT = ("-X", "dev", "-W", "error", "-W", "ignore:`ferroscope.core:DeprecationWarning")
PROGRAM = """
import asyncio, gc, importlib, json, sys

if len(sys.argv) > 3:
    import ferroscope
    ferroscope.register_provider(**json.loads(sys.argv[3]))
provider = importlib.import_module(sys.argv[1])

@provider.call(sys.argv[2], stream=True)
async def hello() -> str:
    return "Say hello"

async def main(leave: bool) -> None:
    asyncio.get_running_loop().slow_callback_duration = 60  # how long things take is not the question
    async for chunk, _ in await hello():
        if leave and chunk.content:
            return

for leave in (False, False, True):
    asyncio.run(main(leave))
    gc.collect()
print("done")
"""


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_one_loop_after_another_says_nothing(caller: Caller) -> None:
    """No unclosed session, no pending task, no warning of any kind; and the process ends."""
    caller.server.reply_always(Answer("Hello there", delay=0.001))
    run = subprocess.run(
        [sys.executable, *STRICT, "-c", PROGRAM, *caller.row.arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
    caller.server.reply_always(None)


def skip_without_trio(caller: Caller) -> None:
    old_openai = caller.wire.sdk == "openai" and tuple(map(int, version("openai").split(".")[:2])) < (1, 66)
    if not caller.wire.runs_on_trio or old_openai:
        pytest.skip("the SDK's async client runs on asyncio only")


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_calls_under_trio(caller: Caller) -> None:
    skip_without_trio(caller)
    caller.server.reply_always("Hello there")
    stream, call = (caller.row.decorator(caller.row.model, stream=streamed)(hello) for streamed in (True, False))

    async def main() -> None:
        assert "".join([chunk.content async for chunk, _ in await stream()]) == "Hello there"
        opened = caller.server.connections_opened
        assert (await call()).content == "Hello there"
        assert caller.server.connections_opened == opened

    connected = caller.server.open_connections
    trio.run(main)
    caller.server.wait_disconnected(connections=connected)
    caller.server.reply_always(None)


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_a_stream_cancelled_under_trio(caller: Caller) -> None:
    """It closes its connection, and leaves no generator behind for trio to warn of."""
    skip_without_trio(caller)
    caller.server.reply(Stall(Answer(Text("word " * 50)), after=8))
    call = caller.row.decorator(caller.row.model, stream=True)(hello)
    connected = caller.server.open_connections

    async def main() -> None:
        stream = await call()
        with trio.CancelScope() as scope:
            async for chunk, _ in stream:
                if chunk.content:
                    # A moment later the next chunk is waited for: the server has stalled.
                    scope.deadline = min(scope.deadline, trio.current_time() + 0.1)
        assert scope.cancelled_caught
        assert stream.content.startswith("word ")
        await trio.to_thread.run_sync(lambda: caller.server.wait_disconnected(connections=connected))
        gc.collect()

    trio.run(main)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_forked_child_calls_with_a_client_of_its_own(caller: Caller) -> None:
    """Even if another thread of the parent held our lock: it will never let go of the child's."""
    if not caller.wire.reads_bytes:
        pytest.skip("the SDK closes the connection of a sync stream")
    caller.server.reply_always("Hello there")
    call, stream = caller.decorate(lambda: "x"), caller.decorate(lambda: "x", stream=True)
    stream_of_parent = list(stream())
    opened = caller.server.connections_opened
    with clients._caches.lock:
        child = os.fork()
        if child == 0:
            signalled = 1
            try:
                signalled = int((call().content, len(list(stream()))) != ("Hello there", len(stream_of_parent)))
            finally:
                os._exit(signalled)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert caller.server.connections_opened == opened + 1
    assert call().content == "Hello there"  # over the connection that was there before
    assert caller.server.connections_opened == opened + 1
    caller.server.reply_always(None)
