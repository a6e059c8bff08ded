"""Each difference of a server from OpenAI's format, as a row of the test server, read by a call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ferroscope import errors, llm, register_provider, unregister_provider
from ferroscope.testing import (
    Answer,
    ChatServer,
    ProviderServer,
    Reasoning,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    UsagePlace,
)

pytest.importorskip("openai")

CALLS = ToolCalls(ToolCall("weather", {"city": "Oslo"}), ToolCall("weather", {"city": "Rome"}))
ANSWER = Answer(Text("Let me see.", 3), CALLS, usage=Usage(9, 3))

# The members of the row, and what its stream then has and has not.
DIFFERENCES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "comment lines": ({"keep_alive": "ping"}, [": ping\n\n"], []),
    "no tool index": ({"tool_index": "missing"}, ['"tool_calls":[{"id"'], ['"tool_calls":[{"index"']),
    "a constant tool index": (
        {"tool_index": "zero", "tool_shape": "whole"},
        ['{"index":0,"id":"call_2"'],
        ['"index":1'],
    ),
    "a negative tool index": ({"tool_index": "minus_one", "tool_shape": "whole"}, ['"index":-1'], []),
    "whole calls": ({"tool_shape": "whole"}, ['"arguments":"{\\"city\\": \\"Oslo\\"}"'], []),
    "both calls in one chunk": ({"tool_shape": "together"}, ['Oslo\\"}"}},{"index":1'], []),
    "usage of one's own": ({"usage": (UsagePlace("finish_chunk", ("x_acme", "usage")),)}, ['"x_acme":{"usage":'], []),
    "usage in each chunk": ({"usage": (UsagePlace("every_chunk"),)}, ['"usage":{"prompt_tokens":9'], []),
    "usage in the choice": (
        {"usage": (UsagePlace("finish_chunk", "choice"),)},
        ['"finish_reason":"tool_calls","usage"'],
        [],
    ),
    "no terminator": ({"done": False}, [], ["[DONE]"]),
    "the role in each chunk": ({"delta": {"role": "assistant"}}, ['"delta":{"role":"assistant","tool_calls"'], []),
    "null members": ({"delta": {"content": None, "refusal": None}}, ['"content":null', '"refusal":null'], []),
    "a null delta": ({"closing": None}, ['"delta":null'], []),
    "the finish reason with the last call": ({"finish_with_content": True}, [], ['"delta":{}']),
    "carriage returns": ({"line_end": "\r\n"}, ["\r\n\r\n"], []),
}


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


@pytest.fixture
def acme(request: pytest.FixtureRequest) -> Iterator[ProviderServer]:
    """Run a server with these differences, and register it."""
    row = ChatServer(name="acme", **request.param)
    with ProviderServer(servers=[row]) as server:
        register_provider("acme", base_url=server.base_url("acme"))
        yield server
        unregister_provider("acme")


def read(kind: str, **options: Any) -> tuple[Any, list[Any]]:
    """Return a stream, and its tools."""
    decorate = llm.call("acme/m", stream=True, **options)
    if kind == "sync":
        stream: Any = decorate(lambda: "Hi")()
        return stream, [tool for _, tool in stream if tool]

    async def run() -> tuple[Any, list[Any]]:
        async def prompt() -> str:
            return "Hi"

        stream: Any = await decorate(prompt)()
        return stream, [tool async for _, tool in stream if tool]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("acme", "difference"), [(row[0], name) for name, row in DIFFERENCES.items()], indirect=["acme"]
)
def test_an_answer_is_read_in_spite_of_it(acme: ProviderServer, difference: str, kind: str) -> None:
    _, present, absent = DIFFERENCES[difference]
    acme.reply(ANSWER, ANSWER)
    asked = {"model": "m", "messages": [], "stream": True, "stream_options": {"include_usage": True}}
    sent = httpx.post(f"{acme.base_url('acme')}/chat/completions", json=asked).text
    assert all(text in sent for text in present), sent
    assert not any(text in sent for text in absent), sent
    stream, tools = read(kind, tools=[weather])
    assert stream.content == "Let me see."
    assert [tool.call() for tool in tools] == ["sunny in Oslo", "sunny in Rome"]
    assert stream.finish_reasons == ["tool_calls"]
    if difference != "usage of one's own":  # which nobody could know
        assert (stream.input_tokens, stream.output_tokens) == (9, 3)


ERRORS = ["data", "event", "field", "beside_choices"]


@pytest.mark.parametrize("acme", [{"stream_error": name} for name in ERRORS], ids=ERRORS, indirect=True)
def test_an_error_inside_a_stream_keeps_what_came(acme: ProviderServer, kind: str) -> None:
    acme.reply(StreamError(ANSWER, after=3, message="The server is overloaded."))
    with pytest.raises(errors.ProviderStreamError, match="The server is overloaded") as caught:
        read(kind)
    assert caught.value.partial is not None
    assert "Let me see.".startswith(caught.value.partial.content)
    assert caught.value.partial.content


THOUGHTS = ["reasoning_content", "reasoning", "content"]


@pytest.mark.parametrize("acme", [{"reasoning": name} for name in THOUGHTS], ids=THOUGHTS, indirect=True)
def test_reasoning_is_read_from_its_field(acme: ProviderServer, kind: str) -> None:
    acme.reply(Answer(Reasoning("Hm."), Text("Hello.")))
    stream, _ = read(kind)
    assert (stream.thinking, stream.content) == ("Hm.", "Hello.")
