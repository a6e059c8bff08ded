"""Streams that a program creates from chunks with `stream=`, as in v1, with the classes of every provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ferroscope import llm
from ferroscope.testing import Answer, Text, ToolCall, ToolCalls, Usage

from .conftest import Caller

FIELDS = (
    "metadata",
    "tool_types",
    "call_response_type",
    "prompt_template",
    "fn_args",
    "dynamic_config",
    "messages",
    "call_params",
    "call_kwargs",
)
COMPARED = ("content", "model", "id", "finish_reasons", "input_tokens", "output_tokens", "cost", "message_param")


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sun in {city}"


def given(caller: Caller, kind: str, stream: Any, pairs: list[Any]) -> Any:
    """Return a stream of the same class over pairs."""

    async def apairs() -> AsyncIterator[Any]:
        for pair in pairs:
            yield pair

    source = (pair for pair in pairs) if kind == "sync" else apairs()
    fields = {name: getattr(stream, name) for name in FIELDS}
    return type(stream)(stream=source, model=stream._model, **fields)


def test_a_stream_of_given_chunks_equals_the_stream_that_they_came_from(caller: Caller, kind: str) -> None:
    calls = ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345"))
    caller.server.reply(Answer(Text("Hello you", 2), calls, usage=Usage(10, 20)))
    stream = caller.call(stream=True, tools=[weather])
    pairs = caller.consume(stream)
    if isinstance(stream, llm.Stream):
        pytest.skip("`llm.Stream` wraps a provider's stream")
    again = given(caller, kind, stream, pairs)
    with pytest.raises(AttributeError):
        assert again.message_param
    assert [chunk.content for chunk, _ in caller.consume(again)] == [chunk.content for chunk, _ in pairs]
    for name in COMPARED:
        assert getattr(again, name) == getattr(stream, name), name
    response = again.construct_call_response()
    assert type(response) is type(stream.construct_call_response())
    assert [tool.args for tool in response.tools or []] == [{"city": "Oslo"}]
    assert 0 < again.start_time <= again.end_time


def test_a_message_can_be_assigned_to_a_stream(caller: Caller) -> None:
    caller.server.reply("Hello")
    stream = caller.call("Say hello", stream=True)
    stream.message_param = "before"
    assert stream.message_param == "before"
    caller.consume(stream)
    received = stream.message_param
    assert received != "before"
    stream.message_param = "after"
    assert stream.message_param == "after"
    response = stream.construct_call_response()
    assert response.content == "Hello"
    assert response.message_param not in ("before", "after")
