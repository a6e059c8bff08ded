"""The deadlines of one stream, applied to its request and to each read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from .._core import StreamDecoder
from .deadlines import Deadlines, LazyTimer, Limit, run_within
from .reads import END, AsyncReads
from .source import Source
from .watchdog import watchdog

# Any: the streams of SDKs, and reads, which are bytes or objects.


class StreamClock:
    """Sends and reads within the deadlines of a stream. A missed deadline raises `DeadlinePassed`."""

    __slots__ = ("_deadlines", "_decoder", "_last_event", "_started", "_timer")

    def __init__(self, deadlines: Deadlines | None, decoder: StreamDecoder) -> None:
        self._deadlines = deadlines
        self._decoder = decoder
        self._started = 0.0
        self._timer: LazyTimer | None = None
        self._last_event = (0, 0.0)  # the number of events, and the monotonic time when it was first seen

    def start(self) -> None:
        """Start the deadlines."""
        self._started = time.monotonic()

    def stop(self) -> None:
        """Stop the timer of an async stream."""
        if self._timer is not None:
            self._timer.cancel()

    def send(self, send: Callable[[], Any]) -> Any:
        """Return the result of `send`, which sends a request and blocks."""
        limit = self._limit()
        return send() if limit is None else run_within(limit, send, _close)

    async def asend(self, send: Callable[[], Awaitable[Any]]) -> Any:
        """Return the result of `send`, which sends a request."""
        return await self._within(self._limit(), send)

    def read(self, source: Source, reads: Iterator[Any]) -> Any:
        """Return the next read of a sync stream; `END` after the last one."""
        limit = self._limit()
        if limit is None:
            return next(reads, END)
        if limit.seconds <= 0:
            raise limit.passed()
        timer = watchdog.arm(limit.seconds, source.cut)
        try:
            return next(reads, END)
        finally:
            # If the watchdog has closed the connection, it is the cause of the failure or of the end.
            if not watchdog.disarm(timer):
                raise limit.passed() from None

    def wait(self, reads: AsyncReads) -> Callable[[Any], Awaitable[Any]] | None:
        """Return the function that awaits a read within the deadlines; None if there are none."""
        if self._deadlines is None:
            return None
        if not reads.waits_for_futures:
            return self._wait_in_scope
        self._timer = LazyTimer()
        return self._wait_for_future

    def _wait_for_future(self, future: asyncio.Future[None]) -> asyncio.Future[None]:
        limit = self._limit()
        if limit is not None and self._timer is not None:
            self._timer.limit(future, limit)
        return future

    async def _wait_in_scope(self, read: Awaitable[Any]) -> Any:
        return await self._within(self._limit(), lambda: read)

    @staticmethod
    async def _within(limit: Limit | None, start: Callable[[], Awaitable[Any]]) -> Any:
        if limit is None:
            return await start()
        import anyio

        with anyio.move_on_after(limit.seconds):
            return await start()
        raise limit.passed()

    def _limit(self) -> Limit | None:
        deadlines = self._deadlines
        if deadlines is None:
            return None
        events = self._decoder.events
        if events != self._last_event[0]:
            self._last_event = (events, time.monotonic())
        return deadlines.limit(started=self._started, last_event=self._last_event[1] if events else None)


def _close(sdk_stream: Any) -> None:
    if callable(close := getattr(sdk_stream, "close", None)):
        close()
