"""Rows from files, tables and frames."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ferroscope.batch import map_rows
from ferroscope.batch._rows import open_rows  # the readers without calls

ROWS = [{"text": f"row {number}", "n": number} for number in range(700)]


def jsonl(path: Path) -> Any:
    import json

    path = path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    return path


def jsonl_gz(path: Path) -> Any:
    plain = jsonl(path)
    packed = path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    return str(packed)


def table(path: Path) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(ROWS)


def reader(path: Path) -> Any:
    return table(path).to_reader(max_chunksize=50)


def dataset(path: Path) -> Any:
    return pytest.importorskip("pyarrow.dataset").dataset(table(path))


def parquet(path: Path) -> Any:
    pytest.importorskip("pyarrow.parquet").write_table(table(path), path / "rows.parquet")
    return path / "rows.parquet"


def _ipc(path: Path, kind: str) -> Path:
    ipc, written = pytest.importorskip("pyarrow.ipc"), table(path)
    with path.open("wb") as file, getattr(ipc, kind)(file, written.schema) as writer:
        writer.write_table(written)
    return path


def arrow_file(path: Path) -> Any:
    return _ipc(path / "rows.arrow", "new_file")


def arrow_stream(path: Path) -> Any:
    return _ipc(path / "rows.arrow", "new_stream")


def pandas_frame(path: Path) -> Any:
    return pytest.importorskip("pandas").DataFrame(ROWS)


def polars_frame(path: Path) -> Any:
    return pytest.importorskip("polars").DataFrame(ROWS)


def polars_lazy(path: Path) -> Any:
    return pytest.importorskip("polars").DataFrame(ROWS).lazy()


def generator(path: Path) -> Iterator[Any]:
    return iter(ROWS)


KINDS: dict[str, tuple[Callable[[Path], Any], int | None]] = {
    "JSONL": (jsonl, 700),
    "compressed JSONL": (jsonl_gz, 700),
    "an Arrow table": (table, 700),
    "an Arrow reader": (reader, None),
    "an Arrow dataset": (dataset, None),
    "Parquet": (parquet, 700),
    "an Arrow file": (arrow_file, None),
    "an Arrow stream": (arrow_stream, None),
    "pandas": (pandas_frame, 700),
    "polars": (polars_frame, 700),
    "a lazy frame of polars": (polars_lazy, 700),
    "an iterator": (generator, None),
    "a list": (lambda path: ROWS, 700),
}


@pytest.mark.parametrize("name", KINDS)
def test_rows_of_every_kind_are_the_same(tmp_path: Path, name: str) -> None:
    make, total = KINDS[name]
    source = open_rows(make(tmp_path))
    assert source.rows is not None
    assert source.total() == total
    assert list(source.rows) == ROWS


def test_csv_rows_are_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufefftext,n\n"a, ""b""\nc",1\nplain,2\n', encoding="utf-8")
    source = open_rows(path)
    assert source.rows is not None
    assert list(source.rows) == [{"text": 'a, "b"\nc', "n": "1"}, {"text": "plain", "n": "2"}]


def test_a_line_that_is_not_json_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n{"text": \n{"text": "b"}\n')
    first, second, third = map_rows(lambda text: text * 2, path)
    assert (first.value, third.value) == ("aa", "bb")
    assert (second.row, second.ok) == ('{"text":', False)
    with pytest.raises(ValueError, match=r"line 2 of '.*rows.jsonl' is not JSON"):
        second.result()


def test_a_csv_line_with_too_many_fields_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text\na\nb,c\nd\n")
    results = list(map_rows(lambda text: text, path))
    assert [one.value for one in results] == ["a", None, "d"]
    with pytest.raises(ValueError, match=r"line 3 of .* has more fields than columns: \['c'\]"):
        results[1].result()


def test_unknown_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file: '.*rows.jsonl'"):
        open_rows(tmp_path / "rows.jsonl")
    (tmp_path / "rows.xlsx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"the suffix must be .jsonl"):
        open_rows(str(tmp_path / "rows.xlsx"))
    with pytest.raises(TypeError, match="not 'int'"):
        open_rows(5)


def test_a_key_column(tmp_path: Path) -> None:
    results = list(map_rows(lambda text: text, [{"text": "a", "id": 7}, {"text": "b"}], key="id"))
    assert (results[0].key, results[0].value) == ("7", "a")
    with pytest.raises(ValueError, match="no member 'id'"):
        results[1].result()
