"""Runs in a peer's environment: reads one scripted stream again and again, in one way, and counts the CPU.

Imports only what that way needs, so that each is measured as it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai

ASKED: list[Any] = [{"role": "user", "content": "Go on."}]


def weather(city: str) -> str:
    """Looks up the weather.

    Args:
        city: Where.
    """
    return city


class Reader:
    """A stream, read in one of the ways: `raw`, `sdk`, or the name of a library with Mirascope's interface."""

    def __init__(self, way: str, url: str, tools: bool) -> None:
        self.way = way
        self.url = url
        self.tools = tools

    def request(self) -> dict[str, Any]:
        return {"model": "gpt-5", "messages": ASKED, "stream": True}

    def decorated(self, client: Any, *, is_async: bool) -> Any:
        """The same decorated function for every library with Mirascope's interface."""
        call = importlib.import_module(f"{self.way}.core.openai").call
        options: dict[str, Any] = {"stream": True, "client": client}
        if self.tools:
            options["tools"] = [weather]
        if is_async:

            @call("gpt-5", **options)
            async def ask_async() -> str:
                return "Go on."

            return ask_async

        @call("gpt-5", **options)
        def ask() -> str:
            return "Go on."

        return ask


def join_sdk(chunk: Any, parts: list[str]) -> None:
    if chunk.choices:
        delta = chunk.choices[0].delta
        if delta.content:
            parts.append(delta.content)
        for call in delta.tool_calls or ():
            if call.function and call.function.arguments:
                parts.append(call.function.arguments)


def join_pair(chunk: Any, tool: Any, parts: list[str]) -> None:
    parts.append(chunk.content)
    if tool is not None:
        parts.append(json.dumps(tool.args))


class SyncReader(Reader):
    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        with openai.OpenAI(base_url=self.url, api_key="test", max_retries=0) as client:
            yield client

    def rounds(self, runs: int) -> Iterator[tuple[float, float, str]]:
        """CPU of the loop after its first turn, CPU of the whole call, and what was read."""
        with self.client() as client:
            ask = None if self.way in {"raw", "sdk"} else self.decorated(client, is_async=False)
            for _ in range(runs):
                gc.collect()
                called = time.process_time()
                stream = client.chat.completions.create(**self.request()) if ask is None else ask()
                parts: list[str] = []
                items = iter(stream.response.iter_bytes() if self.way == "raw" else stream)
                # Some send the request with the call, some with the first turn: the clock starts after it.
                first = next(items)
                started = time.process_time()
                if self.way == "raw":
                    reads = [first, *items]
                    ended = time.process_time()
                    parts = text_of(reads)
                elif self.way == "sdk":
                    join_sdk(first, parts)
                    for chunk in items:
                        join_sdk(chunk, parts)
                    ended = time.process_time()
                else:
                    join_pair(*first, parts)
                    for chunk, tool in items:
                        parts.append(chunk.content)
                        if tool is not None:
                            parts.append(json.dumps(tool.args))
                    ended = time.process_time()
                yield ended - started, ended - called, "".join(parts)


class AsyncReader(Reader):
    def __init__(self, way: str, url: str, tools: bool, aiohttp: bool) -> None:
        super().__init__(way, url, tools)
        self.aiohttp = aiohttp

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        transport = openai.DefaultAioHttpClient() if self.aiohttp else None
        made = openai.AsyncOpenAI(base_url=self.url, api_key="test", max_retries=0, http_client=transport)
        async with made as client:
            yield client

    async def rounds(self, runs: int) -> list[tuple[float, float, str]]:
        found = []
        async with self.client() as client:
            ask = None if self.way in {"raw", "sdk"} else self.decorated(client, is_async=True)
            for _ in range(runs):
                gc.collect()
                called = time.process_time()
                if ask is None:
                    stream = await client.chat.completions.create(**self.request())
                else:
                    stream = await ask()
                parts: list[str] = []
                items = aiter(stream.response.aiter_bytes() if self.way == "raw" else stream)
                first = await anext(items)
                started = time.process_time()
                if self.way == "raw":
                    reads = [first]
                    async for read in items:
                        reads.append(read)
                    ended = time.process_time()
                    parts = text_of(reads)
                elif self.way == "sdk":
                    join_sdk(first, parts)
                    async for chunk in items:
                        join_sdk(chunk, parts)
                    ended = time.process_time()
                else:
                    join_pair(*first, parts)
                    async for chunk, tool in items:
                        parts.append(chunk.content)
                        if tool is not None:
                            parts.append(json.dumps(tool.args))
                    ended = time.process_time()
                found.append((ended - started, ended - called, "".join(parts)))
        return found


def text_of(reads: list[bytes]) -> list[str]:
    """The text in raw bytes, read after the clock has stopped."""
    parts: list[str] = []
    for line in b"".join(reads).decode().split("\n"):
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                delta = choice["delta"]
                parts.append(delta.get("content") or "")
                parts += (call["function"].get("arguments") or "" for call in delta.get("tool_calls") or ())
    return parts


def main(way: str, url: str, kind: str, tools: bool, runs: int) -> dict[str, Any]:
    if kind == "sync":
        made = list(SyncReader(way, url, tools).rounds(runs))
    else:
        made = asyncio.run(AsyncReader(way, url, tools, kind == "async aiohttp").rounds(runs))
    # The first round pays for what is made once: connections, schemas, caches.
    return {
        "sdk": openai.__version__,
        "loop": [loop for loop, _, _ in made[1:]],
        "call": [call for _, call, _ in made[1:]],
        "texts": sorted({text for _, _, text in made}),
    }


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
