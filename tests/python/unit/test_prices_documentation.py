"""The examples about prices run, and print what they say."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferroscope import prices

GUIDE = Path(__file__).parents[3] / "docs/prices.md"


@pytest.fixture(autouse=True)
def only_the_built_in_table() -> Iterator[None]:
    yield
    prices.reset()


def test_the_guide_does_what_it_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(block, str(GUIDE), "exec"), names)
        assert out.getvalue().splitlines() == re.findall(r"^# > (.*)$", block, re.MULTILINE)
    assert len(blocks) > 3


@pytest.mark.parametrize("module", ["prices._book", "prices._cost", "prices._meter", "core.costs.calculate_cost"])
def test_the_examples_of_docstrings_do_what_they_say(module: str) -> None:
    # By its full name: `core.costs` has a function of that name as well.
    failed, tried = doctest.testmod(importlib.import_module(f"ferroscope.{module}"))
    assert (failed, tried > 0) == (0, True)
