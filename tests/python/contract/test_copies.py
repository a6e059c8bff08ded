"""Pickles and copies of streams, tools and instances, of every provider."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.testing import Answer, Text, ToolCall, ToolCalls, Usage

from .conftest import Caller


class Book(BaseModel):
    """A book."""

    title: str


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sun in {city}"


@pytest.fixture(params=["pickle", "deepcopy"])
def copied(request: pytest.FixtureRequest) -> Any:
    return copy.deepcopy if request.param == "deepcopy" else lambda value: pickle.loads(pickle.dumps(value))


CALL = Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345")), usage=Usage(10, 20))


def test_a_stream_that_ended(caller: Caller, copied: Any) -> None:
    caller.server.reply(Answer(Text("Hello you", 2), usage=Usage(10, 20)))
    stream = caller.stream()
    found = copied(stream)
    assert type(found) is type(stream)
    for name in ("content", "model", "id", "finish_reasons", "input_tokens", "output_tokens", "cost", "message_param"):
        assert getattr(found, name) == getattr(stream, name), name
    assert found.construct_call_response().content == "Hello you"
    assert caller.consume(found) == []


def test_a_stream_that_has_not_ended_is_an_error(caller: Caller, copied: Any) -> None:
    stream = caller.call(stream=True)
    with pytest.raises(TypeError, match="has not ended"):
        copied(stream)


def test_a_structured_stream_that_ended(caller: Caller, copied: Any) -> None:
    caller.server.reply(Answer(Text('{"title": "Emma"}', 3)))
    stream = caller.call(stream=True, response_model=Book, json_mode=True)
    assert caller.run(stream.collect, stream.acollect) == Book(title="Emma")
    found = copied(stream)
    assert found.constructed_response_model == Book(title="Emma")
    assert found.cost == stream.cost
    assert found.is_done("title")


def test_a_tool_of_a_function(caller: Caller, copied: Any) -> None:
    caller.server.reply(CALL)
    tool = caller.call(tools=[weather]).tool
    found = copied(tool)
    assert type(found) is type(tool)
    assert found == tool
    assert (found.id, found.args, found.call()) == (tool.id, {"city": "Oslo"}, "sun in Oslo")


def test_a_partial_tool(caller: Caller, copied: Any) -> None:
    caller.server.reply(CALL)
    stream = caller.call(tools=[weather], stream={"partial_tools": True})
    tools = [tool for _, tool in caller.consume(stream) if tool is not None]
    for tool in tools:
        found = copied(tool)
        assert type(found) is type(tool)
        assert found.args == tool.args


def test_the_error_of_an_unknown_tool(caller: Caller, copied: Any) -> None:
    caller.server.reply(Answer(ToolCall("forecast", {"city": "Oslo"}, id="call_a12345")))
    with pytest.raises(errors.UnknownToolError) as caught:
        _ = caller.call(tools=[weather]).tools
    error, found = caught.value, copied(caught.value)
    assert (type(found), str(found), found.name, found.arguments) == (
        type(error),
        str(error),
        "forecast",
        error.arguments,
    )


def test_the_error_of_a_response_model(caller: Caller, copied: Any) -> None:
    caller.server.reply(Answer(Text("I like books.")))
    with pytest.raises(errors.ResponseModelError) as caught:
        caller.call(response_model=Book, json_mode=True)
    found = copied(caught.value)
    assert (type(found), str(found), found.text) == (errors.ResponseModelError, str(caught.value), "I like books.")
    assert found.response.content == found._response.content == "I like books."
