"""A long run of streams that fails if memory grows.

    python benches/python/soak.py [--only sync] [--streams N] [--chunks N]

Short streams run one after another, sync and async, against a server in another process. The growth is that of the
highest memory in the second half of the run over that in the first, in bytes per stream. Then one long stream runs
through the decoder alone, measured after a warm-up and at the end. For the decoder the garbage collector is off, so
that memory in reference cycles counts as growth. The HTTP library of the SDKs needs it.
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

WARM_UP = 1_000
SAMPLES = 20  # in each half
MOST_PER_STREAM = 8.0  # bytes
MOST_GROWTH = 4.0  # MB, for allocators that settle
TEXT = "hello there my friend"
EVENT = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
READ = 50  # events
RUNS = ("sync", "async", "chunks")


def megabytes() -> float:
    """Return the resident memory of the process, in MB."""
    statm = Path("/proc/self/statm")
    if not statm.exists():  # the peak, if nothing better is available
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6


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
    """Run a number of streams after a warm-up, and exit if memory grew from the first half to the second."""
    run(WARM_UP)
    each = max(count // (2 * SAMPLES), 1)
    start = time.process_time()
    memory = []
    for _ in range(2 * SAMPLES):
        run(each)
        gc.collect()
        memory.append(megabytes())
    cpu = (time.process_time() - start) / (2 * SAMPLES * each)
    first, second = max(memory[:SAMPLES]), max(memory[SAMPLES:])
    growth = (second - first) * 1e6 / (SAMPLES * each)
    print(
        f"{name:<24} {2 * SAMPLES * each:>9,}   {cpu * 1e6:8.2f} us CPU each   {first:6.1f} MB, then {second:6.1f} MB: "
        f"{growth:+.1f} bytes per stream",
        flush=True,
    )
    if growth > MOST_PER_STREAM:
        raise SystemExit(f"{name}: memory grew by {growth:.1f} bytes per stream")


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
    growth = megabytes() - before
    print(f"{'chunks of one stream':<24} {count:>9,}   {cpu / count * 1e6:8.2f} us CPU each   {growth:+6.1f} MB")
    # The text itself is kept, with the spare capacity of a growing buffer.
    if growth > MOST_GROWTH + text * 3 / 1e6:
        raise SystemExit(f"memory grew by {growth:.1f} MB over {count:,} chunks")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=RUNS, help="one kind of run only")
    parser.add_argument("--streams", type=int, default=100_000, help="short streams of each kind")
    parser.add_argument("--chunks", type=int, default=1_000_000, help="events of the long stream")
    options = parser.parse_args()
    runs = [options.only] if options.only else RUNS
    with SpawnedServer(default=Answer(Text(TEXT))) as server:
        os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=server.base_url("openai"))
        if "sync" in runs:
            sync_streams(options.streams)
        if "async" in runs:
            async_streams(options.streams)
    if "chunks" in runs:
        gc.disable()
        long_stream(options.chunks)


if __name__ == "__main__":
    main()
