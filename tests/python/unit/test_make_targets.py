"""The targets of the Makefile that a newcomer starts with."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def commands_of(target: str) -> str:
    """Return the commands that `make` would run."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_environment_of_the_demo_has_what_its_page_needs() -> None:
    assert set(PROJECT["project"]["optional-dependencies"]["web"]) <= set(PROJECT["dependency-groups"]["demo"])


def test_the_demo_names_the_command_for_its_page() -> None:
    assert "-m ferroscope demo\n" in commands_of("demo")
    assert "`make page`" in commands_of("demo")
    assert "-m ferroscope demo --page\n" in commands_of("page")
