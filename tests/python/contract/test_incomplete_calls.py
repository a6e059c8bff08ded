"""Answers of servers with OpenAI's format in which something is missing or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ferroscope import Messages, errors
from ferroscope.testing import Replay, Status, StreamError

from .conftest import ROWS, Caller

GENERATION = '<function=weather={"city": "Oslo"}</function>'


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


def rows_of(*labels: str) -> Any:
    """Run a test with these rows only."""
    return pytest.mark.parametrize(
        "row", [row for row in ROWS if row.label in labels], ids=lambda row: row.label, indirect=True
    )


# -- calls without ids ---------------------------------------------------------------------------------------------

CALLS = [{"function": {"name": "weather", "arguments": json.dumps({"city": city})}} for city in ("Oslo", "Rome")]
HEAD: dict[str, Any] = {"id": "c1", "created": 1, "model": "m"}
CHOICE = {"index": 0, "finish_reason": "tool_calls"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
MESSAGE = {"role": "assistant", "content": "", "tool_calls": CALLS}
CHUNK = {**HEAD, "object": "chat.completion.chunk", "choices": [{**CHOICE, "delta": MESSAGE}]}
WITHOUT_IDS = Replay(
    b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(CHUNK).encode(),
    body={**HEAD, "object": "chat.completion", "choices": [{**CHOICE, "message": MESSAGE}], "usage": USAGE},
)


@rows_of("mistral", "xai")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_calls_without_ids_stay_two_and_find_their_results(caller: Caller, stream: bool) -> None:
    """The default of an SDK, the text `null`, is no id."""
    caller.server.reply(WITHOUT_IDS, "Done.")
    answer = caller.call(tools=[weather], stream=stream)
    tools = [tool for _, tool in caller.consume(answer) if tool] if stream else answer.tools
    assert [tool.call() for tool in tools] == ["sunny in Oslo", "sunny in Rome"]
    assert not any(tool.id for tool in tools)
    results = answer.tool_message_params([(tool, tool.call()) for tool in tools])
    caller.call(lambda: [Messages.User("Hi"), answer.message_param, *results])
    sent = caller.server.requests[-1].json["messages"]
    made = [call["id"] for call in sent[1]["tool_calls"]]
    assert len(set(made)) == 2
    assert all(made)
    assert {one["tool_call_id"]: one["content"] for one in sent[2:]} == {
        made[0]: "sunny in Oslo",
        made[1]: "sunny in Rome",
    }


# -- calls that the server itself refused ----------------------------------------------------------------------------


@rows_of("groq")
def test_a_call_that_the_server_refused_is_an_error_that_keeps_it(caller: Caller) -> None:
    failed = Status(
        400,
        "Failed to call a function",
        type="invalid_request_error",
        code="tool_use_failed",
        extra={"failed_generation": GENERATION},
    )
    caller.server.reply(failed)
    before = len(caller.server.requests)
    with pytest.raises(errors.BadRequestError, match="Failed to call a function") as caught:
        caller.call(tools=[weather])
    body: Any = caught.value.body  # type: ignore[attr-defined]  # the SDK's attribute
    reported = body.get("error", body)
    assert (reported["code"], reported["failed_generation"]) == ("tool_use_failed", GENERATION)
    assert len(caller.server.requests) == before + 1  # not retried


@rows_of("groq")
def test_a_call_that_the_server_refuses_in_the_stream_keeps_what_came(caller: Caller) -> None:
    extra = {"failed_generation": GENERATION}
    message = "Failed to call a function"
    failed = StreamError("Let me see.", after=2, message=message, code="tool_use_failed", extra=extra)
    caller.server.reply(failed)
    stream = caller.call(tools=[weather], stream=True)
    with pytest.raises(errors.ProviderStreamError, match="Failed to call a function") as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert GENERATION in str(caught.value.body)  # type: ignore[attr-defined]  # the SDK's attribute
    assert not stream.construct_call_response().tools
