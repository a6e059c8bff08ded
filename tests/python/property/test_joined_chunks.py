"""Joined chunks read by h11, the parser behind httpx: the same response, or the same kind of failure."""

from __future__ import annotations

from typing import Any

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from ferroscope._core import ChunkJoiner

HEADS = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding:chunked \r\nX-A: b\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
]
WHOLE = st.binary(min_size=1, max_size=30).map(lambda data: b"%x\r\n%b\r\n" % (len(data), data))
EXTENDED = st.sampled_from([b"1;a=b\r\nx\r\n", b"01 \t\r\ny\r\n", b"1;a\r\nz\r\n", b"00000000000000000001\r\nw\r\n"])
LAST = st.sampled_from([b"0\r\n\r\n", b"0\r\nTrailer: a\r\n\r\n", b"000;x\r\n\r\n", b""])
STRAY = st.sampled_from(
    [b"", b"\r", b"\n", b"\r\n", b"1", b"1\n", b"x", b"+1\r\na\r\n", b"1\r\nab", b"1\r\na\n", b"g\r\n"]
)


def read(pieces: list[bytes]) -> tuple[list[Any], bytes, str]:
    """What h11 reads: everything but the data, the data, and how it ends."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    events: list[Any] = []
    data = b""
    try:
        for piece in [*pieces, b""]:
            connection.receive_data(piece)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Data):
                    data += bytes(event.data)
                else:
                    events.append(event)
                    if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                        return events, data, "whole"
    except h11.RemoteProtocolError:
        return events, data, "failed"
    return events, data, "unfinished"


@st.composite
def cut_responses(draw: st.DrawFn) -> list[bytes]:
    chunks = draw(st.lists(st.one_of(WHOLE, WHOLE, WHOLE, EXTENDED), max_size=8))
    response = draw(st.sampled_from(HEADS)) + b"".join(chunks) + draw(STRAY) + draw(LAST)
    cuts = sorted(draw(st.lists(st.integers(0, len(response)), max_size=8)))
    pieces = [response[start:end] for start, end in zip([0, *cuts], [*cuts, len(response)], strict=True)]
    return [piece for piece in pieces if piece]


@settings(max_examples=1500, deadline=None)
@given(cut_responses())
def test_h11_reads_the_same(pieces: list[bytes]) -> None:
    joiner = ChunkJoiner()
    joiner.sent(b"POST / HTTP/1.1\r")
    joined = [joiner.feed(piece) for piece in pieces]
    assert read([piece for piece in joined if piece]) == read(pieces)


def test_h11_has_one_event_for_what_arrived_together() -> None:
    joiner = ChunkJoiner()
    joiner.sent(b"POST / HTTP/1.1\r")
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(joiner.feed(HEADS[0] + b"1\r\na\r\n" * 100 + b"0\r\n\r\n"))
    events = [connection.next_event() for _ in range(3)]
    assert [type(event) for event in events] == [h11.Response, h11.Data, h11.EndOfMessage]
    assert bytes(events[1].data) == b"a" * 100
