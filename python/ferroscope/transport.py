"""Cheaper reading of streams, below the HTTP library of an SDK's client.

Language-model servers send an HTTP chunk an event, and httpx takes such chunks apart in Python, which costs more than
everything that this library does with the event. `join_chunks` has a client's HTTP library handed what arrived
together as one chunk. Connections, TLS, proxies, timeouts and errors stay the library's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from ._core import ChunkJoiner

__all__ = ["join_chunks"]

_ClientT = TypeVar("_ClientT")

# A request is known by its first word.
_ENOUGH = 16

# What the SDKs, all of one make, call the HTTP clients that they were not given.
_MADE_BY_SDKS = ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper")


def join_chunks(client: _ClientT) -> _ClientT:
    """Has a client read what arrived together as one HTTP chunk, on the connections that it opens from now on.

    Calls do this themselves with the default client, and with every client whose SDK made the HTTP client in it. It is
    for HTTP clients of your own, in which nothing is changed unasked.

    Args:
        client: A client of an SDK (`OpenAI`, `AsyncAnthropic`), or of httpx or httpx2, sync or async. One that reads
            in another way, such as over aiohttp, stays as it is.

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
        if not isinstance(backend, _Backend | _AsyncBackend):
            kind = _AsyncBackend if iscoroutinefunction(backend.connect_tcp) else _Backend
            pool._network_backend = kind(backend)
    return client


def join_unasked(client: object) -> None:
    """Does so with a client that a call was given, if the HTTP client in it is of the SDK's own making."""
    http = getattr(client, "_client", None)
    if type(http).__name__ in _MADE_BY_SDKS:
        pool = getattr(getattr(http, "_transport", None), "_pool", None)
        if not isinstance(getattr(pool, "_network_backend", None), _Backend | _AsyncBackend):
            join_chunks(client)


def _pools(client: Any) -> Iterator[Any]:
    """The connection pools of a client that have a network backend to be wrapped.

    httpcore's pools take a backend when they are made, but httpx makes them and hands none on. So it is put in its
    place afterwards, where the private attributes are as we know them; anywhere else, nothing is changed.
    """
    http = getattr(client, "_client", client)  # every SDK keeps its HTTP client there
    for transport in (getattr(http, "_transport", None), *(getattr(http, "_mounts", None) or {}).values()):
        pool = getattr(transport, "_pool", None)
        known = type(pool).__module__.partition(".")[0] in ("httpcore", "httpcore2")
        if known and hasattr(getattr(pool, "_network_backend", None), "connect_tcp"):
            yield pool


class _Backend:
    """A network backend of httpcore (`httpcore.NetworkBackend`) whose connections join chunks."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(self, *args: Any, **kwargs: Any) -> _Connection:
        return _Connection(self._backend.connect_tcp(*args, **kwargs))

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> _Connection:
        return _Connection(self._backend.connect_unix_socket(*args, **kwargs))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Connection:
    """A connection (`httpcore.NetworkStream`) that joins chunks."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._joiner = ChunkJoiner()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while read := self._stream.read(max_bytes, timeout):
            # Half a chunk's size is nothing to hand on, and no bytes would mean the end.
            if joined := self._joiner.feed(read):
                return joined
        return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._joiner.sent(bytes(buffer[:_ENOUGH]))
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **kwargs: Any) -> _Connection:
        return _Connection(self._stream.start_tls(*args, **kwargs))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncBackend:
    """The same of an async one (`httpcore.AsyncNetworkBackend`)."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> _AsyncConnection:
        return _AsyncConnection(await self._backend.connect_tcp(*args, **kwargs))

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> _AsyncConnection:
        return _AsyncConnection(await self._backend.connect_unix_socket(*args, **kwargs))

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _AsyncConnection:
    """The same of an async one (`httpcore.AsyncNetworkStream`)."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._joiner = ChunkJoiner()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while read := await self._stream.read(max_bytes, timeout):
            if joined := self._joiner.feed(read):
                return joined
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._joiner.sent(bytes(buffer[:_ENOUGH]))
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **kwargs: Any) -> _AsyncConnection:
        return _AsyncConnection(await self._stream.start_tls(*args, **kwargs))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
