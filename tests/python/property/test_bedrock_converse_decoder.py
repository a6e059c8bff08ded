"""Bedrock's Converse streams fold alike in any cut, into what a slow fold of the same events makes of them."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferroscope._core import DecodeError, StreamDecoder

from .recordings import ROOT, Json, as_tuple, body_of, cuts, name_of, read_bytes, read_events, recordings, without_nulls

pytest.importorskip("botocore")

from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser

from ferroscope.testing._wires.aws_event_stream import frame, raw_frame

OWN = sorted((ROOT / "tests" / "corpus" / "bedrock_converse").glob("*.jsonl"))
STREAMS = recordings("bedrock-converse-stream", stream=True)
BODIES = recordings("bedrock-converse", stream=False)

# Members of recorded events that botocore's parser does not know.
UNKNOWN = {"p", "serverToolUsage", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"}


def bodies() -> list[Any]:
    """Return the framed bodies: our own, and the recorded ones."""
    found = [pytest.param(framed(path), None, id=path.stem) for path in OWN]
    for folder in STREAMS:
        body, meta = body_of(folder)
        if meta["framing"] == "aws-eventstream":
            found.append(pytest.param(body, meta, id=name_of(folder)))
    return found


def framed(path: Path) -> bytes:
    """Return the frames of a stream that has an event in each line, payloads as they are."""
    body = b""
    for line in path.read_text().splitlines():
        name, payload = line[2:-1].split('":', 1)
        kind = "exception" if name.endswith("Exception") else "event"
        body += raw_frame({":message-type": kind, f":{kind}-type": name}, payload.encode())
    return body


def events_of(body: bytes) -> list[tuple[str, str]]:
    """Return the name and the payload of every frame, read the slow and obvious way."""
    events = []
    start = 0
    while start < len(body):
        total, of_headers = struct.unpack_from(">II", body, start)
        headers, place = {}, start + 12
        while place < start + 12 + of_headers:
            name = body[place + 1 : place + 1 + body[place]].decode()
            place += 1 + len(name)
            (length,) = struct.unpack_from(">H", body, place + 1)
            headers[name] = body[place + 3 : place + 3 + length].decode()
            place += 3 + length
        payload = body[place : start + total - 4].decode()
        events.append((headers[":event-type"], payload))
        start += total
    return events


def recorded_events(folder: Path) -> list[tuple[str, str]]:
    """Return the name and the payload of every event of a recording."""
    body, meta = body_of(folder)
    if meta["framing"] == "aws-eventstream":
        return events_of(body)
    lines = [json.loads(line) for line in body.decode().split("\n") if line.strip()]
    return [(name, json.dumps(payload)) for line in lines for name, payload in line.items()]


def fold(events: list[tuple[str, str]]) -> dict[str, Json]:
    """Fold events as the documentation of the API describes them, with plain dicts."""
    response: dict[str, Json] = {}
    message: dict[str, Json] = {"role": "assistant"}
    blocks: dict[int, dict[str, Json]] = {}
    for name, payload in events:
        event = json.loads(payload)
        event.pop("p", None)
        index = event.pop("contentBlockIndex", None)
        match name:
            case "messageStart":
                message |= event
            case "contentBlockStart":
                blocks[index] = dict(event["start"])
                if "toolUse" in event["start"]:
                    blocks[index]["input"] = ""
            case "contentBlockDelta":
                grow(blocks.setdefault(index, {}), event["delta"])
            case "messageStop" | "metadata":
                response |= event
            case "contentBlockStop":
                pass
            case other:
                raise AssertionError(other)
    message["content"] = [finished(block) for block in blocks.values()]
    return {**response, "output": {"message": message}}


def grow(block: dict[str, Json], delta: dict[str, Json]) -> None:
    match delta:
        case {"text": text}:
            block["text"] = block.get("text", "") + text
        case {"toolUse": {"input": text}}:
            block["input"] += text
        case {"reasoningContent": {"text": text}}:
            block.setdefault("reasoning", {"text": ""})["text"] += text
        case {"reasoningContent": {"signature": signature}}:
            block.setdefault("reasoning", {"text": ""})["signature"] = signature
        case {"citation": citation}:
            block.setdefault("citations", []).append(citation)
        case {"toolResult": list(content)}:
            block["toolResult"] = {**block["toolResult"], "content": content}
        case other:
            raise AssertionError(other)


def finished(block: dict[str, Json]) -> Json:
    match block:
        case {"toolUse": tool_use, "input": text}:
            return {"toolUse": {**tool_use, "input": json.loads(text or "{}")}}
        case {"reasoning": reasoning}:
            return {"reasoningContent": {"reasoningText": reasoning}}
        case {"citations": citations, "text": text}:
            return {"citationsContent": {"content": [{"text": text}], "citations": citations}}
        case {"citations": citations}:
            return {"citationsContent": {"citations": citations}}
        case _:
            return block


def texts(response: dict[str, Json]) -> str:
    """Return the text of a response."""
    found = []
    for block in response["output"]["message"]["content"]:
        found += [part["text"] for part in block.get("citationsContent", {}).get("content", [])]
        found.append(block.get("text", ""))
    return "".join(found)


def calls_of(response: dict[str, Json]) -> list[tuple[str, str, Json]]:
    """Return id, name and input of the calls of the caller's tools."""
    blocks = [block["toolUse"] for block in response["output"]["message"]["content"] if "toolUse" in block]
    own = [tool for tool in blocks if tool.get("type", "tool_use") == "tool_use"]
    return [(tool["toolUseId"], tool["name"], tool["input"]) for tool in own]


def thinking_of(response: dict[str, Json]) -> str:
    """Return the reasoning of a response."""
    blocks = [block.get("reasoningContent", {}) for block in response["output"]["message"]["content"]]
    return "".join(block.get("reasoningText", {}).get("text", "") for block in blocks)


@pytest.mark.parametrize("folder", STREAMS, ids=name_of)
def test_a_recorded_stream_folds_into_what_its_events_have(folder: Path) -> None:
    body, meta = body_of(folder)
    events = recorded_events(folder)
    named = [json.dumps({name: json.loads(payload)}) for name, payload in events]
    is_framed = meta["framing"] == "aws-eventstream"
    reader = read_bytes("bedrock_converse", iter([body])) if is_framed else read_events("bedrock_converse", named)
    assert reader.error is None
    assert [json.loads(event) for event in reader.events] == [json.loads(event) for event in named]
    expected = fold(events)
    assert without_nulls(json.loads(reader.decoder.response())) == without_nulls(expected)
    assert reader.text == reader.decoder.content == texts(expected)
    assert reader.reasoning == reader.decoder.reasoning == thinking_of(expected)
    calls = [(id, name, json.loads(arguments)) for _, id, name, arguments in reader.completed]
    assert calls == calls_of(expected)
    assert reader.completed == [as_tuple(call) for call in reader.decoder.tool_calls]
    assert reader.fragments == {position: arguments for position, _, _, arguments in reader.completed}
    assert reader.decoder.finish_reasons == [expected["stopReason"]]
    assert json.loads(reader.decoder.usage or b"null") == expected.get("usage")
    assert reader.decoder.done or "usage" not in expected


@pytest.mark.parametrize(("body", "meta"), bodies())
def test_the_cuts_and_the_framing_make_no_difference(body: bytes, meta: dict[str, Json] | None) -> None:
    whole = read_bytes("bedrock_converse", iter([body]))
    for pieces in cuts(body, meta):
        assert read_bytes("bedrock_converse", pieces).outcome() == whole.outcome()
    if whole.error is None:
        assert read_events("bedrock_converse", whole.events).outcome() == whole.outcome()


@pytest.mark.parametrize(("body", "meta"), [each for each in bodies() if each.values[1] is not None])
def test_recorded_events_are_those_of_botocore(body: bytes, meta: dict[str, Json] | None) -> None:
    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    shape = model.operation_model("ConverseStream").get_event_stream_output()
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    theirs = [EventStreamJSONParser().parse(message.to_response_dict(), shape) for message in buffer]
    reader = read_bytes("bedrock_converse", iter([body]))
    assert [without_unknown(json.loads(event)) for event in reader.events] == [with_base64(each) for each in theirs]


def without_unknown(value: Json) -> Json:
    """Return the value without the members that botocore drops."""
    match value:
        case dict():
            return {name: without_unknown(member) for name, member in value.items() if name not in UNKNOWN}
        case list():
            return [without_unknown(element) for element in value]
        case _:
            return value


def with_base64(value: Json) -> Json:
    """Return the value with blobs as they are in JSON."""
    match value:
        case dict():
            return {name: with_base64(member) for name, member in value.items()}
        case list():
            return [with_base64(element) for element in value]
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value


@pytest.mark.parametrize("folder", BODIES, ids=name_of)
def test_a_recorded_plain_body_is_its_own_response(folder: Path) -> None:
    body, meta = body_of(folder)
    decoder = StreamDecoder("bedrock_converse")
    if meta["http_status"] >= 400:
        with pytest.raises(DecodeError) as caught:
            decoder.feed_body(body.decode())
        assert (caught.value.args[0], json.loads(caught.value.args[4])) == ("provider", json.loads(body))
        return
    event = decoder.feed_body(body.decode())
    expected = json.loads(body)
    assert json.loads(decoder.response()) == expected
    assert event.content == decoder.content == texts(expected)
    assert decoder.reasoning == thinking_of(expected)
    found = [(id, name, json.loads(arguments)) for _, id, name, arguments in map(as_tuple, event.tool_calls or ())]
    assert found == calls_of(expected)
    assert decoder.finish_reasons == [expected["stopReason"]]
    assert json.loads(decoder.usage or b"") == expected["usage"]


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
parts = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["text", "reasoning"]), "pieces": st.lists(words, min_size=1)}),
    st.fixed_dictionaries({"kind": st.just("redacted"), "pieces": st.lists(st.binary(max_size=5), min_size=1)}),
    st.fixed_dictionaries({"kind": st.just("tool"), "input": st.dictionaries(words, words, max_size=3)}),
)


@settings(deadline=None, max_examples=150)
@given(content=st.lists(parts, max_size=6), size=st.integers(1, 300), padding=st.text("ab", max_size=9))
def test_any_message_comes_back_as_it_was_sent(content: list[dict[str, Any]], size: int, padding: str) -> None:
    body = frame("event", "messageStart", {"role": "assistant", "p": padding})
    expected: list[Json] = []

    def add(kind: str, index: int, **payload: Json) -> None:
        nonlocal body
        body += frame("event", kind, {"contentBlockIndex": index, **payload, "p": padding})

    for index, part in enumerate(content):
        if part["kind"] == "tool":
            text = json.dumps(part["input"])
            add("contentBlockStart", index, start={"toolUse": {"toolUseId": f"t{index}", "name": "f"}})
            for start in range(0, len(text), 3):
                add("contentBlockDelta", index, delta={"toolUse": {"input": text[start : start + 3]}})
            expected.append({"toolUse": {"toolUseId": f"t{index}", "name": "f", "input": part["input"]}})
        elif part["kind"] == "text":
            for piece in part["pieces"]:
                add("contentBlockDelta", index, delta={"text": piece})
            expected.append({"text": "".join(part["pieces"])})
        elif part["kind"] == "reasoning":
            for piece in part["pieces"]:
                add("contentBlockDelta", index, delta={"reasoningContent": {"text": piece}})
            expected.append({"reasoningContent": {"reasoningText": {"text": "".join(part["pieces"])}}})
        else:
            for piece in part["pieces"]:
                redacted = base64.b64encode(piece).decode()
                add("contentBlockDelta", index, delta={"reasoningContent": {"redactedContent": redacted}})
            joined = base64.b64encode(b"".join(part["pieces"])).decode()
            expected.append({"reasoningContent": {"redactedContent": joined}})
        add("contentBlockStop", index)
    body += frame("event", "messageStop", {"stopReason": "end_turn"})
    body += frame("event", "metadata", {"usage": {"inputTokens": 1}})
    reader = read_bytes("bedrock_converse", (body[start : start + size] for start in range(0, len(body), size)))
    response = json.loads(reader.decoder.response())
    assert response == {
        "output": {"message": {"role": "assistant", "content": expected}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1},
    }
    assert reader.text == texts(response)
    assert reader.reasoning == thinking_of(response)
    assert [(id, name, json.loads(text)) for _, id, name, text in reader.completed] == calls_of(response)
