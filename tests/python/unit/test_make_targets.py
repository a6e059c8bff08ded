"""The targets of the Makefile that a newcomer starts with, and the environments of older SDKs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# The upper bounds in the metadata of mirascope 1.25.7, which are excluded.
BELOW_IN_V1 = {"openai": 2, "anthropic": 1, "google-genai": 2, "groq": 1, "mistralai": 2, "cohere": 6}
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


def test_one_environment_has_the_sdk_versions_that_v1_requires() -> None:
    (line,) = re.findall(r"^sdks-oldest := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    found = dict(re.findall(r"([a-z-]+)(?:\[[\w,]+\])?((?:==|<)\d+)", line))
    accepted = {name: (f"<{bound}", f"=={bound - 1}") for name, bound in BELOW_IN_V1.items()}
    assert {name: found[name] in accepted[name] for name in BELOW_IN_V1} == dict.fromkeys(BELOW_IN_V1, True)
