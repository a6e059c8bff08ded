"""The Gemini wire of the loopback server, read by the real google-genai SDK and as raw bytes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from ferroscope.testing import (
    Answer,
    Blocked,
    Body,
    Citation,
    Corrupt,
    Cut,
    EncryptedReasoning,
    Garbage,
    Json,
    Media,
    ProviderServer,
    Reasoning,
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

SIGNATURE = base64.b64encode(b"signed").decode()
MODEL = "gemini-3-flash"
Read = Callable[[ProviderServer], list[Any]]


def client_of(server: ProviderServer, **options: Any) -> genai.Client:
    return genai.Client(api_key="secret", http_options=types.HttpOptions(base_url=server.base_url("google"), **options))


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running: ProviderServer) -> ProviderServer:
    running.forget()
    return running


@pytest.fixture
def client(server: ProviderServer) -> Iterator[genai.Client]:
    with client_of(server) as made:
        yield made


def whole(server: ProviderServer) -> list[Any]:
    with client_of(server) as client:
        return [client.models.generate_content(model=MODEL, contents="Hi")]


def streamed(server: ProviderServer) -> list[Any]:
    with client_of(server) as client:
        return list(client.models.generate_content_stream(model=MODEL, contents="Hi"))


def run(ask: Callable[[Any], Awaitable[list[Any]]], server: ProviderServer) -> list[Any]:
    async def asked() -> list[Any]:
        # The SDK does not close an HTTP client that it was given.
        async with httpx2.AsyncClient() as http:
            return await ask(client_of(server, httpx_async_client=http).aio.models)

    return asyncio.run(asked())


def async_whole(server: ProviderServer) -> list[Any]:
    async def ask(models: Any) -> list[Any]:
        return [await models.generate_content(model=MODEL, contents="Hi")]

    return run(ask, server)


def async_streamed(server: ProviderServer) -> list[Any]:
    async def ask(models: Any) -> list[Any]:
        return [chunk async for chunk in await models.generate_content_stream(model=MODEL, contents="Hi")]

    return run(ask, server)


STREAMED = pytest.mark.parametrize("read", [streamed, async_streamed], ids=["sync", "async"])
WHOLE = pytest.mark.parametrize("read", [whole, async_whole], ids=["sync", "async"])


def dumped(response: Any) -> dict[str, Any]:
    """Return what the SDK object says, by the names of the wire."""
    left_out = {"sdk_http_response", "automatic_function_calling_history"}
    found: dict[str, Any] = response.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=left_out)
    return found


def parts_of(responses: list[Any]) -> list[list[dict[str, Any]]]:
    return [dumped(response)["candidates"][0].get("content", {}).get("parts") for response in responses]


def usage(prompt: int, candidates: int, **others: int) -> dict[str, Any]:
    counts = {"promptTokenCount": prompt, "candidatesTokenCount": candidates, **others}
    details = [{"modality": "TEXT", "tokenCount": prompt}]
    return {**{name: count for name, count in counts.items() if count}, "promptTokensDetails": details}


@STREAMED
def test_a_streamed_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(
        Answer(Reasoning("Hm."), Text("Hi, you", chunks=["Hi, ", "you"]), usage=Usage(9, 8, cached=4, reasoning=3))
    )
    chunks = [dumped(chunk) for chunk in read(server)]
    number = server.requests[-1].number

    def chunk(part: dict[str, Any], counts: dict[str, Any], **finish: str) -> dict[str, Any]:
        return {
            "candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0, **finish}],
            "modelVersion": MODEL,
            "responseId": f"resp_{number}",
            "usageMetadata": counts,
        }

    cached = {"cachedContentTokenCount": 4}
    assert chunks == [
        chunk({"text": "Hm.", "thought": True}, usage(9, 0, totalTokenCount=11, thoughtsTokenCount=2, **cached)),
        chunk({"text": "Hi, "}, usage(9, 1, totalTokenCount=13, thoughtsTokenCount=3, **cached)),
        chunk({"text": "you"}, usage(9, 3, totalTokenCount=15, thoughtsTokenCount=3, **cached)),
        chunk({"text": ""}, usage(9, 5, totalTokenCount=17, thoughtsTokenCount=3, **cached), finishReason="STOP"),
    ]


@WHOLE
def test_a_whole_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(
        Answer(
            Reasoning("Hm. Yes."),
            "Hi, you",
            ToolCall("weather", {"city": "Oslo"}, signature=SIGNATURE),
            usage=Usage(9, 8, reasoning=3),
            model="gemini-3-flash-001",
        )
    )
    (answer,) = read(server)
    assert dumped(answer) == {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "Hm. Yes.", "thought": True},
                        {"text": "Hi, you"},
                        {
                            "functionCall": {"name": "weather", "args": {"city": "Oslo"}},
                            "thoughtSignature": SIGNATURE,
                        },
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "modelVersion": "gemini-3-flash-001",
        "responseId": f"resp_{server.requests[-1].number}",
        "usageMetadata": usage(9, 5, totalTokenCount=17, thoughtsTokenCount=3),
    }
    request = server.requests[-1]
    assert (request.path, request.headers["x-goog-api-key"]) == (
        f"/google/v1/models/{MODEL}:generateContent",
        "secret",
    )
    assert "secret" not in repr(request)


ONE, TWO = ToolCall("foo", {"a": 1}, id="c1", signature=SIGNATURE), ToolCall("bar", {"b": "xy"})


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (Answer(Text("Zażółć 🦀", chunks=3)), [[{"text": "Zaż"}], [{"text": "ółć"}], [{"text": " 🦀"}]]),
        (Answer(Json({"a": 1}, chunks=2)), [[{"text": '{"a"'}], [{"text": ": 1}"}]]),
        (
            Answer(Text("ab", chunks=2, signature=SIGNATURE)),
            [[{"text": "a"}], [{"text": "b", "thoughtSignature": SIGNATURE}]],
        ),
        (Answer("a", Text("", signature=SIGNATURE)), [[{"text": "a"}], [{"text": "", "thoughtSignature": SIGNATURE}]]),
        (
            Answer(Reasoning("A", signature=SIGNATURE), EncryptedReasoning("AAAA")),
            [
                [{"text": "A", "thought": True, "thoughtSignature": SIGNATURE}],
                [{"text": "", "thoughtSignature": "AAAA"}],
            ],
        ),
        (Answer(Media(b"\x89PNG")), [[{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]]),
        (
            Answer(ToolCalls(ONE, TWO)),
            [
                [{"functionCall": {"id": "c1", "name": "foo", "args": {"a": 1}}, "thoughtSignature": SIGNATURE}],
                [{"functionCall": {"name": "bar", "args": {"b": "xy"}}}],
            ],
        ),
        (
            Answer(ToolCalls(ONE, TWO, shape="together")),
            [
                [
                    {"functionCall": {"id": "c1", "name": "foo", "args": {"a": 1}}, "thoughtSignature": SIGNATURE},
                    {"functionCall": {"name": "bar", "args": {"b": "xy"}}},
                ]
            ],
        ),
        (Answer(ToolCall("now", None)), [[{"functionCall": {"name": "now"}}]]),
    ],
    ids=lambda value: None if isinstance(value, list) else "-".join(type(part).__name__ for part in value.parts),
)
@STREAMED
def test_each_part_in_a_stream(server: ProviderServer, read: Read, answer: Answer, parts: list[Any]) -> None:
    server.reply(answer)
    *sent, closing = parts_of(read(server))
    assert (sent, closing) == (parts, [{"text": ""}])


def test_arguments_by_path(server: ProviderServer) -> None:
    call = ToolCall("book", {"city": "Oslo", "nights": 2, "odd key": [True, None], "none": []}, id="c1", chunks=2)
    server.reply(Answer(ToolCalls(call, ToolCall("now"), shape="by_path")))
    *sent, _ = parts_of(streamed(server))

    def piece(path: str, **value: Any) -> list[dict[str, Any]]:
        return [{"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}}]

    assert sent == [
        [{"functionCall": {"id": "c1", "name": "book", "willContinue": True}}],
        piece("$.city", stringValue="Os", willContinue=True),
        piece("$.city", stringValue="lo", willContinue=True),
        piece("$.city", stringValue=""),
        piece("$.nights", numberValue=2.0),
        piece('$["odd key"][0]', boolValue=True),
        piece('$["odd key"][1]', nullValue="NULL_VALUE"),
        [{"functionCall": {}}],
        [{"functionCall": {"name": "now"}}],
    ]


@pytest.mark.parametrize(
    ("finish", "word"),
    [("stop", "STOP"), ("length", "MAX_TOKENS"), ("content_filter", "SAFETY"), ("RECITATION", "RECITATION")],
)
@pytest.mark.parametrize("read", [whole, streamed])
def test_finish_reasons_are_googles_words(server: ProviderServer, read: Read, finish: str, word: str) -> None:
    server.reply(Answer("Hel", finish=finish))
    assert read(server)[-1].candidates[0].finish_reason.value == word


@pytest.mark.parametrize("read", [whole, streamed, async_whole, async_streamed])
def test_a_malformed_function_call_has_no_content(server: ProviderServer, read: Read) -> None:
    server.reply(Answer(usage=Usage(9, 0), finish="MALFORMED_FUNCTION_CALL"))
    (answer,) = read(server)
    assert dumped(answer) == {
        "candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "index": 0}],
        "modelVersion": MODEL,
        "responseId": f"resp_{server.requests[-1].number}",
        "usageMetadata": usage(9, 0, totalTokenCount=9),
    }


@pytest.mark.parametrize("read", [whole, streamed, async_whole, async_streamed])
def test_a_blocked_prompt_has_no_candidates(server: ProviderServer, read: Read) -> None:
    server.reply(Answer(Blocked("BLOCKLIST", "Not this."), usage=Usage(7, 0)))
    (answer,) = read(server)
    assert dumped(answer) == {
        "modelVersion": MODEL,
        "promptFeedback": {"blockReason": "BLOCKLIST", "blockReasonMessage": "Not this."},
        "responseId": f"resp_{server.requests[-1].number}",
        "usageMetadata": usage(7, 0, totalTokenCount=7),
    }


def test_a_citation_is_grounding_in_bytes(server: ProviderServer) -> None:
    server.reply(Answer("Zażółć gęślą", Citation("gęślą", "https://a.example/", "A")))
    *_, closing = streamed(server)
    assert dumped(closing)["candidates"][0]["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://a.example/", "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 11, "endIndex": 19, "text": "gęślą"}, "groundingChunkIndices": [0]}
        ],
    }


def test_two_candidates(server: ProviderServer, client: genai.Client) -> None:
    server.reply("a b", "a b")
    config = types.GenerateContentConfig(candidate_count=2)
    streamed_seen = [
        (candidate.index, candidate.content.parts[0].text)
        for chunk in client.models.generate_content_stream(model=MODEL, contents="Hi", config=config)
        for candidate in chunk.candidates or []
        if candidate.content and candidate.content.parts
    ]
    assert streamed_seen == [(0, "a "), (1, "a "), (0, "b"), (1, "b"), (0, ""), (1, "")]
    answer = client.models.generate_content(model=MODEL, contents="Hi", config=config)
    assert [candidate.index for candidate in answer.candidates or []] == [0, 1]


def test_vertex_paths_and_fields(server: ProviderServer) -> None:
    from google.oauth2.credentials import Credentials

    server.reply("Hi")
    with genai.Client(
        vertexai=True,
        project="p",
        location="l",
        credentials=Credentials(token="t"),  # type: ignore[no-untyped-call]
        http_options=types.HttpOptions(base_url=server.base_url("vertex")),
    ) as client:
        first, _ = client.models.generate_content_stream(model=MODEL, contents="Hi")
    assert server.requests[-1].path == (
        f"/google/v1beta1/projects/p/locations/l/publishers/google/models/{MODEL}:streamGenerateContent"
    )
    assert dumped(first) == {
        "candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}}],
        "createTime": "2026-01-01T00:00:00Z",
        "modelVersion": MODEL,
        "responseId": f"resp_{server.requests[-1].number}",
        "usageMetadata": usage(10, 10, totalTokenCount=20) | {"trafficType": "ON_DEMAND"},
    }


# --- bytes ----------------------------------------------------------------------------------------


def post(server: ProviderServer, path: str) -> httpx2.Response:
    return httpx2.post(f"{server.base_url('google')}{path}", json={"contents": []})


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1beta1", "v1alpha"])
def test_every_version_is_answered(server: ProviderServer, version: str) -> None:
    server.reply("Hi")
    assert post(server, f"/{version}/models/m:generateContent").json()["candidates"][0]["content"] == {
        "parts": [{"text": "Hi"}],
        "role": "model",
    }


def test_a_stream_byte_for_byte(server: ProviderServer) -> None:
    server.reply(Answer("Hi", usage=None))
    response = post(server, "/v1beta/models/m:streamGenerateContent?alt=sse")
    number = server.requests[-1].number
    assert response.headers["content-type"] == "text/event-stream"
    assert response.text == (
        'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],'
        f'"modelVersion":"m","responseId":"resp_{number}"}}\r\n\r\n'
        'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0,"finishReason":"STOP"}],'
        f'"modelVersion":"m","responseId":"resp_{number}"}}\r\n\r\n'
    )


def test_without_sse_the_stream_is_one_json_array(server: ProviderServer) -> None:
    server.reply("a b", StreamError("a b", after=1, status=503, message="Later"), Status(429, "Slow down"))
    array, broken, refused = (post(server, "/v1beta/models/m:streamGenerateContent") for _ in range(3))
    assert array.headers["content-type"] == "application/json; charset=UTF-8"
    assert array.text.startswith('[{\n  "candidates": [\n')
    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in array.json()]
    assert texts == ["a ", "b", ""]
    assert broken.json()[1] == {"error": {"code": 503, "message": "Later", "status": "UNAVAILABLE"}}
    assert refused.json() == [{"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}]


def test_a_finish_message(server: ProviderServer) -> None:
    # google-genai 3 drops it on the Gemini API.
    server.reply(Answer("Hi", finish="MALFORMED_FUNCTION_CALL", finish_message="Malformed: print(w())"))
    assert post(server, "/v1beta/models/m:generateContent").json()["candidates"] == [
        {
            "content": {"parts": [{"text": "Hi"}], "role": "model"},
            "finishReason": "MALFORMED_FUNCTION_CALL",
            "finishMessage": "Malformed: print(w())",
            "index": 0,
        }
    ]


def test_a_corrupt_event(server: ProviderServer) -> None:
    server.reply("a b", Corrupt("a b", after=1, at=8))
    good, bad = (post(server, "/v1beta/models/m:streamGenerateContent?alt=sse").content for _ in range(2))
    good = good.replace(b"resp_%d" % (server.requests[-1].number - 1), b"resp_%d" % server.requests[-1].number)
    at = good.index(b"\r\n\r\ndata") + 4 + 8
    assert bad == good[:at] + bytes([good[at] ^ 0x80]) + good[at + 1 :]


# --- errors and faults ----------------------------------------------------------------------------


@pytest.mark.parametrize("read", [whole, streamed, async_whole, async_streamed])
@pytest.mark.parametrize(
    ("fault", "kind", "code", "status"),
    [
        (Status(400, "No."), errors.ClientError, 400, "INVALID_ARGUMENT"),
        (Status(429, "No."), errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        (Status(503, "No."), errors.ServerError, 503, "UNAVAILABLE"),
        (Status(500, "No.", type="UNKNOWN"), errors.ServerError, 500, "UNKNOWN"),
    ],
    ids=["400", "429", "503", "other word"],
)
def test_an_error_status(
    server: ProviderServer,
    read: Read,
    fault: Status,
    kind: type[errors.APIError],
    code: int,
    status: str,
) -> None:
    server.reply(fault)
    with pytest.raises(kind) as caught:
        read(server)
    assert (caught.value.code, caught.value.status, caught.value.message) == (code, status, "No.")
    assert caught.value.details == {"error": {"code": code, "message": "No.", "status": status}}


def test_details_of_an_error(server: ProviderServer) -> None:
    delay = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "39s"}]
    server.reply(Status(429, "No.", extra={"details": delay}))
    with pytest.raises(errors.ClientError) as caught:
        whole(server)
    assert caught.value.details["error"]["details"] == delay


@STREAMED
def test_an_error_inside_the_stream(server: ProviderServer, read: Read) -> None:
    server.reply(StreamError("a b", after=1, status=503, message="The model is overloaded."))
    with pytest.raises(errors.ServerError) as caught:
        read(server)
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")


def test_what_came_before_an_error_is_read(server: ProviderServer, client: genai.Client) -> None:
    server.reply(StreamError("a b", after=2))
    chunks = client.models.generate_content_stream(model=MODEL, contents="Hi")
    assert [next(chunks).text, next(chunks).text] == ["a ", "b"]
    with pytest.raises(errors.ServerError, match="500 INTERNAL"):
        next(chunks)


@pytest.mark.parametrize(
    "fault",
    [Cut("Hello there", at=250), Cut("Hello there", at=250, how="close")],
    ids=["reset", "close"],
)
@STREAMED
def test_a_cut_stream(server: ProviderServer, read: Read, fault: Scripted) -> None:
    server.reply(fault)
    with pytest.raises(httpx2.TransportError):
        read(server)
    server.wait_closed()
    assert (server.requests[-1].outcome, server.requests[-1].bytes_sent) == ("cut", 250)


@STREAMED
def test_garbage(server: ProviderServer, read: Read) -> None:
    server.reply(Garbage(script="a b", after=1))
    with pytest.raises((errors.UnknownApiResponseError, json.JSONDecodeError)):
        read(server)


def test_a_stall_ends_when_the_client_leaves(server: ProviderServer, client: genai.Client) -> None:
    server.reply(Stall("a b", after=1))
    chunks = client.models.generate_content_stream(model=MODEL, contents="Hi")
    assert next(chunks).text == "a "
    chunks.close()  # type: ignore[attr-defined]
    server.wait_closed()
    assert server.requests[-1].outcome == "abandoned"


def test_a_body_for_everything(server: ProviderServer) -> None:
    server.reply(Body({"candidates": [], "promptFeedback": {"blockReason": "OTHER"}}))
    assert dumped(whole(server)[0]) == {"candidates": [], "promptFeedback": {"blockReason": "OTHER"}}


# --- replay ---------------------------------------------------------------------------------------

RECORDED = [
    b'data: {"candidates": [{"content": {"parts": [{"text": "a\xe2\x80\xa8b"}]}}]}\r\n\r\n',
    b'data: {"x": 1}\r\n\r\n',
]
ARRAY = [b'[{\n  "candidates": [{"finishReason": 1, "s": "}{\\"]["}]\n}', b'\n,\r\n{\n  "a": {}\n}', b"\n]\n"]


@pytest.mark.parametrize("events", [RECORDED, ARRAY], ids=["sse", "array"])
@pytest.mark.parametrize("read_sizes", [None, [1, 2, 3, 50]], ids=["by event", "by read"])
def test_a_recording_byte_for_byte(server: ProviderServer, events: list[bytes], read_sizes: list[int] | None) -> None:
    recording = b"".join(events)
    server.reply(Replay(recording, read_sizes=read_sizes))
    with httpx2.stream(
        "POST", f"{server.base_url('google')}/v1beta/models/m:streamGenerateContent?alt=sse", json={}
    ) as response:
        reads = list(response.iter_bytes())
    assert b"".join(reads) == recording
    if read_sizes is None:
        assert reads == events
