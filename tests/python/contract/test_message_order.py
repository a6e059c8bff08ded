"""The order of messages that a server requires: the request is arranged, the history is not."""

from __future__ import annotations

from typing import Any

import pytest

from ferroscope import BaseMessageParam, Messages
from ferroscope.core.base import ToolCallPart, ToolResultPart

from .conftest import Caller

CALL = BaseMessageParam(
    role="assistant", content=[ToolCallPart(type="tool_call", name="weather", args={"city": "Oslo"}, id="abcdefgh1")]
)
RESULT = BaseMessageParam(
    role="tool",
    content=[ToolResultPart(type="tool_result", name="weather", content="sunny", id="abcdefgh1", is_error=False)],
)
# Messages of the provider's own.
OWN: list[Any] = [
    {"role": "tool", "tool_call_id": "abcdefgh1", "content": "sunny"},
    {"role": "user", "content": "stop"},
]
HISTORIES: dict[str, list[Any]] = {
    "common": [Messages.User("Hi"), CALL, RESULT, Messages.User("stop")],
    "own": [Messages.User("Hi"), CALL, *OWN],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_user_message_after_a_tool_result_is_accepted(caller: Caller, name: str) -> None:
    if caller.wire.sdk not in ("mistralai", "groq", "openai") or "messages" in caller.row.options:
        pytest.skip("another format")
    history = HISTORIES[name]
    before = [one if isinstance(one, dict) else one.model_copy(deep=True) for one in history]
    caller.server.reply("Fine.")
    response = caller.call(lambda: history)
    sent = caller.wire.messages(caller.server.requests[-1].json)
    between = ["assistant"] if caller.wire.orders_messages else []
    if caller.row.options:  # items of the Responses API
        assert "assistant" not in [item.get("role") for item in sent[2:]]
    else:
        assert [one["role"] for one in sent] == ["user", "assistant", "tool", *between, "user"]
        assert sent[-1]["content"] == "stop"
    if between:
        assert sent[3]["content"] == "OK."
    assert history == before
    assert len(response.messages) == len(history)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_answer_at_the_end_is_continued(caller: Caller, stream: bool) -> None:
    if not caller.wire.orders_messages:
        pytest.skip("the API needs no mark")
    caller.server.reply("Oslo.")
    history = [Messages.User("Capital?"), Messages.Assistant("The answer is")]
    answer = caller.call(lambda: history, stream=stream)
    if stream:
        caller.consume(answer)
    last = caller.server.requests[-1].json["messages"][-1]
    assert (last["role"], last["content"], last["prefix"]) == ("assistant", "The answer is", True)
    assert history[-1] == Messages.Assistant("The answer is")
    marked = {"role": "assistant", "content": "No: ", "prefix": False}
    caller.server.reply("Oslo.")
    caller.call(lambda: [Messages.User("Capital?"), marked])
    assert caller.server.requests[-1].json["messages"][-1]["prefix"] is False
