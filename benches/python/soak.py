"""A long run of streams that fails if memory grows.

    python benches/python/soak.py [--streams N] [--chunks N]

Short streams run one after another, sync and async, against a server in another process. Then one long stream runs
through the decoder alone. The memory of the process is measured after a warm-up and at the end. For the decoder the
garbage collector is off, so that memory in reference cycles counts as growth. The HTTP library of the SDKs needs it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

from ferroscope._core import StreamDecoder
from ferroscope.testing import Answer, SpawnedServer, Text

WARM_UP = 300
MOST_GROWTH = 4.0  # MB, for allocators that settle
TEXT = "hello there my friend"
EVENT = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
READ = 50  # events


def megabytes() -> float:
    """Return the resident memory of the process, in MB."""
    statm = Path("/proc/self/statm")
    if not statm.exists():  # the peak, if nothing better is available
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6


def report(name: str, count: int, before: float, cpu: float, kept: float = 0.0) -> None:
    """Print the cost of a run, and exit if its memory grew by more than the data that it had to keep."""
    if gc.isenabled():
        gc.collect()
    growth = megabytes() - before
    print(f"{name:<24} {count:>9,}   {cpu / count * 1e6:8.2f} us CPU each   {growth:+6.1f} MB", flush=True)
    if growth > MOST_GROWTH + kept:
        raise SystemExit(f"{name}: memory grew by {growth:.1f} MB over {count:,}")


def sync_streams(count: int) -> None:
    from ferroscope.core import openai

    @openai.call("gpt-4o-mini", stream=True)
    def hello() -> str:
        return "Say hello"

    def run(times: int) -> None:
        for _ in range(times):
            stream = hello()
            assert "".join(chunk.content for chunk, _ in stream) == TEXT
            assert stream.construct_call_response().content == TEXT

    measured("sync streams", count, run)


def async_streams(count: int) -> None:
    from ferroscope.core import openai

    @openai.call("gpt-4o-mini", stream=True)
    async def hello() -> str:
        return "Say hello"

    async def several(times: int) -> None:
        for _ in range(times):
            assert "".join([chunk.content async for chunk, _ in await hello()]) == TEXT

    with asyncio.Runner() as runner:
        measured("async streams", count, lambda times: runner.run(several(times)))


def measured(name: str, count: int, run: Callable[[int], None]) -> None:
    """Run a number of streams, after a warm-up."""
    run(WARM_UP)
    gc.collect()
    before, start = megabytes(), time.process_time()
    run(count)
    report(name, count, before, time.process_time() - start)


def long_stream(count: int) -> None:
    decoder = StreamDecoder("openai_chat", response_bytes=2 * count * len(EVENT))
    before, start = megabytes(), time.process_time()
    for _ in range(count // READ):
        decoder.feed(EVENT * READ)
        for _event in decoder:
            pass
    cpu = time.process_time() - start
    text = len(decoder.content)
    assert text == count // READ * READ * len("word ")
    # The text itself is kept, with the spare capacity of a growing buffer.
    report("chunks of one stream", count, before, cpu, kept=text * 3 / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    options = parser.parse_args()
    with SpawnedServer(default=Answer(Text(TEXT))) as server:
        os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=server.base_url("openai"))
        sync_streams(options.streams // 2)
        async_streams(options.streams // 2)
    gc.disable()
    long_stream(options.chunks)


if __name__ == "__main__":
    main()
