"""The page about `ferroscope.testing`: its examples run, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ferroscope.testing
from ferroscope.testing import CHAT_SERVERS, ProviderServer

PAGE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PRINTED = {3: "{'messageStart': {'role': 'assistant'}}\nchecksum\n"}
CODE = set(re.findall(r"`([\w-]+)`", PAGE))


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[number], "testing.md", "exec"), {"__name__": "page"})
    assert capsys.readouterr().out == PRINTED.get(number, "")


def test_every_provider_is_on_the_page() -> None:
    with ProviderServer() as server, pytest.raises(ValueError) as caught:
        server.base_url("nobody")
    known = set(str(caught.value).rpartition(": ")[2].split(", "))
    assert known <= CODE
    assert set(CHAT_SERVERS) <= known


def test_every_name_for_scripts_is_on_the_page() -> None:
    # The rest are types of annotations, and what a script of one's own is made of.
    others = {
        "Exchange",
        "Failure",
        "Handler",
        "Headers",
        "Outcome",
        "Part",
        "Piece",
        "ProviderServer",
        "RecordMode",
        "Request",
        "Response",
        "Script",
        "Scripted",
        "ToolCallShape",
        "UsageIn",
        "UsagePlace",
        "Wire",
    }
    assert set(ferroscope.testing.__all__) - others <= CODE | {"Answer"}
