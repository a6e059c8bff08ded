"""Turns of Mistral: ids of other providers, lists of chunks as content."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ferroscope import Messages
from ferroscope.core.base import BaseMessageParam, ToolCallPart, ToolResultPart
from ferroscope.testing import Body, Replay

from .conftest import Caller, for_rows
from .wires import Mistral

pytestmark = for_rows(lambda row: row.wire is Mistral)

HEAD: dict[str, Any] = {"id": "c1", "created": 1, "model": "m"}


def thinking(text: str) -> list[dict[str, Any]]:
    return [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]


def test_ids_of_other_providers_are_nine_letters_and_the_same_each_time(caller: Caller) -> None:
    history = [Messages.User("Weather?")]
    for number in ("call_PTLP8xhu3uwZ4nlnrrJha", "turn1_0", "toolu_01A"):
        call = ToolCallPart(type="tool_call", name="weather", args={}, id=number)
        result = ToolResultPart(type="tool_result", name="weather", content="sunny", id=number)
        history += [
            BaseMessageParam(role="assistant", content=[call]),
            BaseMessageParam(role="tool", content=[result]),
        ]
    caller.server.reply("Fine.", "Fine.")
    sent = []
    for _ in range(2):
        caller.call(lambda: history)
        messages = caller.server.requests[-1].json["messages"]
        made = [call["id"] for one in messages for call in one.get("tool_calls") or ()]
        assert made == [one["tool_call_id"] for one in messages if one["role"] == "tool"]
        sent.append(made)
    assert sent[0] == sent[1]
    assert len(set(sent[0])) == 3
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", one) for one in sent[0])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_texts_and_lists_may_alternate(caller: Caller, stream: bool) -> None:
    pieces = [thinking("A"), thinking("B"), "Hi", [{"type": "text", "text": "!"}]]
    chunks = [{**HEAD, "choices": [{"index": 0, "delta": {"content": one}, "finish_reason": None}]} for one in pieces]
    chunks.append({**HEAD, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]})
    whole = [*thinking("AB"), {"type": "text", "text": "Hi!"}]
    choice = {"index": 0, "message": {"role": "assistant", "content": whole}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    body = {**HEAD, "object": "chat.completion", "choices": [choice], "usage": usage}
    events = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks)
    caller.server.reply(Replay(events + b"data: [DONE]\n\n") if stream else Body(body))
    answer = caller.call(stream=stream)
    if stream:
        assert "".join(chunk.content for chunk, _ in caller.consume(answer)) == "Hi!"
    assert (answer.content, answer.thinking) == ("Hi!", "AB")
