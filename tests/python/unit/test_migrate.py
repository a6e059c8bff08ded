"""`ferroscope migrate`: the differences, the report, and the migrated programs."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("libcst")

from ferroscope.__main__ import main
from ferroscope._migrate.names import DEVIATIONS, anchor_of, exists, section_of
from ferroscope._migrate.requirements import EXTRAS, rewrite_requirements
from ferroscope._migrate.source import rewrite
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/migration.md").read_text(encoding="utf-8")
(PROGRAM, _ALIAS) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(MANIFEST,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(REPORT,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(DIFF,) = re.findall(r"^```diff\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import mirascope\n", "import ferroscope\n"),
        ("import mirascope as m, os\nm.llm\n", "import ferroscope as m, os\nm.llm\n"),
        ("import mirascope.core.openai as o\n", "import ferroscope.core.openai as o\n"),
        ("import mirascope.llm\nmirascope.llm.call\n", "import ferroscope.llm\nferroscope.llm.call\n"),
        ("from mirascope import llm, Messages as M\n", "from ferroscope import llm, Messages as M\n"),
        ("from mirascope.core import (\n    openai,  # a\n)\n", "from ferroscope.core import (\n    openai,  # a\n)\n"),
        ("from mirascope.core.base import *\n", "from ferroscope.core.base import *\n"),
        ("from mirascope.retries.fallback import fallback\n", "from ferroscope.retries.fallback import fallback\n"),
        (
            "def f():\n    import mirascope\n    return mirascope\n",
            "def f():\n    import ferroscope\n    return ferroscope\n",
        ),
        ("if 1: from mirascope import llm; x = 1\n", "if 1: from ferroscope import llm; x = 1\n"),
        ("patch('mirascope.core.openai.call')\n", "patch('ferroscope.core.openai.call')\n"),
        ('import_module("mirascope")\n', 'import_module("ferroscope")\n'),
        ("x = 'mirascope'  # mirascope\n", "x = 'mirascope'  # mirascope\n"),
        ("f'mirascope.core{x}'\n", "f'mirascope.core{x}'\n"),
        ("from .mirascope import x\n", "from .mirascope import x\n"),
        ("import mirascope_extra\n", "import mirascope_extra\n"),
        (
            "import mirascope\ndef f(mirascope):\n    return mirascope\n",
            "import ferroscope\ndef f(mirascope):\n    return mirascope\n",
        ),
        ("import mirascope\nx.mirascope = f(mirascope=1)\n", "import ferroscope\nx.mirascope = f(mirascope=1)\n"),
        ("mirascope = 1\nprint(mirascope)\n", "mirascope = 1\nprint(mirascope)\n"),
        ("import mirascope\r\n", "import ferroscope\r\n"),
        ("# coding: latin-1\nimport mirascope  # é\n", "# coding: latin-1\nimport ferroscope  # é\n"),
    ],
)
def test_a_module_is_rewritten(before: str, after: str) -> None:
    encoding = "latin-1" if "latin-1" in before else "utf-8"
    found = rewrite(before.encode(encoding))
    assert found.code == after.encode(encoding)
    assert found.missing == {}


def test_names_without_an_equivalent_are_left_and_listed() -> None:
    code = (
        b"import mirascope.experimental.graphs\n"
        b"from mirascope.core.base import BaseTool, nothing\n"
        b"from mirascope.v0 import x\n"
        b"patch('mirascope.core.base._create.get_metadata')\n"
        b"mirascope.experimental.graphs.f()\n"
    )
    found = rewrite(code)
    assert found.code == (
        b"import mirascope.experimental.graphs\n"
        b"from ferroscope.core.base import BaseTool\n"
        b"from mirascope.core.base import nothing\n"
        b"from mirascope.v0 import x\n"
        b"patch('mirascope.core.base._create.get_metadata')\n"
        b"mirascope.experimental.graphs.f()\n"
    )
    assert found.missing == {
        "mirascope.experimental.graphs": [1],
        "mirascope.core.base.nothing": [2],
        "mirascope.v0.x": [3],
        "mirascope.core.base._create.get_metadata": [4],
    }


def test_the_parts_that_differ_are_listed_with_their_lines() -> None:
    code = (
        b"from mirascope import llm\n"
        b"from mirascope.core import anthropic\n"
        b"from mirascope.mcp import stdio_client\n"
        b"@anthropic.call('m', stream=True)\n"
        b"def f(): ...\n"
        b"g = llm.override(f, response_model=int)\n"
        b"h(stream=True)\n"
    )
    assert rewrite(code).sections == {
        "The llm module, streams and errors": [1],
        "Anthropic": [2],
        "MCP": [3],
        "Calls, responses and streams": [4],
        "Structured outputs": [6],
    }


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ('"mirascope[openai, anthropic]>=1.25,<2",\n', '"ferroscope[openai,anthropic]",\n', []),
        ('"mirascope",\n"mirascope-extra"\n', '"ferroscope",\n"mirascope-extra"\n', []),
        ("mirascope == 1.25.7  # pinned\n", "ferroscope  # pinned\n", []),
        (
            "mirascope[openai,rag]~=1.2; python_version > '3.9'\n",
            "ferroscope[openai]; python_version > '3.9'\n",
            ["rag"],
        ),
        ('mirascope = "^1.25"\n', 'ferroscope = "*"\n', []),
        (
            'mirascope = {version = "^1.25", extras = ["openai", "rag"], optional = true}\n',
            'ferroscope = {version = "*", extras = ["openai"], optional = true}\n',
            ["rag"],
        ),
        ('url = "https://example.com/mirascope"\n', 'url = "https://example.com/mirascope"\n', []),
        ('keywords = ["x-mirascope"]\n', 'keywords = ["x-mirascope"]\n', []),
    ],
)
def test_requirements_are_rewritten(before: str, after: str, lost: list[str]) -> None:
    assert rewrite_requirements(before) == (after, lost)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "library").mkdir()
    (tmp_path / "library/books.py").write_text(PROGRAM)
    (tmp_path / "pyproject.toml").write_text(MANIFEST)
    return tmp_path


def test_the_differences_and_the_report_of_the_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "library", "pyproject.toml"]) == 0
    shown = capsys.readouterr()
    assert shown.err == REPORT
    changes = [line for line in shown.out.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    assert changes == [line for line in DIFF.splitlines() if line != "..."]
    assert (project / "library/books.py").read_text() == PROGRAM


def test_the_migrated_program_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("openai", "tenacity"):
        pytest.importorskip(package)
    assert main(["migrate", ".", "--write"]) == 0
    assert "2 files changed." in capsys.readouterr().err
    assert 'dependencies = ["ferroscope[openai,tenacity]", "tenacity"]' in (project / "pyproject.toml").read_text()
    wrong, right = ToolCall("Book", {"title": "Dune"}), ToolCall("Book", {"title": "Dune", "author": "Herbert"})
    with ProviderServer(Answer(wrong), Answer(right), Answer(Text(""), ToolCall("Stock", {"title": "Dune"}))) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        runpy.run_path(str(project / "library/books.py"))
        assert "1 validation error for Book" in server.requests[1].json["messages"][0]["content"]
    assert capsys.readouterr().out == "title='Dune' author='Herbert' 3 copies of Dune\nThanks!\n"
    assert main(["migrate", "."]) == 0
    assert capsys.readouterr().out == ""


def test_files_that_cannot_be_read_are_listed_and_the_others_are_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.py").write_text("import mirascope\ndef (:\n")
    (tmp_path / "good.py").write_text("import mirascope\n")
    (tmp_path / "book.ipynb").write_text('{"mirascope": 1}')
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/own.py").write_text("import mirascope\n")
    assert main(["migrate", str(tmp_path), "--write"]) == 1
    shown = capsys.readouterr().err
    assert "1 file changed." in shown
    assert re.search(r"Not read: .*bad\.py: line 2", shown)
    assert re.search(r"Not read: .*book\.ipynb: the file is not a notebook", shown)
    assert (tmp_path / "good.py").read_text() == "import ferroscope\n"
    assert (tmp_path / ".venv/own.py").read_text() == "import mirascope\n"
    assert main(["migrate", str(tmp_path / "nothing")]) == 2


def cell(source: str, kind: str = "code") -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}


def test_the_cells_of_a_notebook_are_one_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = [
        cell("# mirascope\n", "markdown"),
        cell('!pip install "mirascope[openai]>=1" mirascope x\n%load_ext x'),
        cell("import mirascope\nfrom mirascope.core import anthropic"),
        cell("%%bash\npip list | grep mirascope\n(("),
        cell("if mirascope:\n    !ls\n    x = 'é'  # mirascope\nfrom mirascope.v0 import y\n"),
        cell(""),
    ]
    after = [
        before[0],
        cell('!pip install "ferroscope[openai]" ferroscope x\n%load_ext x'),
        cell("import ferroscope\nfrom ferroscope.core import anthropic"),
        before[3],
        cell("if ferroscope:\n    !ls\n    x = 'é'  # mirascope\nfrom mirascope.v0 import y\n"),
        before[5],
    ]
    book = tmp_path / "book.ipynb"
    book.write_text(json.dumps({"cells": before, "nbformat": 4}, indent=1, ensure_ascii=False) + "\n")
    assert main(["migrate", str(book), "--write"]) == 0
    expected = json.dumps({"cells": after, "nbformat": 4}, indent=1, ensure_ascii=False) + "\n"
    assert book.read_text() == expected
    shown = capsys.readouterr().err
    assert f"docs/deviations.md#anthropic: {book}:3\n" in shown
    assert f"mirascope.v0.y: {book}:5\n" in shown
    assert main(["migrate", str(book), "--write"]) == 0
    assert book.read_text() == expected


def test_every_section_that_is_linked_exists() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / DEVIATIONS).read_text(), re.MULTILINE)
    from ferroscope._migrate import names

    sections = {*names._OF_NAMES.values(), *names._OF_LAST_PARTS.values(), *names.OF_OPTIONS.values()}
    assert sections <= set(headings)
    assert anchor_of("OpenAI's message format") == "docs/deviations.md#openais-message-format"
    assert section_of("mirascope.core.gemini.GeminiTool") == "Google"
    assert section_of("mirascope.core.Messages") is None
    assert exists("mirascope.core.xai.XAITool")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) >= EXTRAS
    assert not exists("mirascope.core.base._utils.nothing")
