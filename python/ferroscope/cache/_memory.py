"""A cache in the memory of one process."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import Final

from ._protocol import check_limits

_MAX_BYTES: Final = 64 * 1024 * 1024


class MemoryCache:
    """A cache in the memory of this process, shared by its threads and tasks.

    Args:
        ttl: The maximum age of an answer in seconds; None: no limit.
        max_bytes: The maximum size of all answers in bytes. The least recently used ones are removed first.

    Raises:
        ValueError: A limit is not greater than 0.
    """

    blocks: bool = False

    def __init__(self, *, ttl: float | None = None, max_bytes: int = _MAX_BYTES) -> None:
        check_limits(ttl, max_bytes)
        self._ttl = math.inf if ttl is None else ttl
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    def get(self, key: str) -> bytes | None:
        """Return the answer with this key, if it is not too old."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            stored_at, value = found
            if time.monotonic() - stored_at >= self._ttl:
                self._remove(key)
                return None
            self._answers.move_to_end(key)
            return value

    def set(self, key: str, value: bytes) -> None:
        """Store an answer. One that is larger than the cache is not stored."""
        with self._lock:
            self._remove(key)
            if len(value) > self._max_bytes:
                return
            self._answers[key] = time.monotonic(), value
            self._size += len(value)
            while self._size > self._max_bytes:
                self._remove(next(iter(self._answers)))

    def clear(self) -> None:
        """Remove all answers."""
        with self._lock:
            self._answers.clear()
            self._size = 0

    def __len__(self) -> int:
        return len(self._answers)

    def _remove(self, key: str) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._size -= len(found[1])
