"""Cohere's streams fold alike however they are cut, into what a slow fold of the same events makes of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferroscope._core import DecodeError, StreamDecoder

from .recordings import (
    ROOT,
    Json,
    as_tuple,
    body_of,
    cuts,
    name_of,
    read_bytes,
    read_events,
    recordings,
    without_nulls,
)

OWN = sorted((ROOT / "tests" / "corpus" / "cohere").glob("*.sse"))
STREAMS = recordings("cohere-v2", stream=True)
BODIES = recordings("cohere-v2", stream=False)

# Streams whose `message-end` reports an error.
FAILED = {
    "cohere/026-integration-tests-sql-agent",
    "cohere/027-integration-tests-sql-agent-1",
}


def events_of(body: bytes) -> list[str]:
    """Return the data of every event, read the slow and obvious way."""
    text = body.decode().replace("\r\n", "\n")
    if text.startswith("{"):
        return [line for line in text.split("\n") if line.strip()]
    data = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    return [event for event in data if event != "[DONE]"]


def fold(events: list[str]) -> dict[str, Json]:
    """Fold events as the documentation of the wire describes them: one event after the other, with plain dicts."""
    response: dict[str, Json] = {}
    message: dict[str, Json] = {"role": "assistant"}
    blocks: dict[int, dict[str, str]] = {}
    calls: dict[int, dict[str, Json]] = {}
    for event in map(json.loads, events):
        part = event.get("delta", {}).get("message", {})
        match event["type"]:
            case "message-start":
                response["id"] = event["id"]
            case "content-start":
                blocks[event["index"]] = dict(part["content"])
            case "content-delta":
                for name, text in part["content"].items():
                    blocks[event["index"]][name] += text
            case "tool-plan-delta":
                message["tool_plan"] = message.get("tool_plan", "") + part["tool_plan"]
            case "tool-call-start":
                calls[event["index"]] = part["tool_calls"]
            case "tool-call-delta":
                calls[event["index"]]["function"]["arguments"] += part["tool_calls"]["function"]["arguments"]
            case "citation-start":
                message.setdefault("citations", []).append(part["citations"])
            case "message-end":
                response |= {name: value for name, value in event["delta"].items() if name != "error"}
            case "content-end" | "tool-call-end" | "citation-end":
                pass
            case other:
                raise AssertionError(other)
    if blocks:
        message["content"] = list(blocks.values())
    if calls:
        message["tool_calls"] = list(calls.values())
        for call in calls.values():
            call["function"]["arguments"] = call["function"]["arguments"] or "{}"
    return {**response, "message": message}


def strings(blocks: list[Json] | None, kind: str) -> str:
    return "".join(block[kind] for block in blocks or [] if block["type"] == kind)


@pytest.mark.parametrize("folder", STREAMS, ids=name_of)
def test_a_recorded_stream_folds_into_what_its_events_have(folder: Path) -> None:
    body, meta = body_of(folder)
    events = events_of(body)
    reader = read_bytes("cohere", iter([body])) if meta["framing"] == "sse" else read_events("cohere", events)
    expected = fold(events)
    message = expected["message"]
    assert json.loads(reader.decoder.response()) == expected
    failed = name_of(folder) in FAILED
    assert reader.events == (events[:-1] if failed else events)
    assert reader.text == reader.decoder.content == strings(message.get("content"), "text")
    thinking = strings(message.get("content"), "thinking")
    assert reader.reasoning == reader.decoder.reasoning == thinking + message.get("tool_plan", "")
    calls = [
        (position, call["id"], call["function"]["name"], call["function"]["arguments"])
        for position, call in enumerate(message.get("tool_calls", []))
    ]
    assert reader.completed == [as_tuple(call) for call in reader.decoder.tool_calls] == calls
    assert reader.fragments == {position: arguments for position, _, _, arguments in calls}
    assert reader.decoder.finish_reasons == [expected["finish_reason"]]
    assert json.loads(reader.decoder.usage or b"{}") == expected["usage"]
    assert reader.decoder.done
    if failed:
        last = json.loads(events[-1])
        assert reader.error is not None
        assert (reader.error[0], json.loads(reader.error[2] or "")) == ("provider", last)
        assert reader.error[1].endswith(last["delta"]["error"])
        assert reader.decoder.usage is None
    else:
        assert reader.error is None


@pytest.mark.parametrize("path", [*OWN, *(folder / "response.sse" for folder in STREAMS)], ids=str)
def test_the_cuts_and_the_framing_make_no_difference(path: Path) -> None:
    if not path.exists():
        pytest.skip("recorded without its framing")
    body = path.read_bytes()
    whole = read_bytes("cohere", iter([body]))
    meta = json.loads((path.parent / "meta.json").read_bytes()) if path.name == "response.sse" else None
    for pieces in cuts(body, meta):
        assert read_bytes("cohere", pieces).outcome() == whole.outcome()
    if whole.error is None:
        assert read_events("cohere", events_of(body)).outcome() == whole.outcome()


@pytest.mark.parametrize("folder", BODIES, ids=name_of)
def test_a_recorded_plain_body_is_its_own_response(folder: Path) -> None:
    body, meta = body_of(folder)
    decoder = StreamDecoder("cohere")
    if meta["http_status"] >= 400:
        with pytest.raises(DecodeError) as caught:
            decoder.feed_body(body.decode())
        assert (caught.value.args[0], json.loads(caught.value.args[4])) == ("provider", json.loads(body))
        return
    event = decoder.feed_body(body.decode())
    expected = json.loads(body)
    assert json.loads(decoder.response()) == expected
    message = expected["message"]
    assert event.content == decoder.content == strings(message.get("content"), "text")
    assert decoder.reasoning == strings(message.get("content"), "thinking") + message.get("tool_plan", "")
    calls = [(call["id"], call["function"]["arguments"]) for call in message.get("tool_calls", [])]
    assert [(id, arguments) for _, id, _, arguments in map(as_tuple, event.tool_calls or ())] == calls
    assert json.loads(decoder.usage or b"") == expected["usage"]


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
parts = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "thinking"]), "pieces": st.lists(words, max_size=4)}),
    st.fixed_dictionaries({"type": st.just("plan"), "pieces": st.lists(words, max_size=4)}),
    st.fixed_dictionaries({"type": st.just("call"), "input": st.dictionaries(words, words, max_size=3)}),
)


@settings(deadline=None, max_examples=150)
@given(content=st.lists(parts, max_size=6), size=st.integers(1, 300), ascii=st.booleans())
def test_any_message_comes_back_as_it_was_sent(content: list[dict[str, Any]], size: int, ascii: bool) -> None:
    events: list[dict[str, Json]] = []

    def add(kind: str, index: int | None, **message: Json) -> None:
        place = {} if index is None else {"index": index}
        events.append({"type": kind, **place, "delta": {"message": message}})

    add("message-start", None, role="assistant", content=[], tool_plan="", tool_calls=[], citations=[])
    events[0]["id"] = "m1"
    blocks: list[dict[str, str]] = []
    calls: list[dict[str, Json]] = []
    plan = ""
    for part in content:
        kind = part["type"]
        if kind == "plan":
            for piece in part["pieces"]:
                add("tool-plan-delta", None, tool_plan=piece)
                plan += piece
        elif kind == "call":
            text = json.dumps(part["input"], ensure_ascii=ascii)
            function = {"name": "f", "arguments": ""}
            add("tool-call-start", len(calls), tool_calls={"id": "c", "type": "function", "function": function})
            for start in range(0, len(text), 3):
                add("tool-call-delta", len(calls), tool_calls={"function": {"arguments": text[start : start + 3]}})
            add("tool-call-end", len(calls))
            calls.append({"id": "c", "type": "function", "function": {"name": "f", "arguments": text}})
        else:
            add("content-start", len(blocks), content={"type": kind, kind: ""})
            for piece in part["pieces"]:
                add("content-delta", len(blocks), content={kind: piece})
            add("content-end", len(blocks))
            blocks.append({"type": kind, kind: "".join(part["pieces"])})
    events.append({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {}}}})
    body = "".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=ascii)}\n\n" for event in events
    ).encode()
    reader = read_bytes("cohere", (body[start : start + size] for start in range(0, len(body), size)))
    message = {"role": "assistant", "tool_plan": plan or None, "tool_calls": calls or None, "content": blocks or None}
    assert json.loads(reader.decoder.response()) == without_nulls(
        {"id": "m1", "message": message, "finish_reason": "COMPLETE", "usage": {"tokens": {}}}
    )
    assert reader.text == strings(blocks, "text")
    if [part["type"] for part in content].count("plan") <= 1:  # a plan is in one place
        assert reader.reasoning == reader.decoder.reasoning
    assert [call[3] for call in reader.completed] == [call["function"]["arguments"] for call in calls]
