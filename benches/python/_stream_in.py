"""A runner in a peer's environment. It reads one scripted stream repeatedly, in one way, and measures CPU time.

Imports only what that way needs, so that each is measured as it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

ASKED: list[Any] = [{"role": "user", "content": "Go on."}]


def weather(city: str) -> str:
    """Look up the weather.

    Args:
        city: The city.
    """
    return city


class OpenAI:
    """The calls of OpenAI's SDK, and the text in its objects and its bytes."""

    name = "openai"
    environment = "OPENAI"
    request: ClassVar[dict[str, Any]] = {"model": "gpt-5", "messages": ASKED}

    @staticmethod
    def method(client: Any) -> Any:
        return client.chat.completions.create

    @staticmethod
    def join(chunk: Any, parts: list[str]) -> None:
        if chunk.choices:
            delta = chunk.choices[0].delta
            if delta.content:
                parts.append(delta.content)
            for call in delta.tool_calls or ():
                if call.function and call.function.arguments:
                    parts.append(call.function.arguments)

    @staticmethod
    def texts(event: dict[str, Any]) -> Iterator[str]:
        for choice in event["choices"]:
            delta = choice["delta"]
            yield delta.get("content") or ""
            yield from (call["function"].get("arguments") or "" for call in delta.get("tool_calls") or ())


class Anthropic:
    """The calls of Anthropic's SDK, and the text in its objects and its bytes."""

    name = "anthropic"
    environment = "ANTHROPIC"
    request: ClassVar[dict[str, Any]] = {"model": "claude-opus-4-6", "messages": ASKED, "max_tokens": 64000}

    @staticmethod
    def method(client: Any) -> Any:
        return client.messages.create

    @staticmethod
    def join(event: Any, parts: list[str]) -> None:
        if event.type == "content_block_delta":
            parts.append(event.delta.text if event.delta.type == "text_delta" else event.delta.partial_json)

    @staticmethod
    def texts(event: dict[str, Any]) -> Iterator[str]:
        delta = event.get("delta", {})
        yield delta.get("text") or delta.get("partial_json") or ""


SDKS = {sdk.name: sdk for sdk in (OpenAI, Anthropic)}


class Reader:
    """A stream that is read in one of the ways.

    `raw`: the bytes; `sdk`: the SDK's objects; `helper`: the SDK's own accumulating stream (Anthropic's); otherwise the
    name of a library with Mirascope's interface, with a given client, or with its own client if `own client` follows.
    """

    def __init__(self, way: str, sdk: str, url: str, tools: bool) -> None:
        self.way, _, self.own = way.partition(" ")
        self.sdk = SDKS[sdk]
        self.module = importlib.import_module(sdk)
        self.url = url
        self.tools = tools
        os.environ[f"{self.sdk.environment}_BASE_URL"] = url
        os.environ[f"{self.sdk.environment}_API_KEY"] = "test"

    @property
    def by_sdk(self) -> bool:
        return self.way in {"raw", "sdk", "helper"}

    def decorated(self, client: Any, *, is_async: bool) -> Any:
        """Return the same decorated function for every library with Mirascope's interface."""
        call = importlib.import_module(f"{self.way}.core.{self.sdk.name}").call
        options: dict[str, Any] = {"stream": True, "client": None if self.own else client}
        if self.sdk is Anthropic:
            options["call_params"] = {"max_tokens": Anthropic.request["max_tokens"]}
        if self.tools:
            options["tools"] = [weather]
        model = self.sdk.request["model"]
        if is_async:

            @call(model, **options)
            async def ask_async() -> str:
                return "Go on."

            return ask_async

        @call(model, **options)
        def ask() -> str:
            return "Go on."

        return ask


def join_helped(event: Any, parts: list[str]) -> None:
    if event.type == "content_block_delta":
        Anthropic.join(event, parts)


def join_pair(pair: tuple[Any, Any], parts: list[str]) -> None:
    chunk, tool = pair
    parts.append(chunk.content)
    if tool is not None:
        parts.append(json.dumps(tool.args))


class SyncReader(Reader):
    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        made = getattr(self.module, self.sdk.__name__)
        with made(base_url=self.url, api_key="test", max_retries=0) as client:
            yield client

    @contextlib.contextmanager
    def stream(self, client: Any, ask: Any) -> Iterator[Any]:
        if ask is not None:
            yield ask()
        elif self.way == "helper":
            with client.messages.stream(**self.sdk.request) as stream:
                yield stream
        else:
            stream = self.sdk.method(client)(**self.sdk.request, stream=True)
            yield stream.response.iter_bytes() if self.way == "raw" else stream

    def rounds(self, runs: int) -> Iterator[tuple[float, float, str]]:
        """Yield the CPU time of the loop after its first iteration, the CPU time of the whole call, and the text."""
        join = {"sdk": self.sdk.join, "helper": join_helped}.get(self.way, join_pair)
        with self.client() as client:
            ask = None if self.by_sdk else self.decorated(client, is_async=False)
            for _ in range(runs):
                gc.collect()
                called = time.process_time()
                parts: list[str] = []
                with self.stream(client, ask) as stream:
                    items = iter(stream)
                    # Some send the request with the call, some on the first iteration. The clock starts after it.
                    first = next(items)
                    started = time.process_time()
                    if self.way == "raw":
                        reads = [first, *items]
                        ended = time.process_time()
                        parts = texts_of(reads, self.sdk)
                    else:
                        join(first, parts)
                        for item in items:
                            join(item, parts)
                        ended = time.process_time()
                yield ended - started, ended - called, "".join(parts)


class AsyncReader(Reader):
    def __init__(self, way: str, sdk: str, url: str, tools: bool, httpx: bool) -> None:
        super().__init__(way, sdk, url, tools)
        os.environ["FERROSCOPE_TRANSPORT"] = "httpx" if httpx else "native"

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        made = getattr(self.module, f"Async{self.sdk.__name__}")
        async with made(base_url=self.url, api_key="test", max_retries=0) as client:
            yield client

    @contextlib.asynccontextmanager
    async def stream(self, client: Any, ask: Any) -> AsyncIterator[Any]:
        if ask is not None:
            yield await ask()
        elif self.way == "helper":
            async with client.messages.stream(**self.sdk.request) as stream:
                yield stream
        else:
            stream = await self.sdk.method(client)(**self.sdk.request, stream=True)
            yield stream.response.aiter_bytes() if self.way == "raw" else stream

    async def rounds(self, runs: int) -> list[tuple[float, float, str]]:
        found = []
        join = {"sdk": self.sdk.join, "helper": join_helped}.get(self.way, join_pair)
        async with self.client() as client:
            ask = None if self.by_sdk else self.decorated(client, is_async=True)
            for _ in range(runs):
                gc.collect()
                called = time.process_time()
                parts: list[str] = []
                async with self.stream(client, ask) as stream:
                    items = aiter(stream)
                    first = await anext(items)
                    started = time.process_time()
                    if self.way == "raw":
                        reads = [first]
                        async for read in items:
                            reads.append(read)
                        ended = time.process_time()
                        parts = texts_of(reads, self.sdk)
                    else:
                        join(first, parts)
                        async for item in items:
                            join(item, parts)
                        ended = time.process_time()
                found.append((ended - started, ended - called, "".join(parts)))
        return found


def texts_of(reads: list[bytes], sdk: type[OpenAI | Anthropic]) -> list[str]:
    """Return the texts in raw bytes, extracted after the clock has stopped."""
    parts: list[str] = []
    for line in b"".join(reads).decode().split("\n"):
        if line.startswith("data: {"):
            parts += sdk.texts(json.loads(line[6:]))
    return parts


def main(way: str, sdk: str, url: str, kind: str, tools: bool, runs: int) -> dict[str, Any]:
    if kind == "sync":
        made = list(SyncReader(way, sdk, url, tools).rounds(runs))
    else:
        made = asyncio.run(AsyncReader(way, sdk, url, tools, kind == "async httpx").rounds(runs))
    # The first round includes one-time costs: connections, schemas, caches.
    return {
        "sdk": f"{sdk} {importlib.import_module(sdk).__version__}",
        "loop": [loop for loop, _, _ in made[1:]],
        "call": [call for _, call, _ in made[1:]],
        "texts": sorted({text for _, _, text in made}),
    }


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
