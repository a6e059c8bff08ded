"""Async reads of a stream without a generator per layer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final

END: Final = object()


class AsyncReads:
    """The reads of an async stream, with one call per read.

    Attributes:
        take: Returns bytes, empty at the end, or an awaitable. The awaitable's result is a read, `END`, or None if
            the next call has data.
        iterator: The underlying iterator, if there is one.
        hold: Holds back data for at most a number of seconds, where the transport does that itself.
    """

    __slots__ = ("hold", "iterator", "take")

    # Any: a read is whatever the stream yields, bytes or an SDK's object.
    def __init__(
        self,
        take: Callable[[], Any],
        iterator: AsyncIterator[Any] | None = None,
        hold: Callable[[float], None] | None = None,
    ) -> None:
        self.take = take
        self.iterator = iterator
        self.hold = hold

    @property
    def waits_for_futures(self) -> bool:
        """Whether the awaitables are futures of asyncio that nothing else waits for."""
        return self.iterator is None

    async def first(self, wait: Callable[[Any], Awaitable[Any]] | None) -> Any:
        """Return the next read, or `END`.

        Args:
            wait: Awaits a read within a deadline; None without one.
        """
        while True:
            read = self.take()
            if not isinstance(read, bytes):
                read = await (read if wait is None else wait(read))
                if read is None:
                    continue
            return END if read == b"" else read

    def preceded_by(self, read: Any) -> AsyncReads:
        """Return the same reads after another one."""
        if self.iterator is not None:
            return AsyncReads.of(_Preceded(read, self.iterator))
        pending, take = [b"" if read is END else read], self.take
        return AsyncReads(lambda: pending.pop() if pending else take(), hold=self.hold)

    @classmethod
    def of_futures(cls, take: Callable[[], Any], hold: Callable[[float], None]) -> AsyncReads:
        """Return the reads of a native response body."""
        return cls(take, hold=hold)

    @classmethod
    def of(cls, iterator: AsyncIterator[Any]) -> AsyncReads:
        """Return the reads of an async iterator."""
        return cls(partial(anext, iterator, END), iterator)

    @classmethod
    def of_sync(cls, iterator: Iterator[Any]) -> AsyncReads:
        """Return the reads of a sync iterator, which may block the event loop."""

        async def iterate() -> AsyncIterator[Any]:
            for read in iterator:
                yield read

        return cls.of(iterate())


class _Preceded:
    """An async iterator after a first item, or `END`."""

    def __init__(self, first: Any, iterator: AsyncIterator[Any]) -> None:
        self._first = first
        self._iterator = iterator
        self._is_begun = False
        self.keeps_unread_data = getattr(iterator, "keeps_unread_data", False)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._is_begun:
            return await anext(self._iterator)
        self._is_begun = True
        if self._first is END:
            raise StopAsyncIteration
        return self._first
