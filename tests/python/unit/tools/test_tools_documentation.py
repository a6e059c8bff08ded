"""The examples of `docs/tools.md` run and print what the page shows."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from ferroscope.testing import Answer, ProviderServer, ToolCall
from ferroscope.tools import (
    DockerOperationToolKitConfig,
    DuckDuckGoSearchConfig,
    FileSystemToolKitConfig,
    HTTPXConfig,
    ParseURLConfig,
    RequestsConfig,
)

pytest.importorskip("openai")

GUIDE = (Path(__file__).parents[4] / "docs/tools.md").read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names: dict[str, object] = {}
    with ProviderServer(default=Answer(ToolCall("HTTPX", {"url": "http://127.0.0.1/"}))) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        for block in blocks:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block, "docs/tools.md", "exec"), names)
            assert out.getvalue().splitlines() == re.findall(r"^ *# > (.*)$", block, re.MULTILINE)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "config",
    [
        HTTPXConfig(),
        RequestsConfig(),
        ParseURLConfig(),
        DuckDuckGoSearchConfig(),
        FileSystemToolKitConfig(),
        DockerOperationToolKitConfig(),
    ],
    ids=lambda config: type(config).__name__,
)
def test_the_table_has_every_field(
    config: HTTPXConfig | RequestsConfig | DuckDuckGoSearchConfig | FileSystemToolKitConfig,
) -> None:
    (row,) = (line for line in GUIDE.splitlines() if line.startswith("|") and f"`{type(config).__name__}`" in line)
    if "the same with" in row:
        row += "`timeout=5` `allow_private_hosts=False`"
    for name, value in config.model_dump().items():
        assert f"`{name}`" in row or f"`{name}={value!r}`".replace("'", '"') in row
