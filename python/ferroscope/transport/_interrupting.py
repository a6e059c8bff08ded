"""Requests of sync clients that another thread can end, even before the response begins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Protocol, TypeVar

_T = TypeVar("_T")


class _Cuttable(Protocol):
    """A connection whose read can be interrupted."""

    def cut(self, is_over: Callable[[], bool]) -> None: ...


class Interruptible:
    """One request of a sync client, sent by one thread and ended by another.

    Only connections that join chunks can be interrupted: those of clients whose SDK created the HTTP client. Of
    others, `run` returns when the response has arrived.
    """

    __slots__ = ("_connection", "_is_cut", "_is_over", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: _Cuttable | None = None
        self._is_cut = False
        self._is_over = False

    def run(self, send: Callable[[], _T]) -> _T:
        """Return the result of `send`, which sends the request in this thread."""
        token = _current.set(self)
        try:
            return send()
        finally:
            self._is_over = True  # from here on, the connection may serve another request
            _current.reset(token)

    def cut(self) -> None:
        """End the request, if it has not ended."""
        with self._lock:
            self._is_cut = True
            connection = self._connection
        if connection is not None and not self._is_over:
            connection.cut(self._has_ended)

    def uses(self, connection: _Cuttable) -> None:
        """Record the connection that sends the request.

        Raises:
            ConnectionAbortedError: The request was ended before it was sent.
        """
        with self._lock:
            if self._is_cut:
                raise ConnectionAbortedError("the request was ended before it was sent")
            self._connection = connection

    def _has_ended(self) -> bool:
        return self._is_over


_current: Final[ContextVar[Interruptible | None]] = ContextVar("ferroscope.transport.interruptible", default=None)
interruptible: Final = _current.get
"""Return the request that the current thread sends, if it can be ended."""
