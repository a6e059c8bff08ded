"""Turns of Bedrock's Converse: blank texts, cache points, guardrails, usage; and what goes back."""

from __future__ import annotations

from typing import Any

import pytest

from ferroscope import Messages
from ferroscope.core.base import BaseMessageParam, TextPart, ToolCallPart, ToolResultPart
from ferroscope.testing import Body, Replay
from ferroscope.testing._wires.aws_event_stream import frame

from .conftest import Caller, for_rows
from .wires import BedrockConverse

pytestmark = for_rows(lambda row: row.wire is BedrockConverse)

FRAMES = "application/vnd.amazon.eventstream"


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


def stream_of(*events: tuple[str, dict[str, Any]]) -> Replay:
    return Replay(b"".join(frame("event", name, body) for name, body in events), content_type=FRAMES)


def block(index: int, start: dict[str, Any] | None, *deltas: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of one content block."""
    opened = [("contentBlockStart", {"contentBlockIndex": index, "start": start})] if start else []
    pieces = [("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}) for delta in deltas]
    return [*opened, *pieces, ("contentBlockStop", {"contentBlockIndex": index})]


def use(index: int, city: str) -> list[tuple[str, dict[str, Any]]]:
    started = {"toolUse": {"toolUseId": f"t{index}", "name": "weather"}}
    return block(index, started, {"toolUse": {"input": '{"city":'}}, {"toolUse": {"input": f'"{city}"}}'}})


START = ("messageStart", {"role": "assistant"})


def read(caller: Caller, answer: Replay, **options: Any) -> tuple[Any, list[Any]]:
    caller.server.reply(answer)
    stream = caller.call("Weather?", stream=True, **options)
    tools = [tool for _, tool in caller.consume(stream) if tool]
    return stream.construct_call_response(), tools


def test_each_block_is_a_call_of_its_own(caller: Caller) -> None:
    end = ("messageStop", {"stopReason": "tool_use"})
    _, tools = read(caller, stream_of(START, *use(0, "Oslo"), *use(1, "Rome"), end), tools=[weather])
    assert [(tool.tool_call["toolUse"]["toolUseId"], tool.city) for tool in tools] == [("t0", "Oslo"), ("t1", "Rome")]


def test_reasoning_goes_back_before_text_and_calls(caller: Caller) -> None:
    pytest.importorskip("botocore", minversion="1.38")  # older ones have no reasoning
    reasoning = {"reasoningContent": {"reasoningText": {"text": "T", "signature": "S"}}}
    call = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}}
    content = [reasoning, {"text": "ok"}, call]
    body = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use"}
    caller.server.reply(Body(body), "Fine.")
    answer = caller.call("Weather?", tools=[weather])
    results = answer.tool_message_params([(answer.tool, answer.tool.call())])
    caller.call(lambda: [Messages.User("Weather?"), answer.message_param, *results], tools=[weather])
    assert caller.server.requests[-1].json["messages"][1]["content"] == content


@pytest.mark.filterwarnings("ignore:the prompt of .* is empty:UserWarning")
def test_blank_texts_are_left_out_and_nothing_replaces_them(caller: Caller) -> None:
    call = ToolCallPart(type="tool_call", name="weather", args={"city": "Oslo"}, id="t1")
    result = ToolResultPart(type="tool_result", name="weather", content="sunny", id="t1")
    history = [
        BaseMessageParam(role="user", content="hi"),
        BaseMessageParam(role="assistant", content=[TextPart(type="text", text="\n"), call]),
        BaseMessageParam(role="user", content=[result]),
        BaseMessageParam(role="user", content=" "),
    ]
    caller.server.reply("Fine.")
    caller.call(lambda: history, tools=[weather])
    sent = caller.server.requests[-1].json["messages"]
    texts = [one["text"] for message in sent for one in message["content"] if "text" in one]
    assert texts == ["hi"]
    assert all(message["content"] for message in sent)
    assert "toolResult" in sent[-1]["content"][0]


def test_a_cache_point_keeps_its_place(caller: Caller) -> None:
    pytest.importorskip("botocore", minversion="1.38")  # older ones have no cache points
    document = {"document": {"format": "md", "name": "notes", "source": {"bytes": b"# Notes"}}}
    content = [{"text": "Sum up."}, document, {"cachePoint": {"type": "default"}}]
    caller.server.reply("Fine.")
    caller.call(lambda: [{"role": "user", "content": content}])
    sent = caller.server.requests[-1].json["messages"][0]["content"]
    assert [next(iter(one)) for one in sent] == ["text", "document", "cachePoint"]


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered"])
def test_a_guardrail_is_a_filter_by_its_own_word(caller: Caller, reason: str) -> None:
    usage = {"inputTokens": 9, "outputTokens": 1, "totalTokens": 10}
    events = [START, *block(0, None, {"text": "Hel"}), ("messageStop", {"stopReason": reason})]
    answer, _ = read(caller, stream_of(*events, ("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})))
    assert (answer.content, answer.finish_reasons) == ("Hel", [reason])
    assert answer.common_finish_reasons == ["content_filter"]
    assert answer.input_tokens == 9


@pytest.mark.parametrize("counted", [True, False], ids=["with metadata", "without"])
def test_usage_comes_behind_the_end_or_is_unknown(caller: Caller, counted: bool) -> None:
    usage = {"inputTokens": 12, "cacheReadInputTokens": 2000, "cacheWriteInputTokens": 300, "outputTokens": 50}
    metadata = ("metadata", {"usage": {**usage, "totalTokens": 2362}, "metrics": {"latencyMs": 1}})
    events = [START, *block(0, None, {"text": "Hi"}), ("messageStop", {"stopReason": "end_turn"})]
    answer, _ = read(caller, stream_of(*events, *([metadata] if counted else [])))
    assert (answer.content, answer.finish_reasons) == ("Hi", ["end_turn"])
    if not counted:
        assert (answer.input_tokens, answer.output_tokens, answer.cost) == (None, None, None)
        return
    counts = {item.unit: item.count for item in answer.cost_details.items}
    assert (counts["input"], counts["cache_read"], counts["output"]) == (12, 2000, 50)
    assert sum(count for unit, count in counts.items() if unit.startswith("cache_write")) == 300
