"""Tool calls that end badly: cut off, or with more text behind complete arguments. Streams and whole answers agree."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.testing import Body, Replay

from .conftest import Caller, for_rows
from .wires import Anthropic, AzureInference, AzureOpenAI, OpenAIChat


def weather(city: str = "x") -> str:
    """Tells the weather."""
    return f"sunny in {city}"


OSLO = '{"city": "Oslo"}'
Calls = list[list[str]]  # the pieces of the arguments of each call


# One provider for each wire and SDK.
pytestmark = for_rows(lambda row: row.wire in (OpenAIChat, Anthropic, AzureOpenAI, AzureInference))


class Chat:
    """Bodies of chat completions."""

    reasons = {"tools": "tool_calls", "length": "length", "filter": "content_filter"}

    @staticmethod
    def stream(calls: Calls, reason: str | None, end: bytes) -> bytes:
        deltas: list[Any] = []
        for index, pieces in enumerate(calls):
            for number, piece in enumerate(pieces):
                function = {"arguments": piece} if number else {"name": "weather", "arguments": piece}
                deltas.append(
                    {"tool_calls": [{"index": index, **({} if number else {"id": f"c{index}"}), "function": function}]}
                )
        choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
        if reason:
            choices.append({"index": 0, "delta": {}, "finish_reason": reason})
        head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return b"".join(b"data: " + json.dumps({**head, "choices": [c]}).encode() + b"\n\n" for c in choices) + end

    @staticmethod
    def whole(calls: Calls, reason: str | None) -> dict[str, Any]:
        made = [
            {"id": f"c{index}", "type": "function", "function": {"name": "weather", "arguments": "".join(pieces)}}
            for index, pieces in enumerate(calls)
        ]
        message = {"role": "assistant", "content": None, "tool_calls": made}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


class Messages:
    """Bodies of Anthropic's messages."""

    reasons = {"tools": "tool_use", "length": "max_tokens", "filter": "refusal"}
    head: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "model": "m"}
    usage = {"input_tokens": 1, "output_tokens": 1}

    @classmethod
    def stream(cls, calls: Calls, reason: str | None, end: bytes) -> bytes:
        events: list[Any] = [{"type": "message_start", "message": {**cls.head, "content": [], "usage": cls.usage}}]
        for index, pieces in enumerate(calls):
            block = {"type": "tool_use", "id": f"c{index}", "name": "weather", "input": {}}
            events.append({"type": "content_block_start", "index": index, "content_block": block})
            for piece in pieces:
                delta = {"type": "input_json_delta", "partial_json": piece}
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
            if reason:
                events.append({"type": "content_block_stop", "index": index})
        if reason:
            events += {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {}}, {"type": "message_stop"}
        return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)

    @classmethod
    def whole(cls, calls: Calls, reason: str | None) -> dict[str, Any]:
        content = [
            {"type": "tool_use", "id": f"c{index}", "name": "weather", "input": json.loads("".join(pieces) or "{}")}
            for index, pieces in enumerate(calls)
        ]
        return {**cls.head, "content": content, "stop_reason": reason, "usage": cls.usage}


def wire(caller: Caller) -> Any:
    return Messages if caller.wire is Anthropic else Chat


def streamed(caller: Caller, body: bytes) -> tuple[list[str], Any, Any]:
    """What the tools of a stream return, the error of the stream, and the stream."""
    caller.server.reply(Replay(body))
    stream = caller.call(stream=True, tools=[weather])
    found: list[str] = []

    async def consume() -> None:
        async for _, tool in stream:
            if tool:
                found.append(tool.call())

    try:
        if caller.kind == "sync":
            for _, tool in stream:
                if tool:
                    found.append(tool.call())
        else:
            caller.await_(consume())
    except Exception as error:
        return found, error, stream
    return found, None, stream


# The calls, why the answer ended, what is called in the stream; and whether the rest is an error.
TABLE: dict[str, tuple[Calls, str, list[str], bool]] = {
    "no arguments": ([[""]], "tools", ["sunny in x"], False),
    "an empty object": ([["{}"]], "tools", ["sunny in x"], False),
    "an empty object and blanks": ([["{ }", " "]], "tools", ["sunny in x"], False),
    "empty, then full": ([["{}"], [OSLO]], "tools", ["sunny in x", "sunny in Oslo"], False),
    "cut in front of the arguments": ([[""]], "length", [], True),
    "cut behind an empty object": ([["{}"]], "length", [], True),
    "filtered in front of the arguments": ([[""]], "filter", [], True),
    "complete, then cut": ([[OSLO]], "length", ["sunny in Oslo"], False),
    "complete, then one that is cut": ([[OSLO], [""]], "length", ["sunny in Oslo"], True),
    "an empty object, then a complete call": ([["{}"], [OSLO]], "length", ["sunny in x", "sunny in Oslo"], False),
}


@pytest.mark.parametrize("name", TABLE)
def test_streams_and_whole_answers_agree_on_what_can_be_called(caller: Caller, name: str) -> None:
    calls, reason, called, fails = TABLE[name]
    made = wire(caller)
    found, error, stream = streamed(caller, made.stream(calls, made.reasons[reason], b"data: [DONE]\n\n"))
    assert found == called
    assert isinstance(error, errors.ToolArgumentsError) is fails, error
    caller.server.reply(Body(made.whole(calls, made.reasons[reason])))
    whole = caller.call(tools=[weather])
    for response in (whole, stream.construct_call_response()):
        assert response.response is not None
        if fails:
            with pytest.raises(errors.ToolArgumentsError, match="weather"):
                _ = response.tools
        else:
            assert [tool.call() for tool in response.tools] == called


@pytest.mark.parametrize("pieces", [['{"ci'], ['{"city": ', '"Os'], ['{"city": "Oslo"']])
@pytest.mark.parametrize("reason", ["length", "filter", "tools"])
def test_a_call_that_is_cut_inside_its_arguments_is_an_error(caller: Caller, pieces: list[str], reason: str) -> None:
    made = wire(caller)
    found, error, stream = streamed(caller, made.stream([[OSLO], pieces], made.reasons[reason], b"data: [DONE]\n\n"))
    assert found == ["sunny in Oslo"]
    assert isinstance(error, errors.ToolArgumentsError)
    assert error.arguments == "".join(pieces)
    assert error.partial is not None  # type: ignore[attr-defined]  # as on a StreamError
    with pytest.raises(errors.ToolArgumentsError):
        _ = stream.construct_call_response().tools
    assert stream.construct_call_response().response is not None


@pytest.mark.parametrize("pieces", [[""], ["{}"], ['{"city": "Os']])
def test_a_body_that_ends_in_a_call_leaves_no_tool(caller: Caller, pieces: list[str]) -> None:
    found, error, stream = streamed(caller, wire(caller).stream([[OSLO], pieces], None, b""))
    assert found == ["sunny in Oslo"]
    assert isinstance(error, errors.StreamInterruptedError)
    assert error.partial is not None
    with pytest.raises(errors.ToolArgumentsError):
        _ = error.partial.tools
    assert stream.construct_call_response().response is not None


def test_a_body_that_ends_behind_a_complete_call_leaves_its_tool(caller: Caller) -> None:
    found, error, _ = streamed(caller, wire(caller).stream([[OSLO]], None, b""))
    assert found == ["sunny in Oslo"]
    assert isinstance(error, errors.StreamInterruptedError)
    assert error.partial is not None
    assert [tool.call() for tool in error.partial.tools] == found


@pytest.mark.parametrize("rest", ['{"city": "Rome"}', "\n</tool_call>", "x"])
def test_text_behind_complete_arguments_is_an_error(caller: Caller, rest: str) -> None:
    made = wire(caller)
    for pieces, called in (([OSLO + rest], []), ([OSLO, rest], ["sunny in Oslo"]), ([OSLO, *rest], ["sunny in Oslo"])):
        found, error, _ = streamed(caller, made.stream([pieces], made.reasons["tools"], b"data: [DONE]\n\n"))
        assert found == called
        assert isinstance(error, errors.ToolArgumentsError)
        assert error.arguments == OSLO + rest


@pytest.mark.parametrize("pieces", [["{}", OSLO], ["{}", '{"city":', '"Oslo"}'], ["{ }", OSLO], ["{}", "", OSLO]])
def test_an_empty_object_in_front_of_the_arguments_calls_no_tool(caller: Caller, pieces: list[str]) -> None:
    made = wire(caller)
    found, error, _ = streamed(caller, made.stream([pieces], made.reasons["tools"], b"data: [DONE]\n\n"))
    assert found == []
    assert isinstance(error, errors.ToolArgumentsError)


def test_arguments_may_come_as_an_object(caller: Caller) -> None:
    if wire(caller) is Messages:
        pytest.skip("they always do")
    body = Chat.whole([[OSLO]], "tool_calls")
    body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = {"city": "Oslo"}
    caller.server.reply(Body(body), Body(body))
    response = caller.call(tools=[weather])
    assert [tool.call() for tool in response.tools] == ["sunny in Oslo"]
    (call,) = response.message_param["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Oslo"}
    (part,) = response.common_message_param.content
    assert part.args == {"city": "Oslo"}


def test_two_tools_of_one_name_are_refused(caller: Caller) -> None:
    def other() -> str:
        """Tells the weather elsewhere."""
        return ""

    other.__name__ = "weather"
    with pytest.raises(ValueError, match=r"two tools have the name 'weather': .*weather and .*other"):
        caller.row.decorator(caller.row.model, tools=[weather, other])(lambda: "q")
