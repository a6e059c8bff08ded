"""The Cohere wire of the loopback server, read by the real cohere SDK and as raw bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import cohere
import cohere.core
import httpx
import pytest

from ferroscope.testing import (
    Answer,
    Blocked,
    Citation,
    Cut,
    EncryptedReasoning,
    Garbage,
    Json,
    ProviderServer,
    Reasoning,
    Refusal,
    Replay,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    ToolPlan,
    Usage,
)

ASKED: dict[str, Any] = {"model": "command-a", "messages": [{"role": "user", "content": "Hi"}]}
Read = Callable[[ProviderServer], list[Any]]


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running: ProviderServer) -> ProviderServer:
    running.forget()
    return running


def whole(server: ProviderServer) -> list[Any]:
    with httpx.Client() as http:
        return [cohere.ClientV2("secret", base_url=server.base_url("cohere"), httpx_client=http).chat(**ASKED)]


def streamed(server: ProviderServer) -> list[Any]:
    with httpx.Client() as http:
        client = cohere.ClientV2("secret", base_url=server.base_url("cohere"), httpx_client=http)
        return list(client.chat_stream(**ASKED))


async def _async(server: ProviderServer, *, stream: bool) -> list[Any]:
    async with httpx.AsyncClient() as http:
        client = cohere.AsyncClientV2("secret", base_url=server.base_url("cohere"), httpx_client=http)
        return [event async for event in client.chat_stream(**ASKED)] if stream else [await client.chat(**ASKED)]


def async_whole(server: ProviderServer) -> list[Any]:
    return asyncio.run(_async(server, stream=False))


def async_streamed(server: ProviderServer) -> list[Any]:
    return asyncio.run(_async(server, stream=True))


STREAMED = pytest.mark.parametrize("read", [streamed, async_streamed], ids=["sync", "async"])
WHOLE = pytest.mark.parametrize("read", [whole, async_whole], ids=["sync", "async"])


def dumped(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = response.model_dump(exclude_unset=True)
    return found


def identifier(server: ProviderServer) -> str:
    return f"00000000-0000-4000-8000-{server.requests[-1].number:012}"


EVERYTHING = Answer(
    Reasoning("Hm. Yes."),
    ToolPlan("I will look."),
    Text("It is Oslo, yes.", chunks=["It is ", "Oslo, yes."]),
    Citation("Oslo", "https://a.example/", "A"),
    EncryptedReasoning("not on this wire"),
    ToolCalls(ToolCall("weather", {"city": "Oslo"}, chunks=2), ToolCall("now", None, id="n1")),
    usage=Usage(100, 30, cached=40, reasoning=9),
)
CITED = {
    "start": 6,
    "end": 10,
    "text": "Oslo",
    "sources": [
        {
            "type": "document",
            "id": "https://a.example/",
            "document": {"id": "https://a.example/", "title": "A", "url": "https://a.example/"},
        }
    ],
    "type": "TEXT_CONTENT",
    "content_index": 1,
}
USAGE = {
    "billed_units": {"input_tokens": 100, "output_tokens": 30},
    "tokens": {"input_tokens": 100, "output_tokens": 30, "reasoning_tokens": 9},
    "cached_tokens": 40,
}


def call(identifier: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


@WHOLE
def test_a_whole_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(EVERYTHING)
    (answer,) = read(server)
    assert dumped(answer) == {
        "id": identifier(server),
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "tool_plan": "I will look.",
            "tool_calls": [call("call_1", "weather", '{"city": "Oslo"}'), call("n1", "now", "")],
            "content": [
                {"type": "thinking", "thinking": "Hm. Yes."},
                {"type": "text", "text": "It is Oslo, yes."},
            ],
            "citations": [CITED],
        },
        "usage": USAGE,
    }
    assert server.requests[-1].path == "/cohere/v2/chat"
    assert "secret" not in repr(server.requests[-1])


@STREAMED
def test_a_streamed_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(EVERYTHING)
    events = [dumped(event) for event in read(server)]
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}

    def event(kind: str, index: int, **message: Any) -> dict[str, Any]:
        return (
            {"type": kind, "index": index, "delta": {"message": message}}
            if message
            else {
                "type": kind,
                "index": index,
            }
        )

    def arguments(index: int, text: str) -> dict[str, Any]:
        return event("tool-call-delta", index, tool_calls={"function": {"arguments": text}})

    assert events == [
        {"type": "message-start", "id": identifier(server), "delta": {"message": empty}},
        event("content-start", 0, content={"type": "thinking", "thinking": ""}),
        event("content-delta", 0, content={"thinking": "Hm. "}),
        event("content-delta", 0, content={"thinking": "Yes."}),
        event("content-end", 0),
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I "}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "will "}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "look."}}},
        event("content-start", 1, content={"type": "text", "text": ""}),
        event("content-delta", 1, content={"text": "It is "}),
        event("content-delta", 1, content={"text": "Oslo, yes."}),
        event("citation-start", 0, citations=CITED),
        event("citation-end", 0),
        event("content-end", 1),
        event("tool-call-start", 0, tool_calls=call("call_1", "weather", "")),
        arguments(0, '{"city":'),
        arguments(0, ' "Oslo"}'),
        event("tool-call-end", 0),
        event("tool-call-start", 1, tool_calls=call("n1", "now", "")),
        event("tool-call-end", 1),
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": USAGE}},
    ]


def texts(events: list[Any]) -> list[str]:
    return [event.delta.message.content.text for event in events if event.type == "content-delta"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(Text("Zażółć 🦀", chunks=3)), "Zażółć 🦀"),
        (Answer(Json({"a": "é"})), '{"a": "é"}'),
        (Answer(Refusal("I cannot.")), "I cannot."),
        (Answer(Text(""), "a"), "a"),
    ],
    ids=["unicode", "json", "refusal", "empty"],
)
@STREAMED
def test_text_in_its_chunks(server: ProviderServer, read: Read, answer: Answer, text: str) -> None:
    server.reply(answer, answer)
    assert "".join(texts(read(server))) == text
    assert [block.text for block in whole(server)[0].message.content] == [text]


SHAPES: list[tuple[ToolCallShape, list[tuple[str, int]]]] = [
    ("sequential", [("start", 0), ("delta", 0), ("end", 0), ("start", 1), ("delta", 1), ("end", 1)]),
    ("interleaved", [("start", 0), ("start", 1), ("delta", 0), ("delta", 1), ("end", 0), ("end", 1)]),
    ("same_index", [("start", 0), ("delta", 0), ("end", 0), ("start", 0), ("delta", 0), ("end", 0)]),
    ("whole", [("start", 0), ("end", 0), ("start", 1), ("end", 1)]),
]


@pytest.mark.parametrize(("shape", "order"), SHAPES)
def test_parallel_tool_calls(server: ProviderServer, shape: ToolCallShape, order: list[tuple[str, int]]) -> None:
    server.reply(Answer(ToolCalls(ToolCall("a", {"x": 1}, chunks=1), ToolCall("b", {"y": 2}, chunks=1), shape=shape)))
    events = [event for event in streamed(server) if event.type.startswith("tool-call")]
    assert [(event.type.removeprefix("tool-call-"), event.index) for event in events] == order
    arguments = [event.delta.message.tool_calls.function.arguments for event in events if event.type != "tool-call-end"]
    assert sorted(filter(None, arguments)) == ['{"x": 1}', '{"y": 2}']


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        ("stop", "COMPLETE"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "TOOL_CALL"),
        ("content_filter", "ERROR"),
        ("STOP_SEQUENCE", "STOP_SEQUENCE"),
        ("TIMEOUT", "TIMEOUT"),
    ],
)
def test_finish_reasons_are_coheres_words(server: ProviderServer, finish: str, word: str) -> None:
    server.reply(*[Answer("Hel", finish=finish)] * 2)
    assert [whole(server)[0].finish_reason, streamed(server)[-1].delta.finish_reason] == [word, word]


def test_a_blocked_prompt(server: ProviderServer) -> None:
    server.reply(*[Answer(Blocked(message="Not this."), usage=None)] * 2)
    assert dumped(whole(server)[0]) == {
        "id": identifier(server),
        "finish_reason": "ERROR",
        "message": {"role": "assistant"},
    }
    _, end = streamed(server)
    assert dumped(end) == {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "Not this."}}


# --- errors and faults ----------------------------------------------------------------------------


@pytest.mark.parametrize("read", [whole, streamed, async_whole, async_streamed])
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, cohere.BadRequestError),
        (401, cohere.UnauthorizedError),
        (404, cohere.NotFoundError),
        (429, cohere.TooManyRequestsError),
        (503, cohere.ServiceUnavailableError),
    ],
)
def test_an_error_status(server: ProviderServer, read: Read, status: int, raised: type[cohere.core.ApiError]) -> None:
    # The SDK tries plain requests again; a fault for every attempt.
    server.reply_always(Status(status, "Not now.", headers={"retry-after-ms": "1"}))
    with pytest.raises(raised) as caught:
        read(server)
    server.reply_always(None)
    assert caught.value.status_code == status
    body: Any = caught.value.body
    assert body == {"id": identifier(server), "message": "Not now."}


@STREAMED
def test_an_error_inside_the_stream_ends_the_message(server: ProviderServer, read: Read) -> None:
    server.reply(StreamError(Answer("a b"), after=3, message="Out of luck."))
    *before, end = read(server)
    assert texts(before) == ["a "]
    assert dumped(end) == {"type": "message-end", "delta": {"error": "Out of luck.", "finish_reason": "ERROR"}}


@STREAMED
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_cut_stream(server: ProviderServer, read: Read, how: Any) -> None:
    server.reply(Cut("Hello there", at=400, how=how))
    with pytest.raises(httpx.TransportError):
        read(server)
    server.wait_closed()
    assert (server.requests[-1].outcome, server.requests[-1].bytes_sent) == ("cut", 400)


@STREAMED
@pytest.mark.filterwarnings("ignore:Skipping SSE event")
def test_the_sdk_skips_garbage(server: ProviderServer, read: Read) -> None:
    server.reply(Garbage(script="a b", after=3))
    assert texts(read(server)) == ["a ", "b"]


def test_a_stall_ends_when_the_client_leaves(server: ProviderServer) -> None:
    server.reply(Stall("a b", after=3))
    with httpx.Client() as http:
        client = cohere.ClientV2("x", base_url=server.base_url("cohere"), httpx_client=http)
        events: Any = client.chat_stream(**ASKED)
        assert [next(events).type for _ in range(3)] == ["message-start", "content-start", "content-delta"]
        events.close()
    server.wait_closed()
    assert server.requests[-1].outcome == "abandoned"


# --- bytes ----------------------------------------------------------------------------------------


def raw(server: ProviderServer) -> list[bytes]:
    with httpx.Client() as http:
        client = cohere.ClientV2("x", base_url=server.base_url("cohere"), httpx_client=http)
        with client.with_raw_response.chat_stream(**ASKED) as response:
            return list(response.response.iter_bytes())


def test_a_stream_byte_for_byte(server: ProviderServer) -> None:
    server.reply(Answer("Hi", usage=None))
    events = raw(server)
    assert b"".join(events).decode() == (
        f'event: message-start\ndata: {{"id":"{identifier(server)}","type":"message-start","delta":{{"message":'
        '{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}\n\n'
        'event: content-start\ndata: {"type":"content-start","index":0,"delta":{"message":{"content":'
        '{"type":"text","text":""}}}}\n\n'
        'event: content-delta\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":'
        '{"text":"Hi"}}}}\n\n'
        'event: content-end\ndata: {"type":"content-end","index":0}\n\n'
        'event: message-end\ndata: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n'
        "data: [DONE]\n\n"
    )


RECORDED = [b'event: message-start\r\ndata: {"id":"\xc3\xa9"}\r\n\r\n', b"data: x\n\n", b"data: [DONE]"]


@pytest.mark.parametrize("read_sizes", [None, [1, 2, 3]], ids=["by event", "by read"])
def test_a_recording_byte_for_byte(server: ProviderServer, read_sizes: list[int] | None) -> None:
    server.reply(Replay(b"".join(RECORDED), read_sizes=read_sizes))
    reads = raw(server)
    assert b"".join(reads) == b"".join(RECORDED)
    assert read_sizes is not None or reads == RECORDED
