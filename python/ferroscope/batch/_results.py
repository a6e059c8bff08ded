"""The result of one row, and the counts of a whole run."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from ..errors import FerroscopeError

_T = TypeVar("_T", covariant=True)

StopReason: TypeAlias = Literal["budget", "deadline", "failures", "stopped", "closed", "error"]
"""The reason for the end of a run before its last row."""


class RecordedError(FerroscopeError):
    """The failure of a row in an earlier run, as its checkpoint recorded it.

    Attributes:
        kind: The class name of the original exception.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}" if kind else message)
        self.kind = kind
        self._message = message

    def __reduce__(self) -> tuple[type[RecordedError], tuple[str, str]]:
        return type(self), (self.kind, self._message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult(Generic[_T]):
    """The result of one row.

    Attributes:
        index: The position of the row in the input, from 0.
        key: The key of the row: the value of the key column, or else a hash of its content and its position among
            equal rows. Without a checkpoint and a key column, it is the position in the input.
        row: The row as it was read.
        value: The result of the call: the response, the instance of the response model, or the result of the output
            parser. None if the row failed.
        error: The failure; None for a successful row.
        attempts: The number of requests that were sent for the row.
        cost: The cost of the row in USD; None if it is unknown.
        input_tokens: The number of input tokens; None if it is unknown.
        output_tokens: The number of output tokens; None if it is unknown.
        restored: Whether the result is from the checkpoint, so that no request was sent in this run.
    """

    index: int
    key: str
    row: Any  # Any: a mapping, or whatever the input has in its place
    value: _T | None
    error: Exception | None = None
    attempts: int = 0
    cost: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    restored: bool = False

    @property
    def ok(self) -> bool:
        """Whether the row was successful."""
        return self.error is None

    def result(self) -> _T:
        """Return the value of a successful row.

        Raises:
            Exception: The failure of the row.
        """
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None is a value of the call here


class ResultQueue:
    """The results that the program has not received yet.

    Args:
        ordered: Whether the program receives them in the order of the input.
    """

    def __init__(self, ordered: bool) -> None:
        self._ordered = ordered
        self._next = 0
        self._early: dict[int, RowResult[Any]] = {}
        self._unordered: deque[RowResult[Any]] = deque()

    def __len__(self) -> int:
        return len(self._early) + len(self._unordered)

    def put(self, result: RowResult[Any]) -> bool:
        """Add a result, and return whether there is one to take."""
        if not self._ordered:
            self._unordered.append(result)
            return True
        self._early[result.index] = result
        return result.index == self._next

    def take(self, *, ended: bool) -> list[RowResult[Any]]:
        """Return the results that are next. `ended`: no row before them follows."""
        if not self._ordered:
            found = list(self._unordered)
            self._unordered.clear()
            return found
        found = []
        while self._next in self._early:
            found.append(self._early.pop(self._next))
            self._next += 1
        # After an early end, rows before these have no results.
        if not found and ended:
            found = [self._early.pop(index) for index in sorted(self._early)]
        return found


@dataclass(slots=True)
class MapStats:
    """The counts of a run so far.

    Attributes:
        total: The number of rows in the input; None if it is unknown.
        done: The number of successful rows, including restored ones.
        failed: The number of failed rows.
        restored: The number of rows whose results are from the checkpoint.
        requests: The number of requests that were sent.
        retried: The number of requests that repeated an earlier one of the same row.
        jobs: The number of jobs of the provider's batch API that were started.
        rate_limited: The number of rows that waited because the provider refused a request by a rate limit.
        input_tokens: The number of input tokens of this run.
        output_tokens: The number of output tokens of this run.
        cost: The cost of this run in USD; a lower bound if `unpriced` is not 0.
        unpriced: The number of calls with an unknown cost.
        stopped: The reason for an early end; None if all rows were processed, or if the run goes on.
    """

    total: int | None = None
    done: int = 0
    failed: int = 0
    restored: int = 0
    requests: int = 0
    retried: int = 0
    jobs: int = 0
    rate_limited: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    stopped: StopReason | None = None
    _started: float = field(default_factory=time.monotonic)
    _ended: float | None = None

    @property
    def rows(self) -> int:
        """The number of finished rows."""
        return self.done + self.failed

    @property
    def seconds(self) -> float:
        """The seconds since the start of the run, up to its end."""
        return (time.monotonic() if self._ended is None else self._ended) - self._started

    @property
    def rows_per_second(self) -> float:
        """The rate of the rows that were called in this run."""
        return max(0, self.rows - self.restored) / max(self.seconds, 1e-9)

    @property
    def expected_cost(self) -> Decimal | None:
        """The expected cost of all rows in USD, at the mean cost so far; None if it cannot be estimated."""
        called = self.rows - self.restored
        if self.total is None or called <= 0:
            return None
        return self.cost / called * (self.total - self.restored)

    @property
    def seconds_left(self) -> float | None:
        """The expected number of seconds until the end; None if it cannot be estimated."""
        rate = self.rows_per_second
        return None if self.total is None or rate <= 0 else max(0, self.total - self.rows) / rate

    def to_dict(self) -> Mapping[str, object]:
        """Return the counts as JSON values; amounts are decimal strings."""
        expected = self.expected_cost
        return {
            "total": self.total,
            "done": self.done,
            "failed": self.failed,
            "restored": self.restored,
            "requests": self.requests,
            "retried": self.retried,
            "jobs": self.jobs,
            "rate_limited": self.rate_limited,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": format(self.cost, "f"),
            "expected_cost_usd": None if expected is None else format(expected, "f"),
            "unpriced": self.unpriced,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self.rows_per_second, 3),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "stopped": self.stopped,
        }

    def add(self, result: RowResult[object]) -> None:
        """Count the result of a row."""
        if result.error is None:
            self.done += 1
        else:
            self.failed += 1
        if result.restored:
            self.restored += 1
            return
        self.requests += result.attempts
        self.retried += max(0, result.attempts - 1)
        self.input_tokens += result.input_tokens or 0
        self.output_tokens += result.output_tokens or 0

    def end(self) -> None:
        """Stop the clock."""
        self._ended = time.monotonic()
