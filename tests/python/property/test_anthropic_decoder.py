"""Anthropic's streams fold into what the official SDK's accumulator makes of them, however they are cut."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError

from ferroscope._core import DecodeError, Event, StreamDecoder

from .recordings import as_tuple

pytest.importorskip("anthropic", minversion="2.0")

from anthropic._models import construct_type_unchecked
from anthropic.lib.streaming._beta_messages import accumulate_event
from anthropic.types.beta import BetaRawMessageStreamEvent

ROOT = Path(__file__).parents[3]
OWN = ROOT / "tests" / "corpus" / "anthropic"
RECORDED = ROOT.parent / "shared" / "corpus"

DIFFERENCES = {
    # The SDK's accumulator takes no counts from `message_delta` but the ones it knows (a gateway adds its costs,
    # and the split of the cache writes there).
    "026-streaming-gateway-message-delta-metadata": {"usage"},
    # It appends the blocks of the second message to those of the first, then adds the deltas to the wrong ones.
    "157-anthropic-spliced-message-start": {"id", "content"},
    "message_spliced": {"id", "content"},
    # It raises for deltas without a block.
    "without_block_starts": {"content"},
    # It joins two half characters to a string that is no text.
    "escapes_across_deltas": {"content"},
    # It knows nothing of unknown members.
    "unknown_everything": {"content", "mood", "season"},
    "bedrock_metrics": {"amazon-bedrock-invocationMetrics"},
}


def recorded() -> Iterator[Any]:
    index = RECORDED / "INDEX.json"
    if not index.exists():
        return
    for entry in json.loads(index.read_text())["entries"]:
        if entry["api"] == "anthropic-messages" and entry["stream"]:
            yield pytest.param(RECORDED / entry["id"] / entry["response_file"], id=entry["id"])


def own() -> Iterator[Any]:
    for path in sorted(OWN.glob("*.sse")):
        yield pytest.param(path, id=path.stem)


def events_of(path: Path) -> list[str]:
    """The data of every event, read the slow and obvious way."""
    text = path.read_bytes().decode().replace("\r\n", "\n")
    if path.suffix == ".sse":
        return [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    return [line for line in text.split("\n") if line.strip()]


class Reader:
    """Reads a stream as its consumers do, and keeps what they saw."""

    def __init__(self) -> None:
        self.decoder = StreamDecoder("anthropic")
        self.text = ""
        self.fragments: dict[int, str] = {}
        self.completed: list[tuple[int, str | None, str, str]] = []
        self.error: str | None = None

    def take(self, event: Event) -> None:
        self.text += event.content
        for call in event.fragments or ():
            self.fragments[call.position] = self.fragments.get(call.position, "") + call.arguments
        self.completed += map(as_tuple, event.tool_calls or ())

    def drain(self) -> None:
        try:
            for event in self.decoder:
                self.take(event)
        except DecodeError as error:
            self.error = str(error.args[4])

    def outcome(self) -> tuple[object, ...]:
        decoder = self.decoder
        return (decoder.response(), self.text, self.fragments, self.completed, decoder.usage, self.error)


def read_bytes(pieces: Iterator[bytes]) -> Reader:
    reader = Reader()
    for piece in pieces:
        reader.decoder.feed(piece)
        reader.drain()
    reader.decoder.finish()
    reader.drain()
    return reader


def read_events(events: list[str]) -> Reader:
    reader = Reader()
    for event in events:
        if event != "[DONE]":
            reader.take(reader.decoder.feed_event(event))
    return reader


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def accumulated(events: list[str]) -> dict[str, Any]:
    """What the SDK's accumulator makes of the first message."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for data in events:
        if data == "[DONE]" or json.loads(data)["type"] == "ping":
            continue
        event: Any = construct_type_unchecked(value=json.loads(data), type_=BetaRawMessageStreamEvent)
        snapshot = accumulate_event(
            event=event,
            current_snapshot=snapshot,
            json_bufs=buffers,
            request_headers={},  # type: ignore[arg-type]
        )
        if event.type == "message_stop":
            break
    response: dict[str, Any] = snapshot.to_dict(mode="json", warnings=False)
    return response


def without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {name: without_nulls(member) for name, member in value.items() if member is not None}
        case list():
            return [without_nulls(element) for element in value]
        case _:
            return value


@pytest.mark.parametrize("path", [*own(), *recorded()])
def test_a_stream_folds_into_what_the_sdk_makes_of_it(path: Path) -> None:
    events = events_of(path)
    reader = read_bytes(in_pieces(path.read_bytes(), 1 << 20)) if path.suffix == ".sse" else read_events(events)
    ours = without_nulls(json.loads(reader.decoder.response()))
    if reader.error is not None:
        assert json.loads(reader.error) == json.loads(events.pop())
    name = path.stem if path.parent == OWN else path.parent.name
    known = DIFFERENCES.get(name, set())
    try:
        theirs = without_nulls(accumulated(events))
    except (IndexError, PydanticSerializationError):
        theirs = {**ours, "content": None}
    different = {member for member in {*ours, *theirs} if ours.get(member) != theirs.get(member)}
    assert different == known
    assert reader.text == reader.decoder.content
    assert [call[0] for call in reader.completed] == list(range(len(reader.completed)))


@pytest.mark.parametrize("path", [path for path in [*own(), *recorded()] if path.values[0].suffix == ".sse"])
def test_the_cuts_and_the_framing_make_no_difference(path: Path) -> None:
    body = path.read_bytes()
    whole = read_bytes(iter([body])).outcome()
    for size in (1, 5, 1369):
        assert read_bytes(in_pieces(body, size)).outcome() == whole
    if whole[-1] is None:
        assert read_events(events_of(path)).outcome() == whole


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
blocks = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "pieces": st.lists(words, max_size=4)}),
    st.fixed_dictionaries({"type": st.just("thinking"), "pieces": st.lists(words, max_size=4)}),
    st.fixed_dictionaries({"type": st.just("tool_use"), "input": st.dictionaries(words, words, max_size=3)}),
)


@settings(deadline=None, max_examples=150)
@given(
    content=st.lists(blocks, max_size=5),
    size=st.integers(1, 300),
    spaces=st.integers(0, 9),
    ascii=st.booleans(),
)
def test_any_message_comes_back_as_it_was_sent(
    content: list[dict[str, Any]], size: int, spaces: int, ascii: bool
) -> None:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "stop_reason": "end_turn",
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**message, "content": [], "usage": {}}}]
    expected: list[dict[str, Any]] = []
    for index, block in enumerate(content):
        if block["type"] == "tool_use":
            text = json.dumps(block["input"], ensure_ascii=ascii)
            start = {"type": "tool_use", "id": f"toolu_{index}", "name": "foo", "input": {}}
            pieces = [text[place : place + 3] for place in range(0, len(text), 3)]
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces]]
            expected.append({**start, "input": block["input"]})
        else:
            name = block["type"]
            start = {"type": name, name: ""}
            deltas = [{"type": f"{name}_delta", name: piece} for piece in block["pieces"]]
            expected.append({"type": name, name: "".join(block["pieces"])})
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_stop"})
    body = "".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=ascii)[:-1]}{' ' * spaces}}}\n\n"
        for event in events
    ).encode()
    reader = read_bytes(in_pieces(body, size))
    assert json.loads(reader.decoder.response()) == {**message, "content": expected, "usage": {}}
    assert reader.text == "".join(block["text"] for block in expected if block["type"] == "text")
    assert reader.decoder.reasoning == "".join(b["thinking"] for b in expected if b["type"] == "thinking")
    calls = [block for block in expected if block["type"] == "tool_use"]
    assert [(id, json.loads(text)) for _, id, _, text in reader.completed] == [
        (call["id"], call["input"]) for call in calls
    ]
