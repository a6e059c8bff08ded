"""The page about streams for browsers: its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "web.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
EXPECTED = [['data: "Dune."', "event: done"], ['"type":"tool-output-available"', '"output":"sun in Oslo"']]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[number], "web.md", "exec"), {"__name__": "page"})
    printed = capsys.readouterr().out
    for part in EXPECTED[number]:
        assert part in printed
