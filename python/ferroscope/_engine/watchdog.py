"""A thread that cuts off reads after their deadline, because a blocking read cannot be interrupted from within."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress


class Watchdog:
    """One thread for all deadlines of the process. It sleeps until the nearest deadline."""

    def __init__(self) -> None:
        self._armed: dict[object, tuple[float, Callable[[], None]]] = {}
        # Reentrant: the garbage collector may close a stream, which disarms its deadline, inside each of the methods.
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._wakes_at = math.inf
        self._started = False

    def arm(self, seconds: float, action: Callable[[], None]) -> object:
        """Run `action` after a number of seconds, unless `disarm` is called with the returned token."""
        token = object()
        deadline = time.monotonic() + seconds
        with self._lock:
            self._armed[token] = (deadline, action)
            if not self._started:
                self._started = True
                threading.Thread(target=self._watch, name="ferroscope-watchdog", daemon=True).start()
            # Most actions are disarmed long before. Waking the thread for each one would dominate the cost.
            if deadline < self._wakes_at:
                self._wakes_at = deadline
                self._wake.set()
        return token

    def disarm(self, token: object) -> bool:
        """Cancel an action. Return whether it was in time, so that the action has not run and will not run."""
        with self._lock:
            return self._armed.pop(token, None) is not None

    def _watch(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                due = [token for token, (deadline, _) in self._armed.copy().items() if deadline <= now]
                # Run the actions under the lock, so that a late `disarm` finds them finished. They do not block.
                for token in due:
                    with suppress(Exception):  # its target was closed in the meantime; the other actions must still run
                        self._armed.pop(token)[1]()
                self._wakes_at = min((deadline for deadline, _ in self._armed.copy().values()), default=math.inf)
                self._wake.clear()
                pause = self._wakes_at - now
            self._wake.wait(None if pause == math.inf else pause)


watchdog = Watchdog()

# A fork does not copy the thread, and another thread may have held the lock.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watchdog.__init__)  # type: ignore[misc]  # reinitialize
