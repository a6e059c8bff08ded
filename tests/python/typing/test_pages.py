"""The examples of the documentation pass the type checkers in strict mode."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# The base classes of v1 for a provider of a program's own have fewer types than strict mode requires. The page about
# migration shows programs before it.
UNTYPED = {"migration.md", "providers.md"}
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in UNTYPED),
]

pytestmark = pytest.mark.timeout(300)


def _tool(name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    pages = _tool("page_examples")
    files = [file for page in PAGES for file in pages.write_examples(page, folder)]  # type: ignore[attr-defined]
    assert len(files) > len(PAGES)
    for file in files:
        if "boto3" in file.read_text():  # has no types
            file.unlink()
    return folder


def test_the_examples_about_types_run() -> None:
    text = (ROOT / "docs/types.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert examples
    for example in examples:
        exec(compile(example, "docs/types.md", "exec"), {"__name__": "page"})


def test_mypy_accepts_the_examples(examples: Path) -> None:
    pytest.importorskip("mypy")
    options = ["--strict", "--no-error-summary", "--hide-error-context", "--cache-dir", str(ROOT / ".mypy_cache")]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *sorted(map(str, examples.glob("*.py")))],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (run.stdout, run.stderr) == ("", "")


def test_basedpyright_accepts_the_examples(examples: Path) -> None:
    pytest.importorskip("basedpyright")
    config = {
        "include": [str(examples)],
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT / "python")],
        "pythonVersion": "3.11",
        "reportPrivateUsage": "none",  # `_name` and `_ConfigurableToolConfig` are v1's public names
    }
    (examples / "pyrightconfig.json").write_text(json.dumps(config))
    run = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(examples)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    found = json.loads(run.stdout)["generalDiagnostics"]
    errors = [(Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"]) for one in found]
    assert errors == []
