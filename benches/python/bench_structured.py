"""A structured answer in a stream, through the decorated call: CPU time per delta of eight characters.

The SDK's client is real, and its bytes come from memory, one event at a time. So HTTP is not measured, but the work of
the SDK and its HTTP library is; "the raw bytes" shows its share. Every way keeps one instance at a time and must end
with the right one. Peers that parse everything again for every delta skip the longest answers, which would take
minutes.

    python benches/python/bench_structured.py [--processes 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from peers import measure, python_of

COUNTS = (250, 2_000, 20_000)
WAYS = (
    # title, way, environment, longest count
    ("the raw bytes, this SDK", "raw", "here", 20_000),
    ("SDK objects, this SDK, not read as anything", "sdk", "here", 20_000),
    ("ferroscope, the text alone", "text", "here", 20_000),
    ("ferroscope, a model instance each", "ferroscope models", "here", 20_000),
    ("ferroscope, an instance for each field", "ferroscope fields", "here", 20_000),
    ("ferroscope, a dict each", "ferroscope values", "here", 20_000),
    ("Mirascope 1.25.7, a model instance each", "mirascope", "mirascope", 2_000),
    ("instructor 1.17, a model instance each", "instructor", "instructor", 2_000),
)
OURS = "ferroscope, a model instance each"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=3, help="runs of each way, each in a process of its own")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    for _, _, environment, _ in WAYS:
        python_of(environment)
    figures: dict[str, dict[int, float]] = {}
    print("a list of objects, JSON in the text: CPU µs per delta at n deltas")
    print(f"{'':46}" + "".join(f"{count:>10,}" for count in COUNTS))
    for title, way, environment, longest in WAYS:
        row = figures.setdefault(title, {})
        for count in COUNTS:
            if count <= longest:
                slow = environment != "here" and count > COUNTS[0]
                found = [
                    measure(environment, "_structured_in.py", way=way, deltas=count, runs=1 if slow else 3)["seconds"]
                    for _ in range(1 if slow else options.processes)
                ]
                row[count] = statistics.median(second for seconds in found for second in seconds) * 1e6
        cells = (f"{row[count]:>10,.1f}" if count in row else f"{'-':>10}" for count in COUNTS)
        print(f"{title:46}" + "".join(cells), flush=True)
    for title in figures:
        if title.startswith(("Mirascope", "instructor")):
            ratios = (f"{row / figures[OURS][count]:,.0f}x at {count:,}" for count, row in figures[title].items())
            print(f"{title.split(',')[0]} takes {', '.join(ratios)}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
