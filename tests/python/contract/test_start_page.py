"""The first calls of the documentation run against each provider."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ferroscope.testing import ProviderServer, Text

from .conftest import ROWS, Row

PACKAGES = list({row.name: row for row in ROWS if row.module and not row.options and "sync" in row.kinds}.values())


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "tools"))
    from docs_site import start

    return start.page()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # gemini and vertex are v1's names
@pytest.mark.parametrize("row", PACKAGES, ids=lambda row: row.name, indirect=True)
def test_the_first_call_of_a_provider_runs(
    page: str, row: Row, server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    section = re.search(rf"^## {row.name}$(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert section is not None
    (example,) = re.findall(r"^```python\n(.*?)^```", section[1], re.DOTALL | re.MULTILINE)
    server.reply(Text("Emma"))
    exec(compile(example, "start.md", "exec"), {"__name__": "start"})
    assert capsys.readouterr().out == "Emma"
    assert "Recommend a fantasy book" in str(server.requests[-1].json)


def test_every_package_has_a_first_call(page: str) -> None:
    headings = re.findall(r"^## (\w+)$", page, re.MULTILINE)
    assert set(headings) - {"Providers"} >= {row.name for row in PACKAGES}
