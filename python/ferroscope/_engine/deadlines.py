"""Deadlines for the reads of a stream."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.base.stream_config import StreamConfig


class DeadlinePassed(Exception):
    """A deadline of the caller passed. The stream converts this into its own exception."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of one wait, in seconds, and the error message for a longer wait."""

    seconds: float
    message: str

    def passed(self) -> DeadlinePassed:
        return DeadlinePassed(self.message)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The time limits of a stream in seconds: until the first event, between two events, and in total."""

    first_chunk: float | None
    idle: float | None
    total: float | None

    def limit(self, *, started: float, last_event: float | None) -> Limit | None:
        """Return the limit for a wait that begins now; None if there is none.

        Args:
            started: The time when the stream started, by the monotonic clock.
            last_event: The time of the last event; None before the first one.
        """
        now = time.monotonic()
        waits: list[Limit] = []
        if last_event is None and self.first_chunk is not None:
            left = started + self.first_chunk - now
            waits.append(Limit(left, f"no first chunk arrived within {self.first_chunk:g} s"))
        if last_event is not None and self.idle is not None:
            waits.append(Limit(last_event + self.idle - now, f"no chunk arrived for {self.idle:g} s"))
        if self.total is not None:
            waits.append(Limit(started + self.total - now, f"the stream did not end within {self.total:g} s"))
        return min(waits, key=lambda limit: limit.seconds, default=None)


class LazyTimer:
    """One timer of the event loop for all waits of a stream.

    Most waits end long before their limit. The timer then keeps running, and is set again if it fires too early.
    """

    __slots__ = ("_end", "_future", "_handle", "_limit", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._future: asyncio.Future[None] | None = None
        self._limit: Limit | None = None
        self._end = 0.0

    def limit(self, future: asyncio.Future[None], limit: Limit) -> None:
        """Fail a future if it is not done when a limit passes. This replaces the previous future."""
        self._future, self._limit = future, limit
        self._end = self._loop.time() + limit.seconds
        if self._handle is None or self._end < self._handle.when():
            self.cancel()
            self._handle = self._loop.call_at(self._end, self._fire)

    def cancel(self) -> None:
        """Stop the timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        self._handle = None
        if self._future is None or self._limit is None or self._future.done():
            return
        if self._end <= self._loop.time():
            self._future.set_exception(self._limit.passed())
        else:
            self._handle = self._loop.call_at(self._end, self._fire)


def read_deadlines(config: StreamConfig) -> Deadlines | None:
    """Return the deadlines in a `StreamConfig`; None if there are none."""
    first, idle, total = (
        config.get("first_chunk_timeout"),
        config.get("idle_timeout"),
        config.get("total_timeout"),
    )
    return None if first is idle is total is None else Deadlines(first, idle, total)


def run_within(limit: Limit, send: Callable[[], Any], discard: Callable[[Any], None]) -> Any:
    """Return the result of `send`, or raise if it takes too long.

    `send` runs in a thread of its own. That thread is abandoned after the limit, because before a response there is no
    connection to close. A late result is discarded.
    """
    lock = threading.Lock()
    done = threading.Event()
    outcome: list[Any] = []  # the result or the exception, and whether it failed
    left = False

    def run() -> None:
        result: Any = None
        try:
            result, failed = context.run(send), False
        except BaseException as error:  # raised again in the waiting thread
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
