"""Run several make targets, each even after a failure, and print a summary of skipped tests and failures.

    python tools/run_suites.py [--make MAKE] STAGE...

A stage is a target, or several: `a,b` runs one after the other, and `a+b,c` runs `a` at the same time as `b` and `c`.
The output of the first target that runs is passed on as it arrives, that of the others when it is their turn. A target
that is silent for a while is reported as running. The exit status is 1 if a target failed.

If a few Python tests failed, they run again at the end, alone, and the summary shows which of them passed then: such a
test depends on time, on its order or on chance. It remains a failure. The targets take the options of pytest from the
variable PYTEST_OPTIONS.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import IO

SILENCE = 15.0  # seconds
RUN_AGAIN = 10  # a suite with more failures than this does not run again
ERROR_LINES = 60  # of a suite, in the summary

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_PYTEST = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s")
_CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
_ERROR = re.compile(r"^(?:_{3,} .* _{3,}|E  .*|\S+\.py:\d+: \w+)$")
_COUNT = re.compile(r"(\d+) ([a-z]+)")


@dataclass
class Suite:
    """A make target, and the test results in its output."""

    name: str
    status: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # lines of tracebacks that name a test, an error or a place
    passed_again: bool = False  # whether all failed tests passed when they ran alone

    def read(self, line: str) -> None:
        """Read a line of output."""
        line = _ESCAPES.sub("", line).rstrip()
        if found := _CARGO.match(line):
            passed, failed, ignored = map(int, found.groups())
            self.counts.update({"passed": passed, "failed": failed, "skipped": ignored})
        elif found := _PYTEST.match(line):
            self.counts.update({kind: int(number) for number, kind in _COUNT.findall(found[1])})
        elif line.startswith(("FAILED ", "ERROR ")) or (line.startswith("test ") and line.endswith("... FAILED")):
            self.failed.append(line)
        elif line.startswith("SKIPPED [") or re.match(r"^test .* \.\.\. ignored", line):
            self.skipped.append(line)
        elif _ERROR.match(line):
            self.errors.append(line)

    def can_run_again(self) -> bool:
        """Return whether pytest ended by itself, with a few failures."""
        failures = self.counts["failed"] + self.counts["errors"] + self.counts["error"]
        return self.status != 0 and self.counts["passed"] > 0 and 0 < failures <= RUN_AGAIN

    def summary(self) -> list[str]:
        """Return the lines of the summary."""
        verdict = "ok    " if self.status == 0 else "FAILED"
        counts = ", ".join(f"{number} {kind}" for kind, number in self.counts.items() if number)
        minutes, seconds = divmod(round(self.seconds), 60)
        lines = [f"{verdict}  {self.name:<20}  {minutes}:{seconds:02}  {counts or 'no tests counted'}"]
        return [*lines, *(f"          {line}" for line in self.skipped)]

    def failures(self) -> list[str]:
        """Return the lines about the tests that failed."""
        title = "failed, and passed when they ran again, alone" if self.passed_again else "failed"
        lines = [*self.errors[:ERROR_LINES], *self.failed]
        return [f"\n== {self.name}: {title}", *lines] if self.failed else []


class Terminal:
    """Standard output, which one target at a time writes to. The output of the others is kept for later."""

    def __init__(self) -> None:
        """Start with no target."""
        self._lock = threading.Lock()
        self._kept: dict[str, bytearray] = {}  # of the targets that have not ended, or wait for their turn
        self._ended: set[str] = set()

    def begin(self, name: str) -> None:
        """Add a target behind those that run. A target may begin again when it has ended."""
        with self._lock:
            self._kept[name] = bytearray()
            self._ended.discard(name)
        self.write(name, f"== {name}\n".encode())

    def write(self, name: str, data: bytes) -> None:
        """Write what a target has written, if it is its turn."""
        with self._lock:
            self._kept[name] += data
            self._flush()

    def end(self, name: str) -> None:
        """Let the next target write."""
        with self._lock:
            self._ended.add(name)
            self._flush()

    def _flush(self) -> None:
        for name in list(self._kept):
            sys.stdout.buffer.write(self._kept[name])
            self._kept[name].clear()
            if name not in self._ended:
                break
            del self._kept[name]
        sys.stdout.buffer.flush()


def run(suite: Suite, make: list[str], terminal: Terminal, options: str = "") -> None:
    """Run a target, with further options for pytest, and pass its output on."""
    terminal.begin(suite.name)
    begun = time.monotonic()
    # A wide terminal, because pytest shortens the errors of its summary to the width.
    env = {"COLUMNS": "200", **os.environ}
    # A cache of its own, because suites that run at the same time would write the same list of failed tests.
    command = [*make, suite.name, f"PYTEST_OPTIONS=-o cache_dir=.pytest_cache/{suite.name} {options}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    assert process.stdout is not None
    heard = [time.monotonic()]
    ended = threading.Event()
    watch = threading.Thread(target=_report_silence, args=(suite.name, begun, heard, ended, terminal), daemon=True)
    watch.start()
    _pass_on(process.stdout, suite, heard, terminal)
    suite.status = process.wait()
    ended.set()
    watch.join()
    suite.seconds = time.monotonic() - begun
    terminal.end(suite.name)


def run_stage(lanes: list[list[Suite]], make: list[str], terminal: Terminal) -> None:
    """Run lanes at the same time, and the targets of each lane one after the other."""

    def run_lane(lane: list[Suite]) -> None:
        for suite in lane:
            run(suite, make, terminal)

    threads = [threading.Thread(target=run_lane, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_again(suite: Suite, make: list[str], terminal: Terminal) -> None:
    """Run the failed tests of a suite again, and record whether they pass."""
    again = Suite(suite.name)
    run(again, make, terminal, "--last-failed --last-failed-no-failures none")
    suite.passed_again = again.status == 0 and again.counts["passed"] > 0


def _pass_on(output: IO[bytes], suite: Suite, heard: list[float], terminal: Terminal) -> None:
    # Read as bytes arrive, not by lines, because pytest shows its progress within a line.
    pending = b""
    while piece := os.read(output.fileno(), 65536):
        heard[0] = time.monotonic()
        terminal.write(suite.name, piece)
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            suite.read(line.decode("utf-8", "replace"))
    suite.read(pending.decode("utf-8", "replace"))


def _report_silence(name: str, begun: float, heard: list[float], ended: threading.Event, terminal: Terminal) -> None:
    while not ended.wait(max(heard[0] + SILENCE - time.monotonic(), 0.1)):
        now = time.monotonic()
        if now - heard[0] >= SILENCE:
            heard[0] = now
            terminal.write(name, f"-- {name} has been running for {now - begun:.0f} s\n".encode())


def main(arguments: list[str] | None = None) -> int:
    """Run the targets and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", default="make", help="the command that makes a target (default: %(default)s)")
    parser.add_argument("stages", nargs="+", metavar="STAGE")
    options = parser.parse_args(arguments)
    stages = [[[Suite(name) for name in lane.split(",")] for lane in stage.split("+")] for stage in options.stages]
    suites = [suite for lanes in stages for lane in lanes for suite in lane]
    terminal = Terminal()
    for lanes in stages:
        run_stage(lanes, shlex.split(options.make), terminal)
    for suite in suites:
        if suite.can_run_again():
            run_again(suite, shlex.split(options.make), terminal)
    print("\n== summary")
    for suite in suites:
        print("\n".join(suite.summary()))
    # Last, because a log is often read from its end.
    for suite in suites:
        print("\n".join(suite.failures()), end="\n" if suite.failures() else "")
    failed = [suite.name for suite in suites if suite.status]
    print(f"\n{len(failed)} of {len(suites)} failed: {', '.join(failed)}" if failed else "\nall passed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
