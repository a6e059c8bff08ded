"""The command `ferroscope map`: a function over the rows of a file."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from ..core.base.retry import RateLimit
from ..errors import FerroscopeError
from ._checkpoint import Checkpoint
from ._export import export, writer_for
from ._function_names import load_function
from ._map import AsyncRowResults, MapOptions, RowResults, map_rows
from ._progress import Progress, json_progress, progress_for, summary_text
from ._results import MapStats, RowResult

# Any: the function is the user's own.

_MOST_ERRORS = 5


def run_map(chosen: argparse.Namespace) -> int:
    """Run the command and return its exit status.

    It is 0 if all rows are done, 1 if some failed or the run ended early, 2 for wrong arguments, and 130 after Ctrl-C.
    """
    out = Path(chosen.out)
    checkpoint = Path(chosen.checkpoint or f"{out}.checkpoint")
    try:
        writer_for(out)
        fn = load_function(chosen.function)
        results = map_rows(fn, chosen.rows, **_options(chosen, checkpoint))
    except (FerroscopeError, ImportError, OSError, TypeError, ValueError) as error:
        print(f"ferroscope map: {error}", file=sys.stderr)
        return 2
    progress = json_progress(sys.stdout) if chosen.json else None if chosen.quiet else progress_for()
    tally = _Tally(progress)
    restore = _stop_on_signals(results)
    failure: BaseException | None = None
    try:
        if isinstance(results, RowResults):
            for result in results:
                tally.add(result, results.stats)
        else:
            asyncio.run(_consume(results, tally))
    except (FerroscopeError, OSError, KeyboardInterrupt) as error:
        failure = error
    finally:
        restore()
        if progress is not None and not chosen.json:
            progress.end(results.stats)
    written = 0
    if checkpoint.exists():
        try:
            with Checkpoint(checkpoint) as saved:
                written = export(saved, out)
        except (FerroscopeError, OSError, sqlite3.Error) as error:
            failure = failure or error
    _report(chosen, results.stats, tally, out, written, failure)
    if isinstance(failure, KeyboardInterrupt) or results.stats.stopped == "stopped":
        return 130
    return int(failure is not None or results.stats.failed > 0 or results.stats.stopped is not None)


async def _consume(results: AsyncRowResults[Any], tally: _Tally) -> None:
    async for result in results:
        tally.add(result, results.stats)


class _Tally:
    """The progress display, and the errors by class."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.errors: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, result: RowResult[Any], stats: MapStats) -> None:
        """Count a result."""
        if result.error is not None:
            kind = getattr(result.error, "kind", None) or type(result.error).__name__
            self.errors[kind] += 1
            self.examples.setdefault(kind, f"row {result.index}: {result.error}"[:300])
        if self._progress is not None:
            self._progress.update(stats)


def _report(
    chosen: argparse.Namespace, stats: MapStats, tally: _Tally, out: Path, written: int, failure: BaseException | None
) -> None:
    if chosen.json:
        errors = {kind: {"rows": count, "example": tally.examples[kind]} for kind, count in tally.errors.items()}
        summary = {"type": "summary", **stats.to_dict(), "out": str(out), "written": written, "errors": errors}
        if failure is not None:
            summary["error"] = str(failure) or type(failure).__name__
        print(json.dumps(summary), flush=True)
        return
    if failure is not None and not isinstance(failure, KeyboardInterrupt):
        print(f"ferroscope map: {failure}", file=sys.stderr)
    if chosen.quiet:
        return
    print(summary_text(stats), file=sys.stderr)
    for kind, count in tally.errors.most_common(_MOST_ERRORS):
        print(f"failed    {count:,} with {kind}, such as {tally.examples[kind]}", file=sys.stderr)
    print(f"written   {written:,} rows to {out}", file=sys.stderr)
    if stats.stopped is not None or failure is not None:
        print("The same command goes on from here.", file=sys.stderr)


def _options(chosen: argparse.Namespace, checkpoint: Path) -> MapOptions:
    options: MapOptions = {
        "checkpoint": checkpoint,
        "concurrency": chosen.concurrency,
        "processes": chosen.processes,
        "ordered": False,
        "key": chosen.key,
        "retry_failed": chosen.retry_failed,
        "allow_unpriced": chosen.allow_unpriced,
        "budget_usd": chosen.budget_usd,
        "deadline": chosen.deadline,
        "max_failures": chosen.max_failures,
        "retry": chosen.retry,
        "batch_api": chosen.batch_api,
        "poll_seconds": chosen.poll_seconds,
    }
    if chosen.requests_per_minute is not None or chosen.tokens_per_minute is not None:
        options["rate_limit"] = RateLimit(
            requests_per_minute=chosen.requests_per_minute, tokens_per_minute=chosen.tokens_per_minute
        )
    return options


def _stop_on_signals(results: AsyncRowResults[Any] | RowResults[Any]) -> Callable[[], None]:
    """Stop the run at Ctrl-C, after the rows in progress; a second one interrupts them. Return the undo function."""
    pressed = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        print("\nStopping after the rows in progress. Press Ctrl-C again to interrupt them.", file=sys.stderr)
        results.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
