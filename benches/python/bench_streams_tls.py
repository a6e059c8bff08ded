"""Many paced streams at once, under TLS: CPU time per event, memory per stream, and the delay that the client adds.

The server is a process of its own, in Rust. Each event contains its time of sending, and arrives alone. Every way must
read the same text first.

    python benches/python/bench_streams_tls.py [--streams 100 300 1000] [--rate 2] [--seconds 4] [--peers]
        [--beside FILE]

`--beside` adds a reader of your own: a Python file with a function `reader`. It returns an async generator function
that takes the name of a model and yields the texts of its stream. The environment has the URL of the server
(`OPENAI_BASE_URL`) and the trusted certificate (`SSL_CERT_FILE`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from certificates import certificate, environment
from peers import ROOT, measure

WAYS = (
    "ferroscope, native",
    "ferroscope, native, batch of 5 ms",
    "ferroscope, httpx",
    "asyncio protocol, our decoder",
    "SDK, httpx",
    "SDK, aiohttp",
)
ANTHROPIC = ("ferroscope, Anthropic", "Anthropic's SDK")
"""Ways for the same texts in Anthropic's format."""
PEERS = {
    "Mirascope 1": "mirascope",
    "Mirascope 2": "mirascope-2",
    "LiteLLM": "litellm",
    "pydantic-ai": "pydantic-ai",
    "LangChain": "langchain",
    "instructor": "instructor",
    "liter-llm": "liter-llm",
}
"""Other libraries, and their environments."""
SHORT = "".join(f"word {number} " for number in range(20))


@contextlib.contextmanager
def serving(rate: float) -> Iterator[None]:
    """Run the server, with an environment in which clients find and trust it."""
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--package", "ferroscope-transport"]
    subprocess.run([*build, "--example", "paced_server"], check=True, cwd=ROOT)
    with certificate() as pem:
        command = [str(ROOT / "target/release/examples/paced_server"), str(pem), str(rate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = f"https://127.0.0.1:{server.stdout.readline().strip()}"
            found = {
                "OPENAI_BASE_URL": f"{url}/v1",
                "OPENAI_API_KEY": "test-key",
                "ANTHROPIC_BASE_URL": url,
                "ANTHROPIC_API_KEY": "test-key",
            }
            try:
                with environment(found):
                    yield
            finally:
                server.terminate()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[100], help="how many streams at once")
    parser.add_argument("--rate", type=float, default=2.0, help="events per second on each stream")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each way is measured")
    parser.add_argument("--only", default="", help="ways whose name contains this")
    parser.add_argument("--peers", action="store_true", help="measure other libraries too")
    parser.add_argument("--beside", type=Path, metavar="FILE", help="measure the reader of this Python file too")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    ways = [way for way in (*WAYS, *((*ANTHROPIC, *PEERS) if options.peers else ())) if options.only in way]
    figures = {
        f"{streams} x {options.rate:g}/s": run(ways, streams, options.rate, options.seconds, beside=options.beside)
        for streams in options.streams
    }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def run(
    ways: Sequence[str], streams: int, rate: float, seconds: float, times: int = 0, beside: Path | None = None
) -> dict[str, dict[str, Any]]:
    """Measure ways of reading streams.

    Args:
        ways: Their names.
        streams: The number of streams at once.
        rate: The number of events per second on each stream.
        seconds: The time of each measurement.
        times: The number of single calls that are measured before; none by default.
        beside: A Python file with one more reader.
    """
    found: dict[str, dict[str, Any]] = {}
    readers = [*ways, *([str(beside.resolve())] if beside is not None else [])]
    with serving(rate):
        for way in readers:
            options = {"way": way, "streams": streams, "seconds": seconds, "times": times}
            found[way] = measure(PEERS.get(way, "here"), "_paced_in.py", **options)
            assert found[way].pop("short") == SHORT, f"{way} reads another text"
    show(f"{streams} streams x {rate:g} events a second, TLS", found)
    return found


def show(title: str, found: dict[str, Any]) -> None:
    print(f"\n{title}\n{'':34}  µs/event   ratio  p50 ms  p99 ms  KB/stream  ms to open")
    least = next(iter(found.values()))["us_per_event"]
    for way, figure in found.items():
        lost = "" if not figure["failed"] else f"  {figure['failed']} failed"
        print(
            f"{Path(way).name:34}  {figure['us_per_event']:8.1f}  {figure['us_per_event'] / least:6.2f}  "
            f"{figure['p50_ms']:6.1f}  {figure['p99_ms']:6.1f}  {figure['kb_per_stream']:9.0f}  "
            f"{figure['ms_to_open']:10.2f}{lost}"
        )


if __name__ == "__main__":
    main()
