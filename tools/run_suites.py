"""Run several make targets, each even after a failure, and print a summary of failures and skipped tests.

    python tools/run_suites.py [--make MAKE] TARGET...

The output of the targets is passed on as it arrives. A target that is silent for a while is reported as running. The
exit status is 1 if a target failed.
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

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_PYTEST = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s")
_CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
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

    def summary(self) -> list[str]:
        """Return the lines of the summary."""
        verdict = "ok    " if self.status == 0 else "FAILED"
        counts = ", ".join(f"{number} {kind}" for kind, number in self.counts.items() if number)
        minutes, seconds = divmod(round(self.seconds), 60)
        lines = [f"{verdict}  {self.name:<20}  {minutes}:{seconds:02}  {counts or 'no tests counted'}"]
        return [*lines, *(f"          {line}" for line in [*self.failed, *self.skipped])]


def run(suite: Suite, make: list[str]) -> None:
    """Run a target, and pass its output on."""
    print(f"== {suite.name}", flush=True)
    begun = time.monotonic()
    process = subprocess.Popen([*make, suite.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    heard = [time.monotonic()]
    ended = threading.Event()
    watch = threading.Thread(target=_report_silence, args=(suite.name, begun, heard, ended), daemon=True)
    watch.start()
    _pass_on(process.stdout, suite, heard)
    suite.status = process.wait()
    ended.set()
    watch.join()
    suite.seconds = time.monotonic() - begun


def _pass_on(output: IO[bytes], suite: Suite, heard: list[float]) -> None:
    # Read as bytes arrive, not by lines, because pytest shows its progress within a line.
    pending = b""
    while piece := os.read(output.fileno(), 65536):
        heard[0] = time.monotonic()
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            suite.read(line.decode("utf-8", "replace"))
    suite.read(pending.decode("utf-8", "replace"))


def _report_silence(name: str, begun: float, heard: list[float], ended: threading.Event) -> None:
    while not ended.wait(max(heard[0] + SILENCE - time.monotonic(), 0.1)):
        now = time.monotonic()
        if now - heard[0] >= SILENCE:
            heard[0] = now
            print(f"-- {name} has been running for {now - begun:.0f} s", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the targets and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", default="make", help="the command that makes a target (default: %(default)s)")
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    options = parser.parse_args(arguments)
    suites = [Suite(name) for name in options.targets]
    for suite in suites:
        run(suite, shlex.split(options.make))
    print("\n== summary")
    for suite in suites:
        print("\n".join(suite.summary()))
    failed = [suite.name for suite in suites if suite.status]
    print(f"\n{len(failed)} of {len(suites)} failed: {', '.join(failed)}" if failed else "\nall passed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
