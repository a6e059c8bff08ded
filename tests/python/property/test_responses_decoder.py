"""Streams of OpenAI's Responses API: cut anywhere, they fold into the response that their last event carries."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ferroscope._core import DecodeError, Event, StreamDecoder

from .recordings import as_tuple

ROOT = Path(__file__).parents[3]
OWN = ROOT / "tests" / "corpus" / "openai_responses"
RECORDED = ROOT.parent / "shared" / "corpus"
LAST = {"response.completed", "response.incomplete", "response.failed"}

# Any: parsed JSON of whatever shape.
Json = Any

# The provider encrypts these again for the last event.
ENCRYPTED = {"encrypted_content", "fingerprint"}

# Recordings that somebody shortened: their deltas do not add up to the text of their `done` events.
SHORTENED = {"openai/260-responses-openai-shell-container-1"}

# A last response without the members that the first one has.
BARE = {"openai/214-openai-stream-multiple-output-items-1": {"model", "created_at", "object", "usage"}}


def recorded(*, stream: bool) -> Iterator[Json]:
    index = RECORDED / "INDEX.json"
    if not index.exists():
        return
    for entry in json.loads(index.read_text())["entries"]:
        if entry["api"] == "openai-responses" and entry["stream"] is stream and entry["http_status"] == 200:
            yield pytest.param(RECORDED / entry["id"] / entry["response_file"], id=entry["id"])


def body_of(path: Path) -> bytes:
    body = path.read_bytes()
    if path.suffix == ".sse":
        return body
    return b"".join(b"data: " + line + b"\n\n" for line in body.splitlines() if line.strip())


def events_of(body: bytes) -> list[Json]:
    """The events of the first response, read the slow and obvious way."""
    events = []
    for line in body.decode().replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            events.append(json.loads(line[5:]))
            if events[-1]["type"] in LAST:
                break
    return events


class Reader:
    """Reads a stream as its consumers do, and keeps what they get."""

    def __init__(self) -> None:
        self.decoder = StreamDecoder("openai_responses")
        self.text = ""
        self.fragments: dict[int, str] = {}
        self.completed: list[tuple[int, str | None, str, str]] = []
        self.errors: list[str] = []

    def take(self, event: Event) -> None:
        self.text += event.content
        for call in event.fragments or ():
            self.fragments[call.position] = self.fragments.get(call.position, "") + call.arguments
        self.completed += map(as_tuple, event.tool_calls or ())

    def drain(self) -> None:
        while True:
            try:
                for event in self.decoder:
                    self.take(event)
                return
            except DecodeError as error:
                self.errors.append(str(error.args[4]))

    def outcome(self) -> tuple[object, ...]:
        decoder = self.decoder
        return (decoder.response(), self.text, self.fragments, self.completed, decoder.usage, self.errors)


def read(pieces: Iterable[bytes]) -> Reader:
    reader = Reader()
    for piece in pieces:
        reader.decoder.feed(piece)
        reader.drain()
    reader.decoder.finish()
    reader.drain()
    return reader


def read_events(events: list[Json]) -> Reader:
    reader = Reader()
    for event in events:
        try:
            reader.take(reader.decoder.feed_event(json.dumps(event, separators=(",", ":"))))
        except DecodeError as error:
            reader.errors.append(str(error.args[4]))
    return reader


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def without(value: Json, names: set[str]) -> Json:
    if isinstance(value, dict):
        return {name: without(member, names) for name, member in value.items() if name not in names}
    return [without(element, names) for element in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", [*recorded(stream=True)])
def test_a_recording_folds_into_the_response_of_its_last_event(path: Path, request: pytest.FixtureRequest):
    body = body_of(path)
    name = request.node.callspec.id
    *_, last = events_of(body)
    reader = read([body])
    response = json.loads(reader.decoder.response())
    expected = last["response"]
    if not expected["output"]:
        # The server of ChatGPT streams the items, and leaves the output empty at the end.
        expected = {**expected, "output": response["output"]}
    assert without(response, BARE.get(name, set())) == without(expected, BARE.get(name, set()))
    assert (reader.text == reader.decoder.content) is (name not in SHORTENED)


@pytest.mark.parametrize("path", [*recorded(stream=True)])
def test_the_items_that_were_streamed_are_those_of_the_last_event(path: Path, request: pytest.FixtureRequest):
    *events, last = events_of(body_of(path))
    output = json.loads(read_events(events).decoder.response())["output"]
    # GitHub Copilot gives an item another id in every event.
    ignored = ENCRYPTED | ({"id"} if "github-copilot" in request.node.callspec.id else set())
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert without(output, ignored) == without(last["response"]["output"] or done, ignored)


@pytest.mark.parametrize("path", [*recorded(stream=True)])
def test_text_and_calls_come_once_and_as_the_response_has_them(path: Path):
    body = body_of(path)
    events = events_of(body)
    reader = read([body])
    output = json.loads(reader.decoder.response())["output"]
    calls = [item for item in output if item["type"] == "function_call"]
    runnable = [call for call in calls if call.get("status") != "incomplete"]
    assert [call[1:] for call in reader.completed] == [
        (call["call_id"], call["name"], call["arguments"]) for call in runnable
    ]
    assert reader.fragments == {n: call["arguments"] for n, call in enumerate(calls) if call["arguments"]}
    parts = [part for item in output if item["type"] == "message" for part in item["content"]]
    assert reader.decoder.content == "".join(part["text"] for part in parts if part["type"] == "output_text")
    summaries = [part["text"] for item in output if item["type"] == "reasoning" for part in item["summary"]]
    thoughts = [part["text"] for item in output if item["type"] == "reasoning" for part in item.get("content") or []]
    assert reader.decoder.reasoning == "\n\n".join(text for text in summaries + thoughts if text)
    assert json.loads(reader.decoder.usage or b"null") == events[-1]["response"].get("usage")
    assert len(reader.errors) == sum(event["type"] in {"error", "response.failed"} for event in events)


@pytest.mark.parametrize("path", [*recorded(stream=True), *sorted(OWN.glob("*.sse"))])
def test_the_cuts_and_the_framing_make_no_difference(path: Path):
    body = body_of(path)
    whole = read([body])
    for size in (1, 5, 1369) if len(body) < 200_000 else (97, 1369):
        assert read(in_pieces(body, size)).outcome() == whole.outcome()
    if path.parent != OWN:
        streamed = read_events(events_of(body))
        assert json.loads(streamed.decoder.response()) == json.loads(whole.decoder.response())
        assert streamed.outcome()[1:4] == whole.outcome()[1:4]


@pytest.mark.parametrize("path", [*recorded(stream=False)])
def test_a_recorded_body_comes_back_as_it_was(path: Path):
    body = path.read_bytes().decode()
    decoder = StreamDecoder("openai_responses")
    parsed = json.loads(body)
    try:
        event = decoder.feed_body(body)
    except DecodeError:
        assert parsed.get("error")
        return
    assert json.loads(decoder.response()) == {"usage": None, **parsed}
    assert event.content == decoder.content
    calls = [item for item in parsed["output"] if item["type"] == "function_call"]
    assert [as_tuple(call)[1:] for call in event.tool_calls or ()] == [
        (call["call_id"], call["name"], call["arguments"]) for call in calls if call.get("status") != "incomplete"
    ]
