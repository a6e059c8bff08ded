"""How long a stream may keep its reader waiting."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.base.stream_config import StreamConfig


class DeadlinePassed(Exception):
    """A deadline of the caller's passed; the stream turns it into its own exception."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long one wait may last, and what is said when it lasts longer."""

    seconds: float
    message: str

    def passed(self) -> DeadlinePassed:
        return DeadlinePassed(self.message)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that a stream may take: until its first event, between two, altogether."""

    first_chunk: float | None
    idle: float | None
    total: float | None

    def limit(self, *, started: float, heard: float | None) -> Limit | None:
        """How long the wait that begins now may last; `heard` is when the last event came, if one did."""
        now = time.monotonic()
        waits: list[Limit] = []
        if heard is None and self.first_chunk is not None:
            left = started + self.first_chunk - now
            waits.append(Limit(left, f"no first chunk came within {self.first_chunk:g} s"))
        if heard is not None and self.idle is not None:
            waits.append(Limit(heard + self.idle - now, f"no chunk came for {self.idle:g} s"))
        if self.total is not None:
            waits.append(Limit(started + self.total - now, f"the stream did not end within {self.total:g} s"))
        return min(waits, key=lambda limit: limit.seconds, default=None)


def read_deadlines(config: StreamConfig) -> Deadlines | None:
    """The deadlines that a `StreamConfig` sets.

    Raises:
        ValueError: One of them is no time at all.
    """
    first, idle, total = (
        config.get("first_chunk_timeout"),
        config.get("idle_timeout"),
        config.get("total_timeout"),
    )
    for name, seconds in (
        ("first_chunk_timeout", first),
        ("idle_timeout", idle),
        ("total_timeout", total),
    ):
        if seconds is not None and not seconds > 0:
            raise ValueError(f"{name} must be more than 0 seconds, not {seconds!r}; None means no deadline")
    return None if first is idle is total is None else Deadlines(first, idle, total)


def in_time(limit: Limit, send: Callable[[], Any], discard: Callable[[Any], None]) -> Any:
    """What `send` returns, if it does so in time.

    It runs in a thread of its own, which is left alone when the time is over: before a response there is no
    connection that could be cut. What comes back too late is discarded.
    """
    lock = threading.Lock()
    done = threading.Event()
    outcome: list[Any] = []  # the result, or the exception
    left = False

    def run() -> None:
        result: Any = None
        try:
            result, failed = context.run(send), False
        except BaseException as error:  # raised again where somebody waits for it
            result, failed = error, True
        with lock:
            outcome.extend((result, failed))
            late = left
        done.set()
        if late and not failed:
            discard(result)

    if limit.seconds <= 0:
        raise limit.passed()
    context = contextvars.copy_context()
    threading.Thread(target=run, name="ferroscope-send", daemon=True).start()
    try:
        done.wait(limit.seconds)
    finally:
        with lock:
            left = not outcome
    if left:
        raise limit.passed()
    result, failed = outcome
    if failed:
        raise result
    return result
