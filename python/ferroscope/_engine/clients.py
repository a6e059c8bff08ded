"""Default clients: made once and kept, because making one costs more than a call."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary


@dataclass(frozen=True, slots=True)
class Clients:
    """How a provider's default clients are made.

    Attributes:
        environment: The variables that the SDK reads when a client is made; when one changes, so does the client.
        sync: Makes the client of sync calls.
        asynchronous: Makes the client of async calls.
    """

    environment: tuple[str, ...]
    sync: Callable[[], object]
    asynchronous: Callable[[], object]


# The process is part of the key: after a fork the child must not use the parent's sockets.
_Key = tuple[Clients, int, int]

_lock = threading.Lock()
_sync: dict[Clients, tuple[_Key, object]] = {}
_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Clients, tuple[_Key, object]]] = (
    WeakKeyDictionary()
)
_closers: WeakKeyDictionary[asyncio.AbstractEventLoop, list[object]] = WeakKeyDictionary()


def default_client(clients: Clients, *, asynchronous: bool) -> object:
    """The default client: one per process, and per event loop for async calls."""
    # A hash instead of the values: they are keys, and need not lie about once more.
    key = (clients, os.getpid(), hash(tuple(map(os.environ.get, clients.environment))))
    if not asynchronous:
        return _kept(_sync, key, clients.sync)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # Another event loop library, whose loops cannot be told apart from here.
        return clients.asynchronous()
    with _lock:
        kept = _by_loop.setdefault(loop, {})

    def make() -> object:
        client = clients.asynchronous()
        _closers.setdefault(loop, []).append(_close_with_loop(client))
        return client

    return _kept(kept, key, make)


def _kept(kept: dict[Clients, tuple[_Key, object]], key: _Key, make: Callable[[], object]) -> object:
    known = kept.get(key[0])
    if known is None or known[0] != key:
        with _lock:
            known = kept.get(key[0])
            if known is None or known[0] != key:
                known = kept[key[0]] = (key, make())
    return known[1]


def _close_with_loop(client: Any) -> AsyncGenerator[None, None]:  # Any: an async client of any SDK
    """Has the running loop close the client when it shuts down, as it closes every generator left open.

    Gives what must live as long as the client.
    """

    async def wait() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await client.close()

    generator = wait()
    try:
        # Runs to the `yield`, which needs no loop; the loop has taken note of the generator before.
        generator.__anext__().send(None)
    except StopIteration:
        pass
    return generator
