"""The end of a finished stream: read the rest of the body, so that the connection returns to the pool.

Two of three current SDK majors discard the connection after every stream, because they stop at the terminator
(https://github.com/openai/openai-python/issues/3440). The rest is a few bytes that have arrived or soon will. A server
may also keep the body open, so the time is bounded.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any
from weakref import ref

from ..transport import cut_read, cuts_reads
from .deadlines import LazyTimer, Limit
from .reads import AsyncReads
from .watchdog import watchdog

# Long enough for a terminator that is one round trip behind, short enough to be unnoticeable after an answer.
SECONDS = 0.1


def drain(response: Any, reads: Iterator[bytes]) -> None:
    """Read a sync body to its end. Cut off a body that does not end."""
    if socket_of(response) is None:
        # This connection cannot be interrupted, so do not risk an endless read.
        return
    timer = watchdog.arm(SECONDS, partial(cut_off, response))
    try:
        for _ in reads:
            pass
    except Exception:
        # The answer is complete, so errors of the connection no longer matter.
        response.close()
    finally:
        watchdog.disarm(timer)


def cut_off(response: Any) -> None:
    """Interrupt the read of a sync response that another thread is waiting for."""
    connection = socket_of(response)
    if connection is None or cut_read(response):
        return
    # `is_closed` becomes true before the connection returns to the pool. After that it may already serve another
    # request, so it must not be shut down. The thread that ended its read may be slow to disarm the timer.
    close = vars(response).get("close")
    with close.lock if isinstance(close, _Close) else nullcontext():
        if not getattr(response, "is_closed", False):
            with suppress(OSError):  # it was closed in the meantime
                connection.shutdown(socket.SHUT_RDWR)


class _Close:
    """The `close` method of a response, which waits for a shutdown in progress.

    So no connection returns to its pool between the check of `cut_off` and the shutdown.
    """

    def __init__(self, response: Any) -> None:
        self.lock = threading.RLock()
        self._response = ref(response)  # no cycle: a response that is dropped is closed at once

    def __call__(self) -> None:
        response = self._response()
        with self.lock:
            if response is not None:
                type(response).close(response)


def guard_close(response: Any) -> None:
    """Let the connection of a sync response be cut off without harm to another request.

    The connections of the library's own clients have a lock for that. Here the lock is around `response.close`, which
    the HTTP library calls at the end of a body too. A `close` that the program replaced is left alone.
    """
    if socket_of(response) is not None and not cuts_reads(response) and "close" not in vars(response):
        response.close = _Close(response)


def socket_of(response: Any) -> socket.socket | None:
    """Return the socket of a response; None if it is unknown or shared with other responses."""
    extensions = getattr(response, "extensions", {})
    network = extensions.get("network_stream")
    if network is None or extensions.get("http_version") == b"HTTP/2":
        return None
    found = network.get_extra_info("socket")
    return found if isinstance(found, socket.socket) else None


async def adrain(reads: AsyncReads) -> None:
    """Read an async body to its end. The caller closes the stream next, which cuts off a body that does not end."""
    try:
        if reads.iterator is None:
            await drain_futures(reads)
            return
        import anyio

        with anyio.move_on_after(SECONDS):
            async for _ in reads.iterator:
                pass
    except Exception:
        # The answer is complete, and the stream is closed right after this.
        return


async def drain_futures(reads: AsyncReads) -> None:
    """Read futures to the end of a body, in bounded time."""
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
