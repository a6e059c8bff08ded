"""The state of a server: its queue of answers, the requests so far, and the open connections."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from ferroscope.testing._exchange import Script
from ferroscope.testing._http import Outcome, Request
from ferroscope.testing._vocabulary import Part

__all__ = ["Handler", "Ledger", "Memory", "Scripted", "Seen", "Until"]

Handler: TypeAlias = Callable[[Request], Script | Part | str]
"""A function that returns the answer for a request. It runs in the server's thread and blocks other requests."""

Scripted: TypeAlias = Script | Part | str | Handler
"""An item of the queue: an answer, a fault, a part or a text that becomes an answer, or a function."""

Until = Literal["requests", "closed", "disconnected"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot of requests and connections."""

    requests: tuple[Request, ...]
    connections_opened: int
    open_connections: int
    open_streams: int


class Memory(Protocol):
    """The interface to the state of a server, which may be in another process."""

    def queue(self, answers: Sequence[Scripted]) -> None: ...
    def set_default(self, answer: Scripted | None) -> None: ...
    def forget(self) -> None: ...
    def seen(self) -> Seen: ...
    def wait(self, until: Until, count: int, timeout: float) -> None: ...


class Ledger:
    """The state of a server in this process. The server's thread writes; other threads may read and wait."""

    def __init__(self, answers: Sequence[Scripted], default: Scripted | None) -> None:
        self._queue: deque[Scripted] = deque(answers)
        self._default = default
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._numbered = 0
        self._opened = 0
        self._forgotten = 0
        self._connections = 0
        self._streams = 0

    def queue(self, answers: Sequence[Scripted]) -> None:
        with self._changed:
            self._queue.extend(answers)

    def set_default(self, answer: Scripted | None) -> None:
        with self._changed:
            self._default = answer

    def forget(self) -> None:
        with self._changed:
            self._requests.clear()
            self._queue.clear()
            self._forgotten = self._opened - self._connections

    def seen(self) -> Seen:
        with self._changed:
            return Seen(tuple(self._requests), self._opened - self._forgotten, self._connections, self._streams)

    def wait(self, until: Until, count: int, timeout: float) -> None:
        def reached() -> bool:
            match until:
                case "requests":
                    return len(self._requests) >= count
                case "closed":
                    return self._streams <= count
                case "disconnected":
                    return self._connections <= count

        with self._changed:
            if not self._changed.wait_for(reached, timeout):
                raise TimeoutError(
                    f"after {timeout} s the server has {len(self._requests)} requests, "
                    f"{self._streams} open streams and {self._connections} open connections; "
                    f"waited for {count} {'requests' if until == 'requests' else f'to be left ({until})'}"
                )

    # --- written by the connections -------------------------------------------------------------

    def connection_opened(self) -> int:
        with self._changed:
            self._opened += 1
            self._connections += 1
            self._changed.notify_all()
            return self._opened

    def connection_closed(self) -> None:
        with self._changed:
            self._connections -= 1
            self._changed.notify_all()

    def request_number(self) -> int:
        with self._changed:
            self._numbered += 1
            return self._numbered

    def begin(self, request: Request, *, scripted: bool) -> Scripted | None:
        """Record a request and return the next answer. A request that no script can answer consumes none."""
        with self._changed:
            self._requests.append(request)
            self._streams += 1
            self._changed.notify_all()
            if not scripted:
                return None
            return self._queue.popleft() if self._queue else self._default

    def ended(self, request: Request, outcome: Outcome) -> None:
        with self._changed:
            request.outcome = outcome
            request.ended_at = time.monotonic()
            self._streams -= 1
            self._changed.notify_all()
