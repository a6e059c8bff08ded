"""The reasons to send a request through the HTTP library's own transport."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, Final, TypeAlias

from .. import _core

# Any: the values in a namespace.
Lookup: TypeAlias = tuple[Callable[[Any], Any], str]
"""The method `get` of a namespace, and a name in it."""

_HAS_ENGINE = hasattr(_core, "HttpEngine")


def reason_against_settings(verify: bool | str | ssl.SSLContext) -> str | None:
    """Return the reason why no request of a transport can be native, or None.

    Args:
        verify: The transport's setting for the verification of certificates.
    """
    if not _HAS_ENGINE:
        return f"it is not available on {sys.platform}"
    if isinstance(verify, ssl.SSLContext):
        return "a custom SSLContext"
    if verify is False:
        return "certificates are not checked (verify=False)"
    return None


def reason_against(library: str, request: Any, loop: asyncio.AbstractEventLoop | None) -> str | None:
    """Return the reason why this request cannot be native, or None.

    Args:
        library: `httpx` or `httpx2`.
        request: The library's request.
        loop: The running event loop of asyncio, if there is one.
    """
    if loop is None:
        return "not running on asyncio"
    if type(loop).add_reader is asyncio.AbstractEventLoop.add_reader or "Proactor" in type(loop).__name__:
        return "the event loop cannot watch descriptors"
    if request.url.scheme not in ("http", "https"):
        return f"the scheme {request.url.scheme!r}"
    # The content of a request is in memory, or is a stream that produces it during the request.
    if not isinstance(request.stream, sys.modules[library].ByteStream):
        return "the body of the request is a stream"
    if request.method == "CONNECT" or "upgrade" in request.headers or "transfer-encoding" in request.headers:
        return "a request that is more than a request and a response"
    if "trace" in request.extensions:
        return "the trace extension"
    return reason_of_patches(library)


def reason_of_patches(library: str) -> str | None:
    """Return the reason if tracing or mocking has replaced the library's own transport, or None."""
    for module, of, names in PATCHED[library]:
        found = sys.modules.get(module)
        if found is None:
            continue
        method = vars(getattr(found, of)).get(names)
        # `functools.wraps` copies names, so check the globals of the code.
        if type(method) is not FunctionType or method.__globals__.get("__name__") != module:
            return f"{of}.{names} was replaced"
    return None


def lookups_of_patches(library: str) -> Iterator[Lookup]:
    """Yield the methods that `reason_of_patches` checks: the method `get` of a class's namespace, and a name."""
    for module, of, name in PATCHED[library]:
        found = sys.modules.get(module)
        if found is None:  # a module that is loaded later may be replaced then
            yield sys.modules.get, module
        else:
            yield vars(getattr(found, of)).get, name


# The methods that tracing and mocking libraries wrap.
PATCHED: Final = {
    library: (
        (f"{library}._transports.default", "AsyncHTTPTransport", "handle_async_request"),
        (f"{core}._async.connection_pool", "AsyncConnectionPool", "handle_async_request"),
        (f"{library}._transports.default", "HTTPTransport", "handle_request"),
        (f"{core}._sync.connection_pool", "ConnectionPool", "handle_request"),
    )
    for library, core in (("httpx", "httpcore"), ("httpx2", "httpcore2"))
}
