"""`make test`: every suite runs, whatever the others did, and the end says what was wrong and what was left out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = """\
core:
\t@echo 'test one ... ok'
\t@echo 'test two ... ignored, needs a key'
\t@echo 'test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s'
\t@echo 'test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s'

broken:
\t@echo 'SKIPPED [2] tests/a.py:3: no fork here'
\t@echo 'E   assert 1 == 2'
\t@echo 'FAILED tests/a.py::test_b[x] - assert 1 == 2'
\t@printf '\\033[31m=== \\033[1m1 failed\\033[0m, 3 passed, 2 skipped in 1.50s ===\\n'
\t@exit 1

waits:
\t@echo begun > $(DIR)/begun
\t@until test -e $(DIR)/met; do sleep 0.02; done
\t@echo 'waits ended'

meets:
\t@until test -e $(DIR)/begun; do sleep 0.02; done
\t@echo 'FAILED tests/c.py::test_d'
\t@exit 1

after:
\t@echo 'after the failure'
\t@touch $(DIR)/met

last:
\t@echo '5 passed in 0.10s'
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_suites_go_on_after_a_failure_and_are_summed_up(tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(MAKEFILE)
    command = [sys.executable, str(ROOT / "tools/run_suites.py"), "--make", f"make --silent -f '{makefile}'"]
    run = subprocess.run([*command, "core", "broken", "last"], capture_output=True, text=True, check=False)
    output, _, summary = run.stdout.partition("== summary\n")
    assert run.returncode == 1
    assert "5 passed in 0.10s" in output
    assert summary.splitlines() == [
        "ok      core                  0:00  5 passed, 1 skipped",
        "          test two ... ignored, needs a key",
        "FAILED  broken                0:00  1 failed, 3 passed, 2 skipped",
        "          SKIPPED [2] tests/a.py:3: no fork here",
        "ok      last                  0:00  5 passed",
        "",
        "== broken: failed",
        "E   assert 1 == 2",
        "FAILED tests/a.py::test_b[x] - assert 1 == 2",
        "",
        "1 of 3 failed: broken",
    ]
    run = subprocess.run([*command, "core", "last"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.splitlines()[-1]) == (0, "all passed")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_lanes_run_at_the_same_time_and_their_output_stays_apart(tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(MAKEFILE)
    make = f"make --silent -f '{makefile}' DIR='{tmp_path}'"
    command = [sys.executable, str(ROOT / "tools/run_suites.py"), "--make", make, "waits+meets,after", "last"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    output, _, summary = run.stdout.partition("\n== summary\n")
    begun = [line for line in output.splitlines() if line.startswith("== ")]
    assert sorted(begun[:2]) == ["== meets", "== waits"]
    assert begun[2:] == ["== after", "== last"]
    assert ("== waits\nwaits ended\n" in output, "== after\nafter the failure\n" in output) == (True, True)
    assert (run.returncode, summary.splitlines()[-1]) == (1, "1 of 4 failed: meets")


RUNS_PYTEST = """\
suite:
\t@'{python}' -m pytest -ra $(PYTEST_OPTIONS) '{tests}'
"""
TESTS = """\
from pathlib import Path

marker = Path(__file__).with_name("failed_once")

def test_passes():
    assert not marker.exists(), "ran again though it had passed"

def test_fails_once():
    first = not marker.exists()
    marker.touch()
    assert not first, "the machine is slow"

def test_broken():
    assert {works}, "always"
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("works", [True, False])
def test_failed_tests_run_again_and_stay_in_the_summary(tmp_path: Path, works: bool) -> None:
    tests = tmp_path / "test_sometimes.py"
    tests.write_text(TESTS.format(works=works))
    makefile = tmp_path / "Makefile"
    makefile.write_text(RUNS_PYTEST.format(python=sys.executable, tests=tests))
    command = [sys.executable, str(ROOT / "tools/run_suites.py"), "--make", f"make --silent -f '{makefile}'", "suite"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    summary = run.stdout.partition("== summary\n")[2].splitlines()
    title = "== suite: failed, and passed when they ran again, alone" if works else "== suite: failed"
    assert title in summary
    assert any("the machine is slow" in line for line in summary if line.startswith("E  "))
    assert (run.returncode, summary[-1]) == (1, "1 of 1 failed: suite")
    assert [line.split(" - ")[0].rpartition("::")[2] for line in summary if line.startswith("FAILED test")] == (
        ["test_fails_once"] if works else ["test_fails_once", "test_broken"]
    )
