"""Recorded streams of any API, and a reader that keeps all that a consumer of a stream can see."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ferroscope._core import DecodeError, Event, StreamDecoder, ToolCallDelta

from .test_decoder import in_sizes

ROOT = Path(__file__).parents[3]
RECORDED = ROOT.parent / "shared" / "corpus"

# Any: parsed JSON of whatever shape.
Json = Any
# Position, id, name, arguments.
Call = tuple[int, str | None, str, str]


def recordings(api: str, *, stream: bool) -> list[Path]:
    """Return the folders of the exchanges of an API; none where the recordings are absent."""
    found = []
    for path in sorted(RECORDED.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] == api and meta["stream"] is stream:
            found.append(path.parent)
    return found


def body_of(folder: Path) -> tuple[bytes, dict[str, Json]]:
    """Return the recorded body of a response, and what is known of the exchange."""
    meta = json.loads((folder / "meta.json").read_bytes())
    return (folder / meta["response_file"]).read_bytes(), meta


def as_tuple(call: ToolCallDelta) -> Call:
    """Return a call as its position, id, name and arguments."""
    return call.position, call.id, call.name, call.arguments


def name_of(folder: Path) -> str:
    """Return the id of a recording."""
    return f"{folder.parent.name}/{folder.name}"


class Reader:
    """Reads a stream as its consumers do, and keeps what they saw."""

    def __init__(self, dialect: str) -> None:
        self.decoder = StreamDecoder(dialect)
        self.text = ""
        self.reasoning = ""
        self.fragments: dict[int, str] = {}
        self.completed: list[Call] = []
        self.events: list[str] = []
        self.error: tuple[str, str, str | None] | None = None
        self._thought = 0

    def take(self, event: Event) -> None:
        """Add one event."""
        self.text += event.content
        thinking, self._thought = self.decoder.reasoning_since(self._thought)
        self.reasoning += thinking
        for call in event.fragments or ():
            self.fragments[call.position] = self.fragments.get(call.position, "") + call.arguments
        self.completed += map(as_tuple, event.tool_calls or ())
        if event.data:
            self.events.append(event.data.decode())

    def drain(self) -> None:
        """Add all events that have been fed; keep the error if there is one."""
        try:
            for event in self.decoder:
                self.take(event)
        except DecodeError as error:
            self.error = error.args[0], error.args[1], error.args[4]

    def outcome(self) -> tuple[object, ...]:
        """Return all that a consumer can see of the stream."""
        decoder = self.decoder
        return (
            decoder.response(),
            self.text,
            self.reasoning,
            self.fragments,
            self.completed,
            decoder.usage,
            decoder.finish_reasons,
            self.error,
        )


def read_bytes(dialect: str, pieces: Iterator[bytes]) -> Reader:
    """Read a body in pieces."""
    reader = Reader(dialect)
    for piece in pieces:
        reader.decoder.feed(piece)
        reader.drain()
    reader.decoder.finish()
    reader.drain()
    return reader


def read_events(dialect: str, events: list[str]) -> Reader:
    """Read events that come without their framing."""
    reader = Reader(dialect)
    for event in events:
        try:
            reader.take(reader.decoder.feed_event(event))
        except DecodeError as error:
            reader.error = error.args[0], error.args[1], error.args[4]
            break
    return reader


def cuts(body: bytes, meta: dict[str, Json] | None = None) -> Iterator[Iterator[bytes]]:
    """Yield a body in pieces: of fixed sizes, of random ones, and as the recorded reads were."""
    for size in (1, 2, 7, 1369):
        yield (body[start : start + size] for start in range(0, len(body), size))
    chance = random.Random(len(body))
    for longest in (4, 40, 400):
        yield in_sizes(body, [chance.randint(0, longest) for _ in range(2 * len(body) // longest)])
    if meta and meta["network_chunk_sizes"]:
        yield in_sizes(body, meta["network_chunk_sizes"])


def without_nulls(value: Json) -> Json:
    """Return the value without its null members: they mean the same as missing ones."""
    match value:
        case dict():
            return {name: without_nulls(member) for name, member in value.items() if member is not None}
        case list():
            return [without_nulls(element) for element in value]
        case _:
            return value
