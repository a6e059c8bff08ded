"""Many rows: the CPU time per row of `fn.map`, beside a loop on the SDK's client, and a long run with faults.

    python benches/python/bench_batch.py [--rows 500] [--faults 10000]

The server is another process, so its CPU time is not counted. The rows are asked without TLS, then with it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from certificates import certificate
from ferroscope.core import openai
from ferroscope.retries import Retry
from ferroscope.testing import Body, Cut, HangUp, SlowHeaders, SpawnedServer, Status

Job = Callable[[int, int], Awaitable[None]]


@openai.call("gpt-4o-mini")
async def ask(text: str) -> str:
    return f"Repeat: {text}"


async def by_sdk(rows: int, concurrency: int) -> None:
    """Ask with the SDK, with a semaphore."""
    import openai as sdk

    free = asyncio.Semaphore(concurrency)
    async with sdk.AsyncOpenAI() as client:

        async def one(number: int) -> None:
            async with free:
                message: Any = {"role": "user", "content": f"Repeat: {number}"}
                response = await client.chat.completions.create(model="gpt-4o-mini", messages=[message])
                assert response.choices[0].message.content == "Hello"
                assert response.usage is not None and response.usage.total_tokens

        await asyncio.gather(*(one(number) for number in range(rows)))


async def by_map(rows: int, concurrency: int) -> None:
    """Ask with `map`, which also counts the cost."""
    results = ask.map(({"text": str(number)} for number in range(rows)), concurrency=concurrency)
    async for result in results:
        assert result.result().content == "Hello" and result.cost


async def by_map_with_checkpoint(rows: int, concurrency: int) -> None:
    """Ask with `map`, and record every row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint")
        given = ({"text": str(number)} for number in range(rows))
        async for result in ask.map(given, concurrency=concurrency, checkpoint=path):
            assert result.result().content == "Hello"


JOBS: dict[str, Job] = {"SDK": by_sdk, "map": by_map, "map, checkpoint": by_map_with_checkpoint}


def resident_mb() -> float:
    """Return the resident memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measure(rows: int, concurrencies: Sequence[int], suffix: str = "") -> None:
    for concurrency in concurrencies:
        best = dict.fromkeys(JOBS, float("inf"))
        for job in JOBS.values():
            await job(50, concurrency)
        for _ in range(3):
            for name, job in JOBS.items():
                start = time.process_time()
                await job(rows, concurrency)
                best[name] = min(best[name], (time.process_time() - start) / rows)
        shown = ", ".join(f"{name} {seconds * 1e6:.0f} us" for name, seconds in best.items())
        print(f"CPU per row, {concurrency} at once{suffix}: {shown}; SDK / map {best['SDK'] / best['map']:.2f}")


async def with_faults(server: SpawnedServer, rows: int) -> None:
    """Check that every row is accounted for."""
    chance = random.Random(11)
    faults = [Status(429, retry_after=0.02), Status(500), HangUp(), Cut("Hello", at=40), Body(b'{"choices": [')]
    stall = SlowHeaders("Hello", 0.3)
    answers: list[Any] = [chance.choice([*faults, stall]) if chance.random() < 0.1 else "Hello" for _ in range(rows)]
    server.forget()
    server.reply(*answers)
    wrong = answers.count(faults[-1])
    bad = sum(answer in faults for answer in answers)
    retry = Retry(attempts=6, wait=0.01, jitter=0.02)
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.monotonic(), time.process_time()
        before = resident_mb()
        results = ask.map(
            ({"text": str(number)} for number in range(rows)),
            concurrency=100,
            retry=retry,
            checkpoint=Path(folder, "checkpoint"),
        )
        memory: list[float] = []
        count = failed = 0
        async for result in results:
            assert result.index == count
            count += 1
            failed += not result.ok
            if count % (rows // 5) == 0:
                memory.append(resident_mb())
        cpu, seconds = time.process_time() - cpu, time.monotonic() - start
    requests = len(server.requests)
    # A broken body is retried or a failure, depending on the SDK; nothing else may fail.
    assert count == rows and failed <= wrong and requests == rows - failed + bad, (count, failed, wrong, requests, bad)
    print(
        f"{rows} rows with {bad} faults, 100 at once, checkpoint: {count} results, {failed} failed ({wrong} broken "
        f"bodies), {requests} requests, {seconds:.1f} s, {cpu / rows * 1e6:.0f} us CPU per row, "
        f"resident memory {before:.0f} MB before, {', '.join(f'{one:.0f}' for one in memory)} MB after each fifth"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--faults", type=int, default=10_000)
    chosen = parser.parse_args(arguments)
    with SpawnedServer(default="Hello") as server:
        os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=server.base_url("openai"))
        if chosen.rows:
            asyncio.run(measure(chosen.rows, (10, 100)))
        if chosen.faults:
            asyncio.run(with_faults(server, chosen.faults))
    if chosen.rows:
        with certificate() as pem, SpawnedServer(default="Hello", certificate=pem) as server:
            os.environ["OPENAI_BASE_URL"] = server.base_url("openai")
            asyncio.run(measure(chosen.rows, (100,), ", TLS"))


if __name__ == "__main__":
    main()
