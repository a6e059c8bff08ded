"""Tools, in responses and in streams."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError

from ferroscope import errors
from ferroscope.core.base import BaseMessageParam, ToolCallPart, ToolResultPart
from ferroscope.testing import Answer, Text, ToolCall, ToolCalls, ToolCallShape, Usage

from .conftest import Caller


def add(a: int, b: int = 2) -> int:
    """Adds two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    return a + b


def now() -> str:
    """Tells the time."""
    return "noon"


def needs_pieces(caller: Caller) -> None:
    if not caller.wire.cuts_arguments:
        pytest.skip("arguments come whole, or value by value: see test_google")


def named(calls: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(tool._name(), tool.args) for tool in calls]


def test_a_tool_keeps_its_descriptions_and_defaults(caller: Caller) -> None:
    """v1 lost both with any pydantic since 2.12 (D1)."""
    caller.server.reply("ok")
    caller.call("Add", tools=[add])
    b = {"type": "integer", "description": "The second number."}
    (tool,) = caller.wire.tools(caller.server.requests[-1].json)
    assert caller.wire.described(tool) == (
        "add",
        "Adds two numbers.",
        {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "The first number."},
                "b": {**b, "default": 2} if caller.wire.shows_defaults else b,
            },
            "required": ["a"],
        },
    )


@pytest.mark.parametrize("shape", get_args(ToolCallShape))
def test_parallel_calls_arrive_whole_in_every_wire_shape(caller: Caller, shape: ToolCallShape) -> None:
    """v1 got one of five right (D5)."""
    calls = ToolCalls(ToolCall("add", {"a": 1, "b": 1}), ToolCall("add", {"a": 2, "b": 3}), shape=shape)
    caller.server.reply(Answer(Text("Let me see."), calls, usage=Usage(9, 3)))
    stream = caller.call("Add", stream=True, tools=[add])
    pairs = caller.consume(stream)
    assert "".join(chunk.content for chunk, _ in pairs) == stream.content == "Let me see."
    tools = [tool for _, tool in pairs if tool]
    assert named(tools) == [("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 3})]
    assert [tool.call() for tool in tools] == [2, 5]
    recorded = caller.wire.calls(stream.message_param)
    assert [arguments for _, arguments in recorded] == [{"a": 1, "b": 1}, {"a": 2, "b": 3}]
    response = stream.construct_call_response()
    assert response.finish_reasons == [caller.wire.finish("tool_calls")]
    assert named(response.tools) == named(tools)
    assert [tool.id for tool in response.tools] == [tool.id for tool in tools]


@pytest.mark.parametrize("module", ["openai", "anthropic", "azure"])
def test_a_tool_class_of_any_provider_goes_to_every_provider(caller: Caller, module: str) -> None:
    """v1 described it as its own provider wants it, whoever was asked."""
    provider = pytest.importorskip(f"ferroscope.core.{module}")
    base: Any = next(getattr(provider, name) for name in provider.__all__ if name.endswith("Tool"))

    class Greet(base):  # type: ignore[misc]
        """Greets somebody."""

        name: str

        def call(self) -> str:
            return f"Hello {self.name}"

    caller.server.reply(*[Answer(ToolCalls(ToolCall("Greet", {"name": "Ada"}), ToolCall("add", {"a": 1})))] * 2)
    tools = [Greet, base.type_from_fn(add)]
    response = caller.call("Greet Ada", tools=tools)
    stream = caller.call("Greet Ada", stream=True, tools=tools)
    streamed = [tool for _, tool in caller.consume(stream) if tool]
    described = [caller.wire.described(tool) for tool in caller.wire.tools(caller.server.requests[-1].json)]
    assert [(name, list(parameters["properties"])) for name, _, parameters in described] == [
        ("Greet", ["name"]),
        ("add", ["a", "b"]),
    ]
    for made in (response.tools, streamed):
        assert [tool.call() for tool in made] == ["Hello Ada", 3]
        assert [caller.wire.arguments(tool.tool_call) for tool in made]
        assert [isinstance(tool, kind) for tool, kind in zip(made, tools, strict=True)] == [True, True]


def test_a_tool_without_arguments_is_called(caller: Caller) -> None:
    """v1 dropped it from streams (D5), and failed on it in the common form (D26)."""
    answer = Answer(ToolCall("now", ""))
    caller.server.reply(answer, answer)
    pairs = caller.consume(caller.call("When?", stream=True, tools=[now, add]))
    assert [tool.call() for _, tool in pairs if tool] == ["noon"]
    response = caller.call("When?", tools=[now, add])
    assert response.tool.call() == "noon"
    part = response.common_message_param.content[0]
    assert (part.name, part.args) == ("now", {})


def test_text_and_calls_survive_together_in_the_common_form(caller: Caller) -> None:
    """v1 lost the calls (D7)."""
    caller.server.reply(Answer(Text("Adding."), ToolCall("add", {"a": 1}, "call_7"), usage=Usage(9, 3)))
    message = caller.stream("Add", tools=[add]).construct_call_response().common_message_param
    assert message == BaseMessageParam(
        role="assistant",
        content=[
            {"type": "text", "text": "Adding."},  # type: ignore[list-item]  # pydantic reads it
            ToolCallPart(type="tool_call", name="add", args={"a": 1}, id="call_7"),
        ],
    )


def test_an_agent_loop_ends_with_the_answer(caller: Caller) -> None:
    caller.server.reply(
        Answer(ToolCalls(ToolCall("add", {"a": 1}), ToolCall("now", "{}"), shape="interleaved")),
        "Three, at noon.",
    )
    history: list[Any] = [BaseMessageParam(role="user", content="What is 1 + 2, and when?")]
    stream = caller.call(lambda: list(history), stream=True, tools=[add, now])
    outputs = [(tool, tool.call()) for _, tool in caller.consume(stream) if tool]
    history += [stream.message_param, *stream.tool_message_params(outputs)]
    answer = caller.call(lambda: list(history), tools=[add, now])
    assert answer.content == "Three, at noon."
    sent = caller.wire.messages(caller.server.requests[-1].json)
    assert [message["role"] for message in sent[:2]] == ["user", "assistant"]
    (adding, _), (telling, _) = caller.wire.calls(sent[1])
    assert caller.wire.results(sent[2:]) == {adding: "3", telling: "noon"}
    common = [part for message in answer.common_messages[2:] for part in message.content]
    assert all(isinstance(part, ToolResultPart) for part in common)
    assert {part.name: part.content for part in common} == {"add": "3", "now": "noon"}


def test_partial_tools_grow_and_are_recorded_once(caller: Caller) -> None:
    """v1 wrote every snapshot into the message, and called the tool "Partialadd" (D6)."""
    needs_pieces(caller)
    call = ToolCall("add", '{"a": 1, "b": 23}', chunks=['{"a": 1', ', "b": 2', "3}"])
    caller.server.reply(Answer(call))
    stream = caller.call("Add", stream={"partial_tools": True}, tools=[add])
    tools = [tool for _, tool in caller.consume(stream) if tool]
    assert [tool.delta for tool in tools] == ['{"a": 1', ', "b": 2', "3}", None]
    assert {tool._name() for tool in tools} == {"add"}
    assert tools[-1].args == {"a": 1, "b": 23}
    assert len(caller.wire.calls(stream.message_param)) == 1
    assert stream.construct_call_response().tool.args == {"a": 1, "b": 23}


class Order(BaseModel):
    """Orders books."""

    customer: str
    books: list[dict[str, int]] | None = None
    note: Annotated[str, Field(min_length=4)] = "none"


def test_a_partial_tool_shows_what_is_known(caller: Caller) -> None:
    """As the whole one ends, nested values and all, and nobody changes it afterwards."""
    needs_pieces(caller)
    pieces = ['{"customer": "An', 'n", "books": [{"emma": 1', '}, {"persuasion": 2}', '], "note": "q', 'uick"}']
    caller.server.reply(Answer(ToolCall("Order", "".join(pieces), "call_1", chunks=pieces)))
    stream = caller.call("Order", stream={"partial_tools": True}, tools=[Order])
    tools = [tool for _, tool in caller.consume(stream) if tool]
    assert [(tool.delta, tool.args) for tool in tools] == [
        (pieces[0], {"customer": "An", "books": None, "note": None}),
        (pieces[1], {"customer": "Ann", "books": [{}], "note": None}),
        (pieces[2], {"customer": "Ann", "books": [{"emma": 1}, {"persuasion": 2}], "note": None}),
        (pieces[3], {"customer": "Ann", "books": [{"emma": 1}, {"persuasion": 2}], "note": "q"}),
        (pieces[4], {"customer": "Ann", "books": [{"emma": 1}, {"persuasion": 2}], "note": "quick"}),
        (None, {"customer": "Ann", "books": [{"emma": 1}, {"persuasion": 2}], "note": "quick"}),
    ]
    assert all(isinstance(tool, Order) for tool in tools)
    assert {tool.id for tool in tools} == {"call_1"}
    assert caller.wire.arguments(tools[1].tool_call) in (
        pieces[0] + pieces[1],
        {"customer": "Ann", "books": [{"emma": 1}]},  # of an SDK that knows arguments as values
    )


def test_partial_tools_of_parallel_calls_grow_apart(caller: Caller) -> None:
    needs_pieces(caller)
    calls = ToolCalls(
        ToolCall("add", '{"a": 1, "b": 2}', "call_1", chunks=['{"a": 1', ', "b": 2}']),
        ToolCall("add", '{"a": 3, "b": 4}', "call_2", chunks=['{"a": 3', ', "b": 4}']),
        shape="interleaved",
    )
    caller.server.reply(Answer(calls))
    stream = caller.call("Add", stream={"partial_tools": True}, tools=[add])
    tools = [tool for _, tool in caller.consume(stream) if tool]
    shown = {call: [tool.args for tool in tools if tool.id == call and tool.delta] for call in ("call_1", "call_2")}
    assert shown == {
        "call_1": [{"a": None, "b": None}, {"a": 1, "b": 2}],
        "call_2": [{"a": None, "b": None}, {"a": 3, "b": 4}],
    }
    assert sorted(tool.call() for tool in tools if tool.delta is None) == [3, 7]


class Counter:
    def __init__(self, start: int) -> None:
        self.start = start

    def count(self, steps: int) -> int:
        """Counts on.

        Args:
            steps: How far.
        """
        return self.start + steps


def test_a_partial_tool_of_a_method_belongs_to_its_object(caller: Caller) -> None:
    caller.server.reply(Answer(ToolCall("count", '{"steps": 5}', chunks=2)))
    stream = caller.call("Count", stream={"partial_tools": True}, tools=[Counter(37).count])
    tools = [tool for _, tool in caller.consume(stream) if tool]
    assert tools[-2].args == {"steps": 5}
    assert tools[-2].call() == tools[-1].call() == 42


def test_malformed_arguments_are_told_with_their_place(caller: Caller) -> None:
    needs_pieces(caller)
    answer = Answer(Text("Adding."), ToolCall("add", '{"a": 1, "b"', "call_7"), finish="length")
    caller.server.reply(answer, answer)
    stream = caller.call("Add", stream=True, tools=[add])
    with pytest.raises(errors.ToolArgumentsError) as caught:
        caller.consume(stream)
    assert (caught.value.name, caught.value.call_id, caught.value.arguments) == (
        "add",
        "call_7",
        '{"a": 1, "b"',
    )
    assert stream.content == "Adding."  # every chunk came first
    assert stream.finish_reasons == [caller.wire.finish("length")]
    if caller.wire.arguments_are_text:
        response = caller.call("Add", tools=[add])
        with pytest.raises(errors.ToolArgumentsError, match=r"add.*call_7"):
            _ = response.tools
        assert response.content == "Adding."


def test_arguments_of_the_wrong_type_are_a_validation_error(caller: Caller) -> None:
    answer = Answer(ToolCall("add", {"a": "one"}))
    caller.server.reply(answer, answer)
    with pytest.raises(ValidationError):
        caller.consume(caller.call("Add", stream=True, tools=[add]))
    with pytest.raises(ValidationError):
        _ = caller.call("Add", tools=[add]).tools


def test_an_unknown_tool_is_told_after_the_stream(caller: Caller) -> None:
    answer = Answer(ToolCalls(ToolCall("add", {"a": 1}), ToolCall("fly", "{}", "call_9")))
    caller.server.reply(answer, answer)
    stream = caller.call("Add", stream=True, tools=[add])
    seen: list[Any] = []

    def sync() -> None:
        seen.extend(tool for _, tool in stream if tool)

    async def asynchronous() -> None:
        async for _, tool in stream:
            seen.extend([tool] if tool else [])

    with pytest.raises(RuntimeError, match="Unknown tool type in stream: fly") as caught:
        caller.run(sync, asynchronous)
    assert isinstance(caught.value, errors.UnknownToolError)
    assert named(seen) == [("add", {"a": 1, "b": 2})]
    with pytest.raises(errors.UnknownToolError, match="fly"):
        _ = caller.call("Add", tools=[add]).tools


def test_dynamic_tools_replace_the_decorators(caller: Caller) -> None:
    caller.server.reply(Answer(ToolCall("now", "")))
    response = caller.call(
        lambda: {"messages": [BaseMessageParam(role="user", content="?")], "tools": [now]}, tools=[add]
    )
    offered = caller.wire.tools(caller.server.requests[-1].json)
    assert [caller.wire.described(tool)[0] for tool in offered] == ["now"]
    assert response.tool.call() == "noon"


def test_tools_are_described_once(caller: Caller) -> None:
    """v1 built each tool anew for every call, at 1.6 ms each (D19)."""
    caller.server.reply("ok", "ok")
    call = caller.decorate(lambda: "Add", tools=[add])
    first, second = call(), call()
    assert first.tool_types[0] is second.tool_types[0]
    assert caller.wire.tools(first.call_kwargs)[0] is caller.wire.tools(second.call_kwargs)[0]


def test_no_outputs_make_no_message(caller: Caller) -> None:
    """The loop that appends them after every answer would send an empty user message."""
    caller.server.reply("Hello", "Hello")
    response = caller.call("Say hello", tools=[add])
    stream = caller.stream("Say hello", tools=[add])
    assert response.tool_message_params([]) == stream.tool_message_params([]) == []


def test_outputs_are_written_as_pydantic_writes_json(caller: Caller) -> None:
    caller.server.reply(Answer(ToolCall("add", {"a": 1}, "call_7")))
    response = caller.call("Add", tools=[add])
    (message,) = response.tool_message_params([(response.tool, {"at": datetime(2026, 1, 2), "cost": Decimal("1.5")})])
    assert caller.wire.results([message]) == {"call_7": '{"at": "2026-01-02T00:00:00", "cost": "1.5"}'}
