"""The page about MCP servers: its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="the examples need a server")
pytest.importorskip("mcp.server.mcpserver", reason="the server of the page is written for mcp 2", exc_type=ImportError)

PAGE = (Path(__file__).parents[4] / "docs" / "mcp.md").read_text()
SERVER, *EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(
    number: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").write_text(SERVER)
    exec(compile(EXAMPLES[number], "mcp.md", "exec"), {"__name__": "page"})
    expected = re.findall(r"^ *# > (.*)$", EXAMPLES[number], re.MULTILINE)
    assert expected
    assert capsys.readouterr().out.splitlines() == expected
