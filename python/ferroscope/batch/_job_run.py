"""A run through a provider's batch API: rows are collected into jobs, and the jobs are polled until they end.

The jobs are recorded in the checkpoint, so a later run waits for them instead of starting them again. A job is recorded
under a name of the program's own before it is started. If the process ends before the provider's id is known, the next
run looks for the name in the provider's list of jobs.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import re
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson

from .. import prices
from .._engine.batch_api import BatchApi, JobAnswer, JobRequest, body_of
from .._engine.call import Call
from .._engine.clients import default_client
from .._engine.drive import Flow, adrive, drive
from .._lazy import load_name
from ..errors import APIError, BudgetExceededError
from ._checkpoint import RunRecorder, row_values
from ._requests import request_hash
from ._results import MapStats, RecordedError, ResultQueue, RowResult, StopReason
from ._rows import RowSource
from ._run import FATAL, RowState, failed_result, succeeded_result
from ._target import Answer, CallTarget, SavedAnswer, cost_of, restored

# Any: rows, results and clients.

_END: Final = object()
# https://docs.anthropic.com/en/api/creating-message-batches: the ids with the strictest rules
_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


_GROUP: Final = 256
# The beginning of the names of jobs whose ids are not known.
_NAMED: Final = "ferroscope-job-"


class BatchRowError(APIError):
    """A request of a job failed.

    Attributes:
        status_code: The HTTP status of the failure; None if the provider reports none.
    """

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code

    def __reduce__(self) -> tuple[type[BatchRowError], tuple[str, int | None]]:
        return type(self), (str(self), self.status_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """The limits of jobs.

    Attributes:
        job_rows: The maximum number of rows in a job.
        poll_seconds: The seconds between two requests for the state of a job.
        ordered: Whether results have the order of the input.
        deadline: The seconds after which jobs are cancelled; None if they are not.
    """

    job_rows: int
    poll_seconds: float
    ordered: bool
    deadline: float | None


@dataclass(slots=True)
class _Job:
    """A job that has not ended, and the rows that wait for it.

    Attributes:
        id: The id of the job.
        size: The number of its rows.
        api: The API of its provider, once a row of it is known.
        client: The client likewise.
        rows: The rows by the id of their request.
        is_cancelled: Whether it was cancelled by this run.
    """

    id: str
    size: int
    api: BatchApi | None = None
    client: object = None
    rows: dict[str, RowState] = field(default_factory=dict)
    is_cancelled: bool = False


@dataclass(slots=True)
class _Group:
    """Rows for the next job of one client."""

    api: BatchApi
    client: object
    states: list[RowState] = field(default_factory=list)
    requests: list[JobRequest] = field(default_factory=list)
    size: int = 0


class JobRun:
    """One run. It has the interface of `Run`.

    Attributes:
        stats: The counts so far.
    """

    def __init__(
        self, target: CallTarget, source: RowSource, limits: JobLimits, meter: prices.Meter, recorder: RunRecorder
    ) -> None:
        self.stats = MapStats()
        self._target = target
        self._source = source
        self._limits = limits
        self._meter = meter
        self._recorder = recorder
        self._groups: dict[object, _Group] = {}
        self._jobs = {name: _Job(name, size) for name, size in recorder.unfinished_jobs().items()}
        self._most = 2 * limits.job_rows + sum(job.size for job in self._jobs.values())
        self._drawn = 0
        self._exhausted = False
        self._results = ResultQueue(limits.ordered)
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._context = contextvars.copy_context()
        self._scope = ExitStack()
        self._task: asyncio.Task[None] | None = None
        self._deadline: float | None = None
        self._failure: BaseException | None = None
        self._closed = False

    # ---- the consumer

    async def next_results(self) -> list[RowResult[Any]]:
        """Return the results that are ready, at least one; an empty list at the end."""
        if self._task is None and not self._closed:
            self._start()
        while True:
            has_ended = self._task is None or self._task.done()
            if found := self._results.take(ended=has_ended):
                return found
            if has_ended:
                await self.close()
                if self._failure is not None:
                    failure, self._failure = self._failure, None
                    raise failure
                return []
            self._changed.clear()
            await self._changed.wait()

    def stop(self) -> None:
        """End the run. Its jobs go on at the provider; the next run with the same checkpoint reads their results."""
        self._stop("stopped")

    def _stop(self, reason: StopReason) -> None:
        if self.stats.stopped is None and not self._closed:
            self.stats.stopped = reason
        self._wake.set()

    async def close(self) -> None:
        """End the run."""
        if self._closed:
            return
        if self._task is not None and not self._task.done():
            self._stop("closed")
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._closed = True
        self._context.run(self._scope.close)
        complete = self._exhausted and self.stats.stopped is None and self._failure is None
        await self._recorder.close(complete=complete)
        self.stats.end()

    def _start(self) -> None:
        self.stats = MapStats(total=self._source.total())
        if self._limits.deadline is not None:
            self._deadline = time.monotonic() + self._limits.deadline
        self._context.run(self._scope.enter_context, self._target.scope())
        self._context.run(self._scope.enter_context, self._meter)
        self._task = asyncio.get_running_loop().create_task(self._main(), context=self._context)

    def _put(self, result: RowResult[Any]) -> None:
        self.stats.add(result)
        self.stats.cost, self.stats.unpriced = self._meter.total, self._meter.unpriced_calls
        if self._results.put(result):
            self._changed.set()

    # ---- the jobs

    async def _main(self) -> None:
        try:
            while True:
                await self._collect_rows()
                if not self._jobs or self.stats.stopped is not None:
                    return
                if not await self._read_ended_jobs():
                    await self._pause()
        except BaseException as error:
            self.stats.stopped = self.stats.stopped or "error"
            if isinstance(error, asyncio.CancelledError):
                raise
            self._failure = error
        finally:
            self._changed.set()

    async def _collect_rows(self) -> None:
        """Read rows and start jobs, until enough rows are in progress."""
        while not self._exhausted and self.stats.stopped is None and self._waiting() < self._most:
            if self._budget_is_used_up():
                self._stop("budget")
                return
            row = await self._draw()
            if row is _END:
                self._exhausted = True
                break
            index, self._drawn = self._drawn, self._drawn + 1
            key, error = self._recorder.key(index, row)
            await self._add(RowState(index, row, key, error=error, batch=True))
        if self._exhausted:
            for group in list(self._groups.values()):
                await self._submit(group)

    async def _draw(self) -> Any:
        if self._source.rows is not None:
            return next(self._source.rows, _END)
        assert self._source.async_rows is not None
        return await anext(self._source.async_rows, _END)

    def _waiting(self) -> int:
        rows = sum(len(job.rows) for job in self._jobs.values()) + sum(len(one.states) for one in self._groups.values())
        return rows + len(self._results)

    def _budget_is_used_up(self) -> bool:
        return self._meter.budget is not None and self._meter.total >= self._meter.budget

    async def _add(self, state: RowState) -> None:
        """Add a row to the next job, unless its result is known."""
        if state.error is not None:
            await self._fail(state, state.error)
            return
        try:
            call: Call = await self._run(self._target.prepared(state.row))
            state.request = request_hash(call)
        except (*FATAL, BudgetExceededError):
            raise
        except Exception as error:
            await self._fail(state, error)
            return
        try:
            saved = await self._recorder.arecall(state)
        except RecordedError as error:
            self._put(failed_result(state, error))
            return
        if saved is not None:
            await self._answer(state, call, saved)
            return
        api, client = self._api_of(call)
        if unsent := api.unsent(call.kwargs):
            raise ValueError(
                f"{' and '.join(f'`{one}`' for one in unsent)} cannot be sent in a job of the batch API of "
                f"{call.provider.name!r} (model {call.plan.model!r}): set them on the client, or omit `batch_api`"
            )
        if (job := await self._job_of(state, api, client)) is not None:
            job.api, job.client = api, client
            job.rows[request_id(state.key)] = state
            return
        request = JobRequest(request_id(state.key), call.kwargs)
        # The size is a part of the limits, so each request is serialized once more.
        size = len(orjson.dumps(body_of(call.kwargs), default=str)) + 200
        name = (call.provider.name, call.provider.dialect.name, call.plan.model, id(client))
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group(api, client)
        most = min(self._limits.job_rows, api.max_requests)
        if group.states and (len(group.states) >= most or group.size + size > api.max_bytes):
            await self._submit(group)
            group = self._groups[name] = _Group(api, client)
        group.states.append(state)
        group.requests.append(request)
        group.size += size
        if len(group.states) >= most:
            await self._submit(group)

    def _api_of(self, call: Call) -> tuple[BatchApi, object]:
        provider = call.provider
        if not provider.batch_api:
            raise ValueError(f"the provider {provider.name!r} has no batch API in Ferroscope: omit `batch_api`")
        client = call.client
        if client is None:
            client = default_client(provider.clients, asynchronous=self._target.is_async)
        api: BatchApi = load_name(provider.batch_api)
        return api, client

    async def _job_of(self, state: RowState, api: BatchApi, client: object) -> _Job | None:
        """Return the job of an earlier run that contains the request of a row."""
        name = self._recorder.job_of(state)
        job = None if name is None else self._jobs.get(name)
        if job is None or not job.id.startswith(_NAMED):
            return job
        # The earlier run ended while it started the job.
        since = self._recorder.start_of_job(job.id) / 1000
        found: str | None = await self._run(api.find(client, job.id, since))
        del self._jobs[job.id]
        if found is None:
            await self._record(partial(self._recorder.end_job, job.id))
            return None
        await self._record(partial(self._recorder.rename_job, job.id, found))
        job.id = found
        self._jobs[found] = job
        return job

    async def _record(self, write: Callable[[], None]) -> None:
        """Write to the checkpoint in a thread, because the disk may be slow."""
        await asyncio.get_running_loop().run_in_executor(None, write)

    async def _submit(self, group: _Group) -> None:
        for name, one in list(self._groups.items()):
            if one is group:
                del self._groups[name]
        started = time.time() * 1000
        name = f"{_NAMED}{uuid.uuid4().hex}"
        await self._record(partial(self._recorder.add_job, name, group.states))
        identifier: str = await self._run(group.api.submit(group.client, group.requests, name))
        await self._record(partial(self._recorder.rename_job, name, identifier))
        job = _Job(identifier, len(group.states), group.api, group.client)
        for state, request in zip(group.states, group.requests, strict=True):
            state.started = started
            job.rows[request.id] = state
        self._jobs[identifier] = job
        self.stats.jobs += 1

    async def _read_ended_jobs(self) -> bool:
        """Read the results of the jobs that have ended. Return whether there was one."""
        any_ended = False
        for job in list(self._jobs.values()):
            if len(job.rows) < job.size and not self._exhausted:
                continue  # more rows of an earlier run may follow
            if job.api is None:  # none of its rows is in the input any more
                del self._jobs[job.id]
                continue
            if self._has_passed() and not job.is_cancelled:
                job.is_cancelled = True
                await self._run(job.api.cancel(job.client, job.id))
            state = await self._run(job.api.state(job.client, job.id))
            if not state.ended:
                continue
            any_ended = True
            answers: list[JobAnswer] = [] if state.failure else await self._run(job.api.answers(job.client, state))
            await self._finish(job, answers, state.failure)
        if any_ended and self._has_passed():
            self._stop("deadline")
        return any_ended

    def _has_passed(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    async def _finish(self, job: _Job, answers: list[JobAnswer], failure: str) -> None:
        """Record the answers of a job, and failures for its rows without an answer."""
        # Several at a time, so that one transaction of the checkpoint has the results of many rows.
        for start in range(0, len(answers), _GROUP):
            await asyncio.gather(*(self._finish_row(job, one) for one in answers[start : start + _GROUP]))
        message = failure or f"the job {job.id!r} ended without an answer to this request"
        for state in job.rows.values():
            # Another job may succeed, unless this one was refused as a whole.
            await self._fail(state, BatchRowError(message), is_final=bool(failure))
        await self._record(partial(self._recorder.end_job, job.id))
        del self._jobs[job.id]

    async def _finish_row(self, job: _Job, answer: JobAnswer) -> None:
        state = job.rows.pop(answer.id, None)
        if state is None:
            return
        if not answer.body:
            error = BatchRowError(f"{answer.failure}; job {job.id!r}", answer.status)
            await self._fail(state, error, is_final=answer.is_final)
            return
        now = time.time() * 1000
        saved = SavedAnswer(answer.body, state.started or now, now, batch=True, is_new=True)
        try:
            call = await self._run(self._target.prepared(state.row))
        except Exception as failure:
            await self._fail(state, failure)
            return
        await self._answer(state, call, saved)

    async def _answer(self, state: RowState, call: Call, saved: SavedAnswer) -> None:
        """Record and pass on the result of a known response."""
        try:
            response, value = await self._run(restored(call, saved))
        except Exception as error:
            await self._fail(state, error)
            return
        answer = Answer(value, response, int(saved.is_new), cost_of(response, ()), None if saved.is_new else saved)
        result = succeeded_result(state, answer)
        if saved.is_new:
            await self._recorder.write(row_values(state, result, saved.body, final=True))
        self._put(result)

    async def _fail(self, state: RowState, error: Exception, *, is_final: bool = True) -> None:
        result = failed_result(state, error)
        await self._recorder.write(row_values(state, result, b"", final=is_final))
        self._put(result)

    async def _pause(self) -> None:
        seconds = self._limits.poll_seconds
        if self._deadline is not None and not self._has_passed():
            seconds = min(seconds, max(0.01, self._deadline - time.monotonic()))
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _run(self, steps: Flow) -> Any:
        """Run the steps of a sync call in a thread, and those of an async call here."""
        if self._target.is_async:
            return await adrive(steps)
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(None, lambda: context.run(drive, steps))


def request_id(key: str) -> str:
    """Return the id of a row's request in a job: its key, or a hash of a key that the APIs do not allow."""
    return key if _ID.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()[:32]
