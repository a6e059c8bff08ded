"""The CPU time of a call with a one-word answer: sent directly, through the SDK below Ferroscope, and by the SDK alone.

    python benches/python/bench_direct.py [--calls N] [--rounds N]

The server is another process on loopback, without TLS, then with it. CPU time of this process, in turns; the lowest
round counts. All candidates are first asserted to return the same text.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import openai as sdk

from certificates import certificate, environment
from ferroscope.core import openai
from ferroscope.testing import Answer, SpawnedServer, Text, Usage

MODEL = "gpt-4o-mini"
MESSAGES: list[Any] = [{"role": "user", "content": "Recommend a quiet book"}]
OPTIONS: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


@openai.call(MODEL, stream=True)
def stream(genre: str) -> str:
    return f"Recommend a {genre} book"


@openai.call(MODEL, stream=True)
async def astream(genre: str) -> str:
    return f"Recommend a {genre} book"


@openai.call(MODEL)
def whole(genre: str) -> str:
    return f"Recommend a {genre} book"


@openai.call(MODEL)
async def awhole(genre: str) -> str:
    return f"Recommend a {genre} book"


def sync_candidates(client: sdk.OpenAI) -> dict[str, tuple[Callable[[], str], Callable[[], str]]]:
    """Return the sync cases: by Ferroscope, and by the SDK alone."""
    create: Any = client.chat.completions.create

    def streamed() -> str:
        chunks = create(model=MODEL, messages=MESSAGES, **OPTIONS)
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    def complete() -> str:
        return create(model=MODEL, messages=MESSAGES).choices[0].message.content  # type: ignore[no-any-return]

    return {
        "sync, stream": (lambda: "".join(chunk.content for chunk, _ in stream("quiet")), streamed),
        "sync, whole": (lambda: whole("quiet").content, complete),
    }


def async_candidates(
    client: sdk.AsyncOpenAI,
) -> dict[str, tuple[Callable[[], Awaitable[str]], Callable[[], Awaitable[str]]]]:
    """Return the async cases: by Ferroscope, and by the SDK alone."""
    create: Any = client.chat.completions.create

    async def own_streamed() -> str:
        return "".join([chunk.content async for chunk, _ in await astream("quiet")])

    async def own_complete() -> str:
        return (await awhole("quiet")).content

    async def streamed() -> str:
        chunks = await create(model=MODEL, messages=MESSAGES, **OPTIONS)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

    async def complete() -> str:
        return (await create(model=MODEL, messages=MESSAGES)).choices[0].message.content  # type: ignore[no-any-return]

    return {"async, stream": (own_streamed, streamed), "async, whole": (own_complete, complete)}


def show(name: str, times: dict[str, list[float]], calls: int) -> None:
    direct, through, alone = (min(times[way]) / calls * 1e6 for way in ("1", "0", "sdk"))
    print(f"{name:19} {direct:8.0f} {through:12.0f} {alone:11.0f} {alone / direct:10.1f}", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    print(f"{'µs a call':19} {'directly':>8} {'through SDK':>12} {'SDK alone':>11} {'SDK/direct':>10}")
    with SpawnedServer() as server:
        measure(server, options)
    with certificate() as pem, SpawnedServer(certificate=pem) as server:
        measure(server, options, ", TLS")


def measure(server: SpawnedServer, options: argparse.Namespace, suffix: str = "") -> None:
    """Measure all cases with a server."""
    server.reply_always(Answer(Text("Emma"), usage=Usage(9, 1)))
    with environment({"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": server.base_url("openai")}):
        with sdk.OpenAI() as client:
            for name, (own, by_sdk) in sync_candidates(client).items():
                times: dict[str, list[float]] = {"1": [], "0": [], "sdk": []}
                for _ in range(options.rounds):
                    for way in times:
                        os.environ["FERROSCOPE_DIRECT"] = way if way != "sdk" else "0"
                        call = by_sdk if way == "sdk" else own
                        assert call() == "Emma"
                        start = time.process_time()
                        for _ in range(options.calls):
                            call()
                        times[way].append(time.process_time() - start)
                show(name + suffix, times, options.calls)
        asyncio.run(asynchronous(options, suffix))


async def asynchronous(options: argparse.Namespace, suffix: str) -> None:
    async with sdk.AsyncOpenAI() as client:
        for name, (own, by_sdk) in async_candidates(client).items():
            times: dict[str, list[float]] = {"1": [], "0": [], "sdk": []}
            for _ in range(options.rounds):
                for way in times:
                    os.environ["FERROSCOPE_DIRECT"] = way if way != "sdk" else "0"
                    call = by_sdk if way == "sdk" else own
                    assert await call() == "Emma"
                    start = time.process_time()
                    for _ in range(options.calls):
                        await call()
                    times[way].append(time.process_time() - start)
            show(name + suffix, times, options.calls)


if __name__ == "__main__":
    main(sys.argv[1:])
