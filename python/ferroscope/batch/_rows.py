"""Input rows: iterables, files and data frames, read a piece at a time.

pyarrow, pandas and polars are imported only for their own objects and files.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sized
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import orjson

from ..errors import MissingExtraError

# Any: the members of rows, and objects of pyarrow, pandas and polars, which are optional.
Row: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = "Iterable[Row] | AsyncIterable[Row] | str | Path | Any"
"""Rows as an iterable or async iterable of mappings, the path of a file, or a table of pyarrow, pandas or polars."""

# The number of rows that are converted at a time.
_BATCH = 256


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that could not be read. The rows after it are not affected.

    Attributes:
        text: The row as it is in the file.
        error: The reason.
    """

    text: object
    error: Exception


@dataclass(frozen=True, slots=True)
class RowSource:
    """The rows of an input.

    Attributes:
        rows: The iterator over the rows; exactly one of `rows` and `async_rows` is set.
        async_rows: The async iterator.
        total: Returns the number of rows; None if it cannot be known in advance.
    """

    rows: Iterator[Any] | None
    async_rows: AsyncIterator[Any] | None = None
    total: Callable[[], int | None] = lambda: None


def open_rows(rows: Any) -> RowSource:
    """Return the rows of an input.

    Args:
        rows: An iterable or async iterable of mappings; the path of a JSONL, CSV, Parquet or Arrow file; a table, a
            reader or a dataset of pyarrow; a frame of pandas or polars.

    Raises:
        TypeError: The input has none of these types.
        ValueError: The suffix of a file is unknown.
        FileNotFoundError: There is no such file.
        ferroscope.errors.MissingExtraError: The package that reads the file is not installed.
    """
    if isinstance(rows, str | Path):
        return _open_file(Path(rows))
    if (table := _table_source(rows)) is not None:
        return table
    if isinstance(rows, AsyncIterable):
        return RowSource(None, aiter(rows))
    if isinstance(rows, Mapping | bytes) or not isinstance(rows, Iterable):
        raise TypeError(
            f"`rows` must be an iterable of mappings, a path or a table, not {type(rows).__name__!r}; put a single row "
            "into a list"
        )
    size = len(rows) if isinstance(rows, Sized) else None
    return RowSource(iter(rows), total=lambda: size)


# ---- files


def _open_file(path: Path) -> RowSource:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = suffixes[-1:] == [".gz"]
    suffix = (suffixes[-2:-1] if compressed else suffixes[-1:]) or [""]
    if not path.exists():
        raise FileNotFoundError(f"no such file: {str(path)!r}")
    match suffix[0]:
        case ".jsonl" | ".ndjson":
            return RowSource(_json_lines(path, compressed), total=lambda: _count_lines(path, compressed))
        case ".csv" | ".tsv":
            return RowSource(_csv_rows(path, compressed, "\t" if suffix[0] == ".tsv" else ","))
        case ".parquet":
            return _parquet(path)
        case ".arrow" | ".feather" | ".ipc":
            return RowSource(_arrow_file(path))
    raise ValueError(
        f"cannot read rows from {str(path)!r}: the suffix must be .jsonl, .ndjson, .csv, .tsv (each also with .gz), "
        ".parquet, .arrow, .feather or .ipc"
    )


def _open_binary(path: Path, compressed: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if compressed else path.open("rb")


def _json_lines(path: Path, compressed: bool) -> Iterator[Any]:
    with _open_binary(path, compressed) as file:
        for number, line in enumerate(file, start=1):
            if not (text := line.strip()):
                continue
            try:
                yield orjson.loads(text)
            except ValueError as error:
                shown = text.decode("utf-8", "replace")
                yield UnreadableRow(shown, ValueError(f"line {number} of {str(path)!r} is not JSON: {error}"))


def _count_lines(path: Path, compressed: bool) -> int:
    with _open_binary(path, compressed) as file:
        return sum(1 for line in file if line.strip())


def _csv_rows(path: Path, compressed: bool, delimiter: str) -> Iterator[Any]:
    # The reader needs text with its newlines, which may be inside quotes.
    opened = gzip.open if compressed else open
    with cast("IO[str]", opened(path, "rt", newline="", encoding="utf-8-sig")) as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        for row in reader:
            if None in row:
                extra = row.pop(None)  # the fields without a column
                message = f"line {reader.line_num} of {str(path)!r} has more fields than columns: {extra!r}"
                yield UnreadableRow(dict(row), ValueError(message))
            else:
                yield dict(row)


def load_pyarrow(module: str) -> Any:
    """Return a module of pyarrow.

    Raises:
        ferroscope.errors.MissingExtraError: It is not installed.
    """
    try:
        __import__(f"pyarrow.{module}")
    except ImportError as error:
        raise MissingExtraError(
            "Parquet and Arrow files need the package 'pyarrow': install it with `pip install 'ferroscope[batch]'`",
            name="pyarrow",
        ) from error
    return getattr(sys.modules["pyarrow"], module)


def _parquet(path: Path) -> RowSource:
    file = load_pyarrow("parquet").ParquetFile(path)
    return RowSource(_arrow_rows(file.iter_batches(batch_size=_BATCH)), total=lambda: file.metadata.num_rows)


def _arrow_file(path: Path) -> Iterator[Any]:
    ipc = load_pyarrow("ipc")
    with path.open("rb") as file:
        try:
            reader = ipc.open_file(file)
        except sys.modules["pyarrow"].ArrowInvalid:  # a stream, which has no footer
            file.seek(0)
            yield from _arrow_rows(iter(ipc.open_stream(file)))
        else:
            yield from _arrow_rows(reader.get_batch(number) for number in range(reader.num_record_batches))


# ---- tables


def _arrow_rows(batches: Iterable[Any]) -> Iterator[Any]:
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            yield from batch.slice(start, _BATCH).to_pylist()


def _table_source(rows: Any) -> RowSource | None:
    """Return the rows of an object of pyarrow, pandas or polars; None for anything else."""
    package, _, _ = type(rows).__module__.partition(".")
    # Only a program that has imported the package has such an object.
    loaded = sys.modules.get(package)
    if package == "pyarrow" and loaded is not None:
        if isinstance(rows, loaded.Table | loaded.RecordBatch):
            batches = rows.to_batches(max_chunksize=_BATCH) if isinstance(rows, loaded.Table) else [rows]
            return RowSource(_arrow_rows(batches), total=lambda: int(rows.num_rows))
        if isinstance(rows, loaded.RecordBatchReader):
            return RowSource(_arrow_rows(rows))
        if hasattr(rows, "to_batches"):  # a dataset
            return RowSource(_arrow_rows(rows.to_batches(batch_size=_BATCH)))
    if package == "pandas" and loaded is not None and isinstance(rows, loaded.DataFrame):
        return RowSource(_pandas_rows(rows), total=lambda: len(rows))
    if package == "polars" and loaded is not None:
        if isinstance(rows, loaded.LazyFrame):
            rows = rows.collect(engine="streaming")
        if isinstance(rows, loaded.DataFrame):
            size = rows.height
            return RowSource(rows.iter_rows(named=True, buffer_size=_BATCH), total=lambda: size)
    return None


def _pandas_rows(frame: Any) -> Iterator[Any]:
    for start in range(0, len(frame), _BATCH):
        yield from frame.iloc[start : start + _BATCH].to_dict(orient="records")


def column_key(row: Any, column: str) -> str:
    """Return the key of a row in a column.

    Raises:
        ValueError: The row has no such column.
    """
    try:
        # SQLite cannot store lone surrogates.
        return str(row[column]).encode("utf-8", "backslashreplace").decode()
    except (TypeError, KeyError, IndexError):
        raise ValueError(f"the row has no key: no member {column!r}") from None


def row_text(row: object) -> str:
    """Return the JSON text of a row; its repr as a JSON string if it has none."""
    with suppress(TypeError, ValueError):
        return orjson.dumps(row, default=_json_form, option=orjson.OPT_NON_STR_KEYS).decode()
    return json.dumps(repr(row))


def _json_form(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return dict(value) if isinstance(value, Mapping) else str(value)
