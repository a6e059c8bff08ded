"""The progress of a run: a bar in a terminal or a notebook, otherwise lines of text or of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

from ._results import MapStats

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

# The seconds between two lines, and between two updates of a bar.
_LINE_SECONDS: Final = 10.0
_BAR_SECONDS: Final = 0.1


class Progress(Protocol):
    """A display of the counts of a run."""

    def update(self, stats: MapStats) -> None:
        """Show new counts. Most calls return at once."""
        ...

    def end(self, stats: MapStats) -> None:
        """Show the last counts."""
        ...


def progress_for(stream: TextIO | None = None) -> Progress:
    """Return a bar if the output is a terminal or a notebook and rich is installed, otherwise lines of text."""
    # A program without a console has no `sys.stderr`.
    output: TextIO = stream or sys.stderr or StringIO()
    if output.isatty() or _in_notebook():
        try:
            return BarProgress(output)
        except ImportError:
            pass
    return LineProgress(output)


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class LineProgress:
    """Lines of text, at most one in some seconds."""

    def __init__(self, stream: TextIO, seconds: float = _LINE_SECONDS, text: Callable[[MapStats], str] | None = None):
        self._stream = stream
        self._seconds = seconds
        self._text = progress_text if text is None else text
        self._next = time.monotonic() + seconds

    def update(self, stats: MapStats) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + self._seconds
            self.end(stats)

    def end(self, stats: MapStats) -> None:
        print(self._text(stats), file=self._stream, flush=True)


class BarProgress:
    """A bar of rich.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        notebook = True if _in_notebook() else None
        columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
        console = Console(file=None if notebook else stream, stderr=stream is sys.stderr)
        self._bar: RichProgress = Progress(*columns, console=console)
        self._task: TaskID | None = None
        self._next = 0.0

    def update(self, stats: MapStats) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + _BAR_SECONDS
            self._show(stats)

    def _show(self, stats: MapStats) -> None:
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("", total=stats.total)
        self._bar.update(self._task, completed=stats.rows, total=stats.total, description=progress_text(stats))

    def end(self, stats: MapStats) -> None:
        self._show(stats)
        self._bar.stop()


def json_progress(stream: TextIO, seconds: float = 1.0) -> LineProgress:
    """Return a display of one JSON object per line, for programs."""
    return LineProgress(stream, seconds, lambda stats: json.dumps({"type": "progress", **stats.to_dict()}))


def progress_text(stats: MapStats) -> str:
    """Return the counts as one line of text."""
    total = "" if stats.total is None else f"/{stats.total:,}"
    parts = [f"{stats.rows:,}{total} rows"]
    for count, name in ((stats.failed, "failed"), (stats.restored, "restored"), (stats.retried, "retried")):
        if count:
            parts.append(f"{count:,} {name}")
    tokens = stats.input_tokens + stats.output_tokens
    if tokens:
        parts.append(f"{_short(tokens)} tokens")
    money = f"{stats.cost:.4f} USD"
    if (expected := stats.expected_cost) is not None and stats.rows < (stats.total or 0):
        money += f" of about {expected:.2f}"
    parts.append(f"at least {money}" if stats.unpriced else money)
    parts.append(f"{stats.rows_per_second:.1f} rows/s")
    if stats.seconds_left:
        parts.append(f"{_duration(stats.seconds_left)} left")
    return ", ".join(parts)


def summary_text(stats: MapStats) -> str:
    """Return the counts of a run that has ended, as some lines of text."""
    reasons: dict[Any, str] = {
        "budget": "the budget is used up",
        "deadline": "the deadline has passed",
        "failures": "too many rows failed",
        "stopped": "it was interrupted",
        "closed": "it was closed",
        "error": "an error",
    }
    money = f"{stats.cost:f} USD" + (f" and {stats.unpriced:,} calls without a known price" if stats.unpriced else "")
    total = "" if stats.total is None else f" of {stats.total:,}"
    lines = [
        f"rows      {stats.rows:,}{total}: {stats.done:,} done, {stats.failed:,} failed, {stats.restored:,} restored",
        f"requests  {stats.requests:,}, of them {stats.retried:,} repeated",
        f"tokens    {stats.input_tokens:,} input, {stats.output_tokens:,} output",
        f"cost      {money}",
        f"time      {_duration(stats.seconds)}, {stats.rows_per_second:.1f} rows/s",
    ]
    if stats.stopped is not None:
        lines.append(f"stopped   {reasons[stats.stopped]}")
    return "\n".join(lines)


def _short(count: int) -> str:
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= limit:
            return f"{count / limit:.1f}{unit}"
    return str(count)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}" if minutes else f"{seconds:.1f} s"
