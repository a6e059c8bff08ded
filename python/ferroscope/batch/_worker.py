"""A worker process of a run. Rows come from its standard input, and answers go to its standard output."""

from __future__ import annotations

import asyncio
import os
import pickle
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import IO, Any

from .._engine.drive import adrive, drive
from ..prices import Cost, Meter, Total
from ._portable_errors import portable
from ._processes import Reply, WorkerOptions, load_worker_function, received, send
from ._requests import request_hash
from ._results import RecordedError
from ._target import Answer, CallTarget, FunctionTarget, SavedAnswer, target_of

# Any: rows, and the results of the user's function.


class _Costs(Meter):
    """A meter that keeps the costs of a row, which the program's meters count."""

    def __init__(self) -> None:
        super().__init__(None, True)
        self.costs: list[Cost | Total] = []

    def record(self, spent: Cost | Total) -> None:
        self.costs.append(spent)


class _Rows:
    """The rows of this process."""

    def __init__(self, options: WorkerOptions, output: IO[bytes]) -> None:
        self._options = options
        self._target: CallTarget | FunctionTarget = target_of(
            load_worker_function(options), options.retry, options.rate_limit
        )
        self._output = output
        self._lock = threading.Lock()
        self._waiting: dict[int, Callable[[object], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pool = None if self._target.is_async else ThreadPoolExecutor(1_000)

    def receive(self, message: tuple[int, Any], loop: asyncio.AbstractEventLoop) -> None:
        """Handle a message of the program: a row, or the recorded answer that a row waits for."""
        number, content = message
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            waiting(content)
            return
        task = loop.create_task(self._process(number, content))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, number: int, row: Any) -> None:
        costs = _Costs()
        try:
            outcome: Answer | Exception = await self._answer(number, row, costs)
        except Exception as error:
            outcome = error
        self._reply(Reply(number, None, outcome, tuple(costs.costs)))

    async def _answer(self, number: int, row: Any, costs: _Costs) -> Answer:
        target = self._target
        if self._pool is None:
            with costs, target.scope():
                if not self._options.recalls or not isinstance(target, CallTarget):
                    answer: Answer = await adrive(target.steps(row, None))
                    return answer
                call = await adrive(target.prepared(row))
                found: asyncio.Future[object] = asyncio.get_running_loop().create_future()
                self._ask(number, request_hash(call), found.set_result)
                saved = _saved(await found)
                answer = await adrive(target.answered(call, saved, is_recorded=True))
                return answer

        def recall(hashed: bytes) -> SavedAnswer | None:
            found: queue.SimpleQueue[object] = queue.SimpleQueue()
            self._ask(number, hashed, found.put)
            return _saved(found.get())

        def run() -> Answer:
            with costs, target.scope():
                made: Answer = drive(target.steps(row, recall if self._options.recalls else None))
                return made

        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(run))

    def _ask(self, number: int, hashed: bytes, receive: Callable[[object], None]) -> None:
        """Ask the program for a recorded answer."""
        self._waiting[number] = receive
        self._reply(Reply(number, hashed))

    def _reply(self, reply: Reply) -> None:
        if isinstance(reply.outcome, Exception):
            reply = Reply(reply.id, None, portable(reply.outcome), reply.costs)
        try:
            data = pickle.dumps(reply)
        except Exception as failure:  # the result of the function
            data = pickle.dumps(Reply(reply.id, None, RecordedError(type(failure).__name__, str(failure)), reply.costs))
        with self._lock:
            send(self._output, data)


def _saved(found: object) -> SavedAnswer | None:
    """Return the recorded answer in a message, or raise the recorded failure."""
    if isinstance(found, Exception):
        raise found
    assert found is None or isinstance(found, SavedAnswer)
    return found


async def _main(options: WorkerOptions, pipe: IO[bytes], output: IO[bytes]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    rows = _Rows(options, output)

    def read() -> None:
        for message in received(pipe):
            loop.call_soon_threadsafe(rows.receive, message, loop)
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    await ended.wait()


def main() -> None:
    """Process rows until the program closes the pipe."""
    output = os.fdopen(os.dup(1), "wb")
    # What the function prints must not get between the messages.
    os.dup2(2, 1)
    pipe = sys.stdin.buffer
    options: WorkerOptions = next(received(pipe))
    asyncio.run(_main(options, pipe, output))


if __name__ == "__main__":
    main()
