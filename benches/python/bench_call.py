"""The overhead of a call over the same call made directly with the SDK: rendering the request, wrapping the response.

    python benches/python/bench_call.py [--rounds N]

Both use a real client of the SDK whose transport answers immediately in this process, in alternation. CPU time. The
medians of the rounds are compared, and every round's answer is checked first.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx2
from openai import OpenAI
from pydantic import BaseModel

from ferroscope import llm
from ferroscope.core import openai, prompt_template

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Emma"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}
BOOK = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "call_1", "type": "function", "function": {"name": "Book", "arguments": '{"title": "Emma"}'}}
]}  # fmt: skip


class Book(BaseModel):
    title: str


def weather(city: str, days: int = 1) -> str:
    """Return the weather.

    Args:
        city: The city to look at.
        days: How many days ahead.
    """
    return f"{city}: sunny for {days}"


def client_for(answer: dict[str, Any]) -> OpenAI:
    body = json.dumps(answer).encode()

    def respond(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    return OpenAI(
        api_key="test", base_url="http://test/v1", http_client=httpx2.Client(transport=httpx2.MockTransport(respond))
    )


def cases() -> dict[str, tuple[Callable[[], str], dict[str, Callable[[], str]]]]:
    """Return the direct call, and the calls to compare with it, for each case."""
    client = client_for(ANSWER)
    messages: list[Any] = [{"role": "user", "content": "Recommend a fantasy book"}]

    def by_hand() -> str:
        return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content or ""

    @openai.call("gpt-4o-mini", client=client)
    def decorated(genre: str) -> str:
        return f"Recommend a {genre} book"

    @openai.call("gpt-4o-mini", client=client)
    @prompt_template("Recommend a {genre} book")
    def templated(genre: str) -> None: ...

    @llm.call("openai", "gpt-4o-mini", client=client)
    def agnostic(genre: str) -> str:
        return f"Recommend a {genre} book"

    @openai.call("gpt-4o-mini", client=client, tools=[weather])
    def with_tool(genre: str) -> str:
        return f"Recommend a {genre} book"

    @llm.call("openai", "gpt-4o-mini", client=client, tools=[weather])
    def agnostic_with_tool(genre: str) -> str:
        return f"Recommend a {genre} book"

    tools: list[Any] = with_tool("fantasy").call_kwargs["tools"]

    def by_hand_with_tool() -> str:
        response = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
        return response.choices[0].message.content or ""

    books = client_for({**ANSWER, "choices": [{"index": 0, "message": BOOK, "finish_reason": "tool_calls"}]})

    @openai.call("gpt-4o-mini", client=books, response_model=Book)
    def extracted(genre: str) -> str:
        return f"Recommend a {genre} book"

    @llm.call("openai", "gpt-4o-mini", client=books, response_model=Book)
    def agnostic_extracted(genre: str) -> str:
        return f"Recommend a {genre} book"

    schema: list[Any] = extracted("fantasy")._response.call_kwargs["tools"]  # type: ignore[attr-defined]

    def by_hand_extracted() -> str:
        response = books.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=schema, tool_choice="required"
        )
        calls: Any = response.choices[0].message.tool_calls
        return Book.model_validate_json(calls[0].function.arguments).title

    return {
        "text": (
            by_hand,
            {
                "openai.call": lambda: decorated("fantasy").content,
                "openai.call, template": lambda: templated("fantasy").content,
                "llm.call": lambda: agnostic("fantasy").content,
            },
        ),
        "with a tool": (
            by_hand_with_tool,
            {
                "openai.call": lambda: with_tool("fantasy").content,
                "llm.call": lambda: agnostic_with_tool("fantasy").content,
            },
        ),
        "with a response model": (
            by_hand_extracted,
            {
                "openai.call": lambda: extracted("fantasy").title,
                "llm.call": lambda: agnostic_extracted("fantasy").title,
            },
        ),
    }


def spent(run: Callable[[], str], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - began) / calls * 1e6


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--calls", type=int, default=50)
    arguments = parser.parse_args(given)
    print("CPU µs per call, medians; the overhead is the median of the differences of neighbours")
    for case, (by_hand, ours) in cases().items():
        for name, run in ours.items():
            assert run() == by_hand() == "Emma"
            base, mine = [], []
            gc.collect()
            gc.disable()
            for _ in range(arguments.rounds):
                base.append(spent(by_hand, arguments.calls))
                mine.append(spent(run, arguments.calls))
            gc.enable()
            added = statistics.median(one - other for one, other in zip(mine, base, strict=True))
            by, our = statistics.median(base), statistics.median(mine)
            print(f"{case:<24}{name:<26}{by:8.1f} by hand{our:8.1f} decorated, added {added:6.1f}")


if __name__ == "__main__":
    main()
