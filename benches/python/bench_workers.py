"""Throughput by the number of workers: actors of Ray, and processes of `fn.map`, on a paced upstream.

    python benches/python/bench_workers.py [--rows 200] [--json FILE] [--png FILE]

The server waits before each answer, so that the time of a row is not CPU time. The rate is that of the requests between
the moment at which all workers have sent one and the last request, without the start of the workers. One row has TLS.
Needs the extra `ray`, and matplotlib for the plot.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from certificates import certificate
from ferroscope.testing import Answer, ProviderServer
from ferroscope.testing._http import Request

DELAY = 0.25
CONCURRENCY = 4
WORKERS = (1, 2, 4)

MODULE = """
import os
from ferroscope.core import openai

@openai.call("gpt-4o-mini")
async def ask(text: str) -> str:
    return f"{os.getpid()} {text}"
"""

RAY = f"""
import sys
import ray
import ray.data
from ferroscope.batch.ray import map_dataset

workers, count = map(int, sys.argv[1:])
ray.init(num_cpus=workers + 1, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000)
ray.data.DataContext.get_current().enable_progress_bars = False
rows = ray.data.from_items([{{"text": f"row-{{number}}"}} for number in range(count)]).repartition(10 * workers)
answers = map_dataset("paced_module:ask", rows, actors=workers, concurrency={CONCURRENCY}, block_rows=16)
assert answers.count() == count
"""

PROCESSES = f"""
import asyncio, sys
from paced_module import ask

workers, count = map(int, sys.argv[1:])

async def main() -> None:
    rows = ({{"text": f"row-{{number}}"}} for number in range(count))
    async for result in ask.map(rows, processes=workers, concurrency={CONCURRENCY} * workers):
        assert result.ok, result.error

asyncio.run(main())
"""


def rate(program: str, workers: int, rows: int, pem: Path | None = None) -> float:
    """Return the rows per second of a program once all of its workers are there."""
    times: list[float] = []
    seen: set[str] = set()
    complete: list[float] = []
    lock = threading.Lock()

    def answer(request: Request) -> Any:
        worker = str(request.json["messages"][-1]["content"]).split()[0]
        with lock:
            times.append(time.monotonic())
            seen.add(worker)
            if len(seen) == workers and not complete:
                complete.append(times[-1])
        return Answer("Hello", delay=DELAY)

    with tempfile.TemporaryDirectory() as folder, ProviderServer(default=answer, certificate=pem) as server:
        Path(folder, "paced_module.py").write_text(MODULE)
        Path(folder, "program.py").write_text(program)
        environment = {
            **os.environ,
            "OPENAI_API_KEY": "test",
            "OPENAI_BASE_URL": server.base_url("openai"),
            "PYTHONPATH": os.pathsep.join([folder, *filter(None, sys.path)]),
            "RAY_raylet_start_wait_time_s": "180",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        command = [sys.executable, "program.py", str(workers), str(rows * workers)]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    # The last tenth is left out: blocks of rows do not end at the same time.
    measured = [one for one in times if one >= complete[0]]
    measured = measured[: max(2, len(measured) * 9 // 10)]
    return round((len(measured) - 1) / (measured[-1] - measured[0]), 1)


def show(title: str, workers: int, found: float) -> None:
    print(f"{title}: {found} rows per second of {CONCURRENCY / DELAY * workers:.0f}", flush=True)


def plot(figures: dict[str, dict[int, float]], path: Path) -> None:
    """Draw the rates."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    for name, rates in figures.items():
        axes.plot(list(rates), list(rates.values()), marker="o", label=name)
    ideal = [CONCURRENCY / DELAY * one for one in WORKERS]
    axes.plot(WORKERS, ideal, linestyle=":", color="gray", label="limit of the upstream")
    axes.set_xticks(WORKERS)
    axes.set_xlabel("workers")
    axes.set_ylabel("rows per second")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200, help="the rows for each worker")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--png", type=Path)
    chosen = parser.parse_args(arguments)
    figures: dict[str, dict[int, float]] = {}
    for name, program in (("processes", PROCESSES), ("actors of Ray", RAY)):
        for workers in WORKERS:
            found = figures.setdefault(name, {})[workers] = rate(program, workers, chosen.rows)
            show(f"{workers} {name}", workers, found)
    with certificate() as pem:
        workers = max(WORKERS)
        show(f"{workers} processes, TLS", workers, rate(PROCESSES, workers, chosen.rows, pem))
    if chosen.json is not None:
        settings = {"delay_seconds": DELAY, "concurrency_per_worker": CONCURRENCY, "rows_per_worker": chosen.rows}
        chosen.json.write_text(json.dumps({**settings, "rows_per_second": figures}, indent=2) + "\n")
    if chosen.png is not None:
        plot(figures, chosen.png)


if __name__ == "__main__":
    main()
