"""Turns of Cohere: calls by the index of their event, the tool plan, ids and results."""

from __future__ import annotations

import json
from typing import Any

from ferroscope import Messages
from ferroscope.testing import Replay

from .conftest import Caller, for_rows
from .wires import Cohere

pytestmark = for_rows(lambda row: row.wire is Cohere)


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def call_start(index: int) -> bytes:
    call = {"id": f"weather_{index}", "type": "function", "function": {"name": "weather", "arguments": ""}}
    return event("tool-call-start", index=index, delta={"message": {"tool_calls": call}})


def call_delta(index: int, arguments: str) -> bytes:
    piece = {"tool_calls": {"function": {"arguments": arguments}}}
    return event("tool-call-delta", index=index, delta={"message": piece})


def plan(text: str) -> bytes:
    return event("tool-plan-delta", delta={"message": {"tool_plan": text}})


START = event("message-start", id="m1", delta={"message": {"role": "assistant", "content": []}})
USAGE = {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 1, "output_tokens": 2}}
END = event("message-end", delta={"finish_reason": "TOOL_CALL", "usage": USAGE})


def test_calls_that_alternate_and_their_plan_go_back_as_they_came(caller: Caller) -> None:
    first = call_start(0) + call_start(1) + call_delta(0, '{"city":') + call_delta(1, '{"city":')
    rest = call_delta(0, '"Oslo"}') + call_delta(1, '"Rome"}')
    ends = event("tool-call-end", index=0) + event("tool-call-end", index=1)
    caller.server.reply(Replay(START + plan("I will ") + plan("look") + first + rest + ends + END), "Fine.")
    stream = caller.call("Weather?", tools=[weather], stream=True)
    pairs = caller.consume(stream)
    tools = [tool for _, tool in pairs if tool]
    assert [tool.city for tool in tools] == ["Oslo", "Rome"]
    assert ("".join(chunk.content for chunk, _ in pairs), stream.content, stream.thinking) == ("", "", "I will look")
    results = stream.tool_message_params([(tool, tool.call()) for tool in tools])
    caller.call(lambda: [Messages.User("Weather?"), stream.message_param, *results], tools=[weather])
    _, assistant, *answers = caller.server.requests[-1].json["messages"]
    assert assistant["tool_plan"] == "I will look"
    assert not assistant.get("content")
    assert [call["id"] for call in assistant["tool_calls"]] == ["weather_0", "weather_1"]
    assert [answer["tool_call_id"] for answer in answers] == ["weather_0", "weather_1"]
    assert all("sunny in" in json.dumps(answer["content"]) for answer in answers)
    # Text is an object of JSON, or blocks with a document each.
    for answer in answers:
        content = answer["content"]
        assert isinstance(json.loads(content), dict) if isinstance(content, str) else content[0]["type"] == "document"


def test_citations_of_a_stream_leave_the_text_alone(caller: Caller) -> None:
    opened = event("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}})
    texts = [event("content-delta", index=0, delta={"message": {"content": {"text": one}}}) for one in ("Oslo ", "is")]
    source = {"type": "document", "id": "d1", "document": {"id": "d1"}}
    cited = [
        event(
            "citation-start",
            index=index,
            delta={"message": {"citations": {"start": start, "end": start + 2, "text": text, "sources": [source]}}},
        )
        + event("citation-end", index=index)
        for index, (start, text) in enumerate([(0, "Os"), (5, "is")])
    ]
    end = event("message-end", delta={"finish_reason": "COMPLETE", "usage": USAGE})
    closed = event("content-end", index=0)
    caller.server.reply(Replay(START + opened + b"".join(texts) + b"".join(cited) + closed + end))
    answer = caller.stream().construct_call_response()
    assert answer.content == "Oslo is"
    found = [(one.start, one.end, one.text) for one in answer.response.message.citations]
    assert found == [(0, 2, "Os"), (5, 7, "is")]
