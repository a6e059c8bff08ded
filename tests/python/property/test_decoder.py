"""However a body is cut into reads, it decodes into the same: the streams of our own, and recorded ones."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferroscope._core import DecodeError, StreamDecoder

ROOT = Path(__file__).parents[3]
PIECES = [
    *(
        b"data: ",
        b"data:",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"{",
        b"}",
        b'{"choices":[{"delta":{"content":"',
        b'"}}]}',
        b"\\ud83d",
    ),
    *(b"\\ude00", b"event: error\n", b"error: ", b"[DONE]", b'{"error":"x"}', b"\xef\xbb\xbf"),
]
OURS = sorted((ROOT / "tests/corpus/openai_chat").glob("*.sse"))


@dataclass(slots=True)
class Decoded:
    """All that a decoder shows of a stream."""

    events: list[tuple[str, bytes, object, object]] = field(default_factory=list)
    text: str = ""
    response: bytes = b""
    tool_calls: object = None
    error: tuple[object, ...] | None = None


def decode(reads: Iterable[bytes]) -> Decoded:
    decoder, decoded = StreamDecoder(), Decoded()

    def drain() -> None:
        for event in decoder:
            decoded.events.append((event.content, event.data, event.tool_calls, event.fragments))

    try:
        for read in reads:
            decoder.feed(read)
            drain()
        decoder.finish()
        drain()
    except DecodeError as error:
        decoded.error = error.args
    decoded.text = "".join(content for content, *_ in decoded.events)
    decoded.response, decoded.tool_calls = decoder.response(), decoder.tool_calls
    assert decoded.text == decoder.content
    return decoded


def in_sizes(body: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size
    yield body[start:]


def payloads(decoded: Decoded) -> list[dict[str, Any]]:
    return [json.loads(data) for _, data, *_ in decoded.events if data]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
@given(data=st.data())
def test_random_reads_of_our_own_streams_decode_alike(path: Path, data: st.DataObject):
    body = path.read_bytes()
    sizes = data.draw(st.lists(st.integers(0, len(body))))
    assert decode(in_sizes(body, sizes)) == decode([body])


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_events_of_our_own_streams_without_their_framing_decode_alike(path: Path):
    whole = decode([path.read_bytes()])
    decoder, seen = StreamDecoder(), []
    for _, data, *_ in whole.events:
        if data:
            event = decoder.feed_event(data.decode())
            seen.append((event.content, event.data, event.tool_calls, event.fragments))
    if whole.error is None:
        decoder.finish()
        seen += [(event.content, event.data, event.tool_calls, event.fragments) for event in decoder]
        assert decoder.response() == whole.response
    assert seen == whole.events


@given(
    body=st.lists(
        st.one_of(
            st.sampled_from(PIECES),
            st.binary(max_size=6),
        ),
        max_size=30,
    ).map(b"".join),
    sizes=st.lists(st.integers(0, 40)),
)
def test_random_bytes_decode_alike_or_fail_alike(body: bytes, sizes: list[int]):
    assert decode(in_sizes(body, sizes)) == decode([body])
