"""Programs of v1's documentation, in tables. Those of a table run in one process, where `mirascope` is the alias."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import ferroscope

for package in ("openai", "anthropic", "groq", "tenacity"):
    pytest.importorskip(package)

# The first test of a table runs all of its programs.
pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent
TABLES = ("operations", "prompting", "structured")
KEYS = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY"), "test-key")

Outcomes = Callable[[str], dict[str, Any]]


def _programs(table: str) -> Any:
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module(f"programs.{table}").PROGRAMS
    finally:
        sys.path.remove(str(HERE))


ROWS = [pytest.param(table, program, id=program.name) for table in TABLES for program in _programs(table)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    @cache
    def run(table: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "programs.program", f"programs.{table}"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                **KEYS,
                "PYTHONPATH": os.pathsep.join([str(Path(ferroscope.__file__).parents[1]), str(HERE)]),
                "PYTHONIOENCODING": "utf-8",
                "TMPDIR": str(tmp_path_factory.mktemp(table)),
            },
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


@pytest.mark.parametrize(("table", "program"), ROWS)
def test_a_program_prints_what_it_printed_with_v1(table: str, program: Any, outcomes: Outcomes) -> None:
    for package in program.needs:
        pytest.importorskip(package)
    assert outcomes(table)[program.name] == {
        "failure": "",
        "prints": program.prints,
        "requests": len(program.answers),
    }
