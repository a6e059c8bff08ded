"""The tables and plots of `docs/performance.md`, from the figures that `bench_full.py` wrote.

    python benches/python/figures.py

writes the tables into the page and the plots beside it, without a measurement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs/benchmarks/streams.json"
PAGE = ROOT / "docs/performance.md"
PLOT = ROOT / "docs/images/benchmark-streams.png"
OURS = "ferroscope, native"
OURS_BY_FORMAT = {"Anthropic": "ferroscope, Anthropic"}
"""The way to compare the ways of a format with, by a word in their names. Others are compared with `OURS`."""
COMPARED = "200 x 4/s"

# Any: the figures, which are JSON.
Figures = dict[str, Any]

_BLOCK = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    figures = json.loads(FIGURES.read_text())
    PAGE.write_text(filled(PAGE.read_text(), figures))
    draw(figures)


def filled(page: str, figures: Figures) -> str:
    """Return the page with its tables."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]](figures)}\n\n{block[3]}", page)


def machine_table(figures: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(figures["versions"].items()))
    return table(("", ""), [*figures["machine"].items(), ("packages", versions)])


def compared_table(figures: Figures) -> str:
    """One row per library, with its ratio to this one."""
    found = figures["loads"][COMPARED]
    rows = [
        (
            way,
            shown(figure["us_per_event"]),
            times(figure, least, "us_per_event"),
            shown(figure["us_per_event_at_once"]),
            times(figure, least, "us_per_event_at_once"),
            shown(figure["us_per_call"] / 1000),
            shown(figure["kb_per_stream"]),
        )
        for way, figure, least in with_ours(found)
    ]
    names = ("", "event alone, µs", "ratio", "event of a burst, µs", "ratio", "short call, ms", "KB per stream")
    return table(names, rows)


def loads_table(figures: Figures) -> str:
    """One row per load and way."""
    rows = [
        (
            load.replace(" x ", " × "),
            way,
            shown(figure["us_per_event"]),
            times(figure, ours, "us_per_event"),
            shown(figure["p50_ms"]),
            shown(figure["p99_ms"]),
            shown(figure["kb_per_stream"]),
            shown(figure["ms_to_open"]),
        )
        for load, found in figures["loads"].items()
        if load != COMPARED
        for way, figure, ours in with_ours(found)
    ]
    names = ("streams", "", "µs per event", "ratio", "p50 ms", "p99 ms", "KB per stream", "ms to open")
    return table(names, rows)


def lost_table(figures: Figures) -> str:
    """The cases in which another way is better."""
    kinds = {
        "us_per_event": "CPU per event",
        "us_per_event_at_once": "CPU per event of a burst",
        "us_per_call": "CPU per short call",
        "kb_per_stream": "memory per stream",
        "p99_ms": "p99 of the delay",
        "ms_to_open": "CPU to open a stream",
    }
    rows = [
        (load.replace(" x ", " × "), kind, way, f"{shown(figure[name])} against {shown(ours[name])}")
        for load, found in figures["loads"].items()
        for name, kind in kinds.items()
        for way, figure, ours in with_ours(found)
        if not way.startswith("ferroscope") and name in figure and figure[name] < ours[name]
    ]
    return table(("streams", "what", "better", "figures"), rows or [("none", "", "", "")])


TABLES: dict[str, Callable[[Figures], str]] = {
    "machine": machine_table,
    "compared": compared_table,
    "loads": loads_table,
    "lost": lost_table,
}


def table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [names, ("---",) * len(names), *rows])


def shown(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 10 else f"{figure:.2g}"


def times(figure: Figures, ours: Figures, name: str) -> str:
    return f"{figure[name] / ours[name]:.1f}"


def with_ours(found: Figures) -> Iterator[tuple[str, Figures, Figures]]:
    """Yield each way, its figures, and those of this library in the same format."""
    for way, figure in found.items():
        ours = next((name for word, name in OURS_BY_FORMAT.items() if word in way), OURS)
        yield way, figure, found[ours]


def draw(figures: Figures) -> None:
    """Draw the CPU time and the memory of all ways."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot  # only for the plots, because the tests read the tables without it

    found = figures["loads"][COMPARED]
    panels = {
        "CPU per event that arrives alone, µs": "us_per_event",
        "CPU per event of a burst, µs (log)": "us_per_event_at_once",
        "memory per open stream, KB": "kb_per_stream",
    }
    plot, axes = pyplot.subplots(1, 3, figsize=(13, 4), sharey=True)
    names = list(reversed(found))
    colours = ["#b7410e" if name.startswith("ferroscope") else "#9aa5b1" for name in names]
    for axis, (title, name) in zip(axes, panels.items(), strict=True):
        values = [found[way][name] for way in names]
        axis.barh(names, values, color=colours)
        axis.set_title(title, fontsize=10)
        if "log" in title:
            axis.set_xscale("log")
        for position, value in enumerate(values):
            axis.text(value, position, f" {shown(value)}", va="center", fontsize=8)
        axis.margins(x=0.18)
        axis.spines[["top", "right"]].set_visible(False)
    plot.tight_layout()
    plot.savefig(PLOT, dpi=75, metadata={"Software": None})
    pyplot.close(plot)


if __name__ == "__main__":
    main()
