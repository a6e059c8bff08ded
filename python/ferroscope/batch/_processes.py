"""Rows in several processes, for runs that need more than one core.

The run itself stays in the program's process: the window, the order, the limits, the checkpoint. A worker process
receives rows, makes the calls, and sends the answers back.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Final

from .. import prices
from .._engine.drive import Flow, Outcome, captured
from ..core.base.retry import RateLimit, Retry
from ..errors import FerroscopeError
from ..prices import Cost, Total
from ._function_names import load_function
from ._results import RecordedError
from ._target import Answer, CallTarget, FunctionTarget, Recall, SavedAnswer

# Any: rows, and the results of the user's function.

# A row that ends two processes is taken to be the cause.
_MOST_LOST: Final = 2
_LENGTH: Final = struct.Struct("<Q")


class WorkerLostError(FerroscopeError):
    """The worker process of a row ended before the row was finished."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """The options of a worker process.

    Attributes:
        function: The name of the function.
        file: The file of its module, if the module cannot be imported by its name.
        path: The import path.
        retry: The option `retry` of the calls.
        rate_limit: The part of the rate limit for this process.
        recalls: Whether the run has a checkpoint.
    """

    function: str
    file: str | None
    path: list[str]
    retry: int | Retry | None
    rate_limit: RateLimit | None
    recalls: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of a worker.

    Attributes:
        id: The id of the row.
        request: The hash of the request, to ask for a recorded answer; None in the last message about a row.
        outcome: The answer or the error.
        costs: The costs of all requests for the row.
    """

    id: int
    request: bytes | None = None
    outcome: Answer | Exception | None = None
    costs: tuple[Cost | Total, ...] = ()


class ProcessTarget:
    """The function of a run, called in worker processes. For the run, it is async."""

    is_async = True

    def __init__(self, target: CallTarget | FunctionTarget, count: int, options: WorkerOptions) -> None:
        self.name = target.name
        self.plan = target.plan if isinstance(target, CallTarget) else None
        self._count = count
        self._options = options
        self._workers: list[_Worker] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Start the processes, and end them after the block."""
        self._loop = asyncio.get_running_loop()
        self._workers = [_Worker(self._options, self._loop) for _ in range(self._count)]
        try:
            yield
        finally:
            for worker in self._workers:
                worker.close()

    def steps(self, row: Any, recall: Recall | None) -> Flow:
        meters = prices.open_meters()
        if meters and self.plan is not None:
            prices.check_budgets(self.plan.provider.price_provider, self.plan.model, meters)
        for lost in range(1, _MOST_LOST + 1):
            number = min(range(self._count), key=lambda one: self._workers[one].busy)
            worker = self._workers[number]
            outcome: Outcome = yield captured(partial(worker.call, row, recall), is_async=True)
            if isinstance(outcome.error, WorkerLostError):
                if self._workers[number] is worker:
                    worker.close()
                    assert self._loop is not None
                    self._workers[number] = _Worker(self._options, self._loop)
                if lost == _MOST_LOST:
                    raise outcome.error
                continue
            if outcome.error is not None:
                raise outcome.error
            reply: Reply = outcome.value
            for cost in reply.costs:
                prices.record(cost, meters)
            if isinstance(reply.outcome, Answer):
                return reply.outcome
            assert reply.outcome is not None
            raise reply.outcome
        raise AssertionError


class _Worker:
    """A worker process, and the rows that it has."""

    def __init__(self, options: WorkerOptions, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rows: dict[int, tuple[asyncio.Future[Reply], Recall | None]] = {}
        self._recalls: set[asyncio.Task[None]] = set()
        self._next = 0
        self._is_lost = False
        self._unreadable: Exception | None = None
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ferroscope.batch._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        send(self._input, pickle.dumps(options))
        self._reader = threading.Thread(target=self._read, name="ferroscope-map-reader", daemon=True)
        self._reader.start()

    @property
    def busy(self) -> int:
        """The number of rows in progress."""
        return len(self._rows)

    async def call(self, row: Any, recall: Recall | None) -> Reply:
        """Return the last reply for a row.

        Raises:
            WorkerLostError: The process ended.
        """
        number, self._next = self._next, self._next + 1
        done: asyncio.Future[Reply] = self._loop.create_future()
        self._rows[number] = done, recall
        try:
            if self._is_lost or not self._send((number, row)):
                raise self._lost()
            return await done
        finally:
            self._rows.pop(number, None)

    def _send(self, message: object) -> bool:
        try:
            send(self._input, pickle.dumps(message))
        except (BrokenPipeError, ValueError):  # the process has ended, or its pipe was closed
            return False
        return True

    def _lost(self) -> WorkerLostError:
        if (error := self._unreadable) is not None:
            return WorkerLostError(
                "a reply of a worker process cannot be unpickled, so its rows are lost: "
                f"{type(error).__name__}: {error}; return plain values from the function"
            )
        return WorkerLostError(f"a worker process ended with status {self._process.poll()} while it had the row")

    def _read(self) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            replies = received(self._output)
            while (reply := self._next_reply(replies)) is not None:
                self._loop.call_soon_threadsafe(self._receive, reply)
            self._process.wait()
            self._loop.call_soon_threadsafe(self._end)

    def _next_reply(self, replies: Iterator[Reply]) -> Reply | None:
        try:
            return next(replies, None)
        except Exception as error:  # unpickling runs code of the result's class
            self._unreadable = error
            self._process.kill()
            return None

    def _receive(self, reply: Reply) -> None:
        done, recall = self._rows.get(reply.id, (None, None))
        if done is None or done.done():
            return
        if reply.request is None:
            done.set_result(reply)
            return
        task = self._loop.create_task(self._recall(reply.id, reply.request, done, recall))
        self._recalls.add(task)
        task.add_done_callback(self._recalls.discard)

    async def _recall(self, row: int, request: bytes, done: asyncio.Future[Reply], recall: Recall | None) -> None:
        """Send the recorded answer for a request to the process."""
        found: SavedAnswer | FerroscopeError | None = None
        try:
            saved = None if recall is None else recall(request)
            found = await saved if isinstance(saved, Awaitable) else saved
        except RecordedError as error:
            found = error
        except Exception as error:  # the checkpoint cannot be read
            if not done.done():
                done.set_exception(error)
            return
        self._send((row, found))

    def _end(self) -> None:
        self._is_lost = True
        for done, _ in self._rows.values():
            if not done.done():
                done.set_exception(self._lost())

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._input.close()
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        self._reader.join()
        self._process.wait()
        self._output.close()


def worker_options(
    fn: Callable[..., Any], retry: int | Retry | None, rate_limit: RateLimit | None, *, processes: int, recalls: bool
) -> WorkerOptions:
    """Return the options of the worker processes of a run.

    Raises:
        ValueError: The processes cannot import the function.
    """
    from ..llm._context import current_layers

    module, name = getattr(fn, "__module__", ""), getattr(fn, "__qualname__", "")
    loaded = sys.modules.get(module)
    found: Any = loaded
    for part in name.split("."):
        found = getattr(found, part, None)
    if module == "__main__" or found is not fn:
        raise ValueError(
            f"worker processes cannot import {name or fn!r} of the module {module!r}: move it to the top level of a "
            "module that the program imports"
        )
    if current_layers():
        raise ValueError("worker processes do not know `llm.context`: set its options where the function is decorated")
    limit = None
    if rate_limit is not None:
        # A longer period instead of a fraction of a request.
        period = rate_limit.period * processes
        requests, tokens = rate_limit.requests_per_minute, rate_limit.tokens_per_minute
        limit = RateLimit(requests_per_minute=requests, tokens_per_minute=tokens, period=period)
    file = None if loaded is None else inspect.getsourcefile(loaded)
    return WorkerOptions(f"{module}:{name}", file, [one for one in sys.path if one], retry, limit, recalls)


def load_worker_function(options: WorkerOptions) -> Callable[..., Any]:
    """Return the function of a worker."""
    sys.path[:] = options.path
    module, _, name = options.function.partition(":")
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        if options.file is None:
            raise
        return load_function(f"{options.file}:{name}")
    return load_function(options.function)


def send(pipe: IO[bytes], data: bytes) -> None:
    """Write a pickled message to a pipe."""
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def received(pipe: IO[bytes]) -> Iterator[Any]:
    """Yield the messages of a pipe until it is closed."""
    while len(head := pipe.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        data = pipe.read(length)
        if len(data) < length:
            return
        yield pickle.loads(data)
