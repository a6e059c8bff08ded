"""Async reads of a stream without a generator per layer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
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
