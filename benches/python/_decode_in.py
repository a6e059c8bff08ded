"""A runner in a peer's environment. It decodes one recorded body repeatedly, in one way, and measures CPU time.

The SDK's client receives the body from a transport in memory, so sockets and HTTP parsing are not measured.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def pieces(body: bytes, size: int) -> list[bytes]:
    """Return the body in reads of `size` bytes; with 0, one read per event."""
    if size:
        return [body[start : start + size] for start in range(0, len(body), size)]
    return [event + b"\n\n" for event in body.split(b"\n\n") if event]


def client_for(reads: list[bytes]) -> Any:
    """Return a real client of the SDK whose transport answers every request with these reads."""
    import openai

    http = importlib.import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")

    def answer(request: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, content=iter(reads))

    transport = http.Client(transport=http.MockTransport(answer))
    return openai.OpenAI(base_url="http://test/v1", api_key="test", http_client=transport)


def by_json(reads: list[bytes]) -> Iterator[Callable[[], str]]:
    """Decode in plain Python with minimal work: split lines, json.loads, two lookups."""

    def read() -> str:
        parts: list[str] = []
        rest = b""
        for piece in reads:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices:
                        parts.append(choices[0]["delta"].get("content") or "")
        return "".join(parts)

    while True:
        yield read


def by_core(reads: list[bytes]) -> Iterator[Callable[[], str]]:
    """Decode with Ferroscope without an SDK and its HTTP library: only from bytes to chunks."""
    from ferroscope._core import StreamDecoder
    from ferroscope.core.openai import OpenAICallResponseChunk

    def pairs() -> Iterator[tuple[Any, None]]:
        decoder = StreamDecoder()
        for read in reads:
            decoder.feed(read)
            for event in decoder:
                yield OpenAICallResponseChunk(event), None

    def read() -> str:
        return "".join(chunk.content for chunk, tool in pairs() if tool is None)

    while True:
        yield read


def by_sdk(reads: list[bytes]) -> Iterator[Callable[[], str]]:
    client = client_for(reads)
    while True:
        stream = client.chat.completions.create(model="gpt-5", messages=[], stream=True)

        def read(stream: Any = stream) -> str:
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

        yield read


def by_decorator(library: str, reads: list[bytes]) -> Iterator[Callable[[], str]]:
    call = importlib.import_module(f"{library}.core.openai").call

    @call("gpt-5", stream=True, client=client_for(reads))
    def ask() -> str:
        return "Go on."

    while True:
        stream = ask()

        def read(stream: Any = stream) -> str:
            return "".join(chunk.content for chunk, tool in stream if tool is None)

        yield read


def main(way: str, file: str, size: int, runs: int) -> dict[str, Any]:
    reads = pieces(Path(file).read_bytes(), size)
    if way == "json":
        readers = by_json(reads)
    elif way == "core":
        readers = by_core(reads)
    elif way == "sdk":
        readers = by_sdk(reads)
    else:
        readers = by_decorator(way, reads)
    seconds, texts = [], set()
    for _ in range(runs):
        read = next(readers)
        gc.collect()
        started = time.process_time()
        text = read()
        seconds.append(time.process_time() - started)
        texts.add(text)
    return {"loop": seconds[1:], "texts": sorted(texts)}


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
