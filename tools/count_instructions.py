"""Count the instructions of the core's benches with callgrind, and compare them with the checked-in budget.

    python tools/count_instructions.py [--write]

Times depend on the machine and its load; instructions hardly do. `benches/rust/instructions.json` has the instructions
per element (an event, a delta, a call) of each case. More than the tolerance above it is a failure. Fewer ask for a new
budget, which `--write` makes.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).parent.parent
BUDGET = ROOT / "benches/rust/instructions.json"
EXAMPLE = ROOT / "target/release/examples/instructions"
TIMES = 3


class Budget(TypedDict):
    """The contents of the budget file."""

    rustc: str
    tolerance: float
    instructions_per_element: dict[str, int]


def output(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def count(case: str, times: int) -> int:
    """Return the instructions of a process that runs a case so many times."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(EXAMPLE), case, str(times)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise SystemExit(f"valgrind reported no count:\n{done.stderr}")
    return int(found[1])


def measure() -> dict[str, int]:
    """Return the instructions per element of each case, without what a process does once."""
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--package", "ferroscope-core", "--example", "instructions"],
        cwd=ROOT,
        check=True,
    )
    found: dict[str, int] = {}
    for line in output(EXAMPLE).splitlines():
        elements, case = line.split("\t")
        found[case] = round((count(case, TIMES + 1) - count(case, 1)) / TIMES / int(elements))
    return found


def check(budget: Budget, found: dict[str, int]) -> list[str]:
    """Print the cases. Return those that take more than their budget, or have none."""
    allowed = budget["instructions_per_element"]
    failed = sorted(allowed.keys() ^ found.keys())
    for case in found.keys() & allowed.keys():
        if found[case] > allowed[case] * (1 + budget["tolerance"]):
            failed.append(case)
    for case, instructions in found.items():
        change = f"{instructions / allowed[case] - 1:+7.1%}" if case in allowed else "    new"
        print(f"{instructions:>8,} {change}  {case}{'  TOO MANY' if case in failed else ''}")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write what was counted as the new budget")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is missing: install it (Debian: valgrind)")
    rustc, found = output("rustc", "--version").strip(), measure()
    if options.write:
        made = Budget(rustc=rustc, tolerance=0.1, instructions_per_element=found)
        BUDGET.write_text(json.dumps(made, indent=2) + "\n")
        return
    budget: Budget = json.loads(BUDGET.read_text())
    if failed := check(budget, found):
        print(f"{rustc}; the budget was counted with {budget['rustc']}", file=sys.stderr)
        raise SystemExit(f"beyond the budget: {', '.join(failed)} (a good reason? {Path(__file__).name} --write)")


if __name__ == "__main__":
    main()
