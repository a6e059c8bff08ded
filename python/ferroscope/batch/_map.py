"""`map_rows`: a function over many rows."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, Unpack, overload

from .. import prices
from ._progress import Progress, progress_for
from ._results import MapStats, RowResult
from ._rows import Rows, column_key, open_rows
from ._run import Run, RunLimits
from ._target import CallTarget, Target, target_of

if TYPE_CHECKING:
    from typing import Self

    from ..core.base.retry import RateLimit, Retry
    from ._job_run import JobLimits, JobRun

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

# Any: the function has any parameters, which the members of a row fill.


class MapOptions(TypedDict, total=False):
    """The options of `map_rows` and of `fn.map`.

    Attributes:
        concurrency: The maximum number of rows that are processed at the same time; by default 32.
        ordered: Whether results have the order of the input (the default), or the order in which they finish.
        window: The maximum number of rows that were read and whose results have not been received; by default four
            times the concurrency. It bounds the memory, and how far other rows get ahead of a slow one.
        retry: The option `retry` of the calls, in place of that of the decorator.
        rate_limit: The option `rate_limit` of the calls likewise.
        budget_usd: The limit of the cost of this run in USD. No row is started that would exceed it at the mean cost.
        allow_unpriced: Whether a run with a budget may call models without a price.
        deadline: The time limit of the run in seconds. Async calls in progress are cancelled; sync calls end first.
        max_failures: The number of failed rows after which the run ends; by default it never does.
        key: The column with the key of a row; by default a key is made from the content of the row.
        checkpoint: The file that records the results. A run with the same file goes on from it.
        retry_failed: Whether rows whose recorded failure is final are called again.
        batch_api: Whether to use the provider's batch API, at its lower prices; the results are ready within hours.
        job_rows: The maximum number of rows in a job of that API; by default 10,000.
        poll_seconds: The seconds between two requests for the state of such a job; by default 30.
        processes: The number of processes that make the calls; by default they are made in this one. A rate limit is
            divided among them.
        progress: Whether to show the progress: a bar in a terminal or a notebook, otherwise lines on stderr.
    """

    concurrency: int
    ordered: bool
    window: int
    retry: int | Retry | None
    rate_limit: RateLimit | None
    budget_usd: str | int | Decimal | None
    allow_unpriced: bool
    deadline: float | None
    max_failures: int | None
    key: str | None
    checkpoint: str | Path | None
    retry_failed: bool
    batch_api: bool
    job_rows: int
    poll_seconds: float
    processes: int
    progress: bool


DEFAULT_CONCURRENCY = 32


class AsyncRowResults(Generic[_T_co]):
    """The results of a run over an async function: an async iterator.

    `async with` closes the run at the end of the block, and so does leaving an `async for` early.
    """

    def __init__(self, start: Callable[[], Run | JobRun], progress: Progress | None = None) -> None:
        self._run: Run | JobRun | None = None
        self._start = start
        self._progress = progress
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._results: deque[RowResult[Any]] = deque()

    @property
    def stats(self) -> MapStats:
        """The counts of the run so far."""
        return MapStats() if self._run is None else self._run.stats

    async def __aiter__(self) -> AsyncIterator[RowResult[_T_co]]:
        try:
            if self._run is None:
                self._event_loop = asyncio.get_running_loop()
                self._run = self._start()
            while True:
                while self._results:
                    yield self._results.popleft()
                found = await self._run.next_results()
                if self._progress is not None:
                    self._progress.update(self._run.stats)
                if not found:
                    return
                self._results.extend(found)
        finally:
            await self.aclose()
            if self._progress is not None:
                self._progress.end(self.stats)

    async def collect(self) -> list[RowResult[_T_co]]:
        """Return all results in a list."""
        return [result async for result in self]

    def stop(self) -> None:
        """Start no further row. The results of rows in progress follow. May be called from any thread."""
        if self._run is not None and self._event_loop is not None:
            self._event_loop.call_soon_threadsafe(self._run.stop)

    async def aclose(self) -> None:
        """End the run. Calls in progress are cancelled."""
        if self._run is not None:
            await self._run.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class RowResults(Generic[_T_co]):
    """The results of a run over a sync function: an iterator.

    The calls run in threads. `with` closes the run at the end of the block, and so does leaving a `for` early.
    """

    def __init__(self, start: Callable[[], Run | JobRun], progress: Progress | None = None) -> None:
        self._loop = _LoopThread()
        self._run: Run | JobRun | None = None
        self._start = start
        self._progress = progress
        self._results: deque[RowResult[Any]] = deque()

    @property
    def stats(self) -> MapStats:
        """The counts of the run so far."""
        return MapStats() if self._run is None else self._run.stats

    def __iter__(self) -> Iterator[RowResult[_T_co]]:
        try:
            while True:
                while self._results:
                    yield self._results.popleft()
                found = self._loop.wait(self._next())
                if self._progress is not None:
                    self._progress.update(self.stats)
                if not found:
                    return
                self._results.extend(found)
        finally:
            self.close()
            if self._progress is not None:
                self._progress.end(self.stats)

    async def _next(self) -> list[RowResult[Any]]:
        if self._run is None:
            self._run = self._start()
        return await self._run.next_results()

    def collect(self) -> list[RowResult[_T_co]]:
        """Return all results in a list."""
        return list(self)

    def stop(self) -> None:
        """Start no further row. The results of rows in progress follow. May be called from any thread."""
        if self._run is not None:
            self._loop.call(self._run.stop)

    def close(self) -> None:
        """End the run. Calls in progress end in their threads; their results are dropped."""
        if self._run is not None and self._loop.is_running:
            self._loop.wait(self._run.close())
        self._loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class _LoopThread:
    """An event loop in a thread, which works on while the program handles results."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._loop is not None

    def wait(self, result: Any) -> Any:
        """Run a coroutine in the loop, and return its result."""
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run_loop, args=(loop,), name="ferroscope-map-loop", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(result, self._loop).result()

    def call(self, fn: Callable[[], None]) -> None:
        """Call a function in the loop, without waiting for it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(fn)

    def stop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        assert self._thread is not None
        self._thread.join()


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@overload
def map_rows(  # type: ignore[overload-overlap]  # an awaitable is a result, too
    fn: Callable[..., Awaitable[_T]], rows: Rows, **options: Unpack[MapOptions]
) -> AsyncRowResults[_T]: ...
@overload
def map_rows(fn: Callable[..., _T], rows: Rows, **options: Unpack[MapOptions]) -> RowResults[_T]: ...
def map_rows(
    fn: Callable[..., Any], rows: Rows, **options: Unpack[MapOptions]
) -> AsyncRowResults[Any] | RowResults[Any]:
    """Call a function for many rows, and return an iterator over the results.

    The members of a row are the arguments of the function, by name; other members are not passed. A failed row does not
    stop the others: its result has the error. A row that the provider refuses by a rate limit waits and is called
    again.

    Args:
        fn: A function decorated with a provider's `call` or with `llm.call`, sync or async; or any other function.
        rows: An iterable or async iterable of mappings; the path of a JSONL, CSV, Parquet or Arrow file; a table,
            reader or dataset of pyarrow; a frame of pandas or polars.
        options: See `MapOptions`.

    Returns:
        An async iterator for an async function, otherwise an iterator. The run starts with the iteration.

    Raises:
        TypeError: The function, the rows or an option has a wrong type.
        ValueError: An option has an invalid value, or the function returns streams.
        ferroscope.errors.MissingExtraError: A package for the format of the rows is not installed.

    Example:
        ```python
        from ferroscope import llm


        @llm.call("openai", "gpt-4o-mini", retry=3)
        async def translate(text: str) -> str:
            return f"Translate into French: {text}"


        async def main() -> None:
            async for result in translate.map([{"text": "book"}, {"text": "tree"}], concurrency=100):
                print(result.key, result.value.content if result.ok else result.error)
        ```
    """
    _check_options(options)
    target = target_of(fn, options.get("retry"), options.get("rate_limit"))
    concurrency = options.get("concurrency", DEFAULT_CONCURRENCY)
    limits = RunLimits(
        concurrency=concurrency,
        window=options.get("window", 4 * concurrency),
        ordered=options.get("ordered", True),
        deadline=options.get("deadline"),
        max_failures=options.get("max_failures"),
    )
    source = open_rows(rows)
    meter = prices.meter(options.get("budget_usd"), allow_unpriced=options.get("allow_unpriced", False))
    key, path, retry_failed = options.get("key"), options.get("checkpoint"), options.get("retry_failed", False)
    if path is not None and not isinstance(target, CallTarget):
        raise TypeError(
            f"a checkpoint needs the request of a call before it is sent, so {target.name} must be a decorated "
            "function without further decorators"
        )

    processes = options.get("processes", 1)
    run_target: Target = target
    if processes > 1:
        from ._processes import ProcessTarget, worker_options

        if options.get("batch_api"):
            raise ValueError("`processes` has no use with `batch_api`: omit one of them")
        retry, limit = options.get("retry"), options.get("rate_limit")
        workers = worker_options(fn, retry, limit, processes=processes, recalls=path is not None)
        run_target = ProcessTarget(target, processes, workers)

    def start() -> Run | JobRun:
        if path is None:
            return Run(run_target, source, limits, meter, key_reader(key))
        from ._checkpoint import Checkpoint, RunRecorder

        recorder = RunRecorder(Checkpoint(path), target.name, key, retry_failed)
        if by_job is not None:
            from ._job_run import JobRun

            assert isinstance(target, CallTarget)
            return JobRun(target, source, by_job, meter, recorder)
        return Run(run_target, source, limits, meter, recorder.key, recorder)

    by_job = _job_limits(options) if options.get("batch_api") else None
    progress = progress_for() if options.get("progress") else None
    return AsyncRowResults(start, progress) if target.is_async else RowResults(start, progress)


def key_reader(column: str | None) -> Callable[[int, Any], tuple[str, Exception | None]]:
    """Return a function that returns the key of a row, or an error, for a run without a checkpoint."""

    def key_of(index: int, row: Any) -> tuple[str, Exception | None]:
        try:
            return (str(index) if column is None else column_key(row, column)), None
        except ValueError as error:
            return str(index), error

    return key_of


def _job_limits(options: MapOptions) -> JobLimits:
    from ._job_run import JobLimits

    if options.get("checkpoint") is None:
        raise ValueError("`batch_api` needs a `checkpoint`, because a job may take longer than the process lives")
    return JobLimits(
        job_rows=options.get("job_rows", 10_000),
        poll_seconds=options.get("poll_seconds", 30.0),
        ordered=options.get("ordered", True),
        deadline=options.get("deadline"),
    )


def _check_options(options: Any) -> None:
    unknown = options.keys() - MapOptions.__annotations__.keys()
    if unknown:
        raise TypeError(
            f"unknown options of `map_rows`: {', '.join(sorted(unknown))}; the options are "
            f"{', '.join(MapOptions.__annotations__)}"
        )
    concurrency = options.get("concurrency", DEFAULT_CONCURRENCY)
    minima = {"concurrency": 1, "window": concurrency, "max_failures": 1, "job_rows": 1, "processes": 1}
    for name, least in minima.items():
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise ValueError(f"`{name}` must be a whole number of at least {least}, not {value!r}")
    deadline = options.get("deadline")
    if deadline is not None and not deadline > 0:
        raise ValueError(f"`deadline` must be more than 0 seconds, not {deadline!r}")
