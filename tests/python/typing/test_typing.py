"""Holds what the type checkers say of `accepted_*.py` (nothing) and of `rejected_*.py` (each marked line)."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ACCEPTED = sorted(HERE.glob("accepted_*.py"))
REJECTED = sorted(HERE.glob("rejected_*.py"))

pytestmark = pytest.mark.timeout(300)


def mypy(files: list[Path]) -> dict[tuple[str, int], str]:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--output",
            "json",
            "--no-error-summary",
            *map(str, files),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return {(Path(one["file"]).name, one["line"]): one["message"] for one in found if one["severity"] == "error"}


def basedpyright(files: list[Path]) -> dict[tuple[str, int], str]:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "basedpyright",
            "--outputjson",
            "--pythonpath",
            sys.executable,
            *map(str, files),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"]
        for one in json.loads(run.stdout)["generalDiagnostics"]
        if one["severity"] == "error"
    }


CHECKERS = {
    name: pytest.param(
        check,
        id=name,
        marks=pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed"),
    )
    for name, check in {"mypy": mypy, "basedpyright": basedpyright}.items()
}


def marked(files: list[Path]) -> set[tuple[str, int]]:
    return {
        (file.name, number)
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if re.search(r"# rejected:", line)
    }


@pytest.mark.parametrize("check", CHECKERS.values())
def test_accepted_uses_are_accepted_and_rejected_ones_are_not(check: object) -> None:
    assert callable(check)
    found = check([*ACCEPTED, *REJECTED])
    expected = marked(REJECTED)
    assert expected
    surprising = {place: message for place, message in found.items() if place not in expected}
    assert (surprising, expected - found.keys()) == ({}, set())
