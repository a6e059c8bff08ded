"""Many machines: a decorated function over a dataset of Ray Data.

```python
import ray
from ferroscope.batch.ray import map_dataset

questions = ray.data.read_parquet("questions.parquet")
answers = map_dataset("module:function", questions, actors=8, budget_usd=50, checkpoint="answers.checkpoint")
answers.write_parquet("answers")
```

Each actor has one client and processes several rows at a time. One coordinator counts the cost of the whole cluster and
owns the checkpoint, so a lost actor or node loses no recorded row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import orjson

from .. import prices
from ..errors import FerroscopeError, MissingExtraError
from ._checkpoint import Checkpoint, RunRecorder, output_of, row_values
from ._function_names import importable_name, load_function
from ._map import DEFAULT_CONCURRENCY, key_reader
from ._requests import row_hash
from ._results import RowResult
from ._rows import RowSource, column_key
from ._run import RowState, Run, RunLimits
from ._target import CallTarget, SavedAnswer, target_of

try:
    import ray
    import ray.data
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as error:
    raise MissingExtraError(
        "`ferroscope.batch.ray` needs the package 'ray': install it with `pip install 'ferroscope[ray]'`", name="ray"
    ) from error

if TYPE_CHECKING:
    from ..core.base.retry import RateLimit, Retry

# Any: rows, handles of actors, and the user's function; Ray's own types are incomplete.

__all__ = ["DatasetOptions", "map_dataset"]

_COLUMNS = ("output", "error", "attempts", "cost_usd", "input_tokens", "output_tokens")


class DatasetOptions(TypedDict, total=False):
    """The options of `map_dataset`.

    Attributes:
        actors: The number of actors (processes); by default 2.
        concurrency: The maximum number of rows that an actor processes at the same time; by default 32.
        block_rows: The number of rows that an actor receives at a time; by default four times the concurrency.
        cpus: The number of CPUs that Ray reserves for an actor; by default 1.
        retry: The option `retry` of the calls.
        rate_limit: The rate limit of the whole cluster, divided among the actors.
        budget_usd: The limit of the cost of the whole cluster in USD. It is checked before each row, with the costs
            that the actors have reported.
        allow_unpriced: Whether a run with a budget may call models without a price.
        key: The column with the key of a row. Without it, equal rows have the same key and one result.
        checkpoint: The file that records the results, on the machine of the program.
        retry_failed: Whether rows whose recorded failure is final are called again.
    """

    actors: int
    concurrency: int
    block_rows: int
    cpus: float
    retry: int | Retry | None
    rate_limit: RateLimit | None
    budget_usd: str | int | Decimal | None
    allow_unpriced: bool
    key: str | None
    checkpoint: str | Path | None
    retry_failed: bool


def map_dataset(fn: Callable[..., Any] | str, dataset: Any, **options: Unpack[DatasetOptions]) -> Any:
    """Return a dataset with the results of a function for each row.

    The members of a row are the arguments of the function, by name. The result has the columns of the row, and
    `output` (text, or JSON), `error`, `attempts`, `cost_usd`, `input_tokens` and `output_tokens`. As with every
    operation of Ray Data, the calls are made when the dataset is consumed.

    Args:
        fn: A decorated function that the workers can import, or its name (`"module:function"`).
        dataset: A `ray.data.Dataset`.
        options: See `DatasetOptions`.

    Raises:
        TypeError: The function or an option has a wrong type.
        ValueError: The function cannot be imported by name.
        CheckpointError: The checkpoint cannot be opened.
    """
    unknown = options.keys() - DatasetOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"unknown options of `map_dataset`: {', '.join(sorted(unknown))}")
    name = fn if isinstance(fn, str) else importable_name(fn)
    actors, concurrency = options.get("actors", 2), options.get("concurrency", DEFAULT_CONCURRENCY)
    target = target_of(load_function(name), options.get("retry"), _share(options.get("rate_limit"), actors))
    checkpoint = options.get("checkpoint")
    path = None if checkpoint is None else str(Path(checkpoint).absolute())
    if path is not None and not isinstance(target, CallTarget):
        raise TypeError(
            f"a checkpoint needs a decorated function without further decorators, and {name} is another one"
        )
    if path is not None:
        Checkpoint(path).close()  # an error is raised here, and not in an actor
    budget = options.get("budget_usd")
    # It must be where the file is.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    coordinator = (
        ray.remote(_Coordinator)
        .options(num_cpus=0, max_concurrency=1_000, scheduling_strategy=here)
        .remote(path, target.name, budget, options.get("key"), options.get("retry_failed", False))
    )
    return dataset.map_batches(
        _Worker,
        fn_constructor_args=(name, coordinator, {**options, "actors": actors, "checkpoint": path}),
        batch_size=options.get("block_rows", 4 * concurrency),
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=options.get("cpus", 1),
    )


def _share(limit: RateLimit | None, actors: int) -> RateLimit | None:
    """Return the part of a rate limit for one actor."""
    if limit is None:
        return None
    from ..core.base.retry import RateLimit

    # A longer period instead of a fraction of a request.
    return RateLimit(
        requests_per_minute=limit.requests_per_minute,
        tokens_per_minute=limit.tokens_per_minute,
        period=limit.period * actors,
    )


class _Coordinator:
    """The cost of the whole cluster, and the owner of the checkpoint. It is an actor."""

    def __init__(
        self, path: str | None, function: str, budget: str | int | Decimal | None, key: str | None, retry_failed: bool
    ) -> None:
        self._budget = None if budget is None else Decimal(str(budget))
        self._spent = Decimal(0)
        self._recorder = None if path is None else RunRecorder(Checkpoint(path), function, key, retry_failed)

    async def spend(self, cost: Decimal) -> bool:
        """Add a cost, and return whether the budget is used up."""
        self._spent += cost
        return self._budget is not None and self._spent >= self._budget

    async def recall(self, state: RowState) -> SavedAnswer | FerroscopeError | None:
        """Return the recorded answer or failure of a row; None if it has none."""
        assert self._recorder is not None
        try:
            return await self._recorder.arecall(state, may_be_of_this_run=True)
        except FerroscopeError as error:
            return error

    async def write(self, values: tuple[Any, ...]) -> None:
        """Record a row, and return when that is done."""
        assert self._recorder is not None
        await self._recorder.write(values)


def _raised(found: Any) -> SavedAnswer | None:
    if isinstance(found, FerroscopeError):
        raise found
    return found  # type: ignore[no-any-return]


class _RemoteRecorder:
    """The record of an actor's rows, which the coordinator owns."""

    def __init__(self, coordinator: Any, key: str | None) -> None:
        self._coordinator = coordinator
        self._key_column = key

    def key(self, index: int, row: Any) -> tuple[str, Exception | None]:
        if self._key_column is None:
            return row_hash(row), None
        try:
            return column_key(row, self._key_column), None
        except ValueError as error:
            return row_hash(row), error

    def recall(self, state: RowState) -> SavedAnswer | None:
        return _raised(ray.get(self._coordinator.recall.remote(state)))

    async def arecall(self, state: RowState) -> SavedAnswer | None:
        return _raised(await self._coordinator.recall.remote(state))

    def record(
        self,
        state: RowState,
        result: RowResult[Any],
        body: bytes,
        *,
        final: bool,
        done: Callable[[Exception | None], None],
    ) -> None:
        values = row_values(state, result, body, final=final)

        def ended(written: asyncio.Future[None]) -> None:
            failure = None if written.cancelled() else written.exception()
            done(failure if failure is None or isinstance(failure, Exception) else RuntimeError(repr(failure)))

        asyncio.wrap_future(self._coordinator.write.remote(values).future()).add_done_callback(ended)

    async def close(self, *, complete: bool) -> None:
        """Nothing: other actors go on."""


class _Worker:
    """An actor with one client and one event loop for all its rows."""

    def __init__(self, name: str, coordinator: Any, options: dict[str, Any]) -> None:
        limit = _share(options.get("rate_limit"), options["actors"])
        self._target = target_of(load_function(name), options.get("retry"), limit)
        self._coordinator = coordinator
        self._options = options
        self._runner = asyncio.Runner()

    def __call__(self, batch: Any) -> Any:
        return self._runner.run(self._process(batch))

    async def _process(self, batch: Any) -> Any:
        import pyarrow

        options = self._options
        key, concurrency = options.get("key"), options.get("concurrency", DEFAULT_CONCURRENCY)
        budget, unpriced = options.get("budget_usd"), options.get("allow_unpriced", False)
        recorder = None if options["checkpoint"] is None else _RemoteRecorder(self._coordinator, key)
        rows = batch.to_pylist()
        limits = RunLimits(
            concurrency=concurrency, window=max(len(rows), concurrency), ordered=True, deadline=None, max_failures=None
        )
        meter = prices.meter(budget, allow_unpriced=unpriced)
        run = Run(
            self._target,
            RowSource(self._within_budget(rows, meter)),
            limits,
            meter,
            key_reader(key) if recorder is None else recorder.key,
            recorder,
        )
        refused = "BudgetExceededError: the budget of the cluster is used up; the row was not called"
        values: list[tuple[Any, ...]] = [(None, refused, 0, None, None, None)] * len(rows)
        try:
            while found := await run.next_results():
                for result in found:
                    values[result.index] = _cells(result)
        finally:
            await run.close()
        await asyncio.wrap_future(self._coordinator.spend.remote(meter.total - self._reported).future())
        text, count = pyarrow.string(), pyarrow.int64()
        columns = zip(*values, strict=True) if values else [()] * len(_COLUMNS)
        for name, cells, kind in zip(_COLUMNS, columns, (text, text, count, text, count, count), strict=True):
            batch = batch.append_column(name, pyarrow.array(list(cells), kind))
        return batch

    def _within_budget(self, rows: list[Any], meter: prices.Meter) -> Iterator[Any]:
        """Yield the rows until the budget of the cluster is used up, and report the cost meanwhile."""
        self._reported = Decimal(0)
        for row in rows:
            if meter.budget is not None:
                new = meter.total - self._reported
                if ray.get(self._coordinator.spend.remote(new)):
                    self._reported += new
                    return
                self._reported += new
            yield row


def _cells(result: RowResult[Any]) -> tuple[Any, ...]:
    output = None if result.error is not None else output_of(result.value)
    if not isinstance(output, str | None):
        output = orjson.dumps(output).decode()
    error = None if result.error is None else f"{type(result.error).__name__}: {result.error}"
    cost = None if result.cost is None else format(result.cost, "f")
    return output, error, result.attempts, cost, result.input_tokens, result.output_tokens
