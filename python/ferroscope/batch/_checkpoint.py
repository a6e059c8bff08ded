"""Checkpoints: the results of a run in one SQLite file, from which a later run goes on.

A result counts as finished only when it is recorded: no end of the process loses it. After a crash of the machine
itself, the latest results may be missing; their rows are called again. Results are written by one thread, in groups:
each transaction has the results that arrived during the one before it, and within a few milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from .._version import __version__
from ..core.base.call_response import BaseCallResponse
from ..errors import FerroscopeError
from ._requests import row_hash
from ._results import RecordedError, RowResult
from ._rows import UnreadableRow, column_key, row_text
from ._run import RowState
from ._target import SavedAnswer

if TYPE_CHECKING:
    from typing import Self

# Any: rows, and the results of the user's function.

Status: TypeAlias = Literal["done", "failed", "deferred"]
"""The status of a row. `deferred` is a failure that may be temporary, so that the next run calls the row again."""

VERSION: Final = 1
_APPLICATION: Final = 0x4653_4350  # "FSCP", in the header of the file
_GROUP: Final = 1_000  # rows in a transaction
# A transaction waits so many seconds for further results, because it takes longer than to write a result.
_GATHER: Final = 0.005
_RECENT: Final = 20_000  # keys in memory
_FILTER: Final = 24  # the bits of an index of the filter of keys, which has 2 MB
_INDEX: Final = (1 << _FILTER) - 1
_SCHEMA: Final = """
CREATE TABLE rows (
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    run INTEGER NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    row TEXT NOT NULL,
    body BLOB NOT NULL,
    output TEXT NOT NULL,
    error_kind TEXT,
    error TEXT,
    attempts INTEGER NOT NULL,
    cost TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    start_time REAL NOT NULL,
    end_time REAL NOT NULL,
    batch INTEGER NOT NULL,
    PRIMARY KEY (key, request)
);
CREATE TABLE jobs (
    job TEXT PRIMARY KEY,
    start_time REAL NOT NULL,
    ended INTEGER NOT NULL
);
CREATE TABLE job_rows (
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (key, request)
);
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    function TEXT NOT NULL,
    version TEXT NOT NULL,
    start_time REAL NOT NULL,
    complete INTEGER NOT NULL
);
"""
_COLUMNS: Final = (
    "key, request, run, position, status, row, body, output, error_kind, error, attempts, cost, input_tokens, "
    "output_tokens, start_time, end_time, batch"
)
_INSERT: Final = f"INSERT OR REPLACE INTO rows ({_COLUMNS}) VALUES ({', '.join('?' * 17)})"
_TOUCH: Final = "UPDATE rows SET run = ?, position = ? WHERE key = ? AND request = ?"


class CheckpointError(FerroscopeError):
    """A checkpoint cannot be opened or written."""


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A recorded row.

    Attributes:
        position: The position of the row in the input.
        key: The key of the row.
        row: The row, as JSON values.
        status: `"done"`, `"failed"`, or `"deferred"` for a failure that may be temporary.
        output: The text of the response, or the result of the call as JSON values; None if the row failed.
        error: The class and the message of the failure.
        attempts: The number of requests.
        cost: The cost in USD; None if it is unknown.
        input_tokens: The number of input tokens.
        output_tokens: The number of output tokens.
        start_time: The time of the last request, in milliseconds since the epoch.
        end_time: The time at which the row was finished.
    """

    position: int
    key: str
    row: Any
    status: Status
    output: Any
    error: str | None
    attempts: int
    cost: Decimal | None
    input_tokens: int | None
    output_tokens: int | None
    start_time: float
    end_time: float


class Checkpoint:
    """An open checkpoint file. Only one process can open it at a time.

    Args:
        path: The file. It is created if it does not exist, and then only its owner may read it.

    Raises:
        CheckpointError: The file is not a checkpoint, has a newer version, or is in use.

    Example:
        ```python
        from ferroscope.batch import Checkpoint

        with Checkpoint("results.checkpoint") as checkpoint:
            failed = [row for row in checkpoint.rows() if row.status != "done"]
        ```
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            # SQLite creates its other files with the permissions of this one.
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise CheckpointError(f"the checkpoint {str(self.path)!r} cannot be created: {error.strerror}") from error
        try:
            self._database = self._open()
        except sqlite3.Error as error:
            raise CheckpointError(self._explained(error)) from error

    def _open(self) -> sqlite3.Connection:
        # Several threads use the connection, one at a time.
        database = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # The lock of a killed process ends with it.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            application = database.execute("PRAGMA application_id").fetchone()[0]
            version = database.execute("PRAGMA user_version").fetchone()[0]
            is_new = not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not is_new and application != _APPLICATION:
                raise CheckpointError(
                    f"{str(self.path)!r} is another SQLite database, not a checkpoint of Ferroscope: use another path"
                )
            if not is_new and version != VERSION:
                raise CheckpointError(
                    f"{str(self.path)!r} is a checkpoint of version {version}, and this version of Ferroscope "
                    f"({__version__}) reads version {VERSION}: use the version that wrote it, or another path"
                )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("BEGIN IMMEDIATE")
            if is_new:
                for statement in _SCHEMA.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA application_id = {_APPLICATION}")
                database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute("COMMIT")
        except BaseException:
            database.close()
            raise
        return database

    def _explained(self, error: sqlite3.Error) -> str:
        if "locked" in str(error):
            return f"the checkpoint {str(self.path)!r} is in use by another run: wait for its end, or use another path"
        if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
            return f"{str(self.path)!r} is not a checkpoint of Ferroscope: use another path"
        return f"the checkpoint {str(self.path)!r} cannot be used: {error}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock, suppress(sqlite3.Error):
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.close()

    def __len__(self) -> int:
        """Return the number of recorded results."""
        return int(self._query("SELECT count(*) FROM rows")[0][0])

    def rows(self) -> Iterator[CheckpointRow]:
        """Yield the recorded rows of the last run, in the order of the input.

        After a run that did not reach the end of its input, these are all recorded rows.
        """
        last = self._query("SELECT run, complete FROM runs ORDER BY run DESC LIMIT 1")
        newest = "run = (SELECT max(run) FROM rows AS other WHERE other.key = rows.key)"
        chosen = f"run = {last[0][0]}" if last and last[0][1] else newest
        columns = (
            "position, key, row, status, output, error_kind, error, attempts, cost, input_tokens, output_tokens, "
            "start_time, end_time"
        )
        cursor = self._database.execute(f"SELECT {columns} FROM rows WHERE {chosen} ORDER BY position, key")
        for position, key, row, status, output, kind, error, attempts, cost, *counts in cursor:
            yield CheckpointRow(
                position,
                key,
                orjson.loads(row),
                status,
                orjson.loads(output),
                None if error is None else f"{kind}: {error}",
                attempts,
                None if cost is None else Decimal(cost),
                *counts,
            )

    def _query(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    # ---- for a run

    @property
    def is_busy(self) -> bool:
        """Whether another thread uses the file, so that a query has to wait for it."""
        return self._lock.locked()

    def unwritable(self, error: Exception) -> CheckpointError:
        """Return the error for a failed write."""
        return CheckpointError(f"the checkpoint {str(self.path)!r} cannot be written: {error}")

    def begin_run(self, function: str) -> int:
        """Record the start of a run, and return its number."""
        sql = "INSERT INTO runs (function, version, start_time, complete) VALUES (?, ?, ?, 0) RETURNING run"
        return int(self._query(sql, function, __version__, time.time() * 1000)[0][0])

    def end_run(self, run: int) -> None:
        """Record that a run has reached the end of its input."""
        self._query("UPDATE runs SET complete = 1 WHERE run = ?", run)

    def find(self, key: str, request: bytes) -> tuple[Any, ...] | None:
        """Return the status, body, times, batch flag and failure of a recorded result."""
        columns = "status, body, start_time, end_time, batch, error_kind, error"
        sql = f"SELECT {columns} FROM rows WHERE key = ? AND request = ?"
        found = self._query(sql, key, request)
        return found[0] if found else None

    def unfinished_jobs(self) -> dict[str, int]:
        """Return the jobs of the provider's batch API whose results have not been read, with their numbers of rows."""
        sql = "SELECT job, count(*) FROM jobs JOIN job_rows USING (job) WHERE NOT ended GROUP BY job"
        return dict(self._query(sql))

    def start_of_job(self, job: str) -> float:
        """Return the time at which a job was recorded, in milliseconds since the epoch."""
        return float(self._query("SELECT start_time FROM jobs WHERE job = ?", job)[0][0])

    def job_of(self, key: str, request: bytes) -> str | None:
        """Return the unfinished job that contains a request; None if there is none."""
        found = self._query("SELECT job FROM job_rows WHERE key = ? AND request = ?", key, request)
        return str(found[0][0]) if found else None

    def write(self, changes: list[tuple[str, tuple[Any, ...]]], *, sync: bool = False) -> None:
        """Execute statements in one transaction.

        Args:
            changes: The statements and their values.
            sync: Whether to return only when they are on disk, so that a crash of the machine does not lose them.
        """
        with self._lock:
            # A sync to disk costs more than a row. Without it, a killed process loses nothing, and a crash of the
            # machine leaves a valid file: https://www.sqlite.org/pragma.html#pragma_synchronous
            self._database.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for sql, group in groupby(changes, itemgetter(0)):
                    self._database.executemany(sql, [values for _, values in group])
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


class RunRecorder:
    """The record of one run in a checkpoint."""

    def __init__(self, checkpoint: Checkpoint, function: str, key: str | None, retry_failed: bool) -> None:
        self._checkpoint = checkpoint
        self._key_column = key
        self._retry_failed = retry_failed
        try:
            # Only the results of earlier runs can be reused.
            self._may_recall = len(checkpoint) > 0
            self._run = checkpoint.begin_run(function)
            self._keys = _KeyCounts()
        except BaseException as error:
            checkpoint.close()  # an open file is locked for other runs
            if isinstance(error, sqlite3.Error):
                raise checkpoint.unwritable(error) from error
            raise
        self._failure: CheckpointError | None = None
        self._changes: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="ferroscope-checkpoint", daemon=True)
        self._writer.start()

    def key(self, index: int, row: Any) -> tuple[str, Exception | None]:
        """Return the key of a row, and an error if the row cannot have one."""
        error: Exception | None = None
        content = row.text if isinstance(row, UnreadableRow) else row
        if self._key_column is not None:
            try:
                own = column_key(content, self._key_column)
            except ValueError as missing:
                error = missing
            else:
                count = self._keys.add(own)
                if count == 0:
                    return own, None
                message = f"the key {own!r} of the column {self._key_column!r} is that of an earlier row, too"
                return f"{own}#{count}", ValueError(message)
        hashed = row_hash(content)
        return f"{hashed}-{self._keys.add(hashed)}", error

    def recall(self, state: RowState, *, may_be_of_this_run: bool = False) -> SavedAnswer | None:
        """Return the recorded answer of a row whose request is the same.

        Args:
            state: The row.
            may_be_of_this_run: Whether this run may have recorded it, for rows that are processed again.

        Raises:
            RecordedError: The recorded result is a final failure.
        """
        may_recall = self._may_recall or may_be_of_this_run
        found = self._checkpoint.find(state.key, state.request) if may_recall else None
        if found is None:
            return None
        status, body, start_time, end_time, batch, kind, error = found
        if status == "deferred" or (status == "failed" and self._retry_failed):
            return None
        self._changes.put(_Change(_TOUCH, (self._run, state.index, state.key, state.request)))
        if status == "failed":
            raise RecordedError(kind, error)
        return SavedAnswer(body, start_time, end_time, batch=bool(batch))

    async def arecall(self, state: RowState, *, may_be_of_this_run: bool = False) -> SavedAnswer | None:
        """Return the same as `recall`, in a thread while a transaction is written, because the disk may be slow."""
        recall = partial(self.recall, state, may_be_of_this_run=may_be_of_this_run)
        if not (self._may_recall or may_be_of_this_run) or not self._checkpoint.is_busy:
            return recall()
        return await asyncio.get_running_loop().run_in_executor(None, recall)

    def record(
        self,
        state: RowState,
        result: RowResult[Any],
        body: bytes,
        *,
        final: bool,
        done: Callable[[Exception | None], None],
    ) -> None:
        """Write the result of a row. `done` is called on the event loop when it is recorded, with the error if any."""
        self._put(row_values(state, result, body, final=final), done)

    async def write(self, values: tuple[Any, ...]) -> None:
        """Write the values of `row_values`, and return when they are recorded."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(values, partial(_resolve, written))
        await written

    def _put(self, values: tuple[Any, ...], done: Callable[[Exception | None], None]) -> None:
        key, request, *others = values
        change = _Change(_INSERT, (key, request, self._run, *others), asyncio.get_running_loop(), done)
        self._changes.put(change)

    def unfinished_jobs(self) -> dict[str, int]:
        """Return the jobs whose results have not been read, with their numbers of rows."""
        return self._checkpoint.unfinished_jobs()

    def job_of(self, state: RowState) -> str | None:
        """Return the unfinished job that contains the request of a row; None if there is none."""
        return self._checkpoint.job_of(state.key, state.request)

    def start_of_job(self, job: str) -> float:
        """Return the time at which a job was recorded, in milliseconds since the epoch."""
        return self._checkpoint.start_of_job(job)

    def add_job(self, job: str, states: Sequence[RowState]) -> None:
        """Record a job and its rows."""
        rows = [("INSERT OR REPLACE INTO job_rows VALUES (?, ?, ?)", (one.key, one.request, job)) for one in states]
        started = time.time() * 1000
        self._checkpoint.write([("INSERT INTO jobs VALUES (?, ?, 0)", (job, started)), *rows], sync=True)

    def rename_job(self, job: str, new: str) -> None:
        """Replace the name of a job that had no id yet."""
        self._checkpoint.write(
            [
                ("UPDATE jobs SET job = ? WHERE job = ?", (new, job)),
                ("UPDATE job_rows SET job = ? WHERE job = ?", (new, job)),
            ],
            sync=True,
        )

    def end_job(self, job: str) -> None:
        """Record that the results of a job have been read."""
        self._checkpoint.write(
            [
                ("UPDATE jobs SET ended = 1 WHERE job = ?", (job,)),
                ("DELETE FROM job_rows WHERE job = ?", (job,)),
            ]
        )

    async def close(self, *, complete: bool) -> None:
        """Write what is left, and close the file.

        Raises:
            CheckpointError: The end of the run cannot be written.
        """
        # In one thread to its end, so that a cancelled caller leaves no file open.
        await asyncio.get_running_loop().run_in_executor(None, self._close, complete)

    def _close(self, complete: bool) -> None:
        self._changes.put(None)
        self._writer.join()
        try:
            # Without all changes, the rows of this run are not all rows of the input.
            if complete and self._failure is None:
                self._checkpoint.end_run(self._run)
        except sqlite3.Error as error:
            raise self._checkpoint.unwritable(error) from error
        finally:
            self._checkpoint.close()
            self._keys.close()

    def _write(self) -> None:
        """Write changes until the end, in the writer's thread."""
        ended = False
        while not ended:
            group = [self._changes.get()]
            if group[0] is not None:
                time.sleep(_GATHER)
            with suppress(queue.Empty):
                while len(group) < _GROUP and group[-1] is not None:
                    group.append(self._changes.get_nowait())
            ended = group[-1] is None
            changes = [one for one in group if one is not None]
            failure: CheckpointError | None = None
            try:
                if changes:
                    self._checkpoint.write([(one.sql, one.values) for one in changes])
            except Exception as error:  # rows wait for their results, so the thread must go on
                self._failure = failure = self._checkpoint.unwritable(error)
            waiting = [one for one in changes if one.done is not None]
            if waiting:
                with suppress(RuntimeError):  # the loop was closed meanwhile
                    assert waiting[0].loop is not None
                    waiting[0].loop.call_soon_threadsafe(_notify, waiting, failure)


class _Change(NamedTuple):
    """A statement for the writer, and what is called on the event loop when it has been executed."""

    sql: str
    values: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop | None = None
    done: Callable[[Exception | None], None] | None = None


def _notify(changes: list[_Change], failure: Exception | None) -> None:
    for one in changes:
        if one.done is not None:
            one.done(failure)


def _resolve(future: asyncio.Future[None], failure: Exception | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)


class _KeyCounts:
    """The number of rows with each key.

    It is a temporary database, because a dict of all keys may not fit. A Bloom filter shows that most keys are new, so
    that the database is asked for the others only.
    """

    def __init__(self) -> None:
        self._recent: dict[str, int] = {}
        self._filter = bytearray(1 << (_FILTER - 3))
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID")

    def add(self, key: str) -> int:
        """Count a row, and return the number of earlier rows with the same key."""
        count = self._recent.get(key)
        if count is None:
            count = self._saved(key) if self._was_added(key) else 0
            if len(self._recent) >= _RECENT:
                self._save()
        self._recent[key] = count + 1
        return count

    def _was_added(self, key: str) -> bool:
        """Add a key to the filter. Return False if it is a new one; True if it may be an earlier one."""
        hashed, found = hash(key), True
        for index in (hashed & _INDEX, (hashed >> _FILTER) & _INDEX):
            byte, bit = index >> 3, 1 << (index & 7)
            found = found and bool(self._filter[byte] & bit)
            self._filter[byte] |= bit
        return found

    def _saved(self, key: str) -> int:
        found = self._database.execute("SELECT count FROM keys WHERE key = ?", (key,)).fetchone()
        return 0 if found is None else int(found[0])

    def _save(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?)", self._recent.items())
        self._database.execute("COMMIT")
        self._recent.clear()

    def close(self) -> None:
        self._database.close()


def row_values(state: RowState, result: RowResult[Any], body: bytes, *, final: bool) -> tuple[Any, ...]:
    """Return the values of a row in a checkpoint, without the number of the run."""
    error = result.error
    status: Status = "done" if error is None else "failed" if final else "deferred"
    return (
        state.key,
        state.request,
        state.index,
        status,
        row_text(result.row),
        body,
        _json_text(output_of(result.value)),
        None if error is None else type(error).__name__,
        None if error is None else str(error).encode("utf-8", "replace").decode(),
        result.attempts,
        None if result.cost is None else format(result.cost, "f"),
        result.input_tokens,
        result.output_tokens,
        state.started,
        time.time() * 1000,
        int(state.batch),
    )


def _json_text(value: Any) -> str:
    """Return a JSON value as text. Lone surrogates, which SQLite cannot store, become question marks."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def output_of(value: Any) -> Any:
    """Return the result of a call as JSON values: the text of a response, or its tool calls if it has no text."""
    if isinstance(value, BaseCallResponse):
        if value.content or not value.tools:
            return value.content
        return [{"tool": tool._name(), "arguments": to_jsonable_python(tool.args)} for tool in value.tools]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return to_jsonable_python(value, bytes_mode="base64", fallback=str)
