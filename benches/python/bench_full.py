"""Streams under TLS in every way and with every peer: `make bench-full`. It takes about five minutes.

The figures go into `docs/benchmarks/streams.json`, and from there into the tables and plots of `docs/performance.md`.
Run it on a machine that does nothing else. `--quick` measures for a moment only, to try the program. `--beside` adds a
reader of your own to the loads with the most events, as in `bench_streams_tls.py`. Its figures are only printed.

    python benches/python/bench_full.py [--quick] [--beside FILE]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import bench_streams_tls
import figures
from peers import PEERS, python_of

NATIVE = "ferroscope, native"
EVERY = ("ferroscope, direct", *bench_streams_tls.WAYS, *bench_streams_tls.PEERS, *bench_streams_tls.ANTHROPIC)
OURS = (NATIVE, "ferroscope, httpx", "asyncio protocol, our decoder")
WITH_SDK = (*OURS, "SDK, httpx", "SDK, aiohttp")
# The number of streams, the events per second on each, and the ways. A way that cannot keep up with a load is left out.
LOADS = {
    "200 x 4/s": (200, 4.0, EVERY),
    "100 x 20/s": (100, 20.0, WITH_SDK),
    "300 x 20/s": (300, 20.0, OURS),
    "1000 x 2/s": (1000, 2.0, WITH_SDK),
    "1000 x 20/s": (1000, 20.0, (NATIVE, "ferroscope, native, batch of 5 ms", "asyncio protocol, our decoder")),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="measure for a moment, and write nothing")
    parser.add_argument("--beside", type=Path, metavar="FILE", help="measure the reader of this Python file too")
    options = parser.parse_args(arguments)
    seconds, calls = (1.0, 2) if options.quick else (6.0, 15)
    for environment in bench_streams_tls.PEERS.values():
        python_of(environment)
    loads = {}
    for name, (streams, rate, ways) in LOADS.items():
        count = 20 if options.quick else streams
        times = calls if ways is EVERY else 0
        beside = options.beside if rate >= 20 else None
        found = bench_streams_tls.run(ways, count, rate, seconds, times, beside)
        loads[name] = {way: found[way] for way in ways}
    result = {"machine": machine(), "versions": versions(), "loads": loads}
    if not options.quick:
        figures.FIGURES.write_text(json.dumps(result, indent=1) + "\n")
        figures.main()


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(": ")[2].strip() for line in lines if line.startswith("model name"))
    model = next(names, platform.processor())
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": f"{model}, {os.cpu_count()} virtual CPUs, shared",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[2]:.1f}",
    }


def versions() -> dict[str, str]:
    """Return the versions of the compared packages."""
    found = {name: metadata.version(name) for name in ("openai", "anthropic", "httpx", "aiohttp", "pydantic")}
    for environment in bench_streams_tls.PEERS.values():
        package = PEERS[environment][0].partition("==")[0]
        name = package.partition("[")[0]
        code = f"from importlib import metadata; print(metadata.version({name!r}))"
        ran = subprocess.run([python_of(environment), "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        found[environment.replace("mirascope-2", "mirascope 2")] = ran.stdout.strip()
    return found


if __name__ == "__main__":
    main()
