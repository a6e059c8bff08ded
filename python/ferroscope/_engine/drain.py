"""Reads a finished stream on to the end of its body, so that the connection goes back to the pool.

Two of three current SDK majors throw the connection away after every stream, because they stop at the
terminator (https://github.com/openai/openai-python/issues/3440). What is left is a few bytes that are there or
about to be; but a server may also hold the body open, so the time is bounded.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from .deadlines import LazyTimer, Limit
from .reads import AsyncReads
from .watchdog import watchdog

# Long enough for a terminator that is one round trip behind, too short to be noticed after an answer.
SECONDS = 0.1


def drain(response: Any, reads: Iterator[bytes]) -> None:
    """Reads a sync body to its end; a body that does not end is cut off."""
    if socket_of(response) is None:
        # Nothing that we know how to cut off: do not risk to wait for it.
        return
    timer = watchdog.arm(SECONDS, partial(cut_off, response))
    try:
        for _ in reads:
            pass
    except Exception:
        # The answer is complete: how its connection ends is nobody's trouble any more.
        response.close()
    finally:
        watchdog.disarm(timer)


def cut_off(response: Any) -> None:
    """Breaks off the read of a sync response that another thread is waiting in."""
    connection = socket_of(response)
    # Closed is said before the connection goes back to its pool. Behind that it may be another call's, and a thread
    # that has ended its read may be long in saying so, where many of them wait for their turn.
    if connection is not None and not getattr(response, "is_closed", False):
        with suppress(OSError):  # closed in the meantime
            connection.shutdown(socket.SHUT_RDWR)


def socket_of(response: Any) -> socket.socket | None:
    """Return the socket of a response, if we know of one that it has to itself."""
    extensions = getattr(response, "extensions", {})
    network = extensions.get("network_stream")
    if network is None or extensions.get("http_version") == b"HTTP/2":
        return None
    found = network.get_extra_info("socket")
    return found if isinstance(found, socket.socket) else None


async def adrain(reads: AsyncReads) -> None:
    """Reads an async body to its end; a body that does not end is cut off by the close that follows."""
    try:
        if reads.iterator is None:
            await _drain_futures(reads)
            return
        import anyio

        with anyio.move_on_after(SECONDS):
            async for _ in reads.iterator:
                pass
    except Exception:
        # As above; the stream is closed right after this.
        return


async def _drain_futures(reads: AsyncReads) -> None:
    end = time.monotonic() + SECONDS
    timer = LazyTimer()
    try:
        while (left := end - time.monotonic()) > 0:
            read = reads.take()
            if not isinstance(read, bytes):
                timer.limit(read, Limit(left, "the body did not end"))
                await read
            elif not read:
                return
    finally:
        timer.cancel()
