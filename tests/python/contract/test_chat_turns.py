"""Turns of servers with OpenAI's formats: usage in several places, reasoning beside the output, items of reasoning."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ferroscope import Messages, llm
from ferroscope.testing import Answer, Body, Reasoning, Replay, Text

from .conftest import ROWS, Caller

HEAD: dict[str, Any] = {"id": "c1", "created": 1, "model": "m"}


def rows_of(*labels: str) -> Any:
    rows = [row for row in ROWS if row.label in labels]
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.label, indirect=True)


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


def chunks(*items: dict[str, Any]) -> bytes:
    made = ({**HEAD, "object": "chat.completion.chunk", "choices": [], **item} for item in items)
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in made) + b"data: [DONE]\n\n"


@rows_of("groq")
def test_usage_in_two_places_counts_once(caller: Caller) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    finish = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    caller.server.reply(Replay(chunks({**finish, "x_groq": {"id": "r", "usage": usage}}, {"usage": usage})))
    stream = caller.stream()
    assert (stream.content, stream.input_tokens, stream.output_tokens) == ("Hi", 5, 2)
    assert stream.finish_reasons == ["stop"]


@rows_of("groq", "openai")
def test_reasoning_of_another_provider_is_not_sent(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.server.reply(Answer(Reasoning("Hm."), Text("Hello")), "Fine.")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "test-key")
    monkeypatch.setenv("DEEPSEEK_BASE_URL", caller.server.base_url("deepseek"))
    answer = llm.call("deepseek/deepseek-reasoner")(lambda: "Hi")()
    assert answer.thinking == "Hm."
    caller.call(lambda: [Messages.User("Hi"), answer.common_message_param, Messages.User("So?")])
    sent = caller.server.requests[-1].json
    assert "Hm." not in json.dumps(sent)
    assert [one["role"] for one in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][1].keys() == {"role", "content"}


@rows_of("xai")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("total", "billed"), [(14428, 4308), (11619, 1499)], ids=["beside", "inside"])
def test_the_sum_decides_whether_reasoning_is_inside_the_output(
    caller: Caller, stream: bool, total: int, billed: int
) -> None:
    """The counts are those of the server; the price is for all that was generated, or what the server charged."""
    usage: dict[str, Any] = {
        "prompt_tokens": 10120,
        "prompt_tokens_details": {"cached_tokens": 128},
        "completion_tokens": 1499,
        "completion_tokens_details": {"reasoning_tokens": billed - 1499 or 900},
        "total_tokens": total,
    }
    message = {"role": "assistant", "content": "Hi"}
    for charge in ({}, {"cost_in_usd_ticks": 232856000}):
        counts = {**usage, **charge}
        choice = {"index": 0, "finish_reason": "stop"}
        whole = {**HEAD, "model": "grok-4", "object": "chat.completion", "usage": counts}
        streamed = chunks({"model": "grok-4", "choices": [{**choice, "delta": message}]}, {"usage": counts})
        body = Body({**whole, "choices": [{**choice, "message": message}]})
        caller.server.reply(Replay(streamed) if stream else body)
        answer = caller.stream() if stream else caller.call()
        assert (answer.input_tokens, answer.output_tokens) == (10120, 1499)
        if charge:
            assert answer.cost == pytest.approx(0.0232856)
        else:
            items = answer.cost_details.items
            assert sum(item.count for item in items if item.unit in ("output", "reasoning")) == billed


# ---- the Responses API of xAI

RESPONSES = {"api": "responses"}
SUMMARY = [{"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Second."}]


def reasoning(number: int, summary: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "reasoning", "id": f"rs_{number}", "summary": summary, "encrypted_content": f"E{number}"}


def text(number: int) -> dict[str, Any]:
    part = {"type": "output_text", "text": "Looking", "annotations": []}
    return {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [part]}


def function_call(number: int) -> dict[str, Any]:
    made = {"id": f"fc_{number}", "call_id": f"call_{number}", "name": "weather", "arguments": '{"city": "Oslo"}'}
    return {"type": "function_call", "status": "completed", **made}


def response(*output: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
    head = {"id": "r1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    return {**head, "output": list(output), "usage": usage, "tools": [], "tool_choice": "auto"}


def response_stream(*output: dict[str, Any]) -> bytes:
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {**response(), "status": "in_progress"}}]
    for index, item in enumerate(output):
        place = {"output_index": index, "item_id": item["id"]}
        events.append({"type": "response.output_item.added", "output_index": index, "item": {**item, "summary": []}})
        for number, part in enumerate(item.get("summary", ())):
            events.append(
                {"type": "response.reasoning_summary_part.added", **place, "summary_index": number, "part": part}
            )
        if item["type"] == "message":
            events.append({"type": "response.output_text.delta", **place, "content_index": 0, "delta": "Looking"})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": "response.completed", "response": response(*output)})
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)


@rows_of("xai")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_items_of_reasoning_go_back_once_in_their_order(caller: Caller, stream: bool) -> None:
    pytest.importorskip("openai", minversion="1.66")
    history: list[Any] = [Messages.User("Weather?")]
    for number in (1, 2):
        output = (reasoning(number, SUMMARY), text(number), function_call(number))
        caller.server.reply(Replay(response_stream(*output), body=response(*output)))
        answer = caller.call(lambda: history, tools=[weather], stream=stream, call_params=RESPONSES)
        tools = [tool for _, tool in caller.consume(answer) if tool] if stream else answer.tools
        assert answer.content == "Looking"
        assert [tool.city for tool in tools] == ["Oslo"]
        results = answer.tool_message_params([(tool, tool.call()) for tool in tools])
        history.extend([answer.message_param, *results])
    caller.server.reply(Body(response(text(3))))
    caller.call(lambda: history, tools=[weather], call_params=RESPONSES)
    sent = caller.server.requests[-1].json["input"]
    assert [one.get("type", "message") for one in sent] == [
        "message",
        *["reasoning", "message", "function_call", "function_call_output"] * 2,
    ]
    items = [one for one in sent if one.get("type") == "reasoning"]
    assert [(one["encrypted_content"], one["summary"]) for one in items] == [("E1", SUMMARY), ("E2", SUMMARY)]
