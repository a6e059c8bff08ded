"""Faults and recordings on every wire of the loopback server, as raw bytes over HTTP."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ferroscope.testing import (
    Answer,
    Corrupt,
    Cut,
    Garbage,
    HangUp,
    ProviderServer,
    Replay,
    Scripted,
    SlowHeaders,
    Stall,
    Status,
    StreamError,
    Text,
)

SHARED = Path(__file__).parents[4] / "shared" / "corpus"


@dataclass(frozen=True)
class Wire:
    """The requests of one wire, and how its recordings are named elsewhere."""

    mount: str
    stream: str
    whole: str
    body: dict[str, Any]
    error: bytes
    """Bytes that its error event has before the message."""
    corpus: tuple[tuple[str, str], ...] = ()
    """Providers and APIs of the shared corpus."""


CHAT = "/chat/completions"
GROQ = "/openai/v1/chat/completions"
STREAM = {"stream": True}
WIRES = {
    "openai": Wire("openai", CHAT, CHAT, STREAM, b'{"error":{"message":"', (("openai", "openai-chat"),)),
    "groq": Wire(
        "groq", "/openai/v1" + CHAT, "/openai/v1" + CHAT, STREAM, b"event: error\n", (("groq", "openai-chat"),)
    ),
    "openrouter": Wire("openrouter", CHAT, CHAT, STREAM, b'"finish_reason":"error"', (("openrouter", "openai-chat"),)),
    "mistral": Wire("mistral", f"/v1{CHAT}", f"/v1{CHAT}", STREAM, b'"object":"error"', (("mistral", "openai-chat"),)),
    "azure": Wire("azure", CHAT, CHAT, STREAM, b'{"error":{"message":"', (("azure-openai", "openai-chat"),)),
    "anthropic": Wire(
        "anthropic", "/v1/messages", "/v1/messages", STREAM, b"event: error\n", (("anthropic", "anthropic-messages"),)
    ),
    "anthropic-bedrock": Wire(
        "anthropic-bedrock",
        "/model/m/invoke-with-response-stream",
        "/model/m/invoke",
        {},
        b"modelStreamErrorException",
        (("aws-bedrock", "bedrock-invoke-stream"),),
    ),
    "gemini": Wire(
        "gemini",
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        "/v1beta/models/m:generateContent",
        {},
        b'\n{\n  "error": {\n    "code": 500,',
        (("google-gemini", "gemini-stream"), ("google-vertex", "gemini-stream")),
    ),
    "gemini array": Wire(
        "gemini",
        "/v1beta/models/m:streamGenerateContent",
        "/v1beta/models/m:generateContent",
        {},
        b'\n,\r\n{\n  "error": {\n    "code": 500,',
        (("google-gemini", "gemini-stream-json"), ("google-vertex", "gemini-stream-json")),
    ),
    "cohere": Wire(
        "cohere", "/v2/chat", "/v2/chat", STREAM, b'event: message-end\ndata: {"type":', (("cohere", "cohere-v2"),)
    ),
    "bedrock": Wire(
        "bedrock",
        "/model/m/converse-stream",
        "/model/m/converse",
        {},
        b"modelStreamErrorException",
        (("aws-bedrock", "bedrock-converse-stream"),),
    ),
}


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


def stream(
    server: ProviderServer, wire: Wire, scripted: Scripted, timeout: httpx2.Timeout | None = None
) -> list[bytes]:
    """Return the reads of a stream. A transport error has those before it as `reads`."""
    server.reply(scripted)
    reads: list[bytes] = []
    try:
        with httpx2.stream(
            "POST", server.base_url(wire.mount) + wire.stream, json=wire.body, timeout=timeout
        ) as response:
            assert response.status_code == 200
            for read in response.iter_raw():
                reads.append(read)
    except httpx2.TransportError as error:
        error.reads = reads  # type: ignore[attr-defined]
        raise
    finally:
        server.wait_closed()
    return reads


def whole(server: ProviderServer, wire: Wire, scripted: Scripted) -> httpx2.Response:
    server.reply(scripted)
    body = {name: value for name, value in wire.body.items() if name != "stream"}
    return httpx2.post(server.base_url(wire.mount) + wire.whole, json=body)


WORDS = Answer(Text("one two three"), usage=None)


def events(wire: Wire) -> list[bytes]:
    """Return the events of the answer to a first request: responses are numbered by request."""
    with ProviderServer() as other:
        return stream(other, wire, WORDS)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_cut(server: ProviderServer, wire: Wire, how: Any) -> None:
    with pytest.raises(httpx2.TransportError) as caught:
        stream(server, wire, Cut(WORDS, at=70, how=how))
    assert len(b"".join(caught.value.reads)) <= 70  # type: ignore[attr-defined]
    assert (server.requests[-1].outcome, server.requests[-1].bytes_sent) == ("cut", 70)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_cut_body(server: ProviderServer, wire: Wire, how: Any) -> None:
    with pytest.raises(httpx2.TransportError):
        whole(server, wire, Cut(WORDS, at=30, how=how))


def test_a_stall(server: ProviderServer, wire: Wire) -> None:
    server.reply(Stall(WORDS, after=2))
    url = server.base_url(wire.mount) + wire.stream
    with httpx2.stream("POST", url, json=wire.body) as response:
        reads = response.iter_raw()
        assert [next(reads), next(reads)] == events(wire)[:2]
        assert server.open_streams == 1
    server.wait_closed()
    assert server.requests[-1].outcome == "abandoned"


def test_slow_headers(server: ProviderServer, wire: Wire) -> None:
    with pytest.raises(httpx2.ReadTimeout) as caught:
        stream(server, wire, SlowHeaders(WORDS), httpx2.Timeout(5, read=0.1))
    assert caught.value.reads == []  # type: ignore[attr-defined]


def test_a_hang_up(server: ProviderServer, wire: Wire) -> None:
    with pytest.raises(httpx2.TransportError) as caught:
        stream(server, wire, HangUp())
    assert caught.value.reads == []  # type: ignore[attr-defined]


def test_a_status_and_the_next_answer(server: ProviderServer, wire: Wire) -> None:
    refused = whole(server, wire, Status(429, "Slow down.", retry_after=7))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert "Slow down." in refused.text
    assert "one two three" in whole(server, wire, WORDS).text


def test_an_error_in_place_of_the_rest(server: ProviderServer, wire: Wire) -> None:
    sent = events(wire)
    broken = stream(server, wire, StreamError(WORDS, after=3, message="Overloaded."))
    assert broken[:3] == sent[:3]
    error = b"".join(broken[2:])
    assert wire.error in error and b"Overloaded." in error


def test_an_error_in_place_of_a_body(server: ProviderServer, wire: Wire) -> None:
    response = whole(server, wire, StreamError(WORDS, after=3, message="Overloaded.", status=503))
    assert (response.status_code, "Overloaded." in response.text) == (503, True)


def test_garbage_between_the_events(server: ProviderServer, wire: Wire) -> None:
    sent = events(wire)
    got = stream(server, wire, Garbage(script=WORDS, after=2))
    assert (got[:2], got[3:]) == (sent[:2], sent[2:])
    assert got[2] not in sent


def test_a_page_in_place_of_a_stream(server: ProviderServer, wire: Wire) -> None:
    assert b"".join(stream(server, wire, Garbage("html"))).startswith(b"<!doctype html>")


def test_a_changed_byte(server: ProviderServer, wire: Wire) -> None:
    sent = events(wire)
    got = stream(server, wire, Corrupt(WORDS, after=2, at=5))
    changed = bytearray(sent[2])
    changed[5] ^= 0x80
    assert got == [*sent[:2], bytes(changed), *sent[3:]]


def test_a_byte_of_an_event_that_does_not_exist(server: ProviderServer) -> None:
    failed = whole(server, WIRES["openai"], Corrupt(WORDS, after=9))
    assert (failed.status_code, "Corrupt: the response has 1 events, none after 9" in failed.text) == (500, True)


# --- recordings -----------------------------------------------------------------------------------


def recordings(wire: Wire) -> Iterator[tuple[Path, list[int] | None]]:
    """Yield the recorded streams of a wire, with the sizes of their recorded reads where they are known."""
    index = json.loads((SHARED / "INDEX.json").read_bytes())
    for entry in index["entries"]:
        framed = entry["framing"] in ("sse", "aws-eventstream", "json-array")
        if framed and (entry["provider"], entry["api"]) in wire.corpus:
            folder = SHARED / entry["id"]
            yield (
                folder / entry["response_file"],
                json.loads((folder / "meta.json").read_bytes())["network_chunk_sizes"],
            )


@pytest.mark.skipif(not SHARED.exists(), reason="the shared corpus is not here")
def test_recorded_streams_byte_for_byte(server: ProviderServer, wire: Wire) -> None:
    url = server.base_url(wire.mount) + wire.stream
    seen = 0
    with httpx2.Client() as client:
        for path, sizes in recordings(wire):
            recording = path.read_bytes()
            for read_sizes in (None, sizes) if sizes else (None,):
                server.reply(Replay(path, read_sizes=read_sizes))
                assert client.post(url, json=wire.body).content == recording, path
            seen += 1
    assert seen > 0


# --- a client that leaves -------------------------------------------------------------------------


def leave_open(raw: socket.socket) -> None:
    raw.close()


def reset(raw: socket.socket) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    raw.close()


@pytest.mark.parametrize("leave", [leave_open, reset], ids=["close", "reset"])
@pytest.mark.parametrize("chunks", [100, 20_000], ids=["few large events", "many small events"])
def test_leaving_a_large_answer_writes_nothing_to_the_log(
    server: ProviderServer,
    caplog: pytest.LogCaptureFixture,
    leave: Callable[[socket.socket], None],
    chunks: int,
) -> None:
    body = b'{"stream":true}'
    head = b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    # More than the socket buffers of both sides, so that the server is never done before the client leaves.
    server.reply_always(Answer(Text("word " * 6_000_000, chunks=chunks)))
    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        for _ in range(3):
            raw = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
            raw.sendall(head + body)
            raw.recv(1000)
            leave(raw)
            server.wait_closed()
    server.reply_always(None)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert {request.outcome for request in server.requests} == {"abandoned"}
