"""The table of providers in the README matches the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ferroscope.core._registry import provider_names

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "tools/readme_providers.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True, check=False)


def test_the_table_of_providers_is_current() -> None:
    checked = run("--check")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_table_names_every_provider() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in provider_names() if f"| `{name}` | " not in readme] == []


def test_a_stale_table_is_reported_and_then_written(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    current = (ROOT / "README.md").read_text()
    readme.write_text(current.replace("| `groq` | `groq` | `GROQ_API_KEY` |\n", ""))
    stale = run("--check", "--readme", str(readme))
    assert stale.returncode == 1
    assert stale.stderr == "README.md: the table of providers is stale: run tools/readme_providers.py\n"
    assert run("--readme", str(readme)).returncode == 0
    assert readme.read_text() == current
