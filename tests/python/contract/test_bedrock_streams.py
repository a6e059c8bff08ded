"""Streams of Anthropic's clients for Bedrock: read from their binary frames, and otherwise as all others are."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.testing import (
    Answer,
    Cut,
    Exchange,
    Garbage,
    Piece,
    ProviderServer,
    Reasoning,
    Replay,
    Response,
    Script,
    StreamError,
    Text,
    ToolCall,
    Usage,
)

from .conftest import Caller, Row
from .wires import Anthropic

anthropic = pytest.importorskip("anthropic")
pytest.importorskip("botocore")

MAJOR = int(anthropic.__version__.split(".")[0])
RECORDED = Path(__file__).parents[3].parent / "shared" / "corpus"
EMMA = {"title": "Emma", "year": 1815}
ANSWER = Answer(
    Reasoning("Hm."),
    "Hello there, wörld",
    ToolCall("Book", EMMA, "toolu_1"),
    usage=Usage(9, 3),
    extra={"id": "msg_1"},
)
ROW = Row(
    name="anthropic",
    module="ferroscope.core.anthropic",
    environment={},
    model="anthropic.claude-haiku-4-5",
    wire=Anthropic,
    mount="anthropic-bedrock",
)


class Book(BaseModel):
    """A book."""

    title: str
    year: int


@dataclass
class Bedrock:
    """One of the SDK's clients for Bedrock, and streams of it."""

    caller: Caller
    client: Any

    @property
    def server(self) -> ProviderServer:
        return self.caller.server

    def stream(self, **options: Any) -> Any:
        """A stream of which nothing has been read."""
        return self.caller.call(**{"stream": True, "client": self.client, **options})

    def consume(self, stream: Any) -> list[tuple[Any, Any]]:
        return self.caller.consume(stream)

    def fails(self, script: Script, kind: type[Exception], **options: Any) -> Any:
        """The exception that a stream ends in."""
        self.server.reply(script)
        stream = self.stream(**options)
        with pytest.raises(kind) as caught:
            self.consume(stream)
        return caught.value

    def objects(self, *, model: str = ROW.model) -> list[Any]:
        """What the SDK itself makes of the next answer."""
        asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}

        def sync() -> list[Any]:
            return list(self.client.messages.create(**asked, stream=True))

        async def asynchronous() -> list[Any]:
            return [event async for event in await self.client.messages.create(**asked, stream=True)]

        return list(self.caller.run(sync, asynchronous))


@dataclass(frozen=True)
class Changed:
    """An answer whose bytes are changed on their way, all in one piece."""

    text: str
    change: Callable[[bytes], bytes]

    def respond(self, exchange: Exchange) -> Response:
        response = Answer(self.text).respond(exchange)
        return replace(response, pieces=(Piece(self.change(response.body)),))


@pytest.fixture
def bedrock(kind: str, server: ProviderServer) -> Iterator[Bedrock]:
    client_type = anthropic.AnthropicBedrock if kind == "sync" else anthropic.AsyncAnthropicBedrock
    client = client_type(
        base_url=server.base_url(ROW.url_name),
        aws_access_key="a",
        aws_secret_key="s",
        aws_region="us-east-1",
        max_retries=0,
    )
    with asyncio.Runner() as runner:
        caller = Caller(ROW, kind, server, runner)
        yield Bedrock(caller, client)
        caller.run(client.close, client.close)


@pytest.fixture
def _only_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may take the SDK's way of reading the frames."""
    from anthropic.lib.bedrock._stream_decoder import AWSEventStreamDecoder

    monkeypatch.delattr(AWSEventStreamDecoder, "iter_bytes")
    monkeypatch.delattr(AWSEventStreamDecoder, "aiter_bytes")


@pytest.mark.usefixtures("_only_bytes")
def test_a_stream_is_read_from_the_frames(bedrock: Bedrock) -> None:
    bedrock.server.reply(ANSWER)
    stream = bedrock.stream(tools=[Book])
    pairs = bedrock.consume(stream)
    assert "".join(chunk.content for chunk, _ in pairs) == stream.content == "Hello there, wörld"
    assert [tool.args for _, tool in pairs if tool] == [EMMA]
    assert (stream.thinking, stream.finish_reasons, stream.output_tokens) == ("Hm.", ["tool_use"], 3)
    assert bedrock.server.requests[-1].path.endswith("/invoke-with-response-stream")


@pytest.mark.parametrize("way", ["bytes", "objects"])
def test_a_stream_is_the_response_without_streaming(
    bedrock: Bedrock, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "objects":
        monkeypatch.setattr("ferroscope._engine.source.is_untouched", lambda *_: False)
    bedrock.server.reply(ANSWER, ANSWER)
    whole = bedrock.caller.call(client=bedrock.client, tools=[Book])
    assert bedrock.server.requests[-1].path.endswith(f"/model/{ROW.model}/invoke")
    assert whole.model == ROW.model
    stream = bedrock.stream(tools=[Book])
    bedrock.consume(stream)
    built = stream.construct_call_response()
    for name in ("content", "finish_reasons", "model", "usage", "message_param", "common_message_param"):
        assert getattr(built, name) == getattr(whole, name), name
    extra = built.response.model_extra
    assert extra == {"amazon-bedrock-invocationMetrics": {"invocationLatency": 604}, **whole.response.model_extra}


def test_chunks_hold_the_objects_of_the_sdk(bedrock: Bedrock) -> None:
    bedrock.server.reply(ANSWER, ANSWER)
    chunks = [chunk.chunk for chunk, _ in bedrock.consume(bedrock.stream())]
    # The SDK passes over pings, or reads them as another event.
    ours, theirs = ([event for event in events if event.type != "ping"] for events in (chunks, bedrock.objects()))
    assert ours == theirs
    assert [type(event) for event in ours] == [type(event) for event in theirs]


@pytest.mark.usefixtures("_only_bytes")
def test_the_connection_is_used_again(bedrock: Bedrock) -> None:
    bedrock.server.reply(ANSWER, ANSWER)
    bedrock.consume(bedrock.stream())
    bedrock.consume(bedrock.stream())
    first, second = (request.connection for request in bedrock.server.requests)
    assert first == second


@pytest.mark.usefixtures("_only_bytes")
def test_leaving_the_loop_closes_the_connection(bedrock: Bedrock) -> None:
    bedrock.server.reply(Answer(Text("word " * 500), delay=0.001))
    stream = bedrock.stream()

    def sync() -> None:
        for chunk, _ in stream:
            if chunk.content:
                break
        bedrock.server.wait_closed(0.5)

    async def asynchronous() -> None:
        async for chunk, _ in stream:
            if chunk.content:
                break
        await stream.aclose()
        await asyncio.to_thread(bedrock.server.wait_closed, 0.5)

    bedrock.caller.run(sync, asynchronous)
    assert bedrock.server.requests[-1].outcome == "abandoned"
    assert stream.content == "word "


@pytest.mark.usefixtures("_only_bytes")
def test_a_stream_can_be_replayed(bedrock: Bedrock) -> None:
    bedrock.server.reply(ANSWER)
    stream = bedrock.stream(stream={"replay": True})
    first, again = ([(chunk.content, chunk.chunk) for chunk, _ in bedrock.consume(stream)] for _ in range(2))
    assert again == first
    assert len(bedrock.server.requests) == 1


# -- what goes wrong -------------------------------------------------------------------------------------------


def test_an_exception_is_what_the_sdk_raises(bedrock: Bedrock) -> None:
    script = StreamError(Answer("Hello there"), after=3, type="throttlingException", message="Too many tokens")
    error = bedrock.fails(script, anthropic.APIStatusError)
    assert isinstance(error, errors.ProviderStreamError)
    assert (error.status_code, error.message, error.partial.content) == (200, "Too many tokens", "Hello ")
    assert "event 4 (byte " in str(error)
    assert "throttlingException: Too many tokens" in str(error)

    bedrock.server.reply(script)
    # Before 1.0 the SDK had no word for it.
    with pytest.raises(anthropic.APIStatusError if MAJOR else ValueError) as caught:
        bedrock.objects()
    if MAJOR:
        assert error.body == caught.value.body


def test_a_connection_that_breaks_keeps_what_came(bedrock: Bedrock) -> None:
    script = Cut(Answer("Hello there"), 1500, "close")
    error = bedrock.fails(script, errors.StreamInterruptedError)
    assert isinstance(error, anthropic.APIConnectionError)
    assert error.partial.content in ("Hello ", "Hello there")


def test_a_body_that_ends_inside_a_message_is_no_answer(bedrock: Bedrock) -> None:
    error = bedrock.fails(Changed("Hello there", lambda body: body[:-20]), errors.StreamError)
    assert "the body ended inside a message" in str(error)
    assert error.partial.content == "Hello there"


def test_a_byte_that_was_changed_is_found(bedrock: Bedrock) -> None:
    def change(body: bytes) -> bytes:
        (second,) = struct.unpack_from(">I", body)
        return body[: second + 150] + b"\0" + body[second + 151 :]

    error = bedrock.fails(Changed("Hello there", change), errors.StreamError)
    assert f"event 2 (byte {error.offset}): message checksum mismatch" in str(error)
    assert error.event == 2


def test_bytes_that_are_no_message_break_the_stream(bedrock: Bedrock) -> None:
    error = bedrock.fails(Garbage("sse", Answer("Hello there"), after=3), errors.StreamError)
    assert error.partial.content == "Hello "


def test_a_page_of_a_proxy_is_no_stream(bedrock: Bedrock) -> None:
    error = bedrock.fails(Garbage("html"), errors.StreamError)
    assert "502 Bad Gateway" in str(error)


def test_an_event_that_outgrows_its_limit_is_refused(bedrock: Bedrock) -> None:
    script = Answer(Text("Hello " + "x" * 4000, ["Hello ", "x" * 4000]))
    error = bedrock.fails(script, errors.LimitExceededError, stream={"limits": {"event_bytes": 4000}})
    assert error.partial.content == "Hello "


# -- recorded streams ------------------------------------------------------------------------------------------


def recordings() -> Iterator[Any]:
    """Streams of Claude from Bedrock, none where the recordings are absent."""
    index = RECORDED / "INDEX.json"
    if not index.exists():
        return
    for entry in json.loads(index.read_text())["entries"]:
        if "anthropic:message_stop-extra:amazon-bedrock-invocationMetrics" in entry.get("quirks", ()):
            yield pytest.param(RECORDED / entry["id"] / entry["response_file"], id=entry["id"])


@pytest.mark.parametrize("path", [*recordings()])
def test_recorded_streams_are_read_as_the_sdk_reads_them(bedrock: Bedrock, path: Path) -> None:
    bedrock.server.reply(Replay(path), Replay(path, read_sizes=[7] * 400))
    theirs = bedrock.objects()
    stream = bedrock.stream()
    chunks = [chunk.chunk for chunk, _ in bedrock.consume(stream)]
    assert [event for event in chunks if event.type != "ping"] == theirs
    response = stream.construct_call_response().response
    assert response.model_extra["amazon-bedrock-invocationMetrics"]["inputTokenCount"] == response.usage.input_tokens
