"""The engines of the native transport, one per event loop, and the pools in them."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

try:
    from .._core import HttpEngine, TlsSettings, http_forked
except ImportError:  # there is no engine on this platform, so `_fallback` sends every request through the HTTP library
    if TYPE_CHECKING:
        raise
else:
    os.register_at_fork(after_in_child=lambda: _reset_after_fork())

if TYPE_CHECKING:
    from ._native import Limits

# Reentrant: the garbage collector may close a pool of a closed loop while a pool is opened.
_lock = threading.RLock()
_engines: dict[asyncio.AbstractEventLoop, _LoopEngine] = {}
_tls: dict[tuple[str | None, ...], TlsSettings] = {}


class _LoopEngine:
    """The engine of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.engine = HttpEngine(loop)
        self.loop = loop
        self.pools = 0
        loop.add_reader(self.engine.fileno(), self.engine.poll)

    def stop(self) -> None:
        """Stop watching the engine after its last pool was closed."""
        self.engine.stop()
        if not self.loop.is_closed():
            self.loop.remove_reader(self.engine.fileno())


class Pool:
    """The connections of one transport on one event loop.

    Attributes:
        engine: The event loop's engine.
        key: The pool's key in the engine.
        tls: The TLS settings, or None if they could not be loaded.
        no_tls: The reason why they could not be loaded.
        is_closed: Whether the pool was closed, by the transport or by a fork.
    """

    def __init__(
        self, loop_engine: _LoopEngine, limits: Limits, cafile: str | None, cert: str | tuple[str, str] | None
    ) -> None:
        self._loop_engine = loop_engine
        self._process = os.getpid()
        self._is_closed = False
        self.tls: TlsSettings | None = None
        self.no_tls = ""
        try:
            self.tls = tls_settings(cafile, cert)
        except OSError as error:
            self.no_tls = f"no TLS settings: {error}"
        self.engine = loop_engine.engine
        self.key = self.engine.add_pool(
            limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry, self.tls
        )

    @property
    def is_closed(self) -> bool:
        return self._is_closed or self._process != os.getpid()

    def counts(self) -> tuple[int, int, int]:
        """Return the number of open connections, of idle ones among them, and of requests that wait for one."""
        return self.engine.counts(self.key)

    def close(self) -> None:
        """Close all connections."""
        if self.is_closed:
            return
        self._is_closed = True
        self.engine.close_pool(self.key)
        with _lock:
            self._loop_engine.pools -= 1
            if self._loop_engine.pools == 0:
                _engines.pop(self._loop_engine.loop, None)
                self._loop_engine.stop()


def open_pool(
    loop: asyncio.AbstractEventLoop, limits: Limits, cafile: str | None, cert: str | tuple[str, str] | None
) -> Pool:
    """Return a new pool on the engine of a running loop."""
    with _lock:
        # Engines of closed loops are still here, with open sockets.
        for other in list(_engines):
            if other.is_closed():
                _engines.pop(other, None)
        loop_engine = _engines.get(loop)
        if loop_engine is None:
            loop_engine = _engines[loop] = _LoopEngine(loop)
        loop_engine.pools += 1
    return Pool(loop_engine, limits, cafile, cert)


def tls_settings(cafile: str | None, cert: str | tuple[str, str] | None) -> TlsSettings:
    """Return the TLS settings for these files, loaded once per process and trust store."""
    chain, key = (cert, None) if isinstance(cert, str) or cert is None else cert
    where = (cafile, chain, key, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    settings = _tls.get(where)
    if settings is None:
        try:
            settings = TlsSettings(cafile, chain, key)
        except OSError:
            if cafile is not None or any(where[3:]):
                raise
            # A container may lack the system's certificates. Use those of the HTTP library.
            try:
                from certifi import where as certifi_where
            except ImportError:
                raise OSError("found no CA certificates: install certifi, or set SSL_CERT_FILE") from None
            settings = TlsSettings(certifi_where(), chain, key)
        _tls[where] = settings
    return settings


def _reset_after_fork() -> None:
    """Give a forked child engines of its own, because sockets and descriptors belong to the parent."""
    global _lock
    http_forked()
    _lock = threading.RLock()
    _engines.clear()
