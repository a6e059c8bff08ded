"""The task that reads one answer and appends its events to a store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from .._engine.web_answer import logger
from ._events import AnswerEvents
from ._store import EventStore, Item

# Readers in the same process get the latest items without a request to the store.
_RECENT: Final = 64
# A silent stream is renewed this often within the time after which it would expire.
_RENEWALS: Final = 3


class Producer:
    """Reads one answer, whether or not a browser follows it.

    Args:
        id: The id of the stream.
        events: The answer.
        store: The store of the events.
        grace: The time for which the answer goes on without a reader, in seconds.
        ended: A function that is called at the end, with the id.
    """

    def __init__(
        self, id: str, events: AnswerEvents, store: EventStore, grace: float, ended: Callable[[str], None]
    ) -> None:
        self.id = id
        self.failure: Exception | None = None
        self._events = events
        self._store = store
        self._grace = grace
        self._next = events.answer.next_event
        self._recent: deque[Item] = deque(maxlen=_RECENT)
        self._readers = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_stopping = False
        self._loop = asyncio.get_running_loop()
        self._last_seen = self._loop.time()
        self._timer = self._loop.call_later(grace, self._check)
        self._renewed_at = self._loop.time()
        self._renewal = self._loop.call_later(store.ttl / _RENEWALS, self._renew)
        self._renewing: asyncio.Task[None] | None = None
        self.task = self._loop.create_task(self._run())
        self._ended = ended
        self.task.add_done_callback(self._end)

    def stop(self) -> None:
        """Close the connection to the provider, and append the format's abort event."""
        if not self._is_stopping:
            self._is_stopping = True
            self.task.cancel()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._timer.cancel()
        self._renewal.cancel()
        if self._renewing is not None:
            self._renewing.cancel()
        self._ended(self.id)
        self._wake()

    # ---- readers

    def join(self) -> None:
        """Count a reader of this process."""
        self._readers += 1

    def leave(self) -> None:
        """Remove a reader of this process."""
        self._readers -= 1
        self.see()

    def see(self) -> None:
        """Record that a reader was there a moment ago, in this process or another."""
        self._last_seen = self._loop.time()

    def recent_after(self, number: int) -> Sequence[Item] | None:
        """Return the items after a number; None if only the store has them."""
        recent = self._recent
        if not recent or recent[0].first > number + 1:
            return None if self._next > number + 1 else ()
        return [item for item in recent if item.last > number]

    async def wait(self, timeout: float) -> None:
        """Wait for the next item, or for the end."""
        if self.task.done():
            return
        future = self._loop.create_future()
        self._waiting.add(future)
        await asyncio.wait((future,), timeout=timeout)
        self._waiting.discard(future)

    def _check(self) -> None:
        now = self._loop.time()
        left = self._grace if self._readers else self._last_seen + self._grace - now
        if left <= 0:
            self.stop()
        else:
            self._timer = self._loop.call_later(left, self._check)

    # ---- the expiry, which a silent provider must not reach

    def _renew(self) -> None:
        interval = self._store.ttl / _RENEWALS
        due = self._renewed_at + interval
        if (now := self._loop.time()) >= due:
            self._renewed_at, due = now, now + interval
            self._renewing = self._loop.create_task(self._renew_record())
        self._renewal = self._loop.call_at(due, self._renew)

    async def _renew_record(self) -> None:
        try:
            await self._store.renew(self.id)
        except Exception as error:  # the next renewal may succeed
            logger.error("the stream could not be renewed in the store", exc_info=error)

    # ---- the answer

    async def _run(self) -> None:
        events = self._events.aiterate_any()
        try:
            async for data in events:
                if data and not await self._append(data):
                    return
        except asyncio.CancelledError:
            if not self._is_stopping:
                raise
        except Exception as error:
            self.failure = error
            logger.error("the store of the stream failed", exc_info=error)
        finally:
            await events.aclose()
        if self._is_stopping and self.failure is None and (last := self._events.abort()):
            try:
                await self._append(last)
            except Exception as error:
                self.failure = error
                logger.error("the store of the stream failed", exc_info=error)

    async def _append(self, data: bytes) -> bool:
        answer = self._events.answer
        item = Item(self._next, answer.next_event - 1, data, answer.is_ended)
        appending = asyncio.ensure_future(self._store.append(self.id, item))
        try:
            is_added = await asyncio.shield(appending)
        except asyncio.CancelledError:
            # The store gets what the answer has produced, so that the abort event continues it.
            if await appending:
                self._note(item)
            raise
        if is_added:
            self._note(item)
        else:
            logger.warning("the stream was ended by another process")
        return is_added

    def _note(self, item: Item) -> None:
        self._next = item.last + 1
        self._renewed_at = self._loop.time()
        self._recent.append(item)
        self._wake()

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
