"""`ferroscope map`: a file in, a file out, and the same command goes on after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from ferroscope.__main__ import main
from ferroscope.batch import MapStats, map_rows
from ferroscope.batch._progress import BarProgress, LineProgress, progress_text
from ferroscope.testing import Answer, ProviderServer, Status
from ferroscope.testing._http import Request

MODULE = """
from ferroscope.core import openai

@openai.call("gpt-4o-mini", retry=1)
def ask(text: str) -> str:
    return f"Repeat: {text}"

@openai.call("gpt-4o-mini", retry=1)
async def ask_async(text: str) -> str:
    return f"Repeat: {text}"

number = 5
"""


def content(request: Request) -> str:
    return str(request.json["messages"][-1]["content"]).removeprefix("Repeat: ")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "questions.py").write_text(MODULE)
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"text": "row {number}"}}\n' for number in range(20)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["ask", "ask_async"])
def test_a_file_in_and_a_file_out(
    server: ProviderServer, place: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    server.reply_always(lambda one: Status(400, "too long") if content(one) == "row 7" else content(one))
    command = ["map", f"questions.py:{name}", "rows.jsonl", "--out", "results.jsonl", "--concurrency", "4"]
    assert main(command) == 1
    rows = written(place / "results.jsonl")
    assert [row["row"]["text"] for row in rows] == [f"row {number}" for number in range(20)]
    assert [row["output"] for row in rows if row["error"] is None] == [f"row {n}" for n in range(20) if n != 7]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "rows      20 of 20: 19 done, 1 failed, 0 restored" in shown.err
    assert "failed    1 with BadRequestError, such as row 7: " in shown.err
    assert "cost      0.0002565 USD" in shown.err
    assert (place / "results.jsonl.checkpoint").exists()
    # The same command goes on; here, only the failed row is left, and it is called again on request.
    server.reply_always("fine")
    assert main([*command, "--retry-failed", "--json"]) == 0
    assert len(server.requests) == 21
    assert written(place / "results.jsonl")[7]["output"] == "fine"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (lines[-1]["type"], lines[-1]["restored"], lines[-1]["requests"]) == ("summary", 19, 1)


def test_a_budget_stops_and_the_next_run_goes_on(
    server: ProviderServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["map", "questions.py:ask", "rows.jsonl", "--out", "results.csv", "--concurrency", "1"]
    assert main([*command, "--budget-usd", "0.0001"]) == 1
    error = capsys.readouterr().err
    assert "stopped   the budget is used up" in error
    assert "The same command goes on from here." in error
    first = len(server.requests)
    assert 0 < first < 20
    assert main(command) == 0
    assert len(server.requests) == 20
    assert len((place / "results.csv").read_text().splitlines()) == 21


MISTAKES = {
    "no function": (["questions.py:nothing", "rows.jsonl"], "has no function 'nothing'"),
    "not a function": (["questions.py:number", "rows.jsonl"], "has no function 'number'"),
    "no colon": (["questions", "rows.jsonl"], "must have the form `module:function`"),
    "no file": (["other.py:ask", "rows.jsonl"], "no such file: 'other.py'"),
    "no module": (["no_such_module:ask", "rows.jsonl"], "No module named 'no_such_module'"),
    "no rows": (["questions.py:ask", "other.jsonl"], "no such file: 'other.jsonl'"),
    "a wrong number": (["questions.py:ask", "rows.jsonl", "--concurrency", "0"], "`concurrency` must be"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_explained(place: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, message = MISTAKES[name]
    assert main(["map", *arguments, "--out", "results.jsonl"]) == 2
    assert message in capsys.readouterr().err
    assert not (place / "results.jsonl.checkpoint").exists()


def test_an_unknown_output_is_refused_before_the_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "questions.py:ask", "rows.jsonl", "--out", "results.xlsx"]) == 2
    assert "the suffix must be .jsonl" in capsys.readouterr().err


def test_a_missing_key_is_one_error(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["map", "questions.py:ask", "rows.jsonl", "--out", "results.jsonl"]) == 1
    error = capsys.readouterr().err
    assert error.count("OPENAI_API_KEY") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ask", "ask_async"])
def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(server: ProviderServer, place: Path, name: str) -> None:
    reached = threading.Event()

    def answer(request: Request) -> Answer:
        if len(server.requests) >= 8:
            reached.set()
        return Answer(content(request), delay=0.05)

    server.reply_always(answer)
    arguments = ["map", f"questions:{name}", "rows.jsonl", "--out", "results.jsonl", "--concurrency", "2"]
    command = [sys.executable, "-m", "ferroscope", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True, cwd=place)
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped   it was interrupted" in error
    assert "Traceback" not in error
    # The rows in progress ended, so every request has a result.
    assert len(written(place / "results.jsonl")) == len(server.requests) < 20
    assert subprocess.run(command, env=environment, cwd=place, check=False, capture_output=True).returncode == 0
    assert len(written(place / "results.jsonl")) == len(server.requests) == 20


def stats() -> MapStats:
    from decimal import Decimal

    found = MapStats(total=1000, done=240, failed=10, restored=50, requests=210, retried=10)
    found.input_tokens, found.output_tokens, found.cost = 15_000, 5_000, Decimal("0.2")
    found._started, found._ended = 0.0, 100.0
    return found


def test_the_line_of_progress() -> None:
    assert progress_text(stats()) == (
        "250/1,000 rows, 10 failed, 50 restored, 10 retried, 20.0k tokens, 0.2000 USD of about 0.95, 2.0 rows/s, "
        "6:15 left"
    )


def test_lines_where_there_is_no_terminal() -> None:
    stream = StringIO()
    progress = LineProgress(stream, seconds=0)
    progress.update(stats())
    assert stream.getvalue() == progress_text(stats()) + "\n"
    stream = StringIO()
    LineProgress(stream, seconds=60).update(stats())
    assert stream.getvalue() == ""


def test_the_bar_shows_the_same() -> None:
    pytest.importorskip("rich")

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    progress = BarProgress(stream)
    progress.update(stats())
    progress.end(stats())
    assert "250/1,000 rows" in stream.getvalue()


def test_the_option_progress(server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in map_rows(lambda text: text, [{"text": "a"}, {"text": "b"}], progress=True):
        pass
    assert capsys.readouterr().err.startswith("2/2 rows, 0.0000 USD")
