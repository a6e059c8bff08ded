"""The Converse wire of the loopback server, read by the real boto3 and aiobotocore."""

from __future__ import annotations

import asyncio
import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import aiohttp
import botocore.config
import botocore.eventstream
import botocore.exceptions
import pytest
import urllib3.exceptions
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from boto3.session import Session

from ferroscope.testing import (
    Answer,
    Blocked,
    Citation,
    Corrupt,
    Cut,
    EncryptedReasoning,
    Garbage,
    Json,
    Media,
    ProviderServer,
    Reasoning,
    Refusal,
    Replay,
    Scripted,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
)

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-v1:0"
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "s"}
MESSAGES = [{"role": "user", "content": [{"text": "Hi"}]}]
Read = Callable[[ProviderServer], Any]


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running: ProviderServer) -> ProviderServer:
    running.forget()
    return running


SESSION = Session()


def client_of(server: ProviderServer, attempts: int = 1) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": attempts}, read_timeout=10)
    return SESSION.client("bedrock-runtime", endpoint_url=server.base_url("bedrock"), config=config, **KEYS)


def without_metadata(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


def whole(server: ProviderServer, model: str = MODEL) -> Any:
    with closing(client_of(server)) as client:
        return client.converse(modelId=model, messages=MESSAGES)


def streamed(server: ProviderServer, model: str = MODEL) -> Any:
    with (
        closing(client_of(server)) as client,
        # The SDK leaves a stream open that breaks off.
        closing(client.converse_stream(modelId=model, messages=MESSAGES)["stream"]) as stream,
    ):
        return list(stream)


async def _async(server: ProviderServer, *, stream: bool) -> Any:
    config = AioConfig(retries={"total_max_attempts": 1}, read_timeout=10)
    url = server.base_url("bedrock")
    async with get_session().create_client("bedrock-runtime", endpoint_url=url, config=config, **KEYS) as client:
        if not stream:
            return await client.converse(modelId=MODEL, messages=MESSAGES)
        with closing((await client.converse_stream(modelId=MODEL, messages=MESSAGES))["stream"]) as events:
            return [event async for event in events]


def async_whole(server: ProviderServer) -> Any:
    return asyncio.run(_async(server, stream=False))


def async_streamed(server: ProviderServer) -> Any:
    return asyncio.run(_async(server, stream=True))


STREAMED = pytest.mark.parametrize("read", [streamed, async_streamed], ids=["sync", "async"])
WHOLE = pytest.mark.parametrize("read", [whole, async_whole], ids=["sync", "async"])

REDACTED = base64.b64encode(b"secret thoughts").decode()
EVERYTHING = Answer(
    Reasoning("Hm. Yes.", signature="S"),
    EncryptedReasoning(REDACTED),
    Text("It is Oslo.", chunks=["It is ", "Oslo."]),
    Citation("Oslo", "https://a.example/", "A"),
    Media(b"\x89PNG"),
    Json({"a": 1}, chunks=1),
    ToolCalls(ToolCall("weather", {"city": "Oslo"}, chunks=2), ToolCall("now", None, id="n1")),
    usage=Usage(2312, 50, cached=2000, cache_write=300),
    extra={"serviceTier": {"type": "flex"}},
)
CITED = {
    "title": "A",
    "sourceContent": [{"text": "Oslo"}],
    "location": {"web": {"url": "https://a.example/"}},
}
USAGE = {
    "inputTokens": 12,
    "outputTokens": 50,
    "totalTokens": 2362,
    "cacheReadInputTokens": 2000,
    "cacheWriteInputTokens": 300,
}
END = {"usage": USAGE, "metrics": {"latencyMs": 604}, "serviceTier": {"type": "flex"}}


@WHOLE
def test_a_whole_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(EVERYTHING)
    response = read(server)
    assert without_metadata(response) == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm. Yes.", "signature": "S"}}},
                    {"reasoningContent": {"redactedContent": b"secret thoughts"}},
                    {"citationsContent": {"content": [{"text": "It is Oslo."}], "citations": [CITED]}},
                    {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}},
                    {"text": '{"a": 1}'},
                    {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Oslo"}}},
                    {"toolUse": {"toolUseId": "n1", "name": "now", "input": {}}},
                ],
            }
        },
        "stopReason": "tool_use",
        **END,
    }
    assert response["ResponseMetadata"]["RequestId"] == f"req_{server.requests[-1].number}"


@STREAMED
def test_a_streamed_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(EVERYTHING)

    def start(index: int, **block: Any) -> dict[str, Any]:
        return {"contentBlockStart": {"contentBlockIndex": index, "start": block}}

    def delta(index: int, **block: Any) -> dict[str, Any]:
        return {"contentBlockDelta": {"contentBlockIndex": index, "delta": block}}

    def stop(index: int) -> dict[str, Any]:
        return {"contentBlockStop": {"contentBlockIndex": index}}

    assert read(server) == [
        {"messageStart": {"role": "assistant"}},
        delta(0, reasoningContent={"text": "Hm. "}),
        delta(0, reasoningContent={"text": "Yes."}),
        delta(0, reasoningContent={"signature": "S"}),
        stop(0),
        delta(1, reasoningContent={"redactedContent": b"secret thoughts"}),
        stop(1),
        delta(2, text="It is "),
        delta(2, text="Oslo."),
        delta(2, citation=CITED),
        stop(2),
        start(3, image={"format": "png"}),
        delta(3, image={"source": {"bytes": b"\x89PNG"}}),
        stop(3),
        delta(4, text='{"a": 1}'),
        stop(4),
        start(5, toolUse={"toolUseId": "call_1", "name": "weather"}),
        delta(5, toolUse={"input": ""}),
        delta(5, toolUse={"input": '{"city":'}),
        delta(5, toolUse={"input": ' "Oslo"}'}),
        stop(5),
        start(6, toolUse={"toolUseId": "n1", "name": "now"}),
        delta(6, toolUse={"input": ""}),
        stop(6),
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": END},
    ]


@STREAMED
def test_parallel_tool_calls_interleave(server: ProviderServer, read: Read) -> None:
    calls = (ToolCall("a", {"x": 1}, chunks=1), ToolCall("b", {"y": 2}, chunks=1))
    server.reply(Answer(ToolCalls(*calls, shape="interleaved"), usage=None))
    events = read(server)
    order = [(name, event.get("contentBlockIndex")) for one in events for name, event in one.items()]
    assert order == [
        ("messageStart", None),
        ("contentBlockStart", 0),
        ("contentBlockStart", 1),
        ("contentBlockDelta", 0),
        ("contentBlockDelta", 1),
        ("contentBlockDelta", 0),
        ("contentBlockDelta", 1),
        ("contentBlockStop", 0),
        ("contentBlockStop", 1),
        ("messageStop", None),
    ]


@pytest.mark.parametrize(
    ("answer", "content", "stop_reason"),
    [
        (Answer(Text("Zażółć 🦀", chunks=3)), [{"text": "Zażółć 🦀"}], "end_turn"),
        (Answer(Refusal("I cannot.")), [{"text": "I cannot."}], "end_turn"),
        (Answer("Hel", finish="length"), [{"text": "Hel"}], "max_tokens"),
        (Answer("Hel", finish="content_filter"), [{"text": "Hel"}], "content_filtered"),
        (Answer("Hel", finish="malformed_tool_use"), [{"text": "Hel"}], "malformed_tool_use"),
        (Answer(Blocked(message="Not this.")), [{"text": "Not this."}], "guardrail_intervened"),
    ],
    ids=["unicode", "refusal", "length", "filter", "its own word", "blocked"],
)
def test_streamed_and_whole_are_the_same(
    server: ProviderServer, answer: Answer, content: list[Any], stop_reason: str
) -> None:
    server.reply(answer, answer)
    response, events = whole(server), streamed(server)
    assert (response["output"]["message"]["content"], response["stopReason"]) == (content, stop_reason)
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert [{"text": "".join(texts)}] == content
    assert events[-2] == {"messageStop": {"stopReason": stop_reason}}


@pytest.mark.parametrize("model", [MODEL, ARN], ids=["id", "arn"])
def test_models_are_quoted_in_the_path(server: ProviderServer, model: str) -> None:
    server.reply("Hi", "Hi")
    whole(server, model)
    streamed(server, model)
    quoted = model.replace(":", "%3A").replace("/", "%2F")
    assert [request.path for request in server.requests] == [
        f"/bedrock/model/{quoted}/converse",
        f"/bedrock/model/{quoted}/converse-stream",
    ]
    assert "AWS4-HMAC-SHA256" in server.requests[0].headers["authorization"]
    assert "AWS4" not in repr(server.requests[0])


# --- errors and faults ----------------------------------------------------------------------------


@pytest.mark.parametrize("read", [whole, async_streamed])
@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Status(400, "Not now."), "ValidationException", 400),
        (Status(403, "Not now."), "AccessDeniedException", 403),
        (Status(429, "Not now."), "ThrottlingException", 429),
        (Status(500, "Not now."), "InternalServerException", 500),
        (Status(429, "Not now.", type="ModelNotReadyException"), "ModelNotReadyException", 429),
    ],
    ids=["400", "403", "429", "500", "another"],
)
def test_an_error_status(server: ProviderServer, read: Read, fault: Status, code: str, status: int) -> None:
    server.reply(fault)
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        read(server)
    assert type(caught.value).__name__ == code
    assert caught.value.response["Error"] == {"Message": "Not now.", "Code": code}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_retry_finds_the_next_answer(server: ProviderServer) -> None:
    server.reply(Status(503), "well")
    client = client_of(server, attempts=2)
    response = client.converse(modelId=MODEL, messages=MESSAGES)
    client.close()
    assert response["output"]["message"]["content"] == [{"text": "well"}]


@STREAMED
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (StreamError("a b", after=2, message="Oh."), "modelStreamErrorException"),
        (StreamError("a b", after=2, message="Oh.", status=429), "throttlingException"),
        (StreamError("a b", after=2, message="Oh.", type="internalServerException"), "internalServerException"),
        (StreamError("a b", after=2, message="Oh.", code="InternalError"), "InternalError"),
    ],
    ids=["exception", "by status", "by type", "error frame"],
)
def test_an_exception_frame(server: ProviderServer, read: Read, fault: StreamError, code: str) -> None:
    server.reply(fault)
    with pytest.raises(botocore.exceptions.EventStreamError) as caught:
        read(server)
    assert (caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]) == (code, "Oh.")


@STREAMED
@pytest.mark.parametrize("at", [None, 9], ids=["of the message", "of the prelude"])
def test_a_bad_checksum(server: ProviderServer, read: Read, at: int | None) -> None:
    server.reply(Corrupt("a b", after=1, at=at))
    with pytest.raises(botocore.eventstream.ChecksumMismatch):
        read(server)


@STREAMED
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_cut_frame(server: ProviderServer, read: Read, how: Any) -> None:
    server.reply(Cut("Hello there", at=150, how=how))
    with pytest.raises((urllib3.exceptions.ProtocolError, aiohttp.ClientError)):
        read(server)
    server.wait_closed()
    assert (server.requests[-1].outcome, server.requests[-1].bytes_sent) == ("cut", 150)


@STREAMED
def test_the_sdk_drops_a_payload_that_is_not_json(server: ProviderServer, read: Read) -> None:
    server.reply(Garbage(script="a b", after=1))
    _, junk, *_ = read(server)
    assert junk == {"contentBlockDelta": {}}


def test_a_stall_ends_when_the_client_leaves(server: ProviderServer) -> None:
    server.reply(Stall("a b", after=2))
    client = client_of(server)
    stream = client.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    events = iter(stream)
    assert [next(iter(next(events))) for _ in range(2)] == ["messageStart", "contentBlockDelta"]
    stream.close()
    server.wait_closed()
    client.close()
    assert server.requests[-1].outcome == "abandoned"


# --- bytes ----------------------------------------------------------------------------------------


def raw(server: ProviderServer, scripted: Scripted) -> list[bytes]:
    """Return the HTTP chunks of a stream as boto3 receives them."""
    server.reply(scripted)
    client = client_of(server)
    box: list[Any] = []
    event = "after-call.bedrock-runtime.ConverseStream"
    client.meta.events.register(event, lambda http_response, **_: box.append(http_response.raw))
    client.converse_stream(modelId=MODEL, messages=MESSAGES)
    chunks = list(box[0].stream(65536))
    client.close()
    return chunks


def test_a_frame_byte_for_byte(server: ProviderServer) -> None:
    first, *_ = raw(server, "Hi")
    headers = b"".join(
        bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value
        for name, value in [
            (b":message-type", b"event"),
            (b":event-type", b"messageStart"),
            (b":content-type", b"application/json"),
        ]
    )
    payload = b'{"role": "assistant", "p": "a"}'
    prelude = struct.pack(">II", 12 + len(headers) + len(payload) + 4, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    assert first == message + struct.pack(">I", zlib.crc32(message))


@pytest.mark.parametrize("read_sizes", [None, [1, 2, 3]], ids=["by frame", "by read"])
@pytest.mark.parametrize("rest", [b"", b"\x00\x00", b"\x00\x00\x01\x00\x00"], ids=["whole", "cut length", "cut frame"])
def test_a_recording_byte_for_byte(server: ProviderServer, read_sizes: list[int] | None, rest: bytes) -> None:
    frames = raw(server, EVERYTHING)
    recording = b"".join(frames) + rest
    replayed = raw(server, Replay(recording, read_sizes=read_sizes))
    assert b"".join(replayed) == recording
    assert read_sizes is not None or replayed == [*frames, *filter(None, [rest])]
