"""A cache in a file, for several processes."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from ._protocol import check_limits

_T = TypeVar("_T")

_MAX_BYTES: Final = 256 * 1024 * 1024
# The share of the limit that is left after answers were removed, and the share that is added between two checks.
_KEPT: Final = 0.9
_UNCHECKED: Final = 1 / 16
# The time of use is written at most this often, in seconds, because each write is a transaction.
_TOUCHED: Final = 60.0
_BUSY_MS: Final = 5000

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS answers (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL, stored_at REAL NOT NULL, used_at REAL NOT NULL
    );
    CREATE INDEX IF NOT EXISTS answers_by_use ON answers (used_at, size);
"""


class SQLiteCache:
    """A cache in an SQLite file, which several processes may share.

    The file is in the mode WAL, and only its owner may read it. A forked process opens it again.

    Args:
        path: The path of the file. It is created if it is missing; its directory must exist.
        ttl: The maximum age of an answer in seconds; None: no limit.
        max_bytes: The maximum size of all answers in bytes, approximately. The least recently used ones are removed
            first.

    Raises:
        ValueError: A limit is not greater than 0.

    Example:
        ```python
        from ferroscope import llm
        from ferroscope.cache import SQLiteCache


        @llm.call("openai", "gpt-4o-mini", cache=SQLiteCache("answers.sqlite", ttl=86_400))
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """

    blocks: bool = True

    def __init__(self, path: str | os.PathLike[str], *, ttl: float | None = None, max_bytes: int = _MAX_BYTES) -> None:
        check_limits(ttl, max_bytes)
        self._path = Path(path)
        self._ttl = ttl
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._unchecked = max_bytes  # bytes since the size was checked; the first addition checks it

    def get(self, key: str) -> bytes | None:
        """Return the answer with this key, if it is not too old.

        Raises:
            sqlite3.Error: The file cannot be read.
        """
        return self._run(lambda connection: self._get(connection, key))

    def set(self, key: str, value: bytes) -> None:
        """Store an answer. One that is larger than the cache is not stored.

        Raises:
            sqlite3.Error: The file cannot be written.
        """
        if len(value) <= self._max_bytes:
            self._run(lambda connection: self._set(connection, key, value))

    def clear(self) -> None:
        """Remove all answers."""
        self._run(lambda connection: connection.execute("DELETE FROM answers"))

    def close(self) -> None:
        """Close the file. The next call opens it again."""
        with self._lock:
            self._close()

    def __len__(self) -> int:
        return self._run(lambda connection: int(connection.execute("SELECT count(*) FROM answers").fetchone()[0]))

    def __repr__(self) -> str:
        return f"SQLiteCache({str(self._path)!r})"

    def __del__(self) -> None:
        self._close()

    def _run(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._process not in (0, os.getpid()):
            # Another thread of the parent may have had the lock, and its connection must not be used here.
            self._lock = threading.Lock()
            self._connection, self._process = None, 0
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
                self._process = os.getpid()
            return action(self._connection)

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        connection, self._connection = getattr(self, "_connection", None), None
        if connection is not None and self._process == os.getpid():
            connection.close()

    def _get(self, connection: sqlite3.Connection, key: str) -> bytes | None:
        found = connection.execute("SELECT value, stored_at, used_at FROM answers WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        value, stored_at, used_at = found
        now = time.time()
        if self._ttl is not None and now - stored_at >= self._ttl:
            connection.execute("DELETE FROM answers WHERE key = ? AND stored_at = ?", (key, stored_at))
            return None
        if now - used_at >= _TOUCHED:
            connection.execute("UPDATE answers SET used_at = ? WHERE key = ?", (now, key))
        return bytes(value)

    def _set(self, connection: sqlite3.Connection, key: str, value: bytes) -> None:
        now = time.time()
        connection.execute(
            "INSERT OR REPLACE INTO answers (key, value, size, stored_at, used_at) VALUES (?, ?, ?, ?, ?)",
            (key, value, len(value), now, now),
        )
        self._unchecked += len(value)
        if self._unchecked >= self._max_bytes * _UNCHECKED:
            self._unchecked = 0
            self._evict(connection)

    def _evict(self, connection: sqlite3.Connection) -> None:
        """Remove the least recently used answers, if all are larger than the limit."""
        (size,) = connection.execute("SELECT total(size) FROM answers").fetchone()
        if size <= self._max_bytes:
            return
        keys: list[tuple[str]] = []
        with closing(connection.execute("SELECT key, size FROM answers ORDER BY used_at")) as oldest:
            for key, removed in oldest:
                keys.append((key,))
                size -= removed
                if size <= self._max_bytes * _KEPT:
                    break
        connection.executemany("DELETE FROM answers WHERE key = ?", keys)
