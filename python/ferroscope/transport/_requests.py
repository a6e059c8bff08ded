"""A request in the form that an engine accepts, and its exchanges: async, or blocking for sync calls."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ._engines import Pool, tls_settings
from ._interrupting import interruptible

try:
    from .._core import HttpEngine
except ImportError:  # there is no engine on this platform
    if TYPE_CHECKING:
        raise

if TYPE_CHECKING:
    from .._core import HttpExchange, TlsSettings
    from ._native import Limits
    from ._proxies import Proxy

Headers: TypeAlias = list[tuple[bytes, bytes]]
Head: TypeAlias = tuple[int, bytes, bytes, Headers]
"""The status, the reason, the version and the headers of a response."""
MakeError: TypeAlias = Callable[[str, str], Exception]
"""A function that returns the exception for the name of a class of the HTTP library, and a message."""


@dataclass(frozen=True, slots=True, repr=False)  # the headers have keys
class RequestHead:
    """A request without its body.

    Attributes:
        origin: The server, as `HttpEngine.start` accepts it.
        peer: The host and the port to connect to: the proxy's, if there is one.
        method: The method.
        target: The path and the query.
        headers: The names and values of the headers.
        timeouts: The timeouts in seconds to connect, to read, to write, and to wait for a connection of the pool.
    """

    origin: tuple[bool, str, int, str | None, tuple[str, int, Headers] | None]
    peer: tuple[str, int]
    method: bytes
    target: bytes
    headers: Headers
    timeouts: list[float | None]

    @classmethod
    def of(cls, request: Any, proxy: Proxy | None = None) -> RequestHead:
        """Return the head of a request of httpx or httpx2."""
        url, extensions = request.url, request.extensions
        timeout = extensions.get("timeout") or {}
        tls = url.scheme == "https"
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if tls else 80)
        target, headers, tunnel = extensions.get("target") or url.raw_path, request.headers.raw, None
        peer = (host, port)
        if proxy is not None:
            peer = (proxy.host, proxy.port)
            if tls:
                tunnel = (*peer, list(proxy.headers))
            else:
                host, port = peer
                target, headers = proxy.forwarded(url, headers)
        return cls(
            origin=(tls, host, port, extensions.get("sni_hostname"), tunnel),
            peer=peer,
            method=request.method.encode("ascii"),
            target=target,
            headers=headers,
            timeouts=[timeout.get(name) for name in ("connect", "read", "write", "pool")],
        )

    def start(self, engine: HttpEngine, pool: int, body: bytes, make_error: MakeError) -> HttpExchange:
        """Start the request."""
        return engine.start(pool, self.origin, self.method, self.target, self.headers, body, self.timeouts, make_error)


class AsyncExchange:
    """A request on an event loop, and its response."""

    __slots__ = ("_make_error", "_request", "exchange")

    def __init__(self, pool: Pool, request: RequestHead, body: bytes, make_error: MakeError) -> None:
        self.exchange = request.start(pool.engine, pool.key, body, make_error)
        self._request = request
        self._make_error = make_error

    async def head(self) -> Head:
        """Return the head of the response."""
        exchange = self.exchange
        try:
            while not isinstance(head := exchange.head(), tuple):
                if head:
                    await head
                else:
                    await self._resolve()
        except BaseException:
            exchange.close()
            raise
        return head

    async def whole(self, accepts: Callable[[Head], bool]) -> tuple[Head, bytes | None]:
        """Return the head and the whole body of the response; None as the body, which is unread, if it is not accepted.

        Args:
            accepts: Returns whether to read the body of a response with this head.
        """
        head = await self.head()
        if not accepts(head):
            return head, None
        take, parts = self.exchange.take, []
        try:
            while data := take():
                if isinstance(data, bytes):
                    parts.append(data)
                else:
                    await data
        finally:
            self.exchange.close()
        return head, parts[0] if len(parts) == 1 else b"".join(parts)

    async def _resolve(self) -> None:
        """Resolve the addresses of the host in the event loop's executor, and connect to one of them."""
        (host, port), timeout = self._request.peer, self._request.timeouts[0]
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise self._make_error("ConnectTimeout", f"{host} did not resolve within {timeout} s") from error
        except OSError as error:
            raise self._make_error("ConnectError", f"cannot resolve {host}: {error}") from error
        self.exchange.connect([address for *_, address in found])


class BlockingExchange:
    """A request of a sync call, and its response. The calling thread runs the engine."""

    __slots__ = ("_engine", "_make_error", "_pool", "_request", "exchange")

    def __init__(
        self, pool: BlockingPool, engine: _BlockingEngine, request: RequestHead, body: bytes, make_error: MakeError
    ) -> None:
        self._engine: _BlockingEngine | None = None
        self.exchange = request.start(engine.engine, engine.pool, body, make_error)
        self._pool = pool
        self._engine = engine
        self._request = request
        self._make_error = make_error

    def __del__(self) -> None:
        # A response that was neither read nor closed would use its connection forever.
        if self._engine is not None:
            self.close()

    def head(self) -> Head:
        """Return the head of the response."""
        engine = self._engine
        assert engine is not None
        try:
            if (current := interruptible()) is not None:
                current.uses(self)
            while not isinstance(head := self.exchange.head(), tuple):
                if head is None:
                    self._resolve()
                else:
                    engine.wait()
        except BaseException:
            self.close()
            raise
        return head

    def whole(self, accepts: Callable[[Head], bool]) -> tuple[Head, bytes | None]:
        """Return the head and the whole body of the response; None as the body, which is unread, if it is not accepted.

        Args:
            accepts: Returns whether to read the body of a response with this head.
        """
        head = self.head()
        if not accepts(head):
            return head, None
        parts = list(self)
        return head, parts[0] if len(parts) == 1 else b"".join(parts)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the body. Each item is all data that has arrived."""
        engine, take = self._engine, self.exchange.take
        try:
            while engine is not None:
                data = take()
                if data:
                    assert isinstance(data, bytes)
                    yield data
                elif data is False:
                    engine.wait()
                else:
                    return
        finally:
            self.close()

    @property
    def has_ended(self) -> bool:
        """Whether the end of the body has arrived. Data before the end is skipped."""
        while data := self.exchange.take():
            assert isinstance(data, bytes)
        return data is not False

    def cut(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """End the response, and the wait of the thread that reads it, unless the request is over."""
        if not is_over():
            self.exchange.close()

    def close(self) -> None:
        """End the response. A connection in the middle of a response is closed, others are reused."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self.exchange.close()
            self._pool.release(engine)

    def _resolve(self) -> None:
        host, port = self._request.peer
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise self._make_error("ConnectError", f"cannot resolve {host}: {error}") from error
        self.exchange.connect([address for *_, address in found])


class _BlockingEngine:
    """An engine that one thread at a time uses, for one request at a time."""

    __slots__ = ("_poller", "engine", "pool")

    def __init__(self, keepalive_expiry: float | None, tls: TlsSettings | None) -> None:
        self.engine = HttpEngine(None)
        self.pool = self.engine.add_pool(1, 1, keepalive_expiry, tls)
        self._poller = select.poll()
        self._poller.register(self.engine.fileno(), select.POLLIN)

    def wait(self) -> None:
        """Wait until something has arrived or a timeout has passed, and handle it."""
        engine = self.engine
        left = engine.seconds_left()
        if not self._poller.poll(None if left is None else left * 1000 + 1):
            engine.expire()
        engine.poll()

    def close(self) -> None:
        """Close the connection now. A response may refer to the engine for longer."""
        self.engine.close_pool(self.pool)


class BlockingPool:
    """The connections of sync calls. Each request has an engine of its own, so threads do not wait for each other.

    Args:
        limits: The limits of the number of connections, and the time after which an idle one is closed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tls: TlsSettings | None = None
        self._is_closed = False
        self._reset()

    def _reset(self) -> None:
        # Its lock is reentrant: the garbage collector may close a response in a thread that has it.
        self._released = threading.Condition()
        self._free: list[_BlockingEngine] = []
        self._in_use = 0
        self._process = os.getpid()

    def start(self, request: RequestHead, body: bytes, make_error: MakeError) -> BlockingExchange:
        """Start a request, after waiting for a connection if the limit is reached.

        Raises:
            OSError: The request needs TLS, and the trusted certificates could not be loaded.
            httpx.PoolTimeout: No connection became free within the timeout of the request.
        """
        if self._process != os.getpid():  # the sockets belong to the parent of this forked process
            self._reset()
        if request.origin[0] and self._tls is None:
            self._tls = tls_settings(None, None)
            with self._released:
                self._free.clear()  # these have no TLS settings
        engine = self._acquire(request.timeouts[3], make_error)
        try:
            if engine is None:
                engine = _BlockingEngine(self._limits.keepalive_expiry, self._tls)
            else:
                engine.engine.expire()
            return BlockingExchange(self, engine, request, body, make_error)
        except BaseException:
            self.release(None)
            raise

    def _acquire(self, timeout: float | None, make_error: MakeError) -> _BlockingEngine | None:
        """Count a connection as used. Return an engine that was used before, if there is one."""
        with self._released:
            if not self._released.wait_for(self._has_room, timeout):
                raise make_error("PoolTimeout", f"no connection became free within {timeout} s")
            self._in_use += 1
            return self._free.pop() if self._free else None

    def _has_room(self) -> bool:
        most = self._limits.max_connections
        return most is None or self._in_use < most

    def release(self, engine: _BlockingEngine | None) -> None:
        """Let another request use a connection, and keep the engine of an intact one."""
        if self._process != os.getpid():  # the response is one of the parent process
            return
        most = self._limits.max_keepalive_connections
        with self._released:
            self._in_use -= 1
            if engine is not None and not self._is_closed and (most is None or len(self._free) < most):
                self._free.append(engine)
                engine = None
            self._released.notify()
        if engine is not None:
            engine.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._released:
            self._is_closed = True
            idle, self._free = self._free, []
        for engine in idle:
            engine.close()
