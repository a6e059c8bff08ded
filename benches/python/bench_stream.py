"""A streamed call over HTTP: CPU time per chunk of Ferroscope, of the SDKs below it, and of Mirascope v1.

The server is a process of its own, so only the client is measured. Every way must read the same text first. The
overhead of a call besides its chunks is a separate case. There, reading the raw bytes directly is fastest. One case has
TLS.

    python benches/python/bench_stream.py [--sdk anthropic] [--kind sync] [--only tool] [--processes 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certificates import certificate
from ferroscope.testing import Answer, SpawnedServer, Text, ToolCall
from peers import measure, python_of

WORD = "word "
CHUNKS = 2000
CITY = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch " * 20


@dataclass(frozen=True)
class Way:
    """One way to read a stream, and its environment."""

    name: str
    way: str
    environment: str = "here"


WAYS = {
    "openai": (
        Way("raw bytes, this SDK", "raw"),
        Way("SDK objects, this SDK", "sdk"),
        Way("ferroscope", "ferroscope own client"),
        Way("ferroscope, a client given", "ferroscope"),
        Way("raw bytes, SDK 1.109", "raw", "mirascope"),
        Way("SDK objects, SDK 1.109", "sdk", "mirascope"),
        Way("Mirascope 1.25.7", "mirascope", "mirascope"),
    ),
    "anthropic": (
        Way("raw bytes, this SDK", "raw"),
        Way("SDK objects, this SDK", "sdk"),
        Way("SDK's helper, this SDK", "helper"),
        Way("ferroscope", "ferroscope own client"),
        Way("ferroscope, a client given", "ferroscope"),
        Way("Mirascope 1.25.7", "mirascope", "mirascope-anthropic"),
    ),
}
KINDS = ("sync", "async", "async httpx")


@dataclass(frozen=True)
class Scenario:
    """The answer of the server."""

    name: str
    answer: Answer
    text: str
    tool: bool
    chunks: int
    """Chunks on the wire, including the role and finish chunks."""
    runs: int = 8
    tls: bool = False


SCENARIOS = (
    Scenario("text, an HTTP chunk an event", Answer(Text(WORD * CHUNKS, CHUNKS)), WORD * CHUNKS, False, CHUNKS + 2),
    Scenario(
        "text, 32 events an HTTP chunk",
        Answer(Text(WORD * CHUNKS, CHUNKS), coalesce=32),
        WORD * CHUNKS,
        False,
        CHUNKS + 2,
    ),
    Scenario("text, each event alone", Answer(Text(WORD * 400, 400), delay=0.001), WORD * 400, False, 402),
    Scenario(
        "text, each event alone, TLS", Answer(Text(WORD * 200, 200), delay=0.001), WORD * 200, False, 202, 4, tls=True
    ),
    Scenario(
        "tool arguments in 500 fragments",
        Answer(ToolCall("weather", {"city": CITY}, chunks=500)),
        json.dumps({"city": CITY}),
        True,
        503,
    ),
    Scenario("one word: the cost of a call", Answer(Text("word", 1)), "word", False, 3, 101),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdk", choices=WAYS, help="one SDK only")
    parser.add_argument("--kind", choices=KINDS, help="one kind of client only")
    parser.add_argument("--processes", type=int, default=1, help="how often to start each way anew")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for sdk in [options.sdk] if options.sdk else WAYS:
        for way in WAYS[sdk]:
            python_of(way.environment)
        for kind in [options.kind] if options.kind else KINDS:
            for scenario in SCENARIOS:
                if options.only in scenario.name:
                    found = run(sdk, kind, scenario, options.processes)
                    figures[f"{sdk}, {kind}, {scenario.name}"] = found
                    show(f"{sdk}, {kind}: {scenario.name}", scenario, found)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def run(sdk: str, kind: str, scenario: Scenario, processes: int) -> dict[str, dict[str, Any]]:
    """Run each way in several processes, in alternation, so that other load affects all of them equally."""
    by_call = scenario.chunks < 10
    ways = WAYS[sdk]
    samples: dict[str, list[float]] = {way.name: [] for way in ways}
    versions: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        pem = stack.enter_context(certificate()) if scenario.tls else None
        server = stack.enter_context(SpawnedServer(default=scenario.answer, certificate=pem))
        for _ in range(processes):
            for way in ways:
                found = measure(
                    way.environment,
                    "_stream_in.py",
                    way=way.way,
                    sdk=sdk,
                    url=server.base_url(sdk),
                    kind=kind,
                    tools=scenario.tool,
                    runs=scenario.runs,
                )
                check(scenario, way, found["texts"])
                seconds = found["call"] if by_call else found["loop"]
                samples[way.name] += (value * 1e6 / (1 if by_call else scenario.chunks) for value in seconds)
                versions[way.name] = found["sdk"]
    return {
        name: {"us": statistics.median(values), "best": min(values), "n": len(values), "sdk": versions[name]}
        for name, values in samples.items()
    }


def check(scenario: Scenario, way: Way, texts: list[str]) -> None:
    """Check that every way read the same content, before any measurement counts."""
    if scenario.tool:
        read = [json.loads(text) for text in texts]
        same = read == [json.loads(scenario.text)]
    else:
        same = texts == [scenario.text]
    if not same:
        raise SystemExit(f"{way.name} read another text in {scenario.name!r}: {[t[:200] for t in texts]}")


def show(title: str, scenario: Scenario, found: dict[str, dict[str, Any]]) -> None:
    unit = "call" if scenario.chunks < 10 else "chunk"
    ours = found["ferroscope"]["us"]
    print(f"\n{title} (CPU µs per {unit}, median and best; ferroscope = 1.00)")
    for name, row in found.items():
        ratio = row["us"] / ours
        print(f"  {name:26} {row['us']:9.2f} {row['best']:9.2f} {ratio:7.2f}   {row['sdk']}, n={row['n']}")


if __name__ == "__main__":
    main()
