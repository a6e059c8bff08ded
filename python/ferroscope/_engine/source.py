"""The source of a stream's events: the raw bytes below an SDK's stream, or the objects that it yields.

Reading bytes is many times cheaper. They are read only from a stream that no other code has changed. If a stream was
wrapped or patched (tracing, mocks), that code expects to see the objects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from inspect import isawaitable
from itertools import chain
from typing import Any, Protocol

from .._core import Event, StreamDecoder
from .._sdk_internals import is_iterated_by_sdk
from ..transport import aread_body, native_body, read_body
from .direct.stream import DirectSource, DirectStream
from .drain import adrain, cut_off, drain, guard_close
from .http2 import areset_stream, reset_stream
from .provider import Framing, Provider
from .reads import END, AsyncReads
from .replay_buffer import ReplayBuffer


class ResponseHead(Protocol):
    """The data of a streamed response that is not in its events. An adapter reads it from the HTTP response."""

    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        ...

    @property
    def model(self) -> str:
        """The model."""
        ...

    def complete(self, response: Any) -> None:
        """Add the data to the SDK's response object."""
        ...


class Source(Protocol):
    """A stream of an SDK, read as bytes or as objects."""

    @property
    def response(self) -> object | None:
        """The HTTP response, for the SDK's exceptions."""
        ...

    def reads(self) -> Iterator[Any]: ...
    def areads(self) -> AsyncReads: ...
    def events(self, read: Any, /) -> Iterable[Event]:
        """Return the events that a read completes."""
        ...

    def drain(self, reads: Iterator[Any]) -> None:
        """Read to the end of the body, in bounded time, so that the connection can be reused."""
        ...

    async def adrain(self, reads: AsyncReads) -> None: ...
    def cut(self) -> None:
        """Interrupt a sync read that another thread is waiting for."""
        ...

    def close(self) -> None: ...
    async def aclose(self) -> None: ...


def open_source(
    sdk_stream: Any, decoder: StreamDecoder, provider: Provider, replay_buffer: ReplayBuffer | None = None
) -> Source:
    """Return the most efficient source for a stream of an SDK."""
    if isinstance(sdk_stream, DirectStream):
        decoder.framing = framing_of(sdk_stream.content_type, provider)
        return DirectSource(sdk_stream, decoder, replay_buffer)
    if is_untouched(sdk_stream, provider.adapter_module or provider.sdk):
        decoder.framing = framing_of(sdk_stream.response.headers.get("content-type", ""), provider)
        return _Bytes(sdk_stream, decoder, replay_buffer)
    return _Objects(sdk_stream, decoder, provider, replay_buffer)


def is_untouched(sdk_stream: Any, sdk: str) -> bool:
    """Return whether only the SDK's own code produces the objects of this stream."""
    module = sys.modules.get(sdk)
    if type(sdk_stream) not in (getattr(module, "Stream", None), getattr(module, "AsyncStream", None)):
        return False
    return is_iterated_by_sdk(sdk_stream) and getattr(sdk_stream.response, "is_stream_consumed", None) is False


def framing_of(content_type: str, provider: Provider) -> Framing:
    """Return the framing of the events in a body of a content type."""
    if "application/json" in content_type:
        return provider.json_framing
    return "aws_event_stream" if "application/vnd.amazon.eventstream" in content_type else "sse"


class _Bytes:
    """A source that reads the body of the response below an SDK's stream."""

    def __init__(self, sdk_stream: Any, decoder: StreamDecoder, replay_buffer: ReplayBuffer | None) -> None:
        self._stream = sdk_stream
        self._decoder = decoder
        self._replay_buffer = replay_buffer
        self._response = sdk_stream.response

    @property
    def response(self) -> object | None:
        return self._response  # type: ignore[no-any-return]  # of any HTTP library

    def reads(self) -> Iterator[bytes]:
        guard_close(self._response)
        return read_body(self._response)

    def areads(self) -> AsyncReads:
        native = native_body(self._response)
        if native is not None:
            return AsyncReads.of_futures(native.take, native.hold)
        return AsyncReads.of(aread_body(self._response))

    def events(self, read: bytes) -> Iterable[Event]:
        if self._replay_buffer is not None:
            self._replay_buffer.add(read)
        self._decoder.feed(read)
        return self._decoder

    def drain(self, reads: Iterator[bytes]) -> None:
        drain(self._response, reads)

    async def adrain(self, reads: AsyncReads) -> None:
        await adrain(reads)

    def cut(self) -> None:
        cut_off(self._response)

    def close(self) -> None:
        reset_stream(self._response)
        self._stream.close()

    async def aclose(self) -> None:
        await areset_stream(self._response)
        await _aclose(self._stream)


class _Objects:
    """A source that iterates over an SDK's stream, or over a substitute for one."""

    def __init__(
        self, sdk_stream: Any, decoder: StreamDecoder, provider: Provider, replay_buffer: ReplayBuffer | None
    ) -> None:
        self._stream = sdk_stream
        self._decoder = decoder
        self._replay_buffer = replay_buffer
        self._dump = provider.dialect.dump_event
        decoder.framed = False

    @property
    def response(self) -> object | None:
        return getattr(self._stream, "response", None)

    def reads(self) -> Iterator[Any]:
        guard_close(self.response)
        return iter(self._stream)

    def areads(self) -> AsyncReads:
        return AsyncReads.of(aiter(self._stream))

    def events(self, read: Any) -> Iterable[Event]:
        event = self._dump(read)
        if self._replay_buffer is not None:
            self._replay_buffer.add(event)
        return (self._decoder.feed_event(event),)

    def drain(self, reads: Iterator[Any]) -> None:
        """Do nothing, because the SDK's own iteration drains the body."""

    async def adrain(self, reads: AsyncReads) -> None:
        """Do nothing, because the SDK's own iteration drains the body."""

    def cut(self) -> None:
        cut_off(getattr(self._stream, "response", None))

    def close(self) -> None:
        if callable(close := getattr(self._stream, "close", None)):
            close()

    async def aclose(self) -> None:
        await _aclose(self._stream)


async def _aclose(sdk_stream: Any) -> None:
    """Close an async stream of an SDK, or a substitute. Some SDKs name the method `close`."""
    close: Any = getattr(sdk_stream, "aclose", None) or getattr(sdk_stream, "close", None)
    if close is not None and isawaitable(closing := close()):
        await closing


class Blocking:
    """A sync source in an async stream. It blocks the event loop, as the sync client of that call does."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def response(self) -> object | None:
        return self._source.response

    def reads(self) -> Iterator[Any]:
        return self._source.reads()

    def areads(self) -> AsyncReads:
        return AsyncReads.of_sync(self._source.reads())

    def events(self, read: Any) -> Iterable[Event]:
        return self._source.events(read)

    def drain(self, reads: Iterator[Any]) -> None:
        self._source.drain(reads)

    async def adrain(self, reads: AsyncReads) -> None:
        """Do nothing, because a blocking drain would stop the event loop."""

    def cut(self) -> None:
        self._source.cut()

    def close(self) -> None:
        self._source.close()

    async def aclose(self) -> None:
        self._source.close()


class Replay:
    """A source that replays the buffer of another stream."""

    response: object | None = None

    def __init__(self, pieces: list[bytes | str], decoder: StreamDecoder) -> None:
        self._pieces = pieces
        self._decoder = decoder

    def reads(self) -> Iterator[bytes | str]:
        return iter(self._pieces)

    def areads(self) -> AsyncReads:
        return AsyncReads.of_sync(self.reads())

    def events(self, read: bytes | str) -> Iterable[Event]:
        if isinstance(read, str):
            return (self._decoder.feed_event(read),)
        self._decoder.feed(read)
        return self._decoder

    def drain(self, reads: Iterator[Any]) -> None:
        """Do nothing, because there is no connection."""

    async def adrain(self, reads: AsyncReads) -> None:
        """Do nothing, because there is no connection."""

    def cut(self) -> None:
        """Do nothing, because there is no connection."""

    def close(self) -> None:
        """Do nothing, because there is no connection."""

    async def aclose(self) -> None:
        """Do nothing, because there is no connection."""


class Opened:
    """A source whose first read has arrived before the iteration.

    Args:
        source: The source.
        reads: Its reads, without the first one.
        first: The first read, or `END`.
    """

    def __init__(self, source: Source, reads: Any, first: Any) -> None:
        self._source = source
        self._reads = reads
        self._first = first
        self.events = source.events
        self.drain = source.drain
        self.adrain = source.adrain
        self.cut = source.cut
        self.close = source.close
        self.aclose = source.aclose

    @property
    def response(self) -> object | None:
        return self._source.response

    def reads(self) -> Iterator[Any]:
        return iter(()) if self._first is END else chain((self._first,), self._reads)

    def areads(self) -> AsyncReads:
        reads: AsyncReads = self._reads
        return reads.preceded_by(self._first)
