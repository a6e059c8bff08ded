"""The store of resumable streams in the memory of one process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ._store import Item


@dataclass(slots=True)
class _Log:
    expires_at: float
    items: deque[Item] = field(default_factory=deque)
    size: int = 0
    last: Item | None = None
    waiting: set[asyncio.Future[None]] = field(default_factory=set)


class MemoryStore:
    """A store in the memory of one process.

    Args:
        ttl: The time for which a stream is kept after its last event, in seconds.
        max_bytes: The maximum size of one stream in bytes. The oldest events are dropped first.
        max_total_bytes: The maximum size of all streams in bytes. Beyond it, the streams that ended first are dropped.
    """

    is_shared = False

    def __init__(
        self, *, ttl: float = 600.0, max_bytes: int = 16 * 1024 * 1024, max_total_bytes: int = 256 * 1024 * 1024
    ) -> None:
        self.ttl = ttl
        self._max_total_bytes = max_total_bytes
        self._size = 0
        self._max_bytes = max_bytes
        self._logs: dict[str, _Log] = {}
        self._records: dict[str, tuple[float, bytes]] = {}
        self._swept_at = 0.0

    async def append(self, stream: str, item: Item) -> bool:
        """Append events; see `EventStore.append`."""
        now = time.monotonic()
        self._sweep(now)
        log = self._logs.get(stream)
        if log is None:
            log = self._logs[stream] = _Log(now + self.ttl)
        last = log.last
        if (last is None and item.first != 1) or (last is not None and (last.is_end or item.first != last.last + 1)):
            return False
        log.items.append(item)
        log.last = item
        before = log.size
        log.size += len(item.data)
        while log.size > self._max_bytes and len(log.items) > 1:
            log.size -= len(log.items.popleft().data)
        self._size += log.size - before
        if self._size > self._max_total_bytes:
            self._drop_ended(stream)
        self._renew(stream, now)
        for future in log.waiting:
            if not future.done():
                future.set_result(None)
        log.waiting.clear()
        return True

    async def read_after(self, stream: str, number: int, timeout: float) -> Sequence[Item]:
        """Return the items with events after a number; see `EventStore.read_after`."""
        found = self._found(stream, number)
        if found or timeout <= 0:
            return found
        log = self._logs.setdefault(stream, _Log(time.monotonic() + self.ttl))
        future = asyncio.get_running_loop().create_future()
        log.waiting.add(future)
        await asyncio.wait((future,), timeout=timeout)
        log.waiting.discard(future)
        return self._found(stream, number)

    def _found(self, stream: str, number: int) -> Sequence[Item]:
        log = self._logs.get(stream)
        if log is None or log.last is None or log.last.last <= number:
            return ()
        found: list[Item] = []
        for item in reversed(log.items):
            if item.last <= number:
                break
            found.append(item)
        found.reverse()
        return found

    async def renew(self, stream: str) -> None:
        """Keep a running stream for another `ttl` seconds."""
        self._renew(stream, time.monotonic())

    def _renew(self, stream: str, now: float) -> None:
        expires_at = now + self.ttl
        if (log := self._logs.get(stream)) is not None:
            log.expires_at = expires_at
        if (record := self._records.get(stream)) is not None:
            self._records[stream] = (expires_at, record[1])

    async def last(self, stream: str) -> Item | None:
        """Return the last item of a stream."""
        log = self._logs.get(stream)
        return None if log is None else log.last

    async def put(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Store a record; see `EventStore.put`."""
        now = time.monotonic()
        self._sweep(now)
        self._records[key] = (now + (self.ttl if ttl is None else ttl), value)

    async def get(self, key: str) -> bytes | None:
        """Return a record; None if there is none, or it has expired."""
        expires_at, value = self._records.get(key, (0.0, b""))
        return value if expires_at > time.monotonic() else None

    async def send(self, mailbox: str, message: bytes) -> None:
        """Fail: there are no other processes."""
        raise NotImplementedError("a store in memory has no other processes")

    async def receive(self, mailbox: str, timeout: float) -> bytes | None:
        """Fail: there are no other processes."""
        raise NotImplementedError("a store in memory has no other processes")

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""

    def _sweep(self, now: float) -> None:
        """Remove what has expired, at most once a second."""
        if now < self._swept_at + 1.0:
            return
        self._swept_at = now
        for stream in [stream for stream, log in self._logs.items() if log.expires_at <= now and not log.waiting]:
            self._drop(stream)
        for key in [key for key, (expires_at, _) in self._records.items() if expires_at <= now]:
            del self._records[key]

    def _drop_ended(self, kept: str) -> None:
        """Remove ended streams, oldest first, until the total size is in its limit."""
        ended = [stream for stream, log in self._logs.items() if log.last is not None and log.last.is_end]
        for stream in ended:
            if self._size <= self._max_total_bytes:
                return
            if stream != kept and not self._logs[stream].waiting:
                self._drop(stream)

    def _drop(self, stream: str) -> None:
        self._size -= self._logs.pop(stream).size
