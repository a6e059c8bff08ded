"""Reads a finished stream on to the end of its body, so that the connection goes back to the pool.

Two of three current SDK majors throw the connection away after every stream, because they stop at the
terminator (https://github.com/openai/openai-python/issues/3440). What is left is a few bytes that are there or
about to be; but a server may also hold the body open, so the time is bounded.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

# Long enough for a terminator that is one round trip behind, too short to be noticed after an answer.
SECONDS = 0.1


def drain(response: Any, reads: Iterator[bytes]) -> None:
    """Reads a sync body to its end; a body that does not end is cut off."""
    network = response.extensions.get("network_stream")
    if network is None:
        # Not a network connection that we know how to cut off: do not risk to wait for it.
        return
    connection = network.get_extra_info("socket")
    timer = None
    if not network.get_extra_info("is_readable") and isinstance(connection, socket.socket):
        timer = _watchdog.arm(SECONDS, lambda: connection.shutdown(socket.SHUT_RDWR))
    try:
        for _ in reads:
            pass
    except Exception:
        # The answer is complete: how its connection ends is nobody's trouble any more.
        response.close()
    finally:
        if timer is not None:
            _watchdog.disarm(timer)


async def adrain(reads: AsyncIterator[bytes]) -> None:
    """Reads an async body to its end; a body that does not end is cut off by the close that follows."""
    import anyio

    try:
        with anyio.move_on_after(SECONDS):
            async for _ in reads:
                pass
    except Exception:
        # As above; the stream is closed right after this.
        return


class _Watchdog:
    """One thread that cuts off what takes too long: a blocking read cannot be given up from within."""

    _TICK = 0.02

    def __init__(self) -> None:
        self._armed: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wake = threading.Event()
        self._owner: int | None = None

    def arm(self, seconds: float, action: Callable[[], None]) -> object:
        token = object()
        self._armed[token] = (time.monotonic() + seconds, action)
        if self._owner != os.getpid():  # not started yet, or lost in a fork
            self._owner = os.getpid()
            threading.Thread(target=self._watch, name="ferroscope-drain", daemon=True).start()
        self._wake.set()
        return token

    def disarm(self, token: object) -> None:
        self._armed.pop(token, None)

    def _watch(self) -> None:
        while self._wake.wait():
            self._wake.clear()
            while self._armed:
                now = time.monotonic()
                for token, (deadline, action) in list(self._armed.items()):
                    if deadline <= now and self._armed.pop(token, None) is not None:
                        try:
                            action()
                        except OSError:
                            continue  # closed in the meantime
                time.sleep(self._TICK)


_watchdog = _Watchdog()
