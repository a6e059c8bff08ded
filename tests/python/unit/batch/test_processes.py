"""`processes=`: the calls in worker processes, everything else in the program's."""

from __future__ import annotations

import asyncio
import importlib
import os
import pickle
import signal
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ferroscope import BadRequestError, RateLimitError, llm
from ferroscope._engine.drive import adrive
from ferroscope._engine.error_facts import RetryRules, failure_of, retry_after
from ferroscope.batch import MapStats, RowResult, WorkerLostError, map_rows
from ferroscope.batch._portable_errors import portable  # the error of a worker, compared with the original
from ferroscope.batch._processes import ProcessTarget, worker_options
from ferroscope.batch._target import target_of
from ferroscope.core import openai
from ferroscope.testing import Answer, ProviderServer, Status
from ferroscope.testing._http import Request

PRICE = Decimal("0.0000135")
MODULE = """
import os
from pathlib import Path
from pydantic import BaseModel
from ferroscope.core import openai

FOLDER = Path(__file__).parent


class Book(BaseModel):
    title: str


@openai.call("gpt-4o-mini", retry=2)
def ask(text: str) -> str:
    print("printed by the function")
    (FOLDER / "pids" / str(os.getpid())).touch()
    return f"Repeat: {text}"


@openai.call("gpt-4o-mini", retry=2)
async def ask_async(text: str) -> str:
    (FOLDER / "pids" / str(os.getpid())).touch()
    return f"Repeat: {text}"


def fatal(text: str) -> str:
    if text == "row 3":
        os._exit(7)
    return text


def unpicklable(text: str) -> object:
    return lambda: text


def _fail() -> None:
    raise RuntimeError("no such resource")


class OneWay:
    def __reduce__(self) -> object:
        return _fail, ()


def one_way(text: str) -> object:
    return OneWay() if text == "row 0" else text
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "pids").mkdir()
    name = f"questions_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return importlib.import_module(name)


def collect(fn: Any, rows: Any, **options: Any) -> tuple[list[RowResult[Any]], MapStats]:
    results = map_rows(fn, rows, processes=2, **options)
    if hasattr(results, "__iter__"):
        return list(results), results.stats
    return asyncio.run(results.collect()), results.stats


def texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"row {number}"} for number in range(count)]


def content(request: Request) -> str:
    return str(request.json["messages"][-1]["content"]).removeprefix("Repeat: ")


@pytest.fixture(params=["ask", "ask_async"])
def fn(request: pytest.FixtureRequest, questions: Any) -> Any:
    return getattr(questions, request.param)


def test_results_are_those_of_one_process(server: ProviderServer, fn: Any, tmp_path: Path) -> None:
    def answer(request: Request) -> Any:
        return Status(400, "too long") if content(request) == "row 7" else content(request)

    server.reply_always(answer)
    results, stats = collect(fn, texts(60), concurrency=8, checkpoint=tmp_path / "c")
    assert [one.index for one in results] == list(range(60))
    assert [one.value.content for one in results if one.ok] == [f"row {n}" for n in range(60) if n != 7]
    assert isinstance(results[7].error, BadRequestError)
    assert (results[7].error.status_code, results[7].attempts) == (400, 1)
    assert (stats.done, stats.failed, stats.requests, stats.cost) == (59, 1, 60, 59 * PRICE)
    assert len(list((tmp_path / "pids").iterdir())) == 2
    assert str(os.getpid()) not in {path.name for path in (tmp_path / "pids").iterdir()}
    again, stats = collect(fn, texts(60), concurrency=8, checkpoint=tmp_path / "c")
    assert len(server.requests) == 60
    assert [one.restored for one in again] == [True] * 60
    assert [one.value.content for one in again if one.ok] == [one.value.content for one in results if one.ok]
    assert stats.cost == 0


def test_rate_limits_lose_no_row(server: ProviderServer, fn: Any) -> None:
    server.reply(*[Status(429, retry_after=0.05)] * 20)
    results, stats = collect(fn, texts(20), concurrency=10)
    assert [one.ok for one in results] == [True] * 20
    assert len(server.requests) == stats.requests == 40


def test_the_budget_bounds_the_cost(server: ProviderServer, fn: Any) -> None:
    results, stats = collect(fn, texts(200), concurrency=4, budget_usd=20 * PRICE)
    assert stats.stopped == "budget"
    assert len(results) == len(server.requests)
    assert 20 * PRICE <= stats.cost <= 23 * PRICE


def test_the_rows_of_a_killed_process_go_to_another_one(server: ProviderServer, fn: Any, tmp_path: Path) -> None:
    killed = threading.Event()

    def answer(request: Request) -> Answer:
        pids = list((tmp_path / "pids").iterdir())
        if len(pids) == 2 and not killed.is_set():
            killed.set()
            os.kill(int(pids[0].name), signal.SIGKILL)
        return Answer(content(request), delay=0.02)

    server.reply_always(answer)
    results, _ = collect(fn, texts(80), concurrency=8)
    assert killed.is_set()
    assert [one.value.content for one in results] == [f"row {number}" for number in range(80)]
    assert len(list((tmp_path / "pids").iterdir())) == 3


def test_a_row_that_ends_its_process_fails_alone(questions: Any) -> None:
    results, _ = collect(questions.fatal, texts(6), concurrency=1)
    assert [one.value for one in results] == ["row 0", "row 1", "row 2", None, "row 4", "row 5"]
    with pytest.raises(WorkerLostError, match="ended with status 7"):
        results[3].result()


def test_a_result_that_cannot_be_sent_is_a_failure(questions: Any) -> None:
    results, _ = collect(questions.unpicklable, texts(2))
    assert ["pickle" in str(one.error) for one in results] == [True, True]


def test_functions_that_workers_cannot_import_are_refused(questions: Any) -> None:
    @openai.call("gpt-4o-mini")
    def local(text: str) -> str:
        return text

    with pytest.raises(ValueError, match="worker processes cannot import"):
        map_rows(local, texts(1), processes=2)
    with llm.context(provider="openai", model="gpt-4o"), pytest.raises(ValueError, match=r"do not know `llm.context`"):
        map_rows(questions.ask, texts(1), processes=2)
    with pytest.raises(ValueError, match="`processes` must be a whole number of at least 1"):
        map_rows(questions.ask, texts(1), processes=0)


def test_a_portable_error_decides_the_same(server: ProviderServer) -> None:
    @openai.call("gpt-4o-mini", retry=1)
    def ask(text: str) -> str:
        return text

    server.reply(Status(429, retry_after=3), Status(429, "spent", code="insufficient_quota"))
    decided = []
    for _ in range(2):
        with pytest.raises(RateLimitError) as caught:
            ask("x")
        copy = pickle.loads(pickle.dumps(portable(caught.value)))
        assert isinstance(copy, RateLimitError)
        decided.append((failure_of(copy, RetryRules()), retry_after(copy), len(copy.attempts)))
    assert decided == [("status", 3.0, 1), (None, None, 1)]


def test_an_error_that_cannot_be_pickled_keeps_its_text() -> None:
    class Local(Exception):
        pass

    assert str(portable(Local("no such file"))) == "Local: no such file"


def test_a_result_that_cannot_be_unpickled_is_a_failed_row(questions: Any) -> None:
    results, _ = collect(questions.one_way, texts(3), concurrency=1)
    assert [one.ok for one in results] == [False, True, True]
    assert isinstance(results[0].error, WorkerLostError)
    assert "cannot be unpickled" in str(results[0].error)
    assert "RuntimeError: no such resource" in str(results[0].error)


def test_a_checkpoint_that_cannot_be_read_fails_the_row(fn: Any) -> None:
    # Internal, because a healthy disk has no such error.
    def recall(request: bytes) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    target = target_of(fn, None, None)
    processes = ProcessTarget(target, 1, worker_options(fn, None, None, processes=1, recalls=True))

    async def call() -> None:
        with processes.scope(), pytest.raises(sqlite3.OperationalError, match="disk"):
            await asyncio.wait_for(adrive(processes.steps({"text": "a"}, recall)), 60)

    asyncio.run(call())
