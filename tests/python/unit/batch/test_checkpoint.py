"""Checkpoints: a run goes on from the results of an earlier one, also after `kill -9`."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import llm
from ferroscope.batch import Checkpoint, CheckpointError, RecordedError, RowResult, _checkpoint, export, map_rows
from ferroscope.batch._checkpoint import RunRecorder
from ferroscope.batch._run import RowState
from ferroscope.core import openai
from ferroscope.testing import Answer, Json, ProviderServer, Status, ToolCall
from ferroscope.testing._http import Request

PRICE = Decimal("0.0000135")


def decorated(kind: str, prompt: str = "Repeat: ", **options: Any) -> Any:
    if kind == "sync":

        @openai.call("gpt-4o-mini", **options)
        def call(text: str) -> str:
            return f"{prompt}{text}"

        return call

    @openai.call("gpt-4o-mini", **options)
    async def call_async(text: str) -> str:
        return f"{prompt}{text}"

    return call_async


def run(fn: Any, rows: Any, path: Path, **options: Any) -> list[RowResult[Any]]:
    results = map_rows(fn, rows, checkpoint=path / "c", **options)
    if hasattr(results, "__iter__"):
        return list(results)
    return asyncio.run(results.collect())


def texts(*values: str) -> list[dict[str, str]]:
    return [{"text": value} for value in values]


def asked(server: ProviderServer) -> list[str]:
    return [one.json["messages"][-1]["content"].rpartition(" ")[2] for one in server.requests]


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_second_run_sends_no_request(server: ProviderServer, tmp_path: Path, kind: str) -> None:
    server.reply(*(Answer(f"answer {number}") for number in range(5)))
    call, rows = decorated(kind), texts(*"abcde")
    first = run(call, rows, tmp_path, concurrency=1)
    second = run(call, rows, tmp_path)
    assert len(server.requests) == 5
    assert [one.restored for one in first + second] == [False] * 5 + [True] * 5
    shown = [
        [(one.key, one.row, one.value.content, one.cost, one.value.usage) for one in run] for run in (first, second)
    ]
    assert shown[0] == shown[1]
    assert shown[1][3][2] == "answer 3"


def test_only_the_owner_may_read_a_checkpoint(server: ProviderServer, tmp_path: Path) -> None:
    server.reply(Answer("a"))
    results = map_rows(decorated("sync"), texts("a"), checkpoint=tmp_path / "c")
    assert [one.ok for one in results] == [True]
    with Checkpoint(tmp_path / "c") as checkpoint:
        export(checkpoint, tmp_path / "out.jsonl")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    (tmp_path / "usual").touch()
    assert modes.pop("out.jsonl") == (tmp_path / "usual").stat().st_mode & 0o777
    assert "c" in modes
    assert set(modes.values()) == {0o600}


def test_a_checkpoint_that_cannot_be_created_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"missing.*cannot be created: No such file"):
        Checkpoint(tmp_path / "missing" / "c")


def test_a_text_that_sqlite_cannot_store_is_replaced(server: ProviderServer, tmp_path: Path) -> None:
    @openai.call("gpt-4o-mini")
    def call(text: str) -> str:
        if text == "bad":
            raise ValueError("half of a pair: \ud83d")
        return text

    server.reply(Answer("a"), Answer("b"))
    rows = [*texts("a", "bad", "b"), {"text": "bad", "note": "\ud83d", "big": 10**30}]
    results = run(call, rows, tmp_path)
    assert [one.ok for one in results] == [True, False, True, False]
    with Checkpoint(tmp_path / "c") as checkpoint:
        recorded = list(checkpoint.rows())
    failure = "ValueError: half of a pair: ?"
    assert [one.error for one in recorded] == [None, failure, None, failure]


def test_a_key_that_sqlite_cannot_store_is_escaped(server: ProviderServer, tmp_path: Path, kind: str) -> None:
    rows = [{"id": "\ud83d", "text": "a"}, {"id": "\ude00", "text": "b"}]
    for restored in (False, True):
        results = run(decorated(kind), rows, tmp_path, key="id")
        assert [(one.key, one.restored) for one in results] == [("\\ud83d", restored), ("\\ude00", restored)]


@pytest.mark.parametrize("statement", ["INSERT", "UPDATE"])
def test_a_run_that_cannot_be_recorded_releases_its_file(
    server: ProviderServer, tmp_path: Path, kind: str, statement: str
) -> None:
    server.reply(Answer("a"))
    with Checkpoint(tmp_path / "c"):
        pass
    with closing(sqlite3.connect(tmp_path / "c")) as database:
        database.execute(
            f"CREATE TRIGGER full BEFORE {statement} ON runs BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    with pytest.raises(CheckpointError, match=r"cannot be written: the disk is full") as caught:
        run(decorated(kind), texts("a"), tmp_path)
    # The traceback refers to the run, so only closing can have released the lock.
    assert caught.tb is not None
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert len(checkpoint) == (statement == "UPDATE")


def test_a_failed_write_reaches_its_row_and_leaves_the_run_incomplete(tmp_path: Path) -> None:
    # Internal, because no row that `map_rows` reads has such values.
    def values(key: str, status: str) -> tuple[object, ...]:
        return key, b"", 0, status, "null", b"", "null", None, None, 1, None, None, None, 0.0, 0.0, 0

    async def write() -> None:
        recorder = RunRecorder(Checkpoint(tmp_path / "c"), "call", None, False)
        with pytest.raises(CheckpointError, match="cannot be written"):
            await recorder.write(values("a", "\ud83d"))
        await recorder.write(values("b", "done"))
        await recorder.close(complete=True)

    asyncio.run(asyncio.wait_for(write(), 10))
    with sqlite3.connect(tmp_path / "c") as database:
        assert database.execute("SELECT key FROM rows").fetchall() == [("b",)]
        assert database.execute("SELECT complete FROM runs").fetchall() == [(0,)]
    database.close()


def test_a_transaction_does_not_stop_the_event_loop(server: ProviderServer, tmp_path: Path) -> None:
    run(decorated("async"), texts("a"), tmp_path)
    with Checkpoint(tmp_path / "c") as checkpoint:
        key, request = checkpoint._query("SELECT key, request FROM rows")[0]
        recorder = RunRecorder(checkpoint, "call", None, retry_failed=False)
        state = RowState(0, {"text": "a"}, key, request)

        async def main() -> None:
            with checkpoint._lock:  # as during a transaction
                found = asyncio.create_task(recorder.arecall(state))
                for _ in range(10):
                    await asyncio.sleep(0)
                assert not found.done()
            assert await found is not None
            await recorder.close(complete=True)

        asyncio.run(main())


def test_rows_are_found_by_their_content(server: ProviderServer, tmp_path: Path, kind: str) -> None:
    call = decorated(kind)
    rows = texts("a", "b", "b", "b", "c")
    run(call, rows, tmp_path)
    changed = texts("new", "b", "a", "b", "b", "b")
    results = run(call, [*changed, 123], tmp_path)
    assert [one.restored for one in results] == [False, True, True, True, True, False, False]
    assert sorted(asked(server)[5:]) == ["b", "new"]
    assert not results[6].ok
    assert len({one.key for one in results}) == 7


def test_keys_are_counted_beyond_those_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checkpoint, "_RECENT", 7)
    monkeypatch.setattr(_checkpoint, "_FILTER", 8)  # so small that most of its answers are wrong
    monkeypatch.setattr(_checkpoint, "_INDEX", 255)
    chance = random.Random(3)
    expected: Counter[str] = Counter()
    counts = _checkpoint._KeyCounts()
    for _ in range(3_000):
        key = f"key-{chance.randint(0, 400)}"
        assert counts.add(key) == expected[key]
        expected[key] += 1
    counts.close()


def test_a_changed_prompt_asks_again(server: ProviderServer, tmp_path: Path, kind: str) -> None:
    rows = texts("a", "b")
    run(decorated(kind), rows, tmp_path)
    assert [one.restored for one in run(decorated(kind, "Say "), rows, tmp_path)] == [False, False]
    changed = decorated(kind, call_params={"temperature": 0.5})
    assert [one.restored for one in run(changed, rows, tmp_path)] == [False, False]
    assert [one.restored for one in run(decorated(kind), rows, tmp_path)] == [True, True]
    assert len(server.requests) == 6


def test_a_key_column_replaces_the_content(server: ProviderServer, tmp_path: Path, kind: str) -> None:
    call = decorated(kind)
    run(call, [{"id": 1, "text": "a", "note": "x"}, {"id": 2, "text": "b"}], tmp_path, key="id")
    rows = [{"id": 2, "text": "b"}, {"id": 1, "text": "a", "note": "y"}, {"id": 1, "text": "c"}, {"text": "d"}]
    results = run(call, rows, tmp_path, key="id")
    assert [(one.key, one.restored, one.ok) for one in results[:3]] == [
        ("2", True, True),
        ("1", True, True),
        ("1#1", False, False),
    ]
    with pytest.raises(ValueError, match="the key '1' of the column 'id' is that of an earlier row, too"):
        results[2].result()
    with pytest.raises(ValueError, match="no member 'id'"):
        results[3].result()
    assert len(server.requests) == 2


class Book(BaseModel):
    title: str


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def test_models_tools_and_parsers_are_restored(server: ProviderServer, tmp_path: Path, kind: str) -> None:
    server.reply(Json({"title": "Dune"}), ToolCall("add", {"a": 1, "b": 2}), "text")
    calls = [
        decorated(kind, response_model=Book, json_mode=True),
        decorated(kind, tools=[add]),
        decorated(kind, output_parser=lambda response: response.content.upper()),
    ]
    for _ in range(2):
        book, tool, parsed = (run(call, texts("a"), tmp_path)[0].value for call in calls)
        assert book == Book(title="Dune")
        assert tool.tool.call() == 3
        assert parsed == "TEXT"
    assert len(server.requests) == 3
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert [one.output for one in checkpoint.rows()] == ["TEXT"]  # the rows of the last run


def test_final_failures_are_kept_and_temporary_ones_are_called_again(
    server: ProviderServer, tmp_path: Path, kind: str
) -> None:
    def answer(request: Request) -> Any:
        text = request.json["messages"][-1]["content"]
        return Status(400, "too long") if "long" in text else Status(503) if "down" in text else "fine"

    server.reply_always(answer)
    call, rows = decorated(kind, retry=1), texts("a", "long", "down")
    first = run(call, rows, tmp_path)
    assert [one.ok for one in first] == [True, False, False]
    server.forget()
    server.reply_always("fine")
    second = run(call, rows, tmp_path)
    assert [(one.ok, one.restored) for one in second] == [(True, True), (False, True), (True, False)]
    assert isinstance(second[1].error, RecordedError)
    assert second[1].error.kind == "BadRequestError"
    assert "too long" in str(second[1].error)
    assert asked(server) == ["down"]
    third = run(call, rows, tmp_path, retry_failed=True)
    assert [(one.ok, one.restored) for one in third] == [(True, True), (True, False), (True, True)]
    assert asked(server) == ["down", "long"]


def test_results_are_on_disk_before_the_program_receives_them(server: ProviderServer, tmp_path: Path) -> None:
    results = map_rows(decorated("sync"), texts(*"abcdefgh"), checkpoint=tmp_path / "c", concurrency=2)
    for result in results:
        # A copy of the files is what a killed process leaves behind.
        for suffix in ("", "-wal"):
            (tmp_path / f"copy{suffix}").write_bytes((tmp_path / f"c{suffix}").read_bytes())
        with Checkpoint(tmp_path / "copy") as copy:
            assert result.key in {one.key for one in copy.rows()}


def test_a_checkpoint_serves_one_run_at_a_time(server: ProviderServer, tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "c"), pytest.raises(CheckpointError, match="is in use by another run"):
        run(decorated("sync"), texts("a"), tmp_path)
    assert run(decorated("sync"), texts("a"), tmp_path)[0].ok


def test_other_files_and_versions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to look like one" * 30)
    with pytest.raises(CheckpointError, match="is not a checkpoint of Ferroscope"):
        Checkpoint(tmp_path / "text")
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE rows (a)")
    other.close()
    with pytest.raises(CheckpointError, match="is another SQLite database"):
        Checkpoint(tmp_path / "other")
    Checkpoint(tmp_path / "newer").close()
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 7")
    newer.close()
    with pytest.raises(CheckpointError, match="checkpoint of version 7, and this version of Ferroscope"):
        Checkpoint(tmp_path / "newer")


def test_functions_without_a_known_request_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="must be a decorated function"):
        map_rows(lambda text: text, texts("a"), checkpoint=tmp_path / "c")


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_export(server: ProviderServer, tmp_path: Path, suffix: str) -> None:
    server.reply("one", Status(400, "bad"), "three")
    run(decorated("sync"), texts("a", "b", "c"), tmp_path, concurrency=1)
    path = tmp_path / f"out.{suffix}"
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert export(checkpoint, path) == 3
    if suffix == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [row["row"] for row in rows] == texts("a", "b", "c")
    elif suffix == "csv":
        import csv

        with path.open(newline="") as file:
            rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
    else:
        rows = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
    assert [row["output"] for row in rows] == ["one", None, "three"]
    assert [row["cost_usd"] for row in rows] == ["0.0000135", None, "0.0000135"]
    assert "bad" in rows[1]["error"] and rows[1]["error"].startswith("BadRequestError: ")
    assert [int(row["attempts"]) for row in rows] == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "c") as checkpoint, pytest.raises(ValueError, match=r"the suffix must be .jsonl"):
        export(checkpoint, tmp_path / "out.xlsx")


def test_an_interrupted_run_keeps_the_rows_that_it_has_not_reached(server: ProviderServer, tmp_path: Path) -> None:
    rows = texts(*"abcdef")
    run(decorated("sync"), rows, tmp_path)
    with map_rows(decorated("sync"), rows, checkpoint=tmp_path / "c", concurrency=1, window=1) as results:
        for _ in results:
            break
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert [one.row for one in checkpoint.rows()] == rows
    run(decorated("sync"), rows[:2], tmp_path)
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert [one.row for one in checkpoint.rows()] == rows[:2]


@pytest.mark.parametrize(
    ("provider", "model", "mount"),
    [
        ("openai", "gpt-4o-mini", "openai"),
        ("anthropic", "claude-haiku-4-5", "anthropic"),
        ("google", "gemini-2.5-flash", "google"),
        ("cohere", "command-a-03-2025", "cohere"),
        ("mistral", "mistral-large-latest", "mistral"),
        ("groq", "llama-3.3-70b-versatile", "groq"),
        ("bedrock", "anthropic.claude-3-5-haiku-20241022-v1:0", "bedrock"),
    ],
)
def test_responses_of_every_format_are_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, model: str, mount: str
) -> None:
    modules = {"google": "google.genai", "mistral": "mistralai", "bedrock": "boto3"}
    pytest.importorskip(modules.get(provider, provider))

    @llm.call(provider, model, tools=[add])
    def call(text: str) -> str:
        return f"Repeat: {text}"

    with ProviderServer(Answer("text", ToolCall("add", {"a": 1, "b": 2}))) as server:
        variables = {
            "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
            "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
            "google": ("GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
            "cohere": ("CO_API_KEY", "CO_API_URL"),
            "mistral": ("MISTRAL_API_KEY", "MISTRAL_BASE_URL"),
            "groq": ("GROQ_API_KEY", "GROQ_BASE_URL"),
            "bedrock": ("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
        }[provider]
        monkeypatch.setenv(variables[0], "test")
        monkeypatch.setenv(variables[1], server.base_url(mount))
        if provider == "bedrock":
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        values = [run(call, texts("a"), tmp_path)[0] for _ in range(2)]
        assert len(server.requests) == 1
    assert [one.restored for one in values] == [False, True]
    names = ("content", "finish_reasons", "model", "id", "input_tokens", "output_tokens", "cost", "message_param")
    shown = [[*(getattr(one.value, name) for name in names), one.value.tool.args, one.cost] for one in values]
    assert shown[0] == shown[1]


PROGRAM = """
import asyncio, sys
from ferroscope.core import openai

@openai.call("gpt-4o-mini")
async def ask(text: str) -> str:
    return f"Repeat: {text}"

async def main() -> None:
    rows = ({"text": f"row-{number}"} for number in range(int(sys.argv[2])))
    async for _ in ask.map(rows, checkpoint=sys.argv[1], concurrency=8):
        pass

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_neither_lose_nor_repeat_a_recorded_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, kills, concurrency = 300, 20, 8
    chance = random.Random(7)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    limit, reached = [0], threading.Event()
    lock = threading.Lock()

    def answer(request: Request) -> str:
        with lock:
            limit[0] -= 1
            if limit[0] == 0:
                reached.set()
        return request.json["messages"][-1]["content"]

    with ProviderServer(default=answer) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
        command = [sys.executable, str(program), str(tmp_path / "c"), str(count)]
        recorded: set[str] = set()
        for _ in range(kills):
            before = len(server.requests)
            reached.clear()
            limit[0] = chance.randint(1, 2 * count // kills - 5)
            process = subprocess.Popen(command)
            assert reached.wait(60)
            process.send_signal(signal.SIGKILL)
            process.wait()
            repeated = recorded & set(asked(server)[before:])
            assert repeated == set()
            with Checkpoint(tmp_path / "c") as checkpoint:
                now = {one.row["text"] for one in checkpoint.rows() if one.status == "done"}
            assert recorded <= now
            recorded = now
        before = len(server.requests)
        subprocess.run(command, check=True, timeout=60)
        assert recorded & set(asked(server)[before:]) == set()
        times = Counter(asked(server))
    with Checkpoint(tmp_path / "c") as checkpoint:
        rows = list(checkpoint.rows())
    assert [(one.row["text"], one.output) for one in rows] == [
        (f"row-{number}", f"Repeat: row-{number}") for number in range(count)
    ]
    assert set(times) == {f"row-{number}" for number in range(count)}
    # Only what was in flight or not yet recorded at a kill was asked for again: at most the window, four rows for each
    # that is called at the same time.
    assert sum(times.values()) <= count + kills * 4 * concurrency
