"""Ray Data: several worker processes, a killed one, one budget and one checkpoint for all.

Each test is a process of its own, because Ray leaves threads and settings behind.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ferroscope.batch import Checkpoint
from ferroscope.testing import Answer, ProviderServer, Status, ToolCall
from ferroscope.testing._http import Request

if importlib.util.find_spec("ray") is None:
    if os.environ.get("FERROSCOPE_REQUIRE_ALL") == "1":
        raise ImportError("FERROSCOPE_REQUIRE_ALL is set, and ray is not installed")
    pytest.skip("ray is not installed", allow_module_level=True)

EXAMPLES = Path(__file__).parents[4] / "examples"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUESTIONS = """
import os
from pathlib import Path
from ferroscope.core import openai

@openai.call("gpt-4o-mini")
async def ask(text: str) -> str:
    Path("pids", str(os.getpid())).touch()
    return f"Repeat: {text}"
"""

PROGRAM = """
import json, sys
import ray
import ray.data
from ferroscope.batch.ray import map_dataset

options = json.loads(sys.argv[1])
ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000)
ray.data.DataContext.get_current().enable_progress_bars = False
questions = ray.data.read_parquet("rows.parquet").repartition(12)
answers = map_dataset("questions:ask", questions, actors=2, concurrency=4, block_rows=16, **options)
answers.write_parquet("answers")
"""


def content(request: Request) -> str:
    return str(request.json["messages"][-1]["content"]).removeprefix("Repeat: ")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    import pyarrow
    from pyarrow import parquet

    (tmp_path / "questions.py").write_text(QUESTIONS)
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "pids").mkdir()
    rows = [{"id": number, "text": f"row-{number}"} for number in range(200)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    return tmp_path


def start(place: Path, server: ProviderServer, **options: Any) -> subprocess.Popen[str]:
    return start_program(place, server, "program.py", json.dumps(options))


def start_program(place: Path, server: ProviderServer, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "OPENAI_API_KEY": "test",
        "OPENAI_BASE_URL": server.base_url("openai"),
        "PYTHONPATH": os.pathsep.join([str(place), str(EXAMPLES), *filter(None, sys.path)]),
        # Small machines need more than the default for the start.
        "RAY_raylet_start_wait_time_s": "180",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    }
    return subprocess.Popen([sys.executable, *arguments], cwd=place, env=environment, stderr=subprocess.PIPE, text=True)


def finish(place: Path, process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    from pyarrow import parquet

    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors[-4000:]
    rows: list[dict[str, Any]] = parquet.read_table(place / "answers").to_pylist()
    return sorted(rows, key=lambda row: row["id"])


def test_a_killed_worker_changes_nothing_in_the_results(place: Path) -> None:
    halfway, lock, seen = threading.Event(), threading.Lock(), Counter[str]()

    def answer(request: Request) -> Any:
        with lock:
            seen[content(request)] += 1
            both = len(list((place / "pids").iterdir())) == 2
            if both and len(seen) >= 40:
                halfway.set()
        # The first actor waits for the second one, which starts some seconds later.
        delay = 0.03 if both else 0.3
        return Status(400, "too long") if content(request) == "row-7" else Answer(content(request), delay=delay)

    with ProviderServer(default=answer) as server:
        process = start(place, server, checkpoint="answers.checkpoint", key="id")
        assert halfway.wait(60), process.communicate(timeout=10)[1][-4000:]
        pids = [int(path.name) for path in (place / "pids").iterdir()]
        os.kill(pids[0], signal.SIGKILL)
        rows = finish(place, process)
    assert [row["id"] for row in rows] == list(range(200))
    assert [row["output"] for row in rows if row["id"] != 7] == [f"row-{n}" for n in range(200) if n != 7]
    assert "too long" in rows[7]["error"]
    assert {row["cost_usd"] for row in rows if row["id"] != 7} == {"0.0000135"}
    # Only what the killed actor had in flight was requested again.
    assert sum(seen.values()) <= 200 + 4
    deadline = time.monotonic() + 30
    while True:
        try:
            with Checkpoint(place / "answers.checkpoint") as checkpoint:
                recorded = list(checkpoint.rows())
            break
        except Exception:  # the coordinator's process still has the file
            assert time.monotonic() < deadline
    assert Counter(row.status for row in recorded) == {"done": 199, "failed": 1}


def test_the_budget_is_that_of_all_workers(place: Path) -> None:
    with ProviderServer(default="Hello") as server:
        rows = finish(place, start(place, server, budget_usd="0.00054"))
        count = len(server.requests)
    # 40 rows, and at most what each actor had in flight.
    assert 40 <= count <= 40 + 2 * 4 + 2
    assert len([row for row in rows if row["error"] is None]) == count
    assert {row["error"] for row in rows if row["error"]} == {
        "BudgetExceededError: the budget of the cluster is used up; the row was not called"
    }


def test_the_example_judges_every_review(place: Path) -> None:
    judgement = Answer(ToolCall("Review", {"mood": "positive", "topic": "food"}))
    program = str(EXAMPLES / "ray_batch.py")
    with ProviderServer(default=judgement) as server:
        rows = finish(place, start_program(place, server, program, "rows.parquet", "answers", "1"))
        assert len(server.requests) == 200
    assert [json.loads(row["output"]) for row in rows] == [{"mood": "positive", "topic": "food"}] * 200
