"""The cache of default clients. Creating a client costs more than a call."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit
from weakref import finalize

from .._lazy import load_name
from .._sdk_internals import http_client
from ..transport import adapt_client


@dataclass(frozen=True, eq=False)
class Clients:
    """The recipe for a provider's default clients.

    Attributes:
        environment: The environment variables that the SDK reads. If one changes, a new client is created.
        sync: Creates the client for sync calls.
        asynchronous: Creates the client for async calls.
        http: Returns the sync HTTP client inside a client, which is closed when the client is no longer used.
        close: Closes an async client.
        url: Returns the URL that a client sends requests to; None if it has none.
        key: Returns the API key of a client; None if it has none.
        untraced: Returns a client that sends the same requests without tracing spans of the SDK's own.
    """

    environment: tuple[str, ...]
    sync: Callable[[], object]
    asynchronous: Callable[[], object]
    http: Callable[[Any], Any] = http_client
    close: Callable[[Any], Awaitable[object]] = lambda client: client.close()
    url: Callable[[Any], Any] = lambda client: getattr(client, "base_url", None)
    key: Callable[[Any], Any] = lambda client: getattr(client, "api_key", None)
    untraced: Callable[[Any], Any] = lambda client: client

    @classmethod
    def of_sdk(
        cls,
        sync: str,
        asynchronous: str,
        environment: tuple[str, ...],
        *,
        untraced: Callable[[Any], Any] = lambda client: client,
    ) -> Clients:
        """Return the clients of an SDK that reads its whole configuration from the environment.

        Args:
            sync: The class of sync clients, as `"module:name"`.
            asynchronous: The class of async clients, likewise.
            environment: The variables that the SDK reads.
            untraced: As the attribute.
        """
        return cls(environment, lambda: load_name(sync)(), lambda: load_name(asynchronous)(), untraced=untraced)

    @classmethod
    def of_adapter(cls, module: str, environment: tuple[str, ...]) -> Clients:
        """Return the clients of an adapter, which is imported on first use.

        Args:
            module: The module. It has the functions `sync_client` and `async_client`. It may have `http_of`, `close`,
                `url_of` and `key_of`, if the SDK's clients differ from OpenAI's; see `Clients` for what they return.
            environment: The variables that the SDK reads.
        """

        def later(name: str, *default: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *arguments: getattr(import_module(module), name, *default)(*arguments)

        return cls(
            environment,
            later("sync_client"),
            later("async_client"),
            http=later("http_of", cls.http),
            close=later("close", cls.close),
            url=later("url_of", cls.url),
            key=later("key_of", cls.key),
        )

    @cached_property
    def _names(self) -> tuple[Any, ...]:
        return tuple(map(os.environ.encodekey, (*self.environment, "FERROSCOPE_TRANSPORT")))

    def state(self) -> int:
        """Return a fingerprint of the environment variables. The values are secrets and are not stored again."""
        # `os.environ.get` encodes and decodes each name and value, which took a third of a call's overhead.
        values: dict[Any, Any] | None = getattr(os.environ, "_data", None)
        if values is None:  # a program replaced `os.environ` with a dict
            return hash(tuple(map(os.environ.get, (*self.environment, "FERROSCOPE_TRANSPORT"))))
        return hash(tuple(map(values.get, self._names)))


@dataclass(slots=True)
class _ClientCache:
    """The clients of one event loop, or of all sync calls, each with the fingerprint of its variables."""

    clients: dict[Clients, tuple[int, object]] = field(default_factory=dict)
    # Any: async clients of any SDK, which are closed with their loop, each in its own way.
    owned: list[tuple[Any, Callable[[Any], Awaitable[object]]]] = field(default_factory=list)
    closing: AsyncGenerator[None, None] | None = None


class _ClientCaches:
    """The caches of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sync = _ClientCache()
        # Keyed by loop, or by trio's token of one. Weak keys would not help, because a client refers to its loop.
        self.by_loop: dict[Any, _ClientCache] = {}

    def of(self, loop: Any) -> _ClientCache:
        """Return the cache of a running loop. It is emptied when the loop shuts down."""
        known = self.by_loop.get(loop)
        if known is not None:
            return known
        with self.lock:
            # Only loops that were closed without `shutdown_asyncgens` still have a cache here.
            for other in list(self.by_loop):
                if getattr(other, "is_closed", bool)():
                    self.by_loop.pop(other, None)
            cache = self.by_loop[loop] = _ClientCache()
        cache.closing = _at_loop_shutdown(lambda: self._clear(loop))
        return cache

    async def _clear(self, loop: Any) -> None:
        for client, close in self.by_loop.pop(loop, _ClientCache()).owned:
            await close(client)

    def get(self, cache: _ClientCache, clients: Clients, make: Callable[[], object]) -> object:
        """Return the client in the cache. Create it if it is missing or if the variables have changed."""
        state = clients.state()
        known = cache.clients.get(clients)
        if known is None or known[0] != state:
            with self.lock:
                known = cache.clients.get(clients)
                if known is None or known[0] != state:
                    known = cache.clients[clients] = (state, adapt_client(make()))
                    if cache.closing is not None:
                        cache.owned.append((known[1], clients.close))
                    else:
                        _close_when_unused(known[1], clients.http(known[1]))
        return known[1]


_caches = _ClientCaches()


def default_client(clients: Clients, *, asynchronous: bool) -> object:
    """Return the default client: one per process, or one per event loop for async calls."""
    caches = _caches
    if not asynchronous:
        return caches.get(caches.sync, clients, clients.sync)
    return caches.get(caches.of(_running_loop()), clients, clients.asynchronous)


def host_of(client: Any, clients: Clients) -> str:  # Any: a client of any SDK
    """Return the host that a client of a provider sends requests to; empty if it has no URL."""
    url = clients.url(client)
    if url is None:
        return ""
    host = getattr(url, "host", None)
    return host if isinstance(host, str) else urlsplit(str(url)).hostname or ""


def account_of(client: Any, clients: Clients) -> tuple[str, int]:  # Any: a client of any SDK
    """Return the URL of a client and the hash of its API key; clients without a key that can be read are alike."""
    try:
        key = clients.key(client)
    except (AttributeError, TypeError):
        key = None
    return str(clients.url(client) or ""), hash(key) if isinstance(key, str) else 0


def without_sdk_retries(client: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return what sends a request once: a copy of a client without retries, over the same connections.

    A client that is not an SDK's, such as a mock, stays as it is.
    """
    # A mock has every attribute, but not its class.
    if not hasattr(type(client), "with_options"):
        return client, kwargs
    return client.with_options(max_retries=0), kwargs


def _runs_asyncio() -> bool:
    return asyncio._get_running_loop() is not None


def _running_loop() -> object:
    trio = sys.modules.get("trio")
    if trio is not None and not _runs_asyncio():
        return trio.lowlevel.current_trio_token()
    return asyncio.get_running_loop()


def _at_loop_shutdown(close: Callable[[], Any]) -> AsyncGenerator[None, None]:
    """Register an action for the shutdown of the running loop, which closes every open async generator.

    Return the generator, which the caller must keep alive until then.
    """

    async def wait() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await close()

    generator = wait()
    try:
        # Run to the `yield`. This needs no loop, and the loop's hook has registered the generator before.
        generator.__anext__().send(None)
    except StopIteration:
        pass
    return generator


def _close_when_unused(client: object, http: Any) -> None:  # Any: the HTTP client in a sync client
    """Close a replaced client after its last call. Otherwise the garbage collector would warn of open sockets."""
    # Without an HTTP client to close, leave the client to the garbage collector.
    close = getattr(http, "close", None)
    if close is not None:
        finalize(client, close).atexit = False


_inherited: list[_ClientCaches] = []


def _reset_after_fork() -> None:
    """Give a forked child new caches. It must not use the parent's sockets, or a lock that another thread had
    locked.
    """
    global _caches
    # Keep the old caches alive: closing a client takes locks that may stay locked forever.
    _inherited.append(_caches)
    _caches = _ClientCaches()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
