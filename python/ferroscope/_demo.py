"""`ferroscope demo`: a tour of the library with real SDK clients on a local test server."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from .core import openai
from .core.base import BaseMessageParam, Messages
from .testing import Answer, Request, SpawnedServer, Text, ToolCall, Usage

_STREAMS = 200
_MEASURED_WORDS = 2000
_RUNS = 5

_BOOK = (
    "Try The Name of the Wind by Patrick Rothfuss. An innkeeper tells a scribe the story of his life, and each "
    "evening it grows a little less likely that he is only an innkeeper."
)
_WORDS = Answer(Text("word " * _MEASURED_WORDS), usage=Usage(12, _MEASURED_WORDS))


def run_demo(*, model: str, live: bool, brief: bool) -> int:
    """Run every part of the demo and return the exit status."""
    if live and not os.environ.get("OPENAI_API_KEY"):
        print("--live calls OpenAI: set OPENAI_API_KEY first", file=sys.stderr)
        return 1
    with _service(live, brief) as where:
        print(f"Ferroscope on {where}, with the SDK openai {_sdk_version()}.")
        _show_stream(model)
        _show_tool(model)
        asyncio.run(_show_many(model))
        if not live and not brief:
            _show_cpu_time_per_chunk(model)
    print("\nNext: decorate a function of your own. `help(ferroscope.core.openai.call)` lists the options.")
    print("`ferroscope demo --page` serves a chat page. `ferroscope serve module:function` serves your function.")
    return 0


def run_page(serve: Callable[[Any], int], *, model: str, live: bool) -> int:  # Any: a decorated function
    """Serve the chat page until the process is stopped, and return the exit status.

    Args:
        serve: Serves a function, and returns the exit status.
        model: The model to call.
        live: Whether to call OpenAI.
    """
    if live and not os.environ.get("OPENAI_API_KEY"):
        print("--live calls OpenAI: set OPENAI_API_KEY first", file=sys.stderr)
        return 1

    @openai.call(model, tools=[weather])
    async def assistant(messages: list[BaseMessageParam]) -> list[BaseMessageParam]:
        return messages

    with _service(live, brief=False) as where:
        print(f"A chat page on {where}. Ask for a book, or for the weather in Lisbon. Ctrl-C ends it.")
        return serve(assistant)


@contextmanager
def _service(live: bool, brief: bool) -> Iterator[str]:
    """Set up the service that the SDK's clients call, OpenAI or a local test server, and yield its description."""
    if live:
        yield "OpenAI's service"
        return
    with SpawnedServer(default=answer if not brief else _answer_at_once) as server:
        os.environ["OPENAI_API_KEY"] = "not-needed-here"
        os.environ["OPENAI_BASE_URL"] = server.base_url("openai")
        yield "a local test server (no key, no network)"


def answer(request: Request, *, delay: float = 0.02) -> Answer:
    """Return the scripted response to a request."""
    messages = (request.json or {}).get("messages", [])
    prompt = next((str(one.get("content")) for one in reversed(messages) if one.get("role") == "user"), "")
    if messages and messages[-1].get("role") == "tool":
        return Answer(Text(f"It is {messages[-1]['content']} in Lisbon."), usage=Usage(60, 9), delay=delay)
    if "weather" in prompt:
        return Answer(ToolCall("weather", {"city": "Lisbon"}), usage=Usage(50, 16), delay=delay)
    if "measure" in prompt:
        return _WORDS
    return Answer(Text(_BOOK), usage=Usage(13, 38), delay=delay)


def _answer_at_once(request: Request) -> Answer:
    return answer(request, delay=0.0)


def _show_stream(model: str) -> None:
    @openai.call(model, stream=True)
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"

    _heading("A function that returns a prompt becomes a call, here a streamed one", recommend)
    stream = recommend("fantasy")
    for chunk, _ in stream:
        print(chunk.content, end="", flush=True)
    print()
    _print_note(f"finish reason {stream.finish_reasons}, {stream.input_tokens} tokens in, {stream.output_tokens} out")
    _print_note(f"it cost {stream.cost_details.total} USD ({stream.cost_details.status})")


def weather(city: str) -> str:
    """Return the weather in a city.

    Args:
        city: The name of the city.
    """
    return {"Lisbon": "sunny, 24 degrees"}.get(city, "unknown")


def _show_tool(model: str) -> None:
    @openai.call(model, stream=True, tools=[weather])
    def ask(history: list[BaseMessageParam | Any]) -> Messages.Type:
        return history

    _heading("A function with types and a docstring becomes a tool", weather, ask)
    history: list[BaseMessageParam | Any] = [Messages.User("What is the weather in Lisbon?")]
    while True:
        stream = ask(history)
        outputs = []
        for chunk, tool in stream:
            print(chunk.content, end="", flush=True)
            if tool:
                outputs.append((tool, tool.call()))
                _print_note(f"the model calls {tool._name()}({tool.args}), which returns {outputs[-1][1]!r}")
        history += [stream.message_param, *stream.tool_message_params(outputs)]
        if not outputs:
            print()
            return


async def _show_many(model: str) -> None:
    @openai.call(model, stream=True)
    async def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"

    _heading(f"The same function, async: {_STREAMS} streams at once", recommend)

    async def one() -> tuple[int, str]:
        stream = await recommend("fantasy")
        chunks = [chunk.content async for chunk, _ in stream]
        return len(chunks), stream.content

    began, cpu = time.perf_counter(), time.process_time()
    streams = await asyncio.gather(*(one() for _ in range(_STREAMS)))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    total = sum(count for count, _ in streams)
    assert len({text for _, text in streams}) == 1 or "OPENAI_BASE_URL" not in os.environ
    _print_note(f"{total} chunks in {took:.2f} s, {cpu / total * 1e6:.0f} µs of CPU per chunk, including the requests")


def _show_cpu_time_per_chunk(model: str) -> None:
    from openai import OpenAI

    client = OpenAI()
    messages: list[Any] = [{"role": "user", "content": "measure"}]

    @openai.call(model, stream=True, client=client)
    def measure() -> str:
        return "measure"

    def by_sdk() -> str:
        chunks = client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options={"include_usage": True}
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    def by_ferroscope() -> str:
        return "".join(chunk.content for chunk, _ in measure())

    _heading(f"CPU time per chunk: the same {_MEASURED_WORDS} chunks, read twice")
    assert by_sdk() == by_ferroscope() == _WORDS.text
    took: dict[str, list[float]] = {"the SDK's own iteration": [], "ferroscope": []}
    for _ in range(_RUNS):
        for (_, times), run in zip(took.items(), (by_sdk, by_ferroscope), strict=True):
            began = time.process_time()
            run()
            times.append((time.process_time() - began) / _MEASURED_WORDS * 1e6)
    medians = {name: median(times) for name, times in took.items()}
    for name, microseconds in medians.items():
        _print_note(f"{name:<24}{microseconds:6.1f} µs of CPU per chunk")
    sdk, ours = medians.values()
    _print_note(f"{sdk / ours:.1f} times less CPU time for the same text, when it arrives all at once")


def _heading(title: str, *functions: Callable[..., Any]) -> None:
    """Print the heading of a section, with the code that runs in it."""
    print(f"\n── {title}\n")
    for function in functions:
        lines = inspect.getsource(inspect.unwrap(function)).splitlines()
        for line in inspect.cleandoc("\n".join(["", *lines])).splitlines():
            print(f"    {line}")
        print()
    sys.stdout.flush()


def _print_note(text: str) -> None:
    print(f"  → {text}", flush=True)


def _sdk_version() -> str:
    from importlib.metadata import version

    return version("openai")
