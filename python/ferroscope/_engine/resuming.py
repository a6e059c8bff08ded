"""Streams of background runs, which reconnect and continue after their connection broke."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from inspect import isawaitable
from typing import Any, Final

from .._core import Event, StreamDecoder
from .reads import END, AsyncReads
from .source import Source

# Consecutive connections without a new event.
_ATTEMPTS: Final = 3


class Resuming:
    """A source that reconnects when its connection breaks, and continues after the last event.

    Args:
        source: The source of the first connection.
        decoder: The decoder of the stream, which knows the last event.
        request: Sends the request for the events after a sequence number, for a response id. Async clients return an
            awaitable.
        open_stream: Returns the source of an SDK's stream.
        is_broken: Whether an error means that the connection broke.
    """

    # Any: an SDK's stream, and its reads.
    def __init__(
        self,
        source: Source,
        decoder: StreamDecoder,
        request: Callable[[str, int], Any],
        open_stream: Callable[[Any], Source],
        is_broken: Callable[[Exception], bool],
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._request = request
        self._open_stream = open_stream
        self._is_broken = is_broken
        self._cursor: int | None = None
        self._failures = 0
        self._left = False

    @property
    def response(self) -> object | None:
        return self._source.response

    def reads(self) -> Iterator[Any]:
        reads: Iterator[Any] | None = self._source.reads()
        while reads is not None:
            failure: Exception | None = None
            read: Any = END
            try:
                read = next(reads, END)
            except Exception as error:
                failure = error
            if read is not END:
                yield read
            else:
                reads = self._next_reads(failure)

    def _next_reads(self, failure: Exception | None) -> Iterator[Any] | None:
        """Return the reads of a new connection; None at the end of the response."""
        while self._may_continue(failure):
            self._source.close()
            try:
                self._continue(self._request(self._decoder.id, self._cursor or 0))
            except Exception as error:
                failure = self._still_broken(failure, error)
                continue
            return self._source.reads()
        if failure is not None:
            raise failure
        return None

    def areads(self) -> AsyncReads:
        return AsyncReads.of(self._aiterate())

    async def _aiterate(self) -> AsyncIterator[Any]:
        reads: AsyncReads | None = self._source.areads()
        while reads is not None:
            failure: Exception | None = None
            read: Any = END
            try:
                read = reads.take()
                read = await read if isawaitable(read) else read
            except Exception as error:
                failure = error
            if read is not END and read != b"":
                if read is not None:
                    yield read
            else:
                reads = await self._anext_reads(failure)

    async def _anext_reads(self, failure: Exception | None) -> AsyncReads | None:
        while self._may_continue(failure):
            await self._source.aclose()
            try:
                sent = self._request(self._decoder.id, self._cursor or 0)
                self._continue(await sent if isawaitable(sent) else sent)
            except Exception as error:
                failure = self._still_broken(failure, error)
                continue
            return self._source.areads()
        if failure is not None:
            raise failure
        return None

    def _may_continue(self, failure: Exception | None) -> bool:
        decoder = self._decoder
        last = decoder.sequence_number
        if self._left or decoder.done or last is None or not decoder.id:
            return False
        if failure is not None and not self._is_broken(failure):
            return False
        self._failures = self._failures + 1 if last == self._cursor else 1
        self._cursor = last
        return self._failures <= _ATTEMPTS

    def _still_broken(self, failure: Exception | None, error: Exception) -> Exception:
        """Return the first failure, unless the server refused the request for the rest."""
        if self._is_broken(error):
            return failure or error
        if failure is None:
            raise error
        raise failure from error

    def _continue(self, sdk_stream: Any) -> None:
        self._decoder.resume()
        self._source = self._open_stream(sdk_stream)

    def events(self, read: Any) -> Iterable[Event]:
        # The decoder skips repeated events in bytes. Repeated objects are skipped here.
        number = getattr(read, "sequence_number", None)
        if number is not None and self._cursor is not None and number <= self._cursor:
            return ()
        return self._source.events(read)

    def drain(self, reads: Iterator[Any]) -> None:
        self._source.drain(reads)

    async def adrain(self, reads: AsyncReads) -> None:
        await self._source.adrain(reads)

    def cut(self) -> None:
        self._left = True
        self._source.cut()

    def close(self) -> None:
        self._left = True
        self._source.close()

    async def aclose(self) -> None:
        self._left = True
        await self._source.aclose()
