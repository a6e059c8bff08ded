"""The cost of pricing a call: microseconds per call, first use and import, compared with peers.

python benches/python/bench_price.py [--json FILE]

Every way must return the same amount for the same call. `counts` is `calculate_cost`, one number; `items` is
`prices.cost`, which parses the usage object and returns every item with its source, unlike any peer.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from peers import measure, python_of

CALLS = (("openai", "gpt-4o", 0.006), ("anthropic", "claude-3-5-sonnet-20241022", 0.0081))
WAYS = (
    # title, way, environment
    ("ferroscope, counts", "ferroscope counts", "here"),
    ("ferroscope, items", "ferroscope items", "here"),
    ("Mirascope 1.25.7", "mirascope", "mirascope"),
    ("genai-prices 0.2.3", "genai-prices", "genai-prices"),
    ("litellm 1.106.2", "litellm", "litellm"),
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is measured")
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for _, _, environment in WAYS:
        python_of(environment)
    for provider, model, usd in CALLS:
        print(f"\n{provider} {model}")
        print(f"{'':24}{'µs a call':>12}{'first, ms':>12}{'import, ms':>12}")
        for title, way, environment in WAYS:
            found = measure(
                environment, "_price_in.py", way=way, provider=provider, model=model, seconds=options.seconds
            )
            if "refused" in found:
                print(f"{title:24}{'does not know it (' + found['refused'] + ')':>36}")
                continue
            told = "" if abs(found["usd"] - usd) < 1e-12 else f"   says {found['usd']} instead of {usd}"
            if told and way.startswith("ferroscope"):
                raise SystemExit(f"{title}{told}")
            figures.setdefault(model, {})[title] = found
            call, first, imported = found["call"] * 1e6, found["first"] * 1e3, found["import"] * 1e3
            print(f"{title:24}{call:>12,.2f}{first:>12,.2f}{imported:>12,.0f}{told}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
