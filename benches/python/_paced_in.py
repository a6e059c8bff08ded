"""A runner that reads streams in one way, for `bench_streams_tls.py`: one at once, one after the other, and many paced
ones. Options and result are JSON.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import os
import resource
import ssl
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

OPENED_AT_ONCE = 40
LONG = 2_000
MODELS = ("short", "long", "paced")


def sdk_texts(http_client: Callable[[], Any]) -> Callable[[str], AsyncIterator[str]]:
    """Return a reader of the SDK's streams, as in the SDK's documentation."""
    import openai

    client = openai.AsyncOpenAI(http_client=http_client(), max_retries=0)

    async def texts(model: str) -> AsyncIterator[str]:
        messages = [{"role": "user", "content": "Go on."}]
        stream = await client.chat.completions.create(model=model, messages=messages, stream=True)
        async with stream:
            async for chunk in stream:
                if chunk.choices and (content := chunk.choices[0].delta.content):
                    yield content

    return texts


def anthropic_sdk_texts() -> Callable[[str], AsyncIterator[str]]:
    """Return a reader of the streams of Anthropic's SDK."""
    import anthropic

    client = anthropic.AsyncAnthropic(max_retries=0)

    async def texts(model: str) -> AsyncIterator[str]:
        messages: list[Any] = [{"role": "user", "content": "Go on."}]
        stream = await client.messages.create(model=model, messages=messages, max_tokens=64_000, stream=True)
        async with stream:
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    yield event.delta.text

    return texts


def decorated_texts(provider: Any, **options: Any) -> Callable[[str], AsyncIterator[str]]:
    """Return a reader with a provider's module of Ferroscope or Mirascope 1, which have the same API."""

    def prompt(model: str) -> Any:
        @provider.call(model, **options)
        async def go_on() -> str:
            return "Go on."

        return go_on

    calls = {model: prompt(model) for model in MODELS}

    async def texts(model: str) -> AsyncIterator[str]:
        async for chunk, _ in await calls[model]():
            if chunk.content:
                yield chunk.content

    return texts


def ferroscope_texts(batch: float | None) -> Callable[[str], AsyncIterator[str]]:
    from ferroscope.core import openai

    return decorated_texts(openai, stream={"batch": batch})


def ferroscope_anthropic_texts() -> Callable[[str], AsyncIterator[str]]:
    from ferroscope.core import anthropic

    return decorated_texts(anthropic, stream=True, call_params={"max_tokens": 64_000})


def mirascope_texts() -> Callable[[str], AsyncIterator[str]]:
    from mirascope.core import openai

    return decorated_texts(openai, stream=True)


def mirascope_2_texts() -> Callable[[str], AsyncIterator[str]]:
    from mirascope import llm

    def prompt(model: str) -> Any:
        @llm.call(f"openai/{model}:completions")
        async def go_on() -> str:
            return "Go on."

        return go_on

    calls = {model: prompt(model) for model in MODELS}

    async def texts(model: str) -> AsyncIterator[str]:
        response = await calls[model].stream()
        async for chunk in response.chunk_stream():
            if chunk.type == "text_chunk":
                yield chunk.delta

    return texts


def litellm_texts() -> Callable[[str], AsyncIterator[str]]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # do not download prices
    import litellm

    async def texts(model: str) -> AsyncIterator[str]:
        messages = [{"role": "user", "content": "Go on."}]
        stream = await litellm.acompletion(model=f"openai/{model}", messages=messages, stream=True)
        async for chunk in stream:
            if content := chunk.choices[0].delta.content:
                yield content

    return texts


def pydantic_ai_texts() -> Callable[[str], AsyncIterator[str]]:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel

    agents = {model: Agent(OpenAIChatModel(model)) for model in MODELS}

    async def texts(model: str) -> AsyncIterator[str]:
        async with agents[model].run_stream("Go on.") as run:
            async for text in run.stream_text(delta=True, debounce_by=None):
                yield text

    return texts


def langchain_texts() -> Callable[[str], AsyncIterator[str]]:
    from langchain_openai import ChatOpenAI

    models = {model: ChatOpenAI(model=model, max_retries=0) for model in MODELS}

    async def texts(model: str) -> AsyncIterator[str]:
        async for chunk in models[model].astream("Go on."):
            if chunk.content:
                yield chunk.content

    return texts


def instructor_texts() -> Callable[[str], AsyncIterator[str]]:
    """Return a reader of plain streams through instructor's client."""
    import instructor
    import openai

    client = instructor.from_openai(openai.AsyncOpenAI(max_retries=0))

    async def texts(model: str) -> AsyncIterator[str]:
        messages = [{"role": "user", "content": "Go on."}]
        stream = await client.chat.completions.create(model=model, messages=messages, stream=True, response_model=None)
        async for chunk in stream:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                yield content

    return texts


def liter_llm_texts() -> Callable[[str], AsyncIterator[str]]:
    import liter_llm

    client = liter_llm.create_client(os.environ["OPENAI_API_KEY"], os.environ["OPENAI_BASE_URL"], max_retries=0)

    async def texts(model: str) -> AsyncIterator[str]:
        messages = [{"role": "user", "content": "Go on."}]
        request = liter_llm.ChatCompletionRequest(model=model, messages=messages, stream=True)
        async for chunk in liter_llm.chat_stream(client, request):
            if chunk.choices and (content := chunk.choices[0].delta.content):
                yield content

    return texts


PEERS = {
    "Mirascope 1": mirascope_texts,
    "Mirascope 2": mirascope_2_texts,
    "LiteLLM": litellm_texts,
    "pydantic-ai": pydantic_ai_texts,
    "LangChain": langchain_texts,
    "instructor": instructor_texts,
    "liter-llm": liter_llm_texts,
    "Anthropic's SDK": anthropic_sdk_texts,
}


class Bare(asyncio.Protocol):
    """The minimum with asyncio: a protocol, the chunk joiner and the decoder."""

    def __init__(self) -> None:
        from ferroscope._core import ChunkJoiner, StreamDecoder

        self.joiner, self.decoder = ChunkJoiner(), StreamDecoder("openai_chat")
        self.waiter: asyncio.Future[None] | None = None
        self.data = b""
        self.head: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        if self.head is not None:
            head, found, data = (self.head + data).partition(b"\r\n\r\n")
            self.head = None if found else head
            if not found:
                return
            self.joiner.feed(head + found)
        self.data += self.joiner.extract_data(data)[0]
        if self.waiter is not None and self.data:
            self.waiter.set_result(None)
            self.waiter = None


def bare_texts() -> Callable[[str], AsyncIterator[str]]:
    host, port = os.environ["OPENAI_BASE_URL"].split("/")[2].split(":")
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])

    async def texts(model: str) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(Bare, host, int(port), ssl=context)
        body = json.dumps({"model": model}).encode()
        request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        protocol.joiner.sent(request)
        transport.write(request)
        try:
            while not protocol.decoder.done:
                if not protocol.data:
                    protocol.waiter = loop.create_future()
                    await protocol.waiter
                data, protocol.data = protocol.data, b""
                protocol.decoder.feed(data)
                for event in protocol.decoder:
                    if event.content:
                        yield event.content
        finally:
            transport.close()

    return texts


def reader_of(file: str) -> Callable[[str], AsyncIterator[str]]:
    """Return the reader that a Python file defines."""
    spec = importlib.util.spec_from_file_location("beside", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    reader: Callable[[str], AsyncIterator[str]] = module.reader()
    return reader


def way_of(name: str) -> Callable[[str], AsyncIterator[str]]:
    if name in PEERS:
        return PEERS[name]()
    if name.endswith(".py"):
        return reader_of(name)
    if name == "SDK, httpx":
        return sdk_texts(lambda: None)
    if name == "SDK, aiohttp":
        import openai

        return sdk_texts(openai.DefaultAioHttpClient)
    if name == "asyncio protocol, our decoder":
        return bare_texts()
    os.environ["FERROSCOPE_TRANSPORT"] = "httpx" if "httpx" in name else "native"
    os.environ["FERROSCOPE_DIRECT"] = "1" if "direct" in name else "0"
    if "Anthropic" in name:
        return ferroscope_anthropic_texts()
    return ferroscope_texts(0.005 if "5 ms" in name else None)


def resident() -> int:
    """Return the resident memory in KB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


async def measure_single(texts: Callable[[str], AsyncIterator[str]], times: int) -> dict[str, Any]:
    """Measure calls one after the other: with 20 events that arrive together, and with 2,000."""
    spent: dict[str, list[float]] = {"short": [], "long": []}
    for _ in range(times):
        for model, figures in spent.items():
            used = time.process_time()
            text = "".join([text async for text in texts(model)])
            figures.append(time.process_time() - used)
    assert text == "".join(f"word {number} " for number in range(LONG))
    return {
        "us_per_call": statistics.median(spent["short"]) * 1e6,
        "us_per_event_at_once": statistics.median(spent["long"]) / LONG * 1e6,
    }


async def measure(
    texts: Callable[[str], AsyncIterator[str]], streams: int, seconds: float, times: int
) -> dict[str, Any]:
    short = "".join([text async for text in texts("short")])
    gc.collect()
    gc.freeze()  # a full collection over the modules of an SDK takes 100 ms, in each way
    single = await measure_single(texts, times) if times else {}
    before, cpu_before = resident(), time.process_time()
    counting, delays, events = False, [], 0
    gate = asyncio.Semaphore(OPENED_AT_ONCE)

    async def read() -> None:
        nonlocal events
        await gate.acquire()
        opening = True
        try:
            async for text in texts("paced"):
                if opening:
                    opening = False
                    gate.release()
                    opened.append(None)
                if counting:
                    events += 1
                    delays.append(time.time() - float(text))
        finally:
            if opening:
                gate.release()

    opened: list[None] = []
    tasks = [asyncio.create_task(read()) for _ in range(streams)]
    started = time.monotonic()
    while len(opened) < streams and time.monotonic() - started < 30:
        await asyncio.sleep(0.05)
    opening = time.process_time() - cpu_before
    gc.collect()
    grown = resident() - before
    counting, cpu_before = True, time.process_time()
    await asyncio.sleep(seconds)
    counting, used = False, time.process_time() - cpu_before
    for task in tasks:
        task.cancel()
    failed = [
        result
        for result in await asyncio.gather(*tasks, return_exceptions=True)
        if type(result) is not asyncio.CancelledError
    ]
    quantiles = statistics.quantiles(delays, n=100)
    return {
        "short": short,
        **single,
        "opened": len(opened),
        "failed": len([result for result in failed if result is not None]),
        "events": events,
        "us_per_event": used / max(events, 1) * 1e6,
        "kb_per_stream": grown / streams,
        "ms_to_open": opening / streams * 1e3,
        "p50_ms": quantiles[49] * 1e3,
        "p99_ms": quantiles[98] * 1e3,
    }


async def main(options: dict[str, Any]) -> None:
    print(json.dumps(await measure(way_of(options["way"]), options["streams"], options["seconds"], options["times"])))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
