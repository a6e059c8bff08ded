"""An HTTP/1.1 transport for async clients of httpx and httpx2, on an engine written in Rust.

One engine serves all connections of an event loop, without a thread. The loop watches one descriptor, and one callback
reads, decrypts and decodes what has arrived on every connection.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import lru_cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self, cast
from weakref import finalize

from ._engines import Pool, open_pool
from ._fallback import reason_against, reason_against_settings
from ._first_attempt import first_answer
from ._joined import is_unpatched, made_by_libraries
from ._proxies import Proxy, parse_proxy
from ._requests import AsyncExchange, BlockingExchange, Head, MakeError, RequestHead

if TYPE_CHECKING:
    from .._core import HttpExchange

    # Any: the base is `AsyncBaseTransport` of httpx or httpx2, and mypy accepts the class for both.
    _Base = Any
else:
    _Base = object

logger = logging.getLogger("ferroscope.transport")


class Limits(Protocol):
    """The limits of a connection pool: `httpx.Limits` or `httpx2.Limits`."""

    max_connections: int | None
    max_keepalive_connections: int | None
    keepalive_expiry: float | None


class DefaultLimits:
    """The default limits of httpx."""

    max_connections: int | None = 100
    max_keepalive_connections: int | None = 20
    keepalive_expiry: float | None = 5.0


class NativeTransport(_Base):  # type: ignore[misc]  # a class with a dynamic base, as above
    """A transport for `httpx.AsyncClient` and `httpx2.AsyncClient`, many times cheaper per streamed event.

    Hooks, authentication, redirects, cookies and the retries of an SDK run above it, as with any transport. Requests
    that
    it does not support go through the HTTP library's own transport. A DEBUG line of the logger `ferroscope.transport`
    names the reason.

    Args:
        verify: True verifies certificates against the platform's trust store (or `SSL_CERT_FILE` and `SSL_CERT_DIR`). A
            path is a PEM file of authorities. With False or an `ssl.SSLContext` the HTTP library's transport is used.
        cert: The client's certificate: the path of a PEM file with its key, or the paths of the certificate and the
            key.
        limits: The limits of the connection pool; by default those of httpx.
        proxy: The URL of an HTTP proxy for all requests, such as `http://user:password@proxy:3128`.
        fallback: The transport for unsupported requests; by default that of the HTTP library.

    Example:
        ```python
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        client = AsyncOpenAI(http_client=DefaultAsyncHttpxClient(transport=NativeTransport()))
        ```
    """

    def __init__(
        self,
        *,
        verify: bool | str | ssl.SSLContext = True,
        cert: str | tuple[str, str] | None = None,
        limits: Limits | None = None,
        proxy: str | Proxy | None = None,
        fallback: Any = None,  # Any: an async transport of either library
    ) -> None:
        self._verify = verify
        self._cert = cert
        self._limits: Limits = limits or DefaultLimits()
        self._proxy = parse_proxy(proxy) if isinstance(proxy, str) else proxy
        self._proxy_url = proxy if isinstance(proxy, str) else None
        self._fallback = fallback
        self._against = reason_against_settings(verify)
        self._logged: set[str] = set()
        # Keyed by event loop, because a client may be used on several loops, one after the other.
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        finalize(self, _abandon, self._pools).atexit = False

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request and return its response, with the body unread.

        Args:
            request: An `httpx.Request` or `httpx2.Request`.

        Raises:
            httpx.TransportError: The same exceptions as from the HTTP library's own transport.
        """
        if (answer := first_answer(self)) is not None:
            return answer(request)
        loop = asyncio._get_running_loop()
        library = library_of(type(request).__module__.partition(".")[0])
        reason = self._against or reason_against(library.name, request, loop)
        if reason is None:
            assert loop is not None
            pool = self._pools.get(loop)
            if pool is None or pool.is_closed:
                pool = self._open(loop)
            if request.url.scheme == "http" or pool.tls is not None:
                return await self._send(library, pool, request)
            reason = pool.no_tls
        return await self._send_by_library(library, request, reason)

    def _open(self, loop: asyncio.AbstractEventLoop) -> Pool:
        cafile = self._verify if isinstance(self._verify, str) else None
        pool = self._pools[loop] = open_pool(loop, self._limits, cafile, self._cert)
        return pool

    async def _send(self, library: Library, pool: Pool, request: Any) -> Any:
        make_error = partial(library.make_error, request)
        exchange = AsyncExchange(pool, RequestHead.of(request, self._proxy), request.content, make_error)
        return library.response_of(await exchange.head(), library.body(exchange.exchange, self), exchange.exchange)

    @property
    def proxy(self) -> Proxy | None:
        """The proxy for all requests."""
        return self._proxy

    def start(self, request: RequestHead, body: bytes, make_error: MakeError) -> AsyncExchange:
        """Start a request on the running event loop.

        Raises:
            OSError: The request needs TLS, and the trusted certificates could not be loaded.
        """
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or pool.is_closed:
            pool = self._open(loop)
        if request.origin[0] and pool.tls is None:
            raise OSError(pool.no_tls)
        return AsyncExchange(pool, request, body, make_error)

    async def _send_by_library(self, library: Library, request: Any, reason: str) -> Any:
        if reason not in self._logged:
            self._logged.add(reason)
            logger.debug("%s sends the request instead of the native transport: %s", library.name, reason)
        if self._fallback is None:
            self._fallback = library.module.AsyncHTTPTransport(
                verify=self._verify, cert=self._cert, limits=library.limits(self._limits), proxy=self._proxy_url
            )
        return await self._fallback.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections. Responses that are still being read fail."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()
        if self._fallback is not None:
            await self._fallback.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        counts = [pool.counts() for pool in self._pools.values() if not pool.is_closed]
        connections, idle, queued = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
        return f"<NativeTransport: {connections} connections ({idle} idle), {queued} requests waiting>"


class NetworkStream:
    """The `network_stream` extension of a response. It describes the connection, but cannot read or write."""

    def __init__(self, exchange: HttpExchange) -> None:
        self._exchange = exchange

    def get_extra_info(self, info: str) -> Any:
        """Return `client_addr`, `server_addr`, `tls_version` or `tls_cipher`; None for anything else."""
        if info in ("client_addr", "server_addr"):
            found = self._exchange.addresses()
            return found and (found[:2] if info == "client_addr" else found[2:])
        if info in ("tls_version", "tls_cipher"):
            names = self._exchange.tls_names()
            return names and names[info == "tls_cipher"]
        return None


class NativeBody:
    """The body of a response, as a mixin for the HTTP library's `AsyncByteStream`.

    Attributes:
        take: Returns the data that has arrived, empty bytes at the end, or a future to await before the next call.
        hold: Holds back data for at most a number of seconds, so that one wake-up of the event loop serves several
            responses.
        close: Closes the response. Also closes the connection if the body was not read to its end.
    """

    def __init__(self, exchange: HttpExchange, transport: object) -> None:
        self.take = cast("Callable[[], bytes | asyncio.Future[None]]", exchange.take)
        self.hold = exchange.hold
        self.close = exchange.close
        self._transport = transport  # keep it alive while its connections are used

    async def __aiter__(self) -> AsyncIterator[bytes]:
        take = self.take
        while True:
            data = take()
            if not isinstance(data, bytes):
                await data
            elif data:
                yield data
            else:
                return

    async def aclose(self) -> None:
        self.close()


class BlockingBody:
    """The body of a response to a sync request, as a mixin for the HTTP library's `SyncByteStream`."""

    def __init__(self, exchange: BlockingExchange, transport: object) -> None:
        self._exchange = exchange
        self._transport = transport  # keep it alive while its connections are used

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._exchange)

    def close(self) -> None:
        self._exchange.close()


def native_body(response: Any) -> NativeBody | None:
    """Return the native body of a response; None if there is none, or if a wrapper must see the reads.

    Args:
        response: An unread response of httpx or httpx2, or of another library.
    """
    stream = getattr(response, "stream", None)
    body = getattr(stream, "_stream", None)  # a private attribute: another type means that something wraps it
    if not isinstance(body, NativeBody) or "content-encoding" in response.headers:
        return None
    return body if all(map(made_by_libraries, (response, stream))) and is_unpatched(response) else None


class Library:
    """The classes of httpx or httpx2 that a client expects, and its logger."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.logger = logging.getLogger(name)
        self.module = import_module(name)
        self.response: Callable[..., Any] = self.module.Response
        self.body: Callable[..., Any] = type("NativeBody", (NativeBody, self.module.AsyncByteStream), {})
        self.blocking_body: Callable[..., Any] = type("BlockingBody", (BlockingBody, self.module.SyncByteStream), {})

    def make_error(self, request: Any, kind: str, message: str) -> Exception:
        error: Exception = getattr(self.module, kind)(message, request=request)
        return error

    def response_of(self, head: Head, body: Any, exchange: HttpExchange | None = None) -> Any:
        """Return the library's response for a head and a body: bytes, or one of its byte streams."""
        status, reason, version, headers = head
        extensions: dict[str, Any] = {"http_version": version, "reason_phrase": reason}
        if exchange is not None:
            extensions["network_stream"] = NetworkStream(exchange)
        content = {"content" if isinstance(body, bytes) else "stream": body}
        return self.response(status, headers=headers, extensions=extensions, **content)

    def limits(self, limits: Limits) -> Any:
        return self.module.Limits(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
        )


_library = lru_cache(Library)


def library_of(name: str) -> Library:
    """Return the classes of a library, `httpx` or `httpx2`."""
    return _library(name)


def _abandon(pools: dict[asyncio.AbstractEventLoop, Pool]) -> None:
    """Close the pools of a transport that was not closed. The garbage collector may call this in any thread."""
    if sys.is_finalizing():
        return
    for loop, pool in pools.items():
        try:
            loop.call_soon_threadsafe(pool.close)
        except RuntimeError:  # the loop is closed
            pool.close()
