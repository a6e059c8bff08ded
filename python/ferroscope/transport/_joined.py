"""Faster reading of streams, below the HTTP library of an SDK's client.

Most servers send one HTTP chunk per event, and httpx parses chunks in Python, which is the largest cost of an event.
`join_chunks` merges chunks that arrive together before the HTTP library parses them. The reads in the middle of such a
body can bypass the library. Connections, TLS, proxies, timeouts and errors remain the library's own.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, TypeVar
from weakref import ref

from .._core import ChunkJoiner
from ._interrupting import interruptible

__all__ = ["join_chunks"]

_ClientT = TypeVar("_ClientT")

# A request is recognized by its first word.
_ENOUGH = 16
_READ_SIZE = 64 * 1024

# The types between the reader of a response and its connection, and the methods for reading.
LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2")
_LAYERS = frozenset(
    ("Response", "BoundSyncStream", "BoundAsyncStream", "ResponseStream", "AsyncResponseStream", "PoolByteStream")
)
_CLIENTS = frozenset(("Client", "AsyncClient"))
_DEPTH = 4  # the SDK's client, its attributes, their attributes, and the clients that those wrap
_READING = frozenset(("iter_bytes", "iter_raw", "aiter_bytes", "aiter_raw"))

# The class names of HTTP clients that SDKs from the common generator create themselves.
MADE_BY_SDKS = ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper")


def made_by_sdk(http: object) -> bool:
    """Return whether an HTTP client is one that an SDK from the common generator created itself."""
    return type(http).__name__ in MADE_BY_SDKS


def join_chunks(client: _ClientT) -> _ClientT:
    """Make a client read HTTP chunks that arrived together as one chunk, on connections that it opens from now on.

    Calls do this for the default client, and for every client whose SDK created the HTTP client in it. This function is
    for HTTP clients that you create yourself, which are not changed otherwise.

    Args:
        client: A client of an SDK (`OpenAI`, `AsyncAnthropic`), or of httpx or httpx2, sync or async. A client with
            another HTTP library is not changed.

    Returns:
        The same client.

    Example:
        ```python
        http_client = join_chunks(DefaultHttpxClient(proxy="http://proxy:3128"))
        client = Anthropic(http_client=http_client)
        ```
    """
    for pool in _pools(client):
        backend = pool._network_backend
        if not is_own_backend(backend):
            kind = _AsyncBackend if iscoroutinefunction(backend.connect_tcp) else _Backend
            pool._network_backend = kind(backend, pool)
    return client


def is_own_backend(backend: object) -> bool:
    """Return whether a network backend of httpcore is one of this module, which joins chunks."""
    return isinstance(backend, _Backend | _AsyncBackend)


def http_clients_of(client: Any) -> list[Any]:
    """Return the HTTP clients of httpx and httpx2 in a client: the client itself, or those among its attributes.

    SDKs have no public API for their HTTP client, and store it under different names.
    """
    found: list[Any] = []
    seen: set[int] = set()
    level = [client]
    for _ in range(_DEPTH):
        following: list[Any] = []
        for one in level:
            if id(one) in seen:
                continue
            seen.add(id(one))
            if any(base.__name__ in _CLIENTS and _library_of(base) in LIBRARIES for base in type(one).__mro__):
                found.append(one)
            elif type(one).__module__ != "builtins" and not isinstance(one, type):
                following += getattr(one, "__dict__", {}).values()
        level = following
    return found


def _library_of(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _pools(client: Any) -> Iterator[Any]:
    """Yield the connection pools of a client whose network backend can be wrapped.

    The constructor of httpcore's pools accepts a backend, but httpx has no parameter for one. So the backend is
    replaced
    later, if the private attributes have the expected form. Otherwise nothing is changed.
    """
    for http in http_clients_of(client):
        for transport in (getattr(http, "_transport", None), *(getattr(http, "_mounts", None) or {}).values()):
            pool = getattr(transport, "_pool", None)
            if _library_of(type(pool)) in LIBRARIES and hasattr(getattr(pool, "_network_backend", None), "connect_tcp"):
                yield pool


def read_body(response: Any) -> Iterator[bytes]:
    """Iterate over a response body. The reads in the middle bypass the HTTP library.

    In the library, a read passes through a dozen frames of httpx, httpcore and h11. For an event that arrives alone,
    this
    is most of its cost.

    Args:
        response: An unread response of httpx or httpx2, or another object with `iter_bytes`.
    """
    reads = iter(response.iter_bytes())
    connection = _connection_of(response)
    return reads if connection is None else _Body(response, reads, connection)


def aread_body(response: Any) -> AsyncIterator[bytes]:
    """Iterate over an async response body. The reads in the middle bypass the HTTP library."""
    reads = aiter(response.aiter_bytes())
    connection = _connection_of(response)
    return reads if connection is None else _AsyncBody(response, reads, connection)


def cuts_reads(response: Any) -> bool:
    """Return whether `cut_read` can interrupt a read of a response."""
    return isinstance(getattr(response, "extensions", {}).get("network_stream"), _Connection)


def cut_read(response: Any) -> bool:
    """Interrupt the read of a sync response that another thread is waiting for.

    Returns:
        Whether the connection can do that without harm to another request; if not, nothing was done.
    """
    connection = getattr(response, "extensions", {}).get("network_stream")
    if not isinstance(connection, _Connection):
        return False
    known = ref(response)  # the connection outlives its responses

    def is_over() -> bool:
        response = known()
        return response is None or response.is_closed

    connection.cut(is_over)
    return True


def _connection_of(response: Any) -> Any:
    """Return the connection to read a body from directly; None if tracing or the HTTP library must see the reads."""
    connection = getattr(response, "extensions", {}).get("network_stream")
    if not isinstance(connection, _Connection | _AsyncConnection) or "content-encoding" in response.headers:
        return None
    # Tracing wraps the response or its body. Private attributes are checked only for reasons not to bypass it.
    body = getattr(response.stream, "_stream", None)
    layers = (response, response.stream, body, getattr(body, "_httpcore_stream", None))
    untouched = all(map(made_by_libraries, layers)) and is_unpatched(response)
    return connection if untouched else None


def is_unpatched(response: object) -> bool:
    """Return whether the methods of a response that read its body are the original ones."""
    return _READING.isdisjoint(vars(response))


def made_by_libraries(layer: object) -> bool:
    """Return whether a response, or a layer of its body, is an object of the HTTP library and not a wrapper."""
    made = type(layer)
    return made.__name__ in _LAYERS and made.__module__.partition(".")[0] in LIBRARIES


def _read_timeout(response: Any) -> float | None:
    timeout: float | None = response.request.extensions.get("timeout", {}).get("read")
    return timeout


class _Body:
    """Iterate over a response body. The HTTP library does the first read (it may have buffered data) and the last one
    (it
    must see the end). The reads in between bypass it.
    """

    def __init__(self, response: Any, reads: Iterator[bytes], connection: _Connection) -> None:
        self._response = response
        self._reads = reads
        self._connection = connection
        self._timeout = _read_timeout(response)
        self._begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        # After a response is closed, its connection may serve another request.
        if self._begun and not self._response.is_closed and (data := self._connection.take(self._timeout)):
            return data
        self._begun = True
        return next(self._reads)


class _AsyncBody:
    """Iterate over an async response body like `_Body`.

    Attributes:
        keeps_unread_data: Whether data that arrived before a connection broke can be read afterwards.
    """

    keeps_unread_data = True

    def __init__(self, response: Any, reads: AsyncIterator[bytes], connection: _AsyncConnection) -> None:
        self._response = response
        self._reads = reads
        self._connection = connection
        self._timeout = _read_timeout(response)
        self._begun = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._begun and not self._response.is_closed and (data := await self._connection.take(self._timeout)):
            return data
        self._begun = True
        return await anext(self._reads)


class _Pushback:
    """The result of a direct read that the HTTP library must handle: the end of the body, or an error.

    Empty bytes are the end of the connection, which not every connection reports twice.
    """

    __slots__ = ("bytes", "error")

    def __init__(self) -> None:
        self.bytes: bytes | None = None
        self.error: BaseException | None = None

    def take(self) -> bytes | None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        left, self.bytes = self.bytes, None
        return left


class _Surplus:
    """The bytes that a server sent after the end of a response.

    httpcore leaves them in the buffer of its parser, and would read them as the response to the next request. A request
    on
    such a connection moves to another one, by httpcore's own exception `ConnectionNotAvailable`.
    """

    __slots__ = ("_connection", "_parser", "_pool")

    def __init__(self, connection: object, pool: Any) -> None:
        self._connection = ref(connection)
        self._pool = pool
        self._parser: Any = None  # h11's parser, which has no reference to the connection, so there is no cycle

    def check(self) -> None:
        """Refuse the connection if it has such bytes, before a request is written.

        Raises:
            httpcore.ConnectionNotAvailable: The connection has surplus bytes.
        """
        parser = self._parser
        if parser is None:
            parser = self._parser = self._find_parser()
        if parser is not None and parser.trailing_data[0]:
            library = sys.modules[type(self._pool).__module__.partition(".")[0]]
            raise library.ConnectionNotAvailable

    def _find_parser(self) -> Any:
        connection = self._connection()
        for candidate in list(getattr(self._pool, "_connections", ())):
            http = getattr(candidate, "_connection", None)
            if getattr(http, "_network_stream", None) is connection:
                return getattr(http, "_h11_state", None)
        return None


class _Backend:
    """A network backend of httpcore (`httpcore.NetworkBackend`) whose connections join chunks."""

    def __init__(self, backend: Any, pool: Any) -> None:
        self._backend = backend
        self._pool = pool

    def connect_tcp(self, *args: Any, **kwargs: Any) -> _Connection:
        return _Connection(self._backend.connect_tcp(*args, **kwargs), self._pool)

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> _Connection:
        return _Connection(self._backend.connect_unix_socket(*args, **kwargs), self._pool)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Connection:
    """A connection (`httpcore.NetworkStream`) that joins chunks."""

    def __init__(self, stream: Any, pool: Any) -> None:
        self._stream = stream
        self._pool = pool
        self._surplus = _Surplus(self, pool)
        self._joiner = ChunkJoiner()
        self._pushback = _Pushback()
        self._lock = threading.Lock()
        self._is_reading = False
        self._pending_cut: Callable[[], bool] | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if (left := self._pushback.take()) is not None:
            return left
        while read := self._receive(max_bytes, timeout):
            # A part of a chunk's size is not usable alone, and empty bytes would mean the end.
            if joined := self._joiner.feed(read):
                return joined
        return b""

    def take(self, timeout: float | None) -> bytes:
        """Return the next data of a chunked body; empty bytes if `read` must handle the next data."""
        try:
            while self._joiner.in_body and self._pushback.bytes is None:
                read = self._receive(_READ_SIZE, timeout)
                data, behind = self._joiner.extract_data(read)
                if behind or not read:
                    self._pushback.bytes = behind
                if data:
                    return data
        except BaseException as error:
            # This includes cancellation, which must pass through the library's frames so that they clean up.
            self._pushback.error = error
        return b""

    def _receive(self, max_bytes: int, timeout: float | None) -> bytes:
        with self._lock:
            if self._pending_cut is not None:
                self._shut_down_unless(self._pending_cut)
            self._is_reading = True
        try:
            received: bytes = self._stream.read(max_bytes, timeout)
            return received
        finally:
            with self._lock:
                self._is_reading = False

    def cut(self, is_over: Callable[[], bool]) -> None:
        """Interrupt the read of a response, in progress or next, unless the response is over.

        The connection of a response that is over may already serve another request. A thread that reads cannot end
        its response while the lock is held, so no response ends between the check and the shutdown.
        """
        with self._lock:
            if self._is_reading:
                self._shut_down_unless(is_over)
            else:
                self._pending_cut = is_over

    def _shut_down_unless(self, is_over: Callable[[], bool]) -> None:
        self._pending_cut = None
        connection = self.get_extra_info("socket")
        if isinstance(connection, socket.socket) and not is_over():
            with suppress(OSError):  # it was closed in the meantime
                connection.shutdown(socket.SHUT_RDWR)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._surplus.check()
        if (request := interruptible()) is not None and not self._is_shared():
            request.uses(self)
        self._joiner.sent(bytes(buffer[:_ENOUGH]))
        self._stream.write(buffer, timeout)

    def _is_shared(self) -> bool:
        """Return whether other requests may use the connection at the same time (HTTP/2)."""
        tls = self.get_extra_info("ssl_object")
        return tls is not None and tls.selected_alpn_protocol() == "h2"

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **kwargs: Any) -> _Connection:
        return _Connection(self._stream.start_tls(*args, **kwargs), self._pool)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncBackend:
    """An async network backend of httpcore (`httpcore.AsyncNetworkBackend`) whose connections join chunks."""

    def __init__(self, backend: Any, pool: Any) -> None:
        self._backend = backend
        self._pool = pool

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> _AsyncConnection:
        return _AsyncConnection(await self._backend.connect_tcp(*args, **kwargs), self._pool)

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> _AsyncConnection:
        return _AsyncConnection(await self._backend.connect_unix_socket(*args, **kwargs), self._pool)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _AsyncConnection:
    """An async connection (`httpcore.AsyncNetworkStream`) that joins chunks."""

    def __init__(self, stream: Any, pool: Any) -> None:
        self._stream = stream
        self._pool = pool
        self._surplus = _Surplus(self, pool)
        self._joiner = ChunkJoiner()
        self._pushback = _Pushback()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if (left := self._pushback.take()) is not None:
            return left
        while read := await self._stream.read(max_bytes, timeout):
            if joined := self._joiner.feed(read):
                return joined
        return b""

    async def take(self, timeout: float | None) -> bytes:
        try:
            while self._joiner.in_body and self._pushback.bytes is None:
                read = await self._stream.read(_READ_SIZE, timeout)
                data, behind = self._joiner.extract_data(read)
                if behind or not read:
                    self._pushback.bytes = behind
                if data:
                    return data
        except BaseException as error:
            self._pushback.error = error
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._surplus.check()
        self._joiner.sent(bytes(buffer[:_ENOUGH]))
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **kwargs: Any) -> _AsyncConnection:
        return _AsyncConnection(await self._stream.start_tls(*args, **kwargs), self._pool)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
