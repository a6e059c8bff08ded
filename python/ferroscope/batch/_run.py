"""The run of a function over rows: a bounded window of rows, the limits, and the results."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol

from .. import errors, prices
from .._engine.drive import Flow, adrive, drive
from .._engine.error_facts import RetryRules, failure_of, is_rate_limit, retry_after
from .._engine.pacing import CoolDown
from ..core.base.call_response import AnyCallResponse, BaseCallResponse
from ._results import MapStats, RecordedError, ResultQueue, RowResult, StopReason
from ._rows import RowSource, UnreadableRow
from ._target import Answer, FunctionTarget, Recall, SavedAnswer, Target, cost_of

# Any: rows, and the results of the user's function.

_END: Final = object()
# The waits in seconds after a rate limit, if the server requests none.
_FIRST_WAIT: Final = 0.5
_MAX_WAIT: Final = 8.0  # also the longest time between the end of the refusals and the next row
# A server that requests a longer wait, in seconds, means a quota and not a rate.
_MAX_RETRY_AFTER: Final = 3600.0
# The same for every row, so that the run ends at the first one.
FATAL: Final = (
    errors.MissingApiKeyError,
    errors.MissingExtraError,
    errors.ClientError,
    errors.UnknownPriceError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """The limits of a run.

    Attributes:
        concurrency: The maximum number of rows that are processed at the same time.
        window: The maximum number of rows that were read and whose results have not been received yet.
        ordered: Whether results have the order of the input.
        deadline: The time limit of the run in seconds; None if there is none.
        max_failures: The number of failed rows after which the run ends; None for no limit.
    """

    concurrency: int
    window: int
    ordered: bool
    deadline: float | None
    max_failures: int | None


@dataclass(slots=True)
class RowState:
    """A row in progress.

    Attributes:
        index: Its position in the input.
        row: The row.
        key: Its key.
        request: The hash of its request; empty before the request is rendered.
        started: The time of its first request, in milliseconds since the epoch.
        attempts: The requests of attempts that were refused by a rate limit.
        error: An error that was found before the call.
        batch: Whether a job of the provider's batch API answers it.
    """

    index: int
    row: Any
    key: str
    request: bytes = b""
    started: float = 0.0
    attempts: int = 0
    error: Exception | None = None
    batch: bool = False


class Recorder(Protocol):
    """The record of the rows of a run, such as a checkpoint."""

    def key(self, index: int, row: Any) -> tuple[str, Exception | None]:
        """Return the key of a row, and an error if the row cannot have one."""
        ...

    def recall(self, state: RowState) -> SavedAnswer | None:
        """Return the recorded answer of a row if its request is the same.

        Raises:
            RecordedError: The recorded result is a final failure.
        """
        ...

    async def arecall(self, state: RowState) -> SavedAnswer | None:
        """Return the same as `recall`, and do not block the event loop."""
        ...

    def record(
        self,
        state: RowState,
        result: RowResult[Any],
        body: bytes,
        *,
        final: bool,
        done: Callable[[Exception | None], None],
    ) -> None:
        """Record the result of a row.

        Args:
            state: The row.
            result: Its result.
            body: The response body; empty if there is none.
            final: Whether a failure is final.
            done: Called on the event loop when it is recorded, with the error if that failed.
        """
        ...

    async def close(self, *, complete: bool) -> None:
        """End the record. `complete`: all rows of the input have a result."""
        ...


class Run:
    """One run. `next_results` returns its results; `close` ends it early.

    Attributes:
        stats: The counts so far.
    """

    def __init__(
        self,
        target: Target,
        source: RowSource,
        limits: RunLimits,
        meter: prices.Meter,
        key_of: Callable[[int, Any], tuple[str, Exception | None]],
        recorder: Recorder | None = None,
    ) -> None:
        self.stats = MapStats()
        self._target = target
        self._source = source
        self._limits = limits
        self._meter = meter
        self._recorder = recorder
        self._key_of = key_of
        self._rules = RetryRules() if isinstance(target, FunctionTarget) else _rules_of(target)
        self._workers: list[asyncio.Task[None]] = []
        self._scope = ExitStack()
        self._context = contextvars.copy_context()
        self._pool: ThreadPoolExecutor | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._drawing: asyncio.Lock | None = None
        self._drawn = 0
        self._active = 0  # workers
        self._calling = 0  # rows in a call
        self._unrecorded = 0  # results that are being recorded
        self._failures = 0
        self._exhausted = False
        self._results = ResultQueue(limits.ordered)
        self._undelivered = 0  # rows that were read, and whose results have not been received yet
        self._room: asyncio.Event = asyncio.Event()
        self._changed: asyncio.Event = asyncio.Event()
        self._idle: asyncio.Event = asyncio.Event()
        self._stopped: asyncio.Event = asyncio.Event()
        self._cool_down = CoolDown()
        self._paused_until = 0.0
        self._wait = _FIRST_WAIT
        self._fatal: BaseException | None = None
        self._closed = False

    # ---- the consumer

    async def next_results(self) -> list[RowResult[Any]]:
        """Return the results that are ready, at least one; an empty list at the end.

        Raises:
            Exception: The input failed, or no row can be called: a missing key, a missing package, an unknown price.
        """
        if not self._workers and not self._closed:
            self._start()
        while True:
            has_ended = self._active == 0 and self._unrecorded == 0
            if found := self._results.take(ended=has_ended):
                self._undelivered -= len(found)
                self._room.set()
                return found
            if has_ended:
                await self.close()
                if self._fatal is not None:
                    failure, self._fatal = self._fatal, None
                    raise failure
                return []
            self._changed.clear()
            await self._changed.wait()

    def stop(self) -> None:
        """Start no further row. The results of rows in progress follow."""
        if not self._closed:
            self._stop("stopped")

    async def close(self) -> None:
        """End the run. Calls of async functions are cancelled."""
        if self._closed:
            return
        self._closed = True
        if self._active:
            self._stop("closed")
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._context.run(self._scope.close)
        if self._recorder is not None:
            complete = self._exhausted and self.stats.stopped is None and self._fatal is None
            await self._recorder.close(complete=complete)
        self.stats.end()

    def _start(self) -> None:
        limits = self._limits
        self.stats = MapStats(total=self._source.total())
        self._context.run(self._scope.enter_context, self._target.scope())
        self._context.run(self._scope.enter_context, self._meter)
        if not self._target.is_async:
            self._pool = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="ferroscope-map")
        if self._source.async_rows is not None:
            self._drawing = asyncio.Lock()
        loop = asyncio.get_running_loop()
        if limits.deadline is not None:
            self._timer = loop.call_later(limits.deadline, self._deadline)
        count = limits.concurrency if self.stats.total is None else min(limits.concurrency, max(1, self.stats.total))
        self._active = count
        for _ in range(count):
            context = self._context.copy()
            self._workers.append(loop.create_task(self._work(context), context=context))

    # ---- the workers

    async def _work(self, context: contextvars.Context) -> None:
        try:
            while self.stats.stopped is None:
                while self._undelivered >= self._limits.window:
                    self._room.clear()
                    await self._room.wait()
                self._undelivered += 1
                state = await self._draw()
                if state is None:
                    return
                if not await self._process(state, context):
                    return
        except asyncio.CancelledError:
            if not self._closed and self.stats.stopped != "deadline":
                raise
        except BaseException as error:
            self._fatal = self._fatal or error
            self._stop("error")
        finally:
            self._active -= 1
            self._changed.set()

    async def _draw(self) -> RowState | None:
        """Return the next row of the input; None at its end."""
        if self._exhausted or self.stats.stopped is not None:
            return None
        if self._source.rows is not None:
            row = next(self._source.rows, _END)
        else:
            assert self._source.async_rows is not None and self._drawing is not None
            async with self._drawing:
                row = _END if self._exhausted else await anext(self._source.async_rows, _END)
        if row is _END:
            self._exhausted = True
            return None
        index = self._drawn
        self._drawn += 1
        key, error = self._key_of(index, row)
        return RowState(index, row, key, error=error)

    def _end(self, state: RowState, result: RowResult[Any], body: bytes = b"", *, final: bool = True) -> None:
        """Take the result of a row. The program receives it when it is recorded; other rows go on meanwhile."""
        if result.error is not None:
            self._failures += 1
            if self._limits.max_failures is not None and self._failures >= self._limits.max_failures:
                self._stop("failures")
        if self._recorder is None or result.restored:
            self._put(result)
            return
        self._unrecorded += 1
        self._recorder.record(state, result, body, final=final, done=partial(self._recorded, result))

    def _recorded(self, result: RowResult[Any], failure: Exception | None) -> None:
        self._unrecorded -= 1
        if failure is None:
            self._put(result)
        else:
            self._fatal = self._fatal or failure
            self._stop("error")
        if self._unrecorded == 0:
            self._changed.set()

    def _put(self, result: RowResult[Any]) -> None:
        stats = self.stats
        stats.add(result)
        stats.cost, stats.unpriced = self._meter.total, self._meter.unpriced_calls
        if self._results.put(result):
            self._changed.set()

    def _stop(self, reason: StopReason) -> None:
        """Start no further row. Rows in progress go on."""
        if self.stats.stopped is None and not (self._exhausted and self._active == 0 and self._unrecorded == 0):
            self.stats.stopped = reason
        self._idle.set()
        self._stopped.set()

    def _deadline(self) -> None:
        if self._closed or self._active == 0:
            return
        self._stop("deadline")
        if self._target.is_async:  # a thread cannot be interrupted
            for worker in self._workers:
                worker.cancel()

    # ---- one row

    async def _process(self, state: RowState, context: contextvars.Context) -> bool:
        """Call the function for a row. Return False if the run ended before that."""
        if state.error is not None:
            self._end(state, failed_result(state, state.error))
            return True
        recorder = self._recorder
        recall = None if recorder is None else _recall(recorder, state, is_async=self._target.is_async)
        answer: Answer | Exception | None = None
        while True:
            if not (self._may_send() or await self._admitted()):
                return False
            state.started = time.time() * 1000
            self._calling += 1
            steps = self._target.steps(state.row, recall)
            outcome = await (_aoutcome(steps) if self._pool is None else self._in_thread(steps, context))
            self._calling -= 1
            self._idle.set()
            try:
                answer = outcome.pop()
                if isinstance(answer, Answer):
                    self._wait = _FIRST_WAIT
                    self._end(state, succeeded_result(state, answer), answer.body)
                    return True
                if isinstance(answer, FATAL):
                    raise answer
                if isinstance(answer, errors.BudgetExceededError):
                    self._stop("budget")
                    return False
                if self._waits_for(answer):
                    state.attempts += _attempts_of(answer)
                    self.stats.rate_limited += 1
                    continue
                self._end(state, failed_result(state, answer), final=failure_of(answer, self._rules) is None)
                return True
            finally:  # see `_outcome`
                answer = None

    async def _in_thread(self, steps: Flow, context: contextvars.Context) -> list[Answer | Exception]:
        # The thread runs in a context of its own, which nothing else enters meanwhile.
        inner = context.copy()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: inner.run(_outcome, steps))

    def _may_send(self) -> bool:
        """Return whether a request may be sent at once."""
        return self.stats.stopped is None and self._cool_down.left() <= 0 and self._affordable()

    async def _admitted(self) -> bool:
        """Wait until a request may be sent. Return False if the run ends instead."""
        while self.stats.stopped is None:
            if self._may_send():
                return True
            left = self._cool_down.left()
            if left > 0:
                await _wait_for(self._stopped, left)
                continue
            if self._calling == 0:
                self._stop("budget")
                return False
            self._idle.clear()
            await self._idle.wait()
        return False

    def _affordable(self) -> bool:
        """Return whether the budget is enough for another row, at the mean cost so far, besides those in progress."""
        meter = self._meter
        if meter.budget is None:
            return True
        mean = meter.total / meter.calls if meter.calls else Decimal(0)
        return meter.total + mean * self._calling < meter.budget

    def _waits_for(self, error: Exception) -> bool:
        """Begin a wait if the provider refused a request by a rate limit. The row is called again after it."""
        if not is_rate_limit(error) or failure_of(error, self._rules) != "status" or self.stats.stopped is not None:
            return False
        asked = retry_after(error)
        if asked is not None and asked > _MAX_RETRY_AFTER:
            return False
        now = time.monotonic()
        seconds = asked if asked is not None else self._wait
        if now >= self._paused_until and asked is None:  # not another row of the same wave
            self._wait = min(self._wait * 2, _MAX_WAIT)
        self._paused_until = max(self._paused_until, now + seconds)
        self._cool_down.begin(seconds)
        return True


# The traceback of an error refers to the frames below it, down to the event loop or the thread. If one of them
# referred to the error, both would stay in memory until the garbage collector runs. So an error is returned in a list,
# from which its receiver removes it.
def _outcome(steps: Flow) -> list[Answer | Exception]:
    try:
        return [drive(steps)]
    except Exception as error:
        return [error]


async def _aoutcome(steps: Flow) -> list[Answer | Exception]:
    try:
        return [await adrive(steps)]
    except Exception as error:
        return [error]


def _recall(recorder: Recorder, state: RowState, *, is_async: bool) -> Recall:
    """Return a function that finds the recorded answer for a row's request."""

    def recall(hashed: bytes) -> SavedAnswer | Awaitable[SavedAnswer | None] | None:
        state.request = hashed
        return recorder.arecall(state) if is_async else recorder.recall(state)

    return recall


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but at most a number of seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def _rules_of(target: Target) -> RetryRules:
    plan = getattr(target, "plan", None)
    return RetryRules() if plan is None else plan.provider.retry_rules


def succeeded_result(state: RowState, answer: Answer) -> RowResult[Any]:
    """Return the result of a row with an answer."""
    tokens = _tokens(answer.response)
    restored = answer.saved is not None
    return RowResult(
        index=state.index,
        key=state.key,
        row=state.row,
        value=answer.value,
        attempts=state.attempts + answer.attempts,
        cost=answer.cost,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        restored=restored,
    )


def failed_result(state: RowState, error: Exception) -> RowResult[Any]:
    """Return the result of a row that failed."""
    response = getattr(error, "_response", None) or getattr(error, "partial", None)
    response = response if isinstance(response, BaseCallResponse) else None
    attempts = getattr(error, "attempts", ())
    attempts = attempts if isinstance(attempts, tuple) else ()
    tokens = _tokens(response)
    row = state.row.text if isinstance(state.row, UnreadableRow) else state.row
    restored = isinstance(error, RecordedError)
    return RowResult(
        index=state.index,
        key=state.key,
        row=row,
        value=None,
        error=error,
        attempts=0 if restored else state.attempts + _attempts_of(error),
        cost=cost_of(response, attempts),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        restored=restored,
    )


def _attempts_of(error: Exception) -> int:
    """Return the number of requests before a failure, including the failed one if it was sent."""
    attempts = getattr(error, "attempts", ())
    if isinstance(attempts, tuple) and attempts:
        return len(attempts)
    sent = isinstance(error, errors.APIError | errors.StreamError) or getattr(error, "_response", None) is not None
    return int(sent or isinstance(error, errors.ResponseModelError))


def _tokens(response: AnyCallResponse | None) -> tuple[int | None, int | None]:
    counts = (None, None) if response is None else (response.input_tokens, response.output_tokens)
    first, second = (int(count) if isinstance(count, int | float) else None for count in counts)
    return first, second
