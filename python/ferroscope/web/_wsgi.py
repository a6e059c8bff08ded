"""The delivery of one sync answer's events to one client of a WSGI server."""

from __future__ import annotations

import contextvars
import queue
import selectors
import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import suppress
from typing import Any, Final

from ._delivery import DEFAULT_LIMITS, PING, DeliveryLimits
from ._events import AnswerEvents

# The client's socket, where the server shows it: https://werkzeug.palletsprojects.com/en/stable/serving/
_SOCKETS: Final = ("werkzeug.socket", "gunicorn.socket")
# WSGI servers send the headers with the first data. They do not wait longer for a silent provider.
_FIRST_SECONDS: Final = 0.1


def wsgi_events(
    source: AnswerEvents,
    environ: Mapping[str, Any],  # Any: WSGI's values
    limits: DeliveryLimits = DEFAULT_LIMITS,
) -> Generator[bytes, None, None]:
    """Yield the events and heartbeats of a sync answer. A thread reads the events.

    Servers that show the client's socket notice at once that the client has left. With others, the next write fails.

    Raises:
        TypeError: The answer is async.
    """
    if source.is_async:
        raise TypeError("a WSGI server cannot run an async answer: use a sync function, or an ASGI server")
    client = next((found for name in _SOCKETS if isinstance(found := environ.get(name), socket.socket)), None)
    return _events(source, client, limits)


def _events(source: AnswerEvents, client: socket.socket | None, limits: DeliveryLimits) -> Generator[bytes, None, None]:
    reading = _Reading(source, limits.send)
    timeout = min(_FIRST_SECONDS, limits.heartbeat)
    try:
        while True:
            wake = reading.wait(client, timeout)
            timeout = limits.heartbeat
            if wake is None:
                yield PING
            elif not wake:
                return
            elif (data := reading.take()) is not None:
                yield data
            else:
                break
    finally:
        reading.close()


class _Reading:
    """A thread that reads the events, one item ahead."""

    def __init__(self, source: AnswerEvents, limit: float) -> None:
        self._source = source
        self._limit = limit
        self._items: queue.Queue[bytes | None] = queue.Queue(1)
        self._ready, self._signal = socket.socketpair()
        # `select.select` fails in a process with more than 1024 open files.
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ready, selectors.EVENT_READ)
        self._is_closed = False
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._read,), name="ferroscope-events", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for data in self._source.iterate():
                if data:
                    self._put(data)
                if self._is_closed:
                    break
        except queue.Full:  # the client does not read
            self._source.stop()
        finally:
            with suppress(queue.Full):
                self._put(None)

    def _put(self, data: bytes | None) -> None:
        self._items.put(data, timeout=self._limit)
        with suppress(OSError):  # closed in the meantime
            self._signal.send(b"x")

    def wait(self, client: socket.socket | None, timeout: float) -> bool | None:
        """Wait for an item. Return whether there is one, False if the client has left, None after the timeout."""
        if client is not None and client not in self._selector.get_map():
            self._selector.register(client, selectors.EVENT_READ)
        while True:
            readable = [key.fileobj for key, _ in self._selector.select(timeout)]
            if self._ready in readable:
                self._ready.recv(1)
                return True
            if not readable:
                return None
            if client is None or not _is_open(client):
                return False
            self._selector.unregister(client)  # it sends the next request already, and stays readable
            client = None

    def take(self) -> bytes | None:
        return self._items.get()

    def close(self) -> None:
        self._is_closed = True
        self._source.stop()
        with suppress(queue.Empty):
            self._items.get_nowait()
        self._thread.join(1.0)
        self._selector.close()
        self._ready.close()
        self._signal.close()


def _is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
