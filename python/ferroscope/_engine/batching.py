"""Streams that hold events back for a short time, where throughput matters more than the delay of an event."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..core.base.stream_config import StreamConfig
from .reads import AsyncReads

# A read that returns sooner found its data in the buffer of the socket, where there may be more.
_WAITED = 0.0005


def read_batch(config: StreamConfig) -> float:
    """Return the seconds for which a `StreamConfig` holds events back; 0 for none.

    Raises:
        ValueError: It is not a number of seconds between 0 and 1.
    """
    seconds = config.get("batch")
    if seconds is None:
        return 0.0
    if not 0 < seconds <= 1:
        raise ValueError(f"batch is the longest delay of an event, more than 0 and at most 1 second, not {seconds!r}")
    return float(seconds)


# Any: a read is whatever the stream yields, bytes or an SDK's object.
def hold_back(reads: Iterator[Any], seconds: float) -> Iterator[Any]:
    """Return the reads of a sync stream, held back for at most that many seconds; unchanged for 0."""
    return _HeldReads(reads, seconds) if seconds else reads


def ahold_back(reads: AsyncReads, seconds: float) -> AsyncReads:
    """Return the reads of an async stream, held back for at most that many seconds; unchanged for 0.

    They are unchanged too where the HTTP library drops unread data when a connection breaks, as aiohttp does.
    """
    if not seconds:
        return reads
    if reads.hold is not None:
        reads.hold(seconds)
        return reads
    if reads.iterator is None or not getattr(reads.iterator, "keeps_unread_data", False):
        return reads
    return AsyncReads.of(_HeldAsyncReads(reads.iterator, seconds))


class _Pauses:
    """The pauses between the reads of one stream.

    After a read that had to wait for its data, the next one is held back, and finds all that has arrived in the
    meantime. Data that was there before is read at once. So no event waits longer than one pause.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._started = 0.0

    def left(self) -> float:
        """Return the seconds until the next read begins; not positive if it begins now."""
        return self._next - time.monotonic()

    def begin(self) -> None:
        """Begin a read."""
        self._started = time.monotonic()

    def end(self) -> None:
        """End a read, and decide when the next one begins."""
        now = time.monotonic()
        self._next = now + self._seconds if now - self._started > _WAITED else 0.0


class _HeldReads(_Pauses):
    def __init__(self, reads: Iterator[Any], seconds: float) -> None:
        super().__init__(seconds)
        self._reads = reads

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if (left := self.left()) > 0:
            time.sleep(left)
        self.begin()
        read = next(self._reads)
        self.end()
        return read


class _HeldAsyncReads(_Pauses):
    def __init__(self, reads: AsyncIterator[Any], seconds: float) -> None:
        super().__init__(seconds)
        self._reads = reads

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if (left := self.left()) > 0:
            import anyio

            await anyio.sleep(left)
        self.begin()
        read = await anext(self._reads)
        self.end()
        return read
