"""Verifiers of the web formats' protocols: the members of each event, and the order of the events.

The rules of Vercel's UI message stream are those of the strict schema of `ai` 5.0.92, which later versions read too:
https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol. Those of AG-UI: https://docs.ag-ui.com/concepts/events.
"""

from __future__ import annotations

from typing import Any

import pytest

from ferroscope.testing import Answer, Cut, Reasoning, Status, Text, ToolCall, ToolCalls, Usage
from ferroscope.web import AnswerEvents, Data, File, Source, ToolOutput, sse

from .conftest import Caller
from .test_web_events import TEXT, collect, parsed, weather

# The required and optional members of each type of event, with their types. `object` is any JSON.
VERCEL: dict[str, tuple[dict[str, type], dict[str, type]]] = {
    "start": ({}, {"messageId": str, "messageMetadata": object}),
    "start-step": ({}, {}),
    "text-start": ({"id": str}, {}),
    "text-delta": ({"id": str, "delta": str}, {}),
    "text-end": ({"id": str}, {}),
    "reasoning-start": ({"id": str}, {}),
    "reasoning-delta": ({"id": str, "delta": str}, {}),
    "reasoning-end": ({"id": str}, {}),
    "tool-input-start": ({"toolCallId": str, "toolName": str}, {}),
    "tool-input-delta": ({"toolCallId": str, "inputTextDelta": str}, {}),
    "tool-input-available": ({"toolCallId": str, "toolName": str, "input": object}, {}),
    "tool-input-error": ({"toolCallId": str, "toolName": str, "input": object, "errorText": str}, {}),
    "tool-output-available": ({"toolCallId": str, "output": object}, {}),
    "tool-output-error": ({"toolCallId": str, "errorText": str}, {}),
    "source-url": ({"sourceId": str, "url": str}, {"title": str}),
    "file": ({"url": str, "mediaType": str}, {}),
    "finish-step": ({}, {}),
    "finish": ({}, {"finishReason": str, "messageMetadata": object}),
    "error": ({"errorText": str}, {}),
    "abort": ({}, {}),
}
REASONS = {"stop", "length", "content-filter", "tool-calls", "error", "other"}


def verify_vercel(events: list[Any]) -> None:
    """Check the members and the order of the events of a whole stream."""
    assert events[0]["type"] == "start"
    assert events[-1] == "[DONE]"
    open_parts: dict[str, str] = {}
    used: set[str] = set()
    calls: dict[str, str] = {}  # the state of each call
    in_step = False
    for event in events[:-1]:
        kind = event["type"]
        if kind.startswith("data-"):
            assert set(event) <= {"type", "id", "data", "transient"}
            continue
        required, optional = VERCEL[kind]
        members = {name: value for name, value in event.items() if name != "type"}
        assert set(required) <= set(members) <= set(required) | set(optional), event
        for name, value in members.items():
            assert isinstance(value, {**required, **optional}[name]), event
        part, _, verb = kind.rpartition("-")
        if part in ("text", "reasoning"):
            id = event["id"]
            if verb == "start":
                assert in_step
                assert id not in used
                used.add(id)
                open_parts[id] = part
            else:
                assert open_parts[id] == part
                assert event.get("delta") != ""
                if verb == "end":
                    del open_parts[id]
        elif kind == "tool-input-start":
            assert event["toolCallId"] not in calls
            calls[event["toolCallId"]] = "input"
        elif kind == "tool-input-delta":
            assert calls[event["toolCallId"]] == "input"
            assert event["inputTextDelta"]
        elif kind in ("tool-input-available", "tool-input-error"):
            assert calls[event["toolCallId"]] == "input"
            calls[event["toolCallId"]] = "available"
        elif kind.startswith("tool-output"):
            assert calls[event["toolCallId"]] == "available"
            calls[event["toolCallId"]] = "done"
        elif kind in ("start-step", "finish-step"):
            assert in_step is (kind == "finish-step")
            assert not open_parts
            in_step = not in_step
        elif kind in ("finish", "error", "abort"):
            assert event is events[-2]
            assert not open_parts
            assert kind != "finish" or not in_step
            assert event.get("finishReason", "stop") in REASONS
    assert [event["type"] for event in events[:-1]].count("start") == 1


def verify_ag_ui(events: list[Any]) -> None:
    """Check the order of the events of a whole run. The members are checked by the models of `ag-ui-protocol`."""
    assert events[0]["type"] == "RUN_STARTED"
    assert events[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
    open_ids: dict[str, str] = {}
    used: set[str] = set()
    for event in events[1:]:
        group, _, verb = event["type"].rpartition("_")
        if group in ("TEXT_MESSAGE", "REASONING_MESSAGE", "TOOL_CALL", "REASONING"):
            id = group + event["toolCallId" if group == "TOOL_CALL" else "messageId"]
            if verb == "START":
                # Only a reasoning contains a message; nothing else overlaps.
                assert set(open_ids.values()) <= ({"REASONING"} if group == "REASONING_MESSAGE" else set()), event
                assert id not in used
                used.add(id)
                open_ids[id] = group
            elif verb == "END":
                del open_ids[id]
            elif verb == "RESULT":
                assert "TOOL_CALL" + event["toolCallId"] in used
                assert not open_ids
            else:
                assert verb in ("CONTENT", "ARGS"), event
                assert id in open_ids
                assert event["delta"]
        elif group == "RUN":
            assert event is events[-1]
            # After an error the client closes what is open itself; a finished run has nothing open.
            assert verb == "ERROR" or not open_ids


VERIFIERS = {"vercel": verify_vercel, "ag-ui": verify_ag_ui}

CALL = ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345", chunks=3))
ANSWERS: dict[str, Any] = {
    "a text": Answer(Text(TEXT, 3), usage=Usage(10, 20)),
    "a text and a call": Answer(Text(TEXT, 3), CALL, usage=Usage(10, 20)),
    "two calls": Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"}), ToolCall("weather", {"city": "Rome"}))),
    "a text that is cut off": Cut(Answer(Text("word " * 300, 300)), at=6000),
    "a call that is cut off": Cut(Answer(ToolCalls(ToolCall("weather", {"city": "x" * 9000}, chunks=300))), at=9000),
    "a refused request": Status(400, "no"),
}


@pytest.mark.parametrize("format", VERIFIERS)
def test_the_events_of_a_stream_follow_the_protocol(caller: Caller, format: Any) -> None:
    for answer in ANSWERS.values():
        caller.server.reply(answer)
        stream = caller.call("Go on.", stream=True, tools=[weather])
        VERIFIERS[format]([data for _, _, data in parsed(collect(caller, stream.sse(format)))])


@pytest.mark.parametrize("format", VERIFIERS)
def test_the_events_of_an_agent_follow_the_protocol(caller: Caller, format: Any) -> None:
    caller.server.reply(Answer(Text("Let me see. ", 2), CALL), Answer(Text(TEXT, 3)))

    stream = caller.call("Go on.", stream=True, tools=[weather])
    last = caller.call("Go on.", stream=True)

    def steps() -> Any:
        yield Data("progress", {"a": 1})
        yield stream
        for tool in stream.construct_call_response().tools or ():
            yield ToolOutput(tool, tool.call())
        yield Source("https://example.org", "A page")
        yield File("https://example.org/a.png", "image/png")
        yield last

    async def asteps() -> Any:
        for step in steps():
            yield step

    answer = steps() if caller.kind == "sync" else asteps()
    VERIFIERS[format]([data for _, _, data in parsed(collect(caller, sse(answer, format)))])


def test_reasoning_follows_the_protocol_of_vercel(caller: Caller) -> None:
    caller.server.reply(Answer(Reasoning("Let me think."), Text(TEXT, 3)))
    events = [data for _, _, data in parsed(collect(caller, caller.call("Go on.", stream=True).sse()))]
    verify_vercel(events)


@pytest.mark.parametrize("format", VERIFIERS)
def test_an_abort_follows_the_protocol(caller: Caller, format: Any) -> None:
    caller.server.reply(Answer(Text("word " * 500, 500), CALL, delay=0.01))
    events = AnswerEvents(caller.call("Go on.", stream=True, tools=[weather]), format)
    items: list[bytes] = []

    def read() -> None:
        iterator = events.iterate()
        while not items or b"word" not in items[-1]:
            items.append(next(iterator))
        events.stop()
        iterator.close()

    async def aread() -> None:
        iterator = events.aiterate()
        while not items or b"word" not in items[-1]:
            items.append(await anext(iterator))
        await iterator.aclose()

    caller.run(read, aread)
    VERIFIERS[format]([data for _, _, data in parsed(b"".join(items) + events.abort())])


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "start"}, {"type": "text-delta", "id": "a", "delta": "b"}, "[DONE]"],
        [{"type": "start"}, {"type": "start-step"}, {"type": "text-start", "id": "a"}, {"type": "finish"}, "[DONE]"],
        [{"type": "start"}, {"type": "tool-input-available", "toolCallId": "a", "toolName": "b", "input": 1}, "[DONE]"],
        [{"type": "start"}, {"type": "finish", "usage": {}}, "[DONE]"],
        [{"type": "start"}, {"type": "error", "errorText": 5}, "[DONE]"],
    ],
)
def test_the_verifier_finds_faults(events: list[Any]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        verify_vercel(events)
