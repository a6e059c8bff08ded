"""The page about performance: its tables are those of the recorded figures."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("figures", ROOT / "benches/python/figures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "matplotlib" not in vars(module)
    return module


def test_the_tables_are_those_of_the_figures(figures: ModuleType) -> None:
    page = figures.PAGE.read_text()
    assert figures.filled(page, json.loads(figures.FIGURES.read_text())) == page
    assert sorted(re.findall(r"<!-- table: (\w+) -->", page)) == sorted(figures.TABLES)


def test_the_plot_is_a_small_picture(figures: ModuleType) -> None:
    data = figures.PLOT.read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) < 100_000
    assert f"images/{figures.PLOT.name}" in figures.PAGE.read_text()


def test_every_way_read_every_event(figures: ModuleType) -> None:
    loads = json.loads(figures.FIGURES.read_text())["loads"]
    assert len(loads[figures.COMPARED]) >= 12
    for load, found in loads.items():
        streams, rate = load.removesuffix("/s").split(" x ")
        for way, figure in found.items():
            assert (figure["opened"], figure["failed"]) == (int(streams), 0), f"{way}, {load}"
            assert figure["events"] > 0.8 * int(streams) * float(rate) * 6, f"{way} did not keep up with {load}"


def test_a_row_is_compared_with_the_row_of_the_same_format(figures: ModuleType) -> None:
    def row(event: float) -> dict[str, float]:
        return {"us_per_event": event, "us_per_event_at_once": event / 10, "us_per_call": 1000.0, "kb_per_stream": 10.0}

    found = {
        "ferroscope, native": row(50),
        "SDK, httpx": row(300),
        "ferroscope, Anthropic": row(60),
        "Anthropic's SDK": row(300),
    }
    assert figures.compared_table({"loads": {figures.COMPARED: found}}).splitlines()[2:] == [
        "| ferroscope, native | 50.0 | 1.0 | 5 | 1.0 | 1 | 10.0 |",
        "| SDK, httpx | 300 | 6.0 | 30.0 | 6.0 | 1 | 10.0 |",
        "| ferroscope, Anthropic | 60.0 | 1.0 | 6 | 1.0 | 1 | 10.0 |",
        "| Anthropic's SDK | 300 | 5.0 | 30.0 | 5.0 | 1 | 10.0 |",
    ]
