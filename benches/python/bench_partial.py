"""Structured values in streams: CPU time per delta of eight characters, by the length of the answer.

python benches/python/bench_partial.py [--json FILE]

Every way reads the same document delta by delta, keeps one value at a time, and must end with the right one. Peers
that parse everything again for every delta skip the longest documents, which would take minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from peers import measure, python_of

COUNTS = (250, 2_000, 20_000, 125_000)
DOCUMENTS = {"items": "a list of objects", "letter": "one long string"}
WAYS = (
    # title, way, environment, longest count
    ("ferroscope, a model instance each", "ferroscope models", "here", 125_000),
    ("ferroscope, plain values", "ferroscope values", "here", 125_000),
    ("jiter, plain values, all text again", "jiter", "here", 20_000),
    ("Mirascope 1.25.7, a model instance each", "mirascope", "mirascope", 2_000),
    ("instructor 1.17, a model instance each", "instructor", "instructor", 2_000),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    for _, _, environment, _ in WAYS:
        python_of(environment)
    figures: dict[str, dict[str, dict[int, float]]] = {}
    for document, about in DOCUMENTS.items():
        print(f"\n{about}: CPU µs per delta at n deltas")
        print(f"{'':42}" + "".join(f"{count:>10,}" for count in COUNTS))
        for title, way, environment, longest in WAYS:
            row = figures.setdefault(document, {}).setdefault(title, {})
            for count in COUNTS:
                if count <= longest:
                    runs = 5 if count <= 2_000 and longest > 2_000 else 3 if longest > 20_000 else 1
                    found = measure(environment, "_partial_in.py", way=way, document=document, deltas=count, runs=runs)
                    row[count] = statistics.median(found["seconds"]) * 1e6
            cells = (f"{row[count]:>10,.2f}" if count in row else f"{'-':>10}" for count in COUNTS)
            print(f"{title:42}" + "".join(cells), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
