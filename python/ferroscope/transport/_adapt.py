"""The transport of clients with an HTTP client from the SDK."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any, TypeVar

from .._sdk_internals import http_client
from ._fallback import reason_against_settings, reason_of_patches
from ._joined import LIBRARIES, http_clients_of, is_own_backend, join_chunks, made_by_sdk
from ._native import Limits, NativeTransport
from ._proxies import proxy_of_pool

_ClientT = TypeVar("_ClientT")

_ASYNC_TRANSPORT = "AsyncHTTPTransport"

logger = logging.getLogger("ferroscope.transport")


def prefers_native() -> bool:
    """Return whether async clients use the native transport: whether `FERROSCOPE_TRANSPORT` is not `httpx`."""
    return os.environ.get("FERROSCOPE_TRANSPORT") != "httpx"


def adapt_client(client: _ClientT) -> _ClientT:
    """Make a client read streams faster: by the native transport if it is async and that is possible, else by joining
    chunks.

    Args:
        client: A client of an SDK, with the SDK's own HTTP client.

    Returns:
        The same client.
    """
    if os.environ.get("FERROSCOPE_JOIN_CHUNKS") != "0":
        join_chunks(client)
    if prefers_native():
        for http in http_clients_of(client):
            _make_native(http)
    return client


def _make_native(http: Any) -> None:  # Any: an HTTP client of either library
    transport = getattr(http, "_transport", None)
    if (native := _native_in_place_of(transport)) is None:
        return
    http._transport = native
    # Transports by URL pattern: a client has one per proxy, which httpx finds in the environment.
    mounts = getattr(http, "_mounts", None) or {}
    for pattern, mounted in mounts.items():
        if (native := _native_in_place_of(mounted)) is not None:
            mounts[pattern] = native


def adapt_client_if_sdk_made(client: object) -> None:
    """Adapt the client of a call if the SDK created its HTTP client."""
    http = http_client(client)
    if made_by_sdk(http):
        transport = getattr(http, "_transport", None)
        if type(transport) is NativeTransport:
            return
        pool = getattr(transport, "_pool", None)
        # A sync client is done once it joins chunks; this is checked for each call.
        may_be_native = type(transport).__name__ == _ASYNC_TRANSPORT and prefers_native()
        if not is_own_backend(getattr(pool, "_network_backend", None)) or may_be_native:
            adapt_client(client)


def _library_of(transport: object) -> str:
    return type(transport).__module__.partition(".")[0]


def _reason_against(transport: Any) -> str | None:
    """Return the reason why an HTTP library's transport cannot be replaced, or None.

    httpx has no public API for these settings. If one has an unexpected form, the transport stays.
    """
    if asyncio._get_running_loop() is None:
        return "not running on asyncio"
    if (reason := reason_against_settings(True) or reason_of_patches(_library_of(transport))) is not None:
        return reason
    pool = getattr(transport, "_pool", None)
    if type(pool).__name__ != "AsyncConnectionPool" and isinstance(found := proxy_of_pool(pool), str):
        return found
    known = {"_http1": True, "_http2": False, "_uds": None, "_local_address": None, "_retries": 0, "_proxy": None}
    for name, value in known.items():
        if getattr(pool, name, value) != value:
            return f"the setting {name.strip('_')!r} of its connection pool"
    return limits if isinstance(limits := pool_limits(pool), str) else None


_LIMITS = {
    "max_connections": "_max_connections",
    "max_keepalive_connections": "_max_keepalive_connections",
    "keepalive_expiry": "_keepalive_expiry",
}


def pool_limits(pool: Any) -> Limits | str:
    """Return the limits of an HTTP library's pool, or the reason why they cannot be read."""
    missing = [name for name in _LIMITS.values() if not hasattr(pool, name)]
    return f"an unknown version of it ({', '.join(missing)})" if missing else _PoolLimits(pool)


class _PoolLimits:
    """The limits of an HTTP library's pool."""

    max_connections: int | None
    max_keepalive_connections: int | None
    keepalive_expiry: float | None

    def __init__(self, pool: Any) -> None:
        for name, private in _LIMITS.items():
            value = getattr(pool, private)
            setattr(self, name, None if value == sys.maxsize else value)


def _native_in_place_of(transport: Any) -> NativeTransport | None:
    if type(transport).__name__ != _ASYNC_TRANSPORT or _library_of(transport) not in LIBRARIES:
        return None
    reason = _reason_against(transport)
    if reason is not None:
        logger.debug("%s stays the transport: %s", _library_of(transport), reason)
        return None
    pool = transport._pool
    proxy = None if type(pool).__name__ == "AsyncConnectionPool" else proxy_of_pool(pool)
    assert not isinstance(proxy, str), "which is a reason against it"
    return NativeTransport(limits=_PoolLimits(pool), proxy=proxy, fallback=transport)
