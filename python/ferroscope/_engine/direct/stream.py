"""A stream of the direct way, in place of an SDK's stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..._core import Event, StreamDecoder
from ..drain import SECONDS, drain_futures
from ..reads import AsyncReads
from ..replay_buffer import ReplayBuffer
from ..watchdog import watchdog

if TYPE_CHECKING:
    from ...transport import AsyncExchange, BlockingExchange, Head
    from .request import DirectRequest

# Any: a response of the HTTP library.


class DirectStream:
    """A streamed response that the native transport receives.

    Attributes:
        content_type: The value of the header `content-type`.
    """

    def __init__(
        self,
        exchange: AsyncExchange | BlockingExchange,
        request: DirectRequest,
        head: Head,
        body: bytes,
        content_type: str,
    ) -> None:
        self.exchange: Any = exchange
        self.content_type = content_type
        self._request = request
        self._head = head
        self._body = body

    @cached_property
    def response(self) -> Any:
        """The response as an object of the HTTP library, for exceptions of the SDK. Its body cannot be read."""
        library = self._request.library
        assert library is not None
        response = library.response_of(self._head, b"")
        response.request = self._request.sent(self._body)
        return response

    def close(self) -> None:
        """Close the response."""
        self.exchange.close()


class AsyncDirectStream(DirectStream):
    """A streamed response of an async call."""

    def __aiter__(self) -> AsyncIterator[Any]:
        raise TypeError("a direct stream has no chunks of the SDK")  # the engine reads its bytes

    def close(self) -> None:
        """Close the response."""
        self.exchange.exchange.close()


class DirectSource:
    """A source that reads the body of a direct stream."""

    def __init__(self, stream: DirectStream, decoder: StreamDecoder, replay_buffer: ReplayBuffer | None) -> None:
        self._stream = stream
        self._exchange = stream.exchange
        self._decoder = decoder
        self._replay_buffer = replay_buffer

    @property
    def response(self) -> object | None:
        return self._stream.response  # type: ignore[no-any-return]  # of any HTTP library

    def reads(self) -> Iterator[bytes]:
        return iter(self._exchange)

    def areads(self) -> AsyncReads:
        exchange = self._exchange.exchange
        return AsyncReads.of_futures(exchange.take, exchange.hold)

    def events(self, read: bytes) -> Iterable[Event]:
        if self._replay_buffer is not None:
            self._replay_buffer.add(read)
        self._decoder.feed(read)
        return self._decoder

    def drain(self, reads: Iterator[bytes]) -> None:
        try:
            if self._exchange.has_ended:
                return
            timer = watchdog.arm(SECONDS, self.cut)
            try:
                for _ in reads:
                    pass
            finally:
                watchdog.disarm(timer)
        except Exception:
            # The answer is complete, so errors of the connection no longer matter.
            return

    async def adrain(self, reads: AsyncReads) -> None:
        try:
            await drain_futures(reads)
        except Exception:
            return

    def cut(self) -> None:
        self._exchange.cut()

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        self._stream.close()
