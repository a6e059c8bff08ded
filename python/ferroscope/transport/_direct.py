"""Clients whose requests are sent without their SDK, and the transport of sync ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, TypeVar
from weakref import WeakSet

from .._sdk_internals import http_client
from ._adapt import adapt_client, pool_limits
from ._fallback import PATCHED, Lookup, lookups_of_patches, reason_of_patches
from ._first_attempt import first_answer
from ._joined import made_by_sdk
from ._native import Limits, NativeTransport
from ._proxies import Proxy, proxy_of_pool
from ._received_headers import has_foreign_hooks
from ._requests import BlockingPool

_ClientT = TypeVar("_ClientT")

logger = logging.getLogger("ferroscope.transport")

# The HTTP clients of marked clients, which copies of a client share.
_marked: WeakSet[Any] = WeakSet()


def send_directly(client: _ClientT) -> _ClientT:
    """Let calls send the requests of a client without its SDK, where nothing is lost.

    A call then costs a fraction of the CPU time. The SDK still builds the first request of each function, and handles
    everything but a plain success: errors, retries, redirects. A call goes through the SDK if the client has an HTTP
    client of your own, event hooks, middleware, or tracing. A DEBUG line of the logger `ferroscope.transport` names the
    reason.

    `FERROSCOPE_DIRECT=1` does the same for all clients, and `FERROSCOPE_DIRECT=0` switches it off.

    Args:
        client: A client of the SDK of OpenAI, Anthropic or Groq, sync or async. Other clients are not changed.

    Returns:
        The same client.

    Example:
        ```python
        client = send_directly(AsyncOpenAI())
        ```
    """
    http = http_client(client)
    if made_by_sdk(http):
        _marked.add(http)
    return client


def is_marked(http: Any) -> bool:
    """Return whether a client with this HTTP client was passed to `send_directly`."""
    return bool(_marked) and http in _marked


def transport_of(client: Any) -> Any:
    """Return the transport of the requests of a client, which may be that of a proxy from the environment.

    httpx has no public API for it.
    """
    http = http_client(client)
    if getattr(http, "_mounts", None):
        return http._transport_for_url(client.base_url)
    return getattr(http, "_transport", None)


def reason_of_client(client: Any) -> str | None:
    """Return the reason why the HTTP client of a client has to see its requests, or None.

    httpx has no public API for these settings.
    """
    http = http_client(client)
    if not made_by_sdk(http):
        return "the HTTP client is not one that the SDK created"
    if has_foreign_hooks(http) or http.auth is not None:
        return "the HTTP client has event hooks or authentication of its own"
    if http.is_closed:
        return "the HTTP client is closed"
    if not isinstance(transport_of(client), NativeTransport | DirectTransport):
        return "the transport is not native"
    return reason_of_patches(library_name(http))


def lookups_of_http(http: Any) -> Iterator[Lookup]:
    """Yield what `reason_of_client` and `transport_of` go by in an HTTP client, and in its library.

    httpx has no public API for these settings.
    """
    for name in ("_event_hooks", "_auth", "_transport", "_mounts"):
        yield vars(http).get, name
    yield from lookups_of_patches(library_name(http))


def library_name(http: Any) -> str:
    """Return the name of the library of an HTTP client, `httpx` or `httpx2`, for a client that an SDK created."""
    roots = (kind.__module__.partition(".")[0] for kind in type(http).__mro__)
    return next((root for root in roots if root in PATCHED), "httpx")


def make_direct(http: Any) -> None:
    """Give an HTTP client the transports of direct requests, if an SDK created the client."""
    if not made_by_sdk(http):
        return
    adapt_client(http)
    http._transport = _direct_in_place_of(getattr(http, "_transport", None))
    # A client has one transport per proxy, which httpx finds in the environment.
    mounts = getattr(http, "_mounts", None) or {}
    for pattern, mounted in mounts.items():
        mounts[pattern] = _direct_in_place_of(mounted)


def _direct_in_place_of(transport: Any) -> Any:
    if type(transport).__name__ != "HTTPTransport":
        return transport
    pool = getattr(transport, "_pool", None)
    proxy = None if type(pool).__name__ == "ConnectionPool" else proxy_of_pool(pool)
    limits = pool_limits(pool)
    if isinstance(proxy, str) or isinstance(limits, str):
        reason = proxy if isinstance(proxy, str) else limits
        logger.debug("requests of this transport are not sent directly: %s", reason)
        return transport
    return DirectTransport(transport, limits, proxy)


class DirectTransport:
    """The transport of a sync HTTP client, with a pool for requests that are sent directly.

    Attributes:
        pool: That pool, with the limits of the HTTP library's.
        proxy: The proxy for all requests.
    """

    def __init__(self, transport: Any, limits: Limits, proxy: Proxy | None) -> None:
        self._transport = transport
        self.pool = BlockingPool(limits)
        self.proxy = proxy

    def handle_request(self, request: Any) -> Any:
        """Send a request through the HTTP library's transport."""
        answer = first_answer(self)
        return self._transport.handle_request(request) if answer is None else answer(request)

    def close(self) -> None:
        """Close all connections."""
        self.pool.close()
        self._transport.close()

    def __enter__(self) -> DirectTransport:
        self._transport.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.pool.close()
        self._transport.__exit__(*exception)

    def __getattr__(self, name: str) -> Any:
        if name == "_transport":  # not yet set, while the object is copied
            raise AttributeError(name)
        return getattr(self._transport, name)
