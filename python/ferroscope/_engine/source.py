"""Where the events of a stream come from: the raw bytes of an SDK's stream, or the objects that it yields.

Bytes are many times cheaper. They are taken only from a stream that nobody has touched: under a stream that
was wrapped or patched (tracing, mocks) somebody counts on seeing the objects.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Protocol

from .._core import Event, StreamDecoder
from .drain import adrain, drain
from .provider import Provider


class Source(Protocol):
    """A stream of an SDK, read one way or the other."""

    @property
    def request(self) -> object | None:
        """The HTTP request, for the SDK's exceptions."""

    def reads(self) -> Iterator[Any]: ...
    def areads(self) -> AsyncIterator[Any]: ...
    def events(self, read: Any) -> Iterable[Event]:
        """The events that a read completes."""

    def drain(self, reads: Iterator[Any]) -> None:
        """Reads on to the end of the body, in bounded time, so that the connection can be used again."""

    async def adrain(self, reads: AsyncIterator[Any]) -> None: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...


def open_source(sdk_stream: Any, decoder: StreamDecoder, provider: Provider) -> Source:
    """The best way to read a stream of an SDK."""
    if is_untouched(sdk_stream, provider.sdk):
        return _Bytes(sdk_stream, decoder)
    return _Objects(sdk_stream, decoder, provider)


def is_untouched(sdk_stream: Any, sdk: str) -> bool:
    """Whether the SDK's own code, and nothing else, would yield the objects of this stream.

    Private attributes are looked at only here, and only to find a reason against reading the bytes.
    """
    module = sys.modules.get(sdk)
    if type(sdk_stream) not in (getattr(module, "Stream", None), getattr(module, "AsyncStream", None)):
        return False
    attributes = vars(sdk_stream)
    iterator = attributes.get("_iterator")
    if iterator is not None:
        code = getattr(iterator, "gi_code", None) or getattr(iterator, "ag_code", None)
        if getattr(code, "co_name", None) != "__stream__":
            return False
    if "close" in attributes or attributes.get("_observer") is not None:
        return False
    return getattr(sdk_stream.response, "is_stream_consumed", None) is False


class _Bytes:
    """Reads the body of the response below an SDK's stream."""

    def __init__(self, sdk_stream: Any, decoder: StreamDecoder) -> None:
        self._stream = sdk_stream
        self._decoder = decoder
        self._response = sdk_stream.response

    @property
    def request(self) -> object | None:
        return getattr(self._response, "request", None)

    def reads(self) -> Iterator[bytes]:
        return iter(self._response.iter_bytes())

    def areads(self) -> AsyncIterator[bytes]:
        return aiter(self._response.aiter_bytes())

    def events(self, read: bytes) -> Iterable[Event]:
        self._decoder.feed(read)
        return self._decoder

    def drain(self, reads: Iterator[bytes]) -> None:
        drain(self._response, reads)

    async def adrain(self, reads: AsyncIterator[bytes]) -> None:
        await adrain(reads)

    def close(self) -> None:
        self._response.close()

    async def aclose(self) -> None:
        await self._response.aclose()


class _Objects:
    """Iterates over an SDK's stream, or over whatever stands in for one."""

    def __init__(self, sdk_stream: Any, decoder: StreamDecoder, provider: Provider) -> None:
        self._stream = sdk_stream
        self._decoder = decoder
        self._dump = provider.dialect.dump_event

    @property
    def request(self) -> object | None:
        return getattr(getattr(self._stream, "response", None), "request", None)

    def reads(self) -> Iterator[Any]:
        return iter(self._stream)

    def areads(self) -> AsyncIterator[Any]:
        return aiter(self._stream)

    def events(self, read: Any) -> Iterable[Event]:
        return (self._decoder.feed_event(self._dump(read)),)

    def drain(self, reads: Iterator[Any]) -> None:
        """The SDK's own iteration has seen to that."""

    async def adrain(self, reads: AsyncIterator[Any]) -> None:
        """The SDK's own iteration has seen to that."""

    def close(self) -> None:
        if callable(close := getattr(self._stream, "close", None)):
            close()

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None) or getattr(self._stream, "close", None)
        if callable(close):
            await close()
