"""The loopback provider server, seen by real OpenAI clients."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from ferroscope.testing import (
    Answer,
    Body,
    Cut,
    Garbage,
    HangUp,
    Json,
    ProviderServer,
    Reasoning,
    Refusal,
    Replay,
    Request,
    Script,
    SlowHeaders,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    Usage,
)

HTTP = sys.modules.get("httpx2") or sys.modules["httpx"]
BROKEN: tuple[type[Exception], ...] = (openai.APIConnectionError, HTTP.TransportError)
"""A broken connection, as the SDK says it and as reading its raw bytes does."""

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture
def client(server: ProviderServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url("openai"), api_key="sk-secret", max_retries=0) as made:
        yield made


@pytest.fixture
async def async_client(server: ProviderServer) -> AsyncIterator[openai.AsyncOpenAI]:
    url = server.base_url("openai")
    async with openai.AsyncOpenAI(base_url=url, api_key="sk-secret", max_retries=0) as made:
        yield made


def whole(client: openai.OpenAI) -> ChatCompletion:
    return client.chat.completions.create(model="gpt-5", messages=ASKED)


def streamed(client: openai.OpenAI) -> ChatCompletion:
    """What the SDK's own accumulator makes of the stream."""
    with client.chat.completions.stream(
        model="gpt-5", messages=ASKED, stream_options={"include_usage": True}
    ) as stream:
        return stream.get_final_completion()


def raw_bytes(client: openai.OpenAI, **options: Any) -> bytes:
    stream = client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True, **options)
    return b"".join(stream.response.iter_bytes())


def test_a_streamed_answer_byte_for_byte(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Answer(Text("Hi, you", chunks=["Hi, ", "you"]), usage=Usage(9, 3, cached=1, reasoning=2)))

    def event(delta: str, finish: str = "null") -> str:
        return (
            'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5",'
            '"service_tier":"default","system_fingerprint":"fp_testing","choices":[{"index":0,'
            f'"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null}}\n\n'
        )

    usage = (
        'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5",'
        '"service_tier":"default","system_fingerprint":"fp_testing","choices":[],"usage":{"prompt_tokens":9,'
        '"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":1,"audio_tokens":0},'
        '"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0,"accepted_prediction_tokens":0,'
        '"rejected_prediction_tokens":0}}}\n\n'
    )
    assert raw_bytes(client, stream_options={"include_usage": True}).decode() == (
        event('{"role":"assistant","content":"","refusal":null}')
        + event('{"content":"Hi, "}')
        + event('{"content":"you"}')
        + event("{}", '"stop"')
        + usage
        + "data: [DONE]\n\n"
    )


def test_usage_comes_in_a_stream_only_when_asked_for(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply("Hello", "Hello")
    assert b'"usage"' not in raw_bytes(client)
    assert raw_bytes(client, stream_options={"include_usage": True}).count(b'"prompt_tokens"') == 1


@pytest.mark.parametrize(("usage_in", "times"), [("finish_chunk", 1), ("every_chunk", 4)])
def test_usage_where_other_providers_put_it(
    server: ProviderServer, client: openai.OpenAI, usage_in: Any, times: int
) -> None:
    server.reply(Answer("Hello you", usage_in=usage_in))
    assert raw_bytes(client).count(b'"prompt_tokens":10') == times


@pytest.mark.parametrize(
    "answer",
    [
        Answer("Hello there, you"),
        Answer(Text("Zażółć 🦀 gęślą", chunks=5)),
        Answer(Json({"name": "Ada", "age": 36})),
        Answer(Refusal("I cannot help with that.")),
        Answer(Text("Let me look."), ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_w"))),
        Answer(ToolCalls(ToolCall("foo", {"a": 1}), ToolCall("foo", {"a": 2})), usage=Usage(1, 2)),
        Answer("It is over.", model="gpt-5-2026-01-01", extra={"provider": "Azure"}),
    ],
    ids=lambda answer: type(answer.parts[-1]).__name__,
)
def test_streamed_and_whole_are_the_same_answer(server: ProviderServer, client: openai.OpenAI, answer: Answer) -> None:
    server.reply(answer, answer)

    def fields(completion: ChatCompletion) -> dict[str, Any]:
        found = completion.model_dump(exclude={"id"}, exclude_none=True)
        for choice in found["choices"]:
            choice["message"].pop("tool_calls", None)
        return found

    def calls(completion: ChatCompletion) -> list[tuple[str, str, str]]:
        made = completion.choices[0].message.tool_calls or []
        return [(call.id, call.function.name, call.function.arguments) for call in made if call.type == "function"]

    from_stream, at_once = streamed(client), whole(client)
    assert fields(from_stream) == fields(at_once)
    assert calls(from_stream) == calls(at_once)


TOOL_DELTAS: dict[ToolCallShape, list[list[tuple[int, str | None, str | None, str]]]] = {
    "sequential": [
        [(0, "call_1", "foo", "")],
        [(0, None, None, '{"a"')],
        [(0, None, None, ": 1}")],
        [(1, "call_2", "foo", "")],
        [(1, None, None, '{"a"')],
        [(1, None, None, ": 2}")],
    ],
    "interleaved": [
        [(0, "call_1", "foo", "")],
        [(1, "call_2", "foo", "")],
        [(0, None, None, '{"a"')],
        [(1, None, None, '{"a"')],
        [(0, None, None, ": 1}")],
        [(1, None, None, ": 2}")],
    ],
    "together": [[(0, "call_1", "foo", '{"a": 1}'), (1, "call_2", "foo", '{"a": 2}')]],
    "same_index": [
        [(0, "call_1", "foo", "")],
        [(0, None, None, '{"a"')],
        [(0, None, None, ": 1}")],
        [(0, "call_2", "foo", "")],
        [(0, None, None, '{"a"')],
        [(0, None, None, ": 2}")],
    ],
    "repeated_id": [
        [(0, "call_1", "foo", "")],
        [(0, "call_1", "foo", '{"a"')],
        [(0, "call_1", "foo", ": 1}")],
        [(1, "call_2", "foo", "")],
        [(1, "call_2", "foo", '{"a"')],
        [(1, "call_2", "foo", ": 2}")],
    ],
    "whole": [[(0, "call_1", "foo", '{"a": 1}')], [(1, "call_2", "foo", '{"a": 2}')]],
}


@pytest.mark.parametrize("shape", TOOL_DELTAS)
def test_tool_calls_travel_in_the_shape_asked_for(
    server: ProviderServer, client: openai.OpenAI, shape: ToolCallShape
) -> None:
    one, two = ToolCall("foo", {"a": 1}, chunks=2), ToolCall("foo", {"a": 2}, chunks=2)
    server.reply(Answer(ToolCalls(one, two, shape=shape)))
    deltas = [
        [
            (
                call.index,
                call.id,
                call.function and call.function.name,
                call.function and call.function.arguments,
            )
            for call in chunk.choices[0].delta.tool_calls
        ]
        for chunk in client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
        if chunk.choices[0].delta.tool_calls
    ]
    assert deltas == TOOL_DELTAS[shape]


def test_reasoning_goes_beside_the_content(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Answer(Reasoning("hm, ", field="reasoning"), Text("yes")))
    assert b'"delta":{"reasoning":"hm, "}' in raw_bytes(client)


def test_two_choices_interleave(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply("a b")
    seen = [
        (chunk.choices[0].index, chunk.choices[0].delta.content)
        for chunk in client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True, n=2)
    ]
    assert seen == [(0, ""), (1, ""), (0, "a "), (1, "a "), (0, "b"), (1, "b"), (0, None), (1, None)]


RECORDING = b'\xef\xbb\xbf: hello\r\n\r\ndata: {"a":1}\r\n\r\ndata: {"b":2}\n\ndata: [DONE]'


@pytest.mark.parametrize(
    ("read_sizes", "reads"),
    [
        ([3, 10, 1], [RECORDING[:3], RECORDING[3:13], RECORDING[13:14], RECORDING[14:]]),
        (None, [RECORDING[:14], RECORDING[14:31], RECORDING[31:46], RECORDING[46:]]),
    ],
    ids=["recorded reads", "an event a read"],
)
def test_a_recording_is_replayed_in_its_reads(
    server: ProviderServer, client: openai.OpenAI, read_sizes: list[int] | None, reads: list[bytes]
) -> None:
    server.reply(Replay(RECORDING, read_sizes=read_sizes, content_type="application/json"))
    stream = client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
    assert list(stream.response.iter_bytes()) == reads
    assert stream.response.headers["content-type"] == "application/json"


def test_a_recording_answers_a_plain_request_with_its_twin(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Replay(RECORDING, body={"id": "twin", "choices": []}), Replay(RECORDING))
    assert whole(client).id == "twin"
    with pytest.raises(openai.InternalServerError, match="no `body=`"):
        whole(client)


def test_a_body_is_sent_as_it_is(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Body({"id": "x", "choices": [], "made_up": 1}, headers={"x-ratelimit-remaining-requests": "7"}))
    raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=ASKED)
    assert (raw.headers["x-ratelimit-remaining-requests"], raw.parse().model_dump()["made_up"]) == ("7", 1)


def test_coalesced_events_share_an_http_chunk(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Answer("a b c d", coalesce=0), Answer("a b c d", coalesce=4))
    reads = []
    for _ in range(2):
        stream = client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
        reads.append([read.count(b"data: ") for read in stream.response.iter_bytes()])
    assert reads == [[7], [4, 3]]


# --- scripting ----------------------------------------------------------------------------------


def test_the_queue_comes_first_then_the_default(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply("one", "two").reply_always("always")
    assert [whole(client).choices[0].message.content for _ in range(4)] == ["one", "two", "always", "always"]


def test_a_function_decides_when_the_request_is_there(server: ProviderServer, client: openai.OpenAI) -> None:
    def echo(request: Request) -> Script | str:
        return f"You said {request.json['messages'][-1]['content']}"

    server.reply_always(echo)
    assert whole(client).choices[0].message.content == "You said Hi"


def test_a_missing_or_failing_script_is_said_at_once(server: ProviderServer) -> None:
    def fails(request: Request) -> str:
        raise LookupError("no such thing")

    with openai.OpenAI(base_url=server.base_url("openai"), api_key="x", max_retries=5) as client:
        with pytest.raises(openai.InternalServerError, match="no answer is scripted"):
            whole(client)
        server.reply(fails)
        with pytest.raises(openai.InternalServerError, match=r"the script failed: LookupError\('no such thing'\)"):
            whole(client)
    assert len(server.requests) == 2


def test_a_path_of_no_wire_is_not_found_and_takes_no_answer(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply("still there")
    with pytest.raises(openai.NotFoundError, match="no provider is served at GET /openai/v1/models"):
        client.models.list()
    assert whole(client).choices[0].message.content == "still there"


def test_requests_are_recorded_and_the_key_is_not_shown(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply("Hello")
    whole(client)
    server.wait_closed()
    (request,) = server.requests
    assert (request.method, request.path, request.connection, request.outcome) == (
        "POST",
        "/openai/v1/chat/completions",
        1,
        "complete",
    )
    assert request.json == {"model": "gpt-5", "messages": ASKED}
    assert request.headers["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(request)
    assert "sk-secret" not in str(request.headers)


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "raised", "code"),
    [
        (400, openai.BadRequestError, None),
        (401, openai.AuthenticationError, "invalid_api_key"),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (503, openai.InternalServerError, None),
    ],
)
def test_an_error_status_has_the_providers_body(
    server: ProviderServer,
    client: openai.OpenAI,
    status: int,
    raised: type[openai.APIStatusError],
    code: str | None,
) -> None:
    server.reply(Status(status, "Not now"))
    with pytest.raises(raised, match="Not now") as caught:
        whole(client)
    assert (caught.value.code, caught.value.request_id) == (code, "req_1")


def test_a_retry_after_is_heeded_and_the_next_answer_taken(server: ProviderServer) -> None:
    server.reply(Status(429, retry_after=0.01), Status(503, retry_after=0.01), "well")
    with openai.OpenAI(base_url=server.base_url("openai"), api_key="x", max_retries=2) as client:
        assert whole(client).choices[0].message.content == "well"
    assert [request.headers["x-stainless-retry-count"] for request in server.requests] == ["0", "1", "2"]


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("ask", [raw_bytes, whole])
def test_a_cut_body_ends_after_so_many_bytes(
    server: ProviderServer, client: openai.OpenAI, how: Any, ask: Callable[[openai.OpenAI], object]
) -> None:
    server.reply(Cut("Hello there", at=100, how=how))
    with pytest.raises(BROKEN):
        ask(client)
    server.wait_disconnected()
    assert [(request.outcome, request.bytes_sent) for request in server.requests] == [("cut", 100)]


def test_what_came_before_a_reset_is_readable(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Cut("Hello there", at=600))
    got = b""
    stream = client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
    reads = stream.response.iter_bytes()
    with pytest.raises(BROKEN):
        while True:
            got += next(reads)
    assert len(got) == 600


def test_a_stalled_stream_ends_when_the_client_leaves(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Stall("a b c", after=3))
    stream = client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "a ", "b "]
    assert server.open_streams == 1
    left = time.monotonic()
    stream.close()
    server.wait_closed()
    (request,) = server.requests
    assert request.outcome == "abandoned"
    assert request.ended_at is not None
    assert request.ended_at - left < 0.05


def test_a_stall_of_some_time_goes_on(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(Stall("a b c", after=3, seconds=0.01), Stall("a b c", after=99, seconds=0.01))
    assert raw_bytes(client).count(b"data: ") == raw_bytes(client).count(b"data: ") == 6


def test_headers_that_never_come_time_out(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(SlowHeaders("late"), SlowHeaders("late", seconds=0.01))
    with pytest.raises(openai.APITimeoutError):
        whole(client.with_options(timeout=0.05))
    server.wait_closed()
    assert server.requests[0].outcome == "abandoned"
    assert whole(client).choices[0].message.content == "late"


def test_an_error_inside_the_stream(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(StreamError("a b c", after=2, message="Overloaded", code="overloaded"))
    stream = client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "a "]
    with pytest.raises(openai.APIError, match="Overloaded") as caught:
        next(stream)
    assert caught.value.code == "overloaded"


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (Garbage(), b'data: {"choices": [{\n\n'),
        (Garbage("html"), b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"),
    ],
    ids=["sse", "html"],
)
def test_garbage_comes_with_status_200(
    server: ProviderServer, client: openai.OpenAI, fault: Garbage, body: bytes
) -> None:
    server.reply(fault)
    assert raw_bytes(client).startswith(body)


def test_a_connection_that_hangs_up(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply(HangUp(), "well again")
    with pytest.raises(openai.APIConnectionError):
        whole(client)
    assert whole(client).choices[0].message.content == "well again"


# --- connections --------------------------------------------------------------------------------


def test_ten_streams_read_to_the_end_use_one_connection(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply_always("a b c")
    for _ in range(10):
        raw_bytes(client)
    assert server.connections_opened == 1
    assert {request.connection for request in server.requests} == {1}
    client.close()
    server.wait_disconnected()
    assert server.open_connections == 0


def test_forgetting_clears_the_record_and_the_queue(server: ProviderServer, client: openai.OpenAI) -> None:
    server.reply("one", "two")
    whole(client)
    server.forget()
    assert (server.requests, server.connections_opened) == ([], 1)
    with pytest.raises(openai.InternalServerError, match="no answer is scripted"):
        whole(client)


async def test_many_async_streams_at_once(server: ProviderServer, async_client: openai.AsyncOpenAI) -> None:
    server.reply_always(Answer(Text("word " * 20), delay=0.001))

    async def one() -> str:
        stream = await async_client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert await asyncio.gather(*(one() for _ in range(50))) == ["word " * 20] * 50
    await asyncio.to_thread(server.wait_closed)
    assert {request.outcome for request in server.requests} == {"complete"}


async def test_a_cancelled_task_closes_its_stream(server: ProviderServer, async_client: openai.AsyncOpenAI) -> None:
    server.reply(Stall("a b c", after=2))

    async def read() -> None:
        async for _ in await async_client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True):
            pass

    task = asyncio.create_task(read())
    await asyncio.to_thread(server.wait_requests, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.wait_closed)
    assert server.requests[0].outcome == "abandoned"


def send(server: ProviderServer, *pieces: bytes) -> bytes:
    """Everything that comes back for bytes written by hand, until the server closes."""
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=5) as raw:
        for piece in pieces:
            raw.sendall(piece)
        got = b""
        while read := raw.recv(65536):
            got += read
        return got


BODY = b'{"model":"m","messages":[]}'
HEAD = b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY],
        [bytes([byte]) for byte in HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY],
        [
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"5\r\n" + BODY[:5] + b"\r\n16\r\n" + BODY[5:],
            b"\r\n0\r\n\r\n",
        ],
        [HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY), BODY[:9], BODY[9:]],
    ],
    ids=["length", "byte by byte", "chunked", "expects 100"],
)
def test_request_bodies_in_every_framing(server: ProviderServer, pieces: list[bytes]) -> None:
    server.reply("Hello")
    got = send(server, *pieces)
    assert b'"content": "Hello"' in got
    assert got.count(b"HTTP/1.1 100 Continue") == (b"Expect" in b"".join(pieces))
    assert server.requests[0].body == BODY


def test_a_body_that_is_no_json_is_a_bad_request_and_takes_no_answer(server: ProviderServer) -> None:
    server.reply("still there")
    got = send(server, HEAD + b"Content-Length: 1\r\n\r\n{")
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"the request is not a JSON object" in got
    assert b"still there" in send(server, HEAD + b"Content-Length: 2\r\n\r\n{}")


@pytest.mark.slow
async def test_a_thousand_streams_are_open_at_once_and_close_with_their_clients(
    server: ProviderServer,
) -> None:
    server.reply_always(Stall("Hello", after=2))
    port = int(server.url.rpartition(":")[2])
    body = b'{"model":"m","messages":[],"stream":true}'
    asked = HEAD.replace(b"close", b"keep-alive") + b"Content-Length: %d\r\n\r\n" % len(body) + body

    async def begin() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        await reader.readuntil(b"Hello")
        return writer

    writers = await asyncio.gather(*(begin() for _ in range(1000)))
    assert (server.open_streams, server.connections_opened) == (1000, 1000)
    for writer in writers:
        writer.close()
    await asyncio.to_thread(server.wait_disconnected)
    assert (server.open_streams, server.open_connections) == (0, 0)
    assert {request.outcome for request in server.requests} == {"abandoned"}


def test_what_is_no_http_is_refused(server: ProviderServer) -> None:
    got = send(server, b"hello?\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert got.endswith(b"not an HTTP/1.1 request line: 'hello?'")


# --- life ---------------------------------------------------------------------------------------


def test_a_server_that_is_not_running_says_so() -> None:
    server = ProviderServer()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url


def test_a_taken_port_is_an_error_of_the_start(server: ProviderServer) -> None:
    with pytest.raises(OSError, match="in use"):
        ProviderServer(port=int(server.url.rpartition(":")[2])).start()


def test_an_unknown_provider_is_named_with_the_known(server: ProviderServer) -> None:
    with pytest.raises(ValueError, match=r"no wire for provider 'nobody'; known providers: .*openai"):
        server.base_url("nobody")


def test_chunks_that_do_not_join_to_the_text_are_refused() -> None:
    with pytest.raises(ValueError, match="join to 'ab', not to 'abc'"):
        Text("abc", chunks=["a", "b"])


def test_importing_the_package_loads_no_server() -> None:
    code = "import ferroscope, sys; print([m for m in sys.modules if m.startswith('ferroscope.testing')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
