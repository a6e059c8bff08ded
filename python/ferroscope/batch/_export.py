"""The results of a checkpoint as JSONL, CSV or Parquet."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from ._checkpoint import Checkpoint, CheckpointRow
from ._rows import load_pyarrow

# Any: JSON values, and objects of pyarrow.

_GROUP = 1_000
_COLUMNS = ("key", "row", "output", "error", "attempts", "cost_usd", "input_tokens", "output_tokens")


def export(checkpoint: Checkpoint, path: str | Path) -> int:
    """Write the recorded rows to a file, each once, in the order of the input. Return the number of rows.

    The file appears under its name when it is complete.

    Args:
        checkpoint: An open checkpoint.
        path: The file: `.jsonl`, `.ndjson`, `.csv` or `.parquet`.

    Raises:
        ValueError: The suffix is unknown.
        ferroscope.errors.MissingExtraError: pyarrow is not installed.
    """
    path = Path(path)
    write = writer_for(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.touch(exist_ok=False)
        count = write(checkpoint.rows(), temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def writer_for(path: Path) -> Callable[[Iterator[CheckpointRow], Path], int]:
    """Return the function that writes a file of this suffix.

    Raises:
        ValueError: The suffix is unknown.
        ferroscope.errors.MissingExtraError: pyarrow is not installed.
    """
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return _write_json_lines
        case ".csv":
            return _write_csv
        case ".parquet":
            load_pyarrow("parquet")
            return _write_parquet
    raise ValueError(f"cannot write results to {str(path)!r}: the suffix must be .jsonl, .ndjson, .csv or .parquet")


def _values(row: CheckpointRow) -> tuple[Any, ...]:
    cost = None if row.cost is None else format(row.cost, "f")
    return row.key, row.row, row.output, row.error, row.attempts, cost, row.input_tokens, row.output_tokens


def _flat(row: CheckpointRow) -> tuple[Any, ...]:
    """Return the values with objects as JSON text, for formats with one type per column."""
    key, content, output, *others = _values(row)
    if not isinstance(output, str | None):
        output = orjson.dumps(output).decode()
    return key, orjson.dumps(content).decode(), output, *others


def _write_json_lines(rows: Iterator[CheckpointRow], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(dict(zip(_COLUMNS, _values(row), strict=True)), option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    return count


def _write_csv(rows: Iterator[CheckpointRow], path: Path) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for row in rows:
            writer.writerow(_flat(row))
            count += 1
    return count


def _write_parquet(rows: Iterator[CheckpointRow], path: Path) -> int:
    import pyarrow
    from pyarrow import parquet

    types = {"attempts": pyarrow.int64(), "input_tokens": pyarrow.int64(), "output_tokens": pyarrow.int64()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in _COLUMNS])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, _GROUP)):
            columns = list(map(list, zip(*map(_flat, group), strict=True)))
            writer.write_table(pyarrow.table(columns, schema=schema))
            count += len(group)
    return count
