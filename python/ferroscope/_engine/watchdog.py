"""Cuts off reads that take too long, from a thread of its own: a blocking read cannot be given up from within."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress


class Watchdog:
    """One thread for all that has a deadline; it sleeps until the nearest, and ends with the process."""

    def __init__(self) -> None:
        self._armed: dict[object, tuple[float, Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._wakes_at = math.inf
        self._started = False

    def arm(self, seconds: float, action: Callable[[], None]) -> object:
        """Runs `action` after so many seconds, unless `disarm` is called with what this returns."""
        token = object()
        deadline = time.monotonic() + seconds
        with self._lock:
            self._armed[token] = (deadline, action)
            if not self._started:
                self._started = True
                threading.Thread(target=self._watch, name="ferroscope-watchdog", daemon=True).start()
            # Most are disarmed long before: waking the thread for each would cost more than the rest.
            if deadline < self._wakes_at:
                self._wakes_at = deadline
                self._wake.set()
        return token

    def disarm(self, token: object) -> bool:
        """Return whether that was in time: the action has not been run, and will not be."""
        with self._lock:
            return self._armed.pop(token, None) is not None

    def _watch(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                due = [token for token, (deadline, _) in self._armed.items() if deadline <= now]
                # Under the lock, so that a `disarm` that came too late finds all of it done. The actions do not wait
                # for anything.
                for token in due:
                    with suppress(Exception):  # closed in the meantime; the others are to be cut off all the same
                        self._armed.pop(token)[1]()
                self._wakes_at = min((deadline for deadline, _ in self._armed.values()), default=math.inf)
                self._wake.clear()
                pause = self._wakes_at - now
            self._wake.wait(None if pause == math.inf else pause)


watchdog = Watchdog()

# The thread does not go with a fork, and the lock may have been held by another one.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watchdog.__init__)  # type: ignore[misc]  # as new
