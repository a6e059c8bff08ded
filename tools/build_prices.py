#!/usr/bin/env python3
"""Write the price table of the core from pinned packages and corrections, and print where the sources disagree.

    python tools/build_prices.py                    # sources are fetched with pip into a temporary folder
    python tools/build_prices.py --sources DIR      # DIR/<name>-<version>/ has each unpacked package already
    python tools/build_prices.py --check            # exit 1 if the committed table is stale

The format of the table is described at the top of `rust/ferroscope-core/src/price/table.rs`. Layers, best first:
`own` (price_corrections.toml), `genai` (genai-prices), `litellm`, `litellm-old` (an older litellm, only for names
that newer ones dropped: calls of a retired model still have a price). A lower layer adds only what is missing above.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from price_table.merge import Build, build_table
from price_table.model import SOURCES

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "rust/ferroscope-core/src/price/prices/table.tsv"


def fetch(into: Path) -> None:
    for source in SOURCES:
        target = into / source.folder
        if not (target / source.file).exists():
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--target",
                    str(target),
                    f"{source.package}=={source.version}",
                ],
                check=True,
            )


def print_report(build: Build) -> None:
    for package, noise in sorted(build.noise.items()):
        print(f"{package}: {len(noise)} prices rounded (float noise), for example {', '.join(noise[:3])}")
    print(f"names in both sources: {build.agreed['names']}, agreeing in every core rate: {build.agreed['agree']}")
    print("disagreements (genai-prices / litellm, USD per million tokens; the first is used):")
    for name, cells in sorted(build.report.items()):
        print(f"  {name}: {cells}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, help="folder with the unpacked packages")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--quiet", action="store_true", help="no report of disagreements")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sources = options.sources or Path(scratch)
        fetch(sources)
        text, build = build_table(sources)
    if not options.quiet:
        print_report(build)
    if build.unexplained:
        print("not acknowledged in price_corrections.toml: " + ", ".join(sorted(set(build.unexplained))))
        return 1
    if options.check:
        fresh = TABLE.exists() and TABLE.read_text(encoding="utf-8") == text
        print("the table is fresh" if fresh else "the table is STALE: run tools/build_prices.py")
        return 0 if fresh else 1
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(text)} bytes, {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
