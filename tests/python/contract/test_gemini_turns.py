"""Answers of Gemini in unusual pieces: parallel calls, signatures, ends; and the turn that goes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ferroscope import Messages, errors
from ferroscope.testing import Body, Replay

from .conftest import Caller, for_rows
from .wires import Gemini

pytestmark = for_rows(lambda row: row.wire is Gemini)

SIGNED = {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "c2lnMQ=="}
UNSIGNED = {"functionCall": SIGNED["functionCall"]}
SECOND = {"functionCall": {"id": "c2", "name": "weather", "args": {"city": "Rome"}}}
OSLO, ROME = ({"functionCall": {"name": "weather", "args": {"city": city}}} for city in ("Oslo", "Rome"))
USAGE = {"promptTokenCount": 9, "totalTokenCount": 9}


def weather(city: str = "x") -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


def event(*parts: Any, **candidate: Any) -> dict[str, Any]:
    content = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    return {"candidates": [{**content, **candidate, "index": 0}], "usageMetadata": USAGE}


def reply(*events: dict[str, Any]) -> Replay:
    """Return a stream of these events, and the body with all of their parts."""
    candidates = [one["candidates"][0] for one in events if "candidates" in one]
    parts = [part for one in candidates for part in one.get("content", {}).get("parts", [])]
    last = {**candidates[-1], **({"content": {"role": "model", "parts": parts}} if parts else {})}
    stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)
    return Replay(stream, body={"candidates": [last], "usageMetadata": USAGE})


def ask(caller: Caller, stream: bool) -> tuple[Any, list[Any]]:
    """Return the answer and its tools."""
    answer = caller.call("Weather?", tools=[weather], stream=stream)
    if not stream:
        return answer, answer.tools or []
    tools = [tool for _, tool in caller.consume(answer) if tool]
    return answer.construct_call_response(), tools


STOP = event(finishReason="STOP")
# The events, the cities of the calls, and the signatures of the parts that go back.
CALLS: dict[str, tuple[list[dict[str, Any]], list[str], list[str | None]]] = {
    "signed first": ([event(SIGNED), event(SECOND), STOP], ["Oslo", "Rome"], ["c2lnMQ==", None]),
    "no ids": ([event(OSLO), event(ROME), STOP], ["Oslo", "Rome"], [None, None]),
    "no ids, one event": ([event(OSLO, ROME), STOP], ["Oslo", "Rome"], [None, None]),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", CALLS)
def test_parallel_calls_go_back_as_one_turn_with_all_results(caller: Caller, name: str, stream: bool) -> None:
    events, cities, signatures = CALLS[name]
    caller.server.reply(reply(*events), "Fine.")
    answer, tools = ask(caller, stream)
    assert [tool.city for tool in tools] == cities
    results = answer.tool_message_params([(tool, tool.call()) for tool in tools])
    caller.call(lambda: [Messages.User("Weather?"), answer.message_param, *results], tools=[weather])
    _, model, user = caller.server.requests[-1].json["contents"]
    assert (model["role"], user["role"]) == ("model", "user")
    assert [part["functionCall"]["args"]["city"] for part in model["parts"]] == cities
    assert [part.get("thoughtSignature") for part in model["parts"]] == signatures
    assert all("thoughtSignature" not in part or part["thoughtSignature"] for part in model["parts"])
    assert len(user["parts"]) == len(cities)
    assert all("functionResponse" in part for part in user["parts"])


def test_a_call_that_comes_twice_counts_once_and_keeps_its_signature(caller: Caller) -> None:
    caller.server.reply(reply(event(SIGNED), event(UNSIGNED), STOP), "Fine.")
    answer, tools = ask(caller, stream=True)
    assert [tool.city for tool in tools] == ["Oslo"]
    caller.call(lambda: [Messages.User("Weather?"), answer.message_param], tools=[weather])
    parts = caller.server.requests[-1].json["contents"][1]["parts"]
    assert [(part["functionCall"]["id"], part.get("thoughtSignature")) for part in parts] == [("c1", "c2lnMQ==")]


def test_a_part_without_a_name_continues_the_call(caller: Caller) -> None:
    named = {"functionCall": {"name": "weather", "args": {}}}
    rest = {"functionCall": {"args": {"city": "Oslo"}}}
    caller.server.reply(reply(event(named), event(rest), STOP), "Fine.")
    answer, tools = ask(caller, stream=True)
    assert [tool.city for tool in tools] == ["Oslo"]
    caller.call(lambda: [Messages.User("Weather?"), answer.message_param], tools=[weather])
    parts = caller.server.requests[-1].json["contents"][1]["parts"]
    assert [part["functionCall"]["name"] for part in parts] == ["weather"]


def test_streamed_arguments_that_are_cut_are_no_call(caller: Caller) -> None:
    opened = event({"functionCall": {"name": "weather", "willContinue": True}})
    piece = {"jsonPath": "$.city", "stringValue": "Os", "willContinue": True}
    cut = event({"functionCall": {"partialArgs": [piece], "willContinue": True}})
    caller.server.reply(reply(opened, cut))
    stream = caller.call("Weather?", tools=[weather], stream=True)
    tools = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        tools += [tool for _, tool in caller.consume(stream) if tool]
    assert tools == []
    assert caught.value.partial is not None


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_end_without_content_is_its_reason(caller: Caller, stream: bool) -> None:
    malformed = event(finishReason="MALFORMED_FUNCTION_CALL", finishMessage="Malformed function call: print(w())")
    caller.server.reply(reply(malformed))
    answer, tools = ask(caller, stream)
    assert (answer.content, tools) == ("", [])
    assert answer.finish_reasons == ["MALFORMED_FUNCTION_CALL"]
    assert "stop" not in (answer.common_finish_reasons or [])
    assert answer.input_tokens == 9


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_blocked_prompt_is_filtered_content(caller: Caller, stream: bool) -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": USAGE}
    caller.server.reply(Replay(b"data: " + json.dumps(blocked).encode() + b"\n\n") if stream else Body(blocked))
    answer, _ = ask(caller, stream)
    assert answer.common_finish_reasons == ["content_filter"]
    assert answer.input_tokens == 9


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_calls_that_end_with_stop_are_tool_calls(caller: Caller, stream: bool) -> None:
    caller.server.reply(reply(event(OSLO, finishReason="STOP")))
    answer, _ = ask(caller, stream)
    assert (answer.finish_reasons, answer.common_finish_reasons) == (["STOP"], ["tool_calls"])


def test_a_stream_is_read_on_after_a_finish_reason(caller: Caller) -> None:
    caller.server.reply(reply(*(event({"text": text}, finishReason="STOP") for text in ("One ", "two ", "three"))))
    answer, _ = ask(caller, stream=True)
    assert (answer.content, answer.common_finish_reasons) == ("One two three", ["stop"])
