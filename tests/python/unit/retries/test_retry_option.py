"""The option `retry=`: what is final, how long it waits, and what it does with clients and answers."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import MagicMock

import openai as openai_sdk
import pytest
from pydantic import BaseModel, Field

from ferroscope import MissingExtraError, errors, llm
from ferroscope.core import openai
from ferroscope.retries import RateLimit, Retry
from ferroscope.testing import (
    Answer,
    ProviderServer,
    SlowHeaders,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
)

from .conftest import Asker

FAST = Retry(wait=0, jitter=0)
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def google_error(**details: Any) -> dict[str, Any]:
    return {"error": {"code": 429, "message": "Too many", "status": "RESOURCE_EXHAUSTED", "details": [details]}}


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "0.05"}, 0.05, 0.06),
        ({"retry-after-ms": "50", "retry-after": "7"}, 0.05, 0.06),
        ({"retry-after": "0"}, 0, 0.01),
        ({"retry-after": "-3"}, 0, 0.01),
        ({"retry-after": http_date(-5)}, 0, 0.01),
        ({"retry-after": "soon"}, 0.02, 0.03),
        ({}, 0.02, 0.03),
    ],
    ids=["seconds", "milliseconds", "none", "negative", "past date", "unreadable", "absent"],
)
def test_the_wait_before_the_second_attempt(
    ask: Asker, server: ProviderServer, headers: dict[str, str], least: float, most: float
) -> None:
    server.reply(Status(503, headers=headers), "Hi")
    response = ask.call(retry=Retry(wait=0.02, jitter=0))()
    assert least <= response.attempts[1].waited < most


def test_a_date_in_the_future_is_waited_for(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.reply(Status(503, headers={"retry-after": http_date(200)}))
    with pytest.raises(errors.InternalServerError) as caught:
        llm.call("openai", "gpt-4o-mini", retry=3)(lambda: "Hi")()
    assert any("the server asks to wait for 19" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("body", "waited"),
    [
        (google_error(**{"@type": RETRY_INFO, "retryDelay": "0.03s"}), 0.03),
        ([google_error(**{"@type": RETRY_INFO, "retryDelay": "0.03s"})], 0.03),
        (google_error(**{"@type": RETRY_INFO}), 0.0),
    ],
    ids=["object", "list of one", "without"],
)
def test_a_wait_in_the_body_is_waited_for(ask: Asker, server: ProviderServer, body: Any, waited: float) -> None:
    server.reply(Status(503, body=body), "Hi")
    response = ask.call("google", "gemini-2.5-flash", retry=FAST)()
    assert waited <= response.attempts[1].waited < waited + 0.01


def test_the_header_wins_over_the_body(ask: Asker, server: ProviderServer) -> None:
    body = google_error(**{"@type": RETRY_INFO, "retryDelay": "9s"})
    server.reply(Status(503, body=body, retry_after=0.01), "Hi")
    assert ask.call("google", "gemini-2.5-flash", retry=FAST)().attempts[1].waited < 1


FINAL = {
    "spent quota": ("openai", Status(429, code="insufficient_quota", type="insufficient_quota")),
    "billing": ("openai", Status(429, code="billing_hard_limit_reached")),
    "requests of a day": ("openai", Status(429, "Limit reached on requests per day (RPD): Limit 200")),
    "quota of a day": (
        "google",
        Status(429, body=google_error(**{"@type": QUOTA_FAILURE, "violations": [{"quotaId": "RequestsPerDay"}]})),
    ),
    "told so": ("openai", Status(503, headers={"x-should-retry": "false"})),
    "too long": ("openai", Status(400, code="context_length_exceeded")),
}
MODELS = {"openai": "gpt-4o-mini", "google": "gemini-2.5-flash", "anthropic": "claude-haiku-4-5"}


@pytest.mark.parametrize("name", FINAL)
@pytest.mark.parametrize("stream", [False, True])
def test_a_final_failure_is_one_request(ask: Asker, server: ProviderServer, name: str, stream: bool) -> None:
    provider, fault = FINAL[name]
    server.reply(fault, "Hi")
    answer: Any = None
    with pytest.raises(errors.APIStatusError):
        answer = ask.call(provider, MODELS[provider], retry=FAST, stream=stream)()
        ask.items(answer)
    assert len(server.requests) == 1


def test_a_status_that_the_server_wants_to_be_retried(ask: Asker, server: ProviderServer) -> None:
    server.reply(Status(400, headers={"x-should-retry": "true"}), "Hi")
    assert ask.call(retry=FAST)().content == "Hi"


@pytest.mark.parametrize(
    ("provider", "error", "requests"),
    [
        ("anthropic", {"type": "overloaded_error", "status": 529}, 2),
        ("anthropic", {"type": "invalid_request_error", "status": 400}, 1),
        ("openai", {"type": "server_error"}, 2),
        ("openai", {"type": "invalid_request_error", "code": "context_length_exceeded"}, 1),
    ],
)
def test_an_error_inside_a_stream(
    ask: Asker, server: ProviderServer, provider: str, error: dict[str, Any], requests: int
) -> None:
    server.reply(StreamError("Hi", after=0, **error), "Hi")
    stream = ask.call(provider, MODELS[provider], stream=True, retry=FAST)()
    _, failure = ask.read(stream)
    assert (len(server.requests), failure is None) == (requests, requests == 2)


def test_the_client_of_the_program_keeps_its_retries(ask: Asker, server: ProviderServer) -> None:
    kind = openai_sdk.AsyncOpenAI if ask.is_async else openai_sdk.OpenAI
    client = kind(base_url=server.base_url("openai"), api_key="key", max_retries=5)
    server.reply(*[Status(503, retry_after=0)] * 2, "Hi")
    with pytest.raises(errors.InternalServerError):
        ask.call(client=client, retry=Retry(attempts=2, wait=0, jitter=0))()
    assert (len(server.requests), client.max_retries) == (2, 5)
    assert ask.call(client=client)().content == "Hi"
    closing = client.close()
    if closing is not None:
        ask.await_(closing)


class Book(BaseModel):
    title: str
    pages: int = Field(gt=0)


TWO_CALLS = Answer(ToolCalls(ToolCall("Book", {"title": "A", "pages": 0}), ToolCall("Book", {"title": "B"})))
GOOD = Answer(ToolCall("Book", {"title": "Emma", "pages": 474}))


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_every_call_of_an_invalid_answer_gets_a_result(ask: Asker, server: ProviderServer, provider: str) -> None:
    server.reply(TWO_CALLS, GOOD)
    book = ask.call(provider, MODELS[provider], response_model=Book, retry=FAST)()
    assert book == Book(title="Emma", pages=474)
    messages = server.requests[1].json["messages"]
    if provider == "openai":
        called = [call["id"] for call in messages[1]["tool_calls"]]
        answered = [message["tool_call_id"] for message in messages[2:]]
        text = messages[2]["content"]
    else:
        called = [block["id"] for block in messages[1]["content"]]
        answered = [block["tool_use_id"] for block in messages[2]["content"]]
        assert [block["is_error"] for block in messages[2]["content"]] == [True, True]
        text = str(messages[2]["content"][0]["content"])
    assert called == answered
    assert len(called) == 2
    assert "- pages: Input should be greater than 0" in text


def test_arguments_that_are_no_json_are_asked_for_again(ask: Asker, server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("Book", '{"title": "Em')), GOOD)
    assert ask.call(response_model=Book, retry=FAST)() == Book(title="Emma", pages=474)
    assert server.requests[1].json["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"title": "Em'


def test_an_answer_that_was_cut_off_by_its_limit_is_final(ask: Asker, server: ProviderServer) -> None:
    server.reply(Answer(Text('{"title": "Em'), finish="length"), GOOD)
    with pytest.raises(errors.ResponseModelError, match="max_tokens"):
        ask.call(response_model=Book, json_mode=True, retry=FAST)()
    assert len(server.requests) == 1


def test_the_last_invalid_answer_is_the_error(ask: Asker, server: ProviderServer) -> None:
    server.reply(TWO_CALLS, TWO_CALLS, TWO_CALLS)
    with pytest.raises(ValueError, match="pages") as caught:
        ask.call(response_model=Book, retry=FAST)()
    assert len(server.requests) == len(caught.value.attempts) == 3  # type: ignore[attr-defined]
    assert len(server.requests[2].json["messages"]) == len(server.requests[1].json["messages"]) + 3


def test_the_option_of_an_override(ask: Asker, server: ProviderServer) -> None:
    server.reply(Status(503), "Hi")
    call = ask.decorate(lambda fn: llm.override(fn, retry=FAST), llm.call("openai", "gpt-4o-mini"))
    assert len(call().attempts) == 2


def test_the_option_of_a_context(ask: Asker, server: ProviderServer) -> None:
    server.reply(Status(503), "Hi")
    call = ask.call()
    with llm.context(provider="anthropic", model="claude-haiku-4-5", retry=FAST):
        assert [attempt.provider for attempt in call().attempts] == ["anthropic", "anthropic"]


def test_an_output_parser_gets_the_answer_once(ask: Asker, server: ProviderServer) -> None:
    server.reply(Status(503), "Hi")
    seen: list[str] = []
    call = ask.call(retry=FAST, output_parser=lambda response: seen.append(response.content) or len(seen))
    assert (call(), seen) == (1, ["Hi"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"retry": 0}, ValueError, "`attempts` of a retry must be a whole number of at least 1, not 0"),
        ({"retry": True}, TypeError, "`retry` must be a number of attempts or a `Retry`, not True"),
        ({"retry": "3"}, TypeError, "`retry` must be a number of attempts or a `Retry`, not '3'"),
        ({"rate_limit": 3}, TypeError, "`rate_limit` is a `RateLimit`, not 3"),
    ],
)
def test_values_that_are_none(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        openai.call("gpt-4o-mini", **options)(lambda: "Hi")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attempts": 0}, "`attempts` of a retry must be a whole number of at least 1, not 0"),
        ({"wait": -1}, "`wait` of a retry must be at least 0 seconds, not -1"),
        ({"deadline": 0}, "`deadline` of a retry must be more than 0 seconds, not 0"),
        ({"hedge_after": 0}, "`hedge_after` of a retry must be more than 0 seconds, not 0"),
        (
            {"hedge_after": 1, "attempts": 1},
            "`hedge_after` of a retry sends a second request, so `attempts` must be at least 2",
        ),
        ({"on": ("always",)}, "`on` of a retry must be one of 'status', 'connection', 'validation', not 'always'"),
        ({"on_break": "go"}, "`on_break` of a retry must be one of 'fail', 'restart', 'continue', not 'go'"),
    ],
)
def test_retries_out_of_range(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Retry(**fields)
    assert str(caught.value) == message


def test_without_tenacity_the_option_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tenacity", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ferroscope\[tenacity\]'"):
        openai.call("gpt-4o-mini", retry=2)(lambda: "Hi")
    openai.call("gpt-4o-mini")(lambda: "Hi")


def test_all_calls_of_a_key_rest_together(server: ProviderServer) -> None:
    refused = Status(429, retry_after=0.2)
    server.reply(*[refused] * 20)
    server.reply_always("Hi")

    @llm.call("openai", "gpt-4o-mini", retry=Retry(attempts=5))
    async def hello() -> str:
        return "Hi"

    async def main() -> list[Any]:
        return await asyncio.gather(*[hello() for _ in range(50)])

    responses = asyncio.run(main())
    server.reply_always(None)
    assert [response.content for response in responses] == ["Hi"] * 50
    assert len(server.requests) == 70
    arrived = sorted(request.received_at for request in server.requests)
    assert sum(time - arrived[0] >= 0.2 for time in arrived) >= 20
    # They do not come back at once. Their times are compared as planned: a loaded machine sends them later.
    waits = [attempt.waited for response in responses for attempt in response.attempts if attempt.waited]
    assert len(waits) >= 20
    assert max(sum(begin <= wait < begin + 0.01 for wait in waits) for begin in waits) < 20


def test_threads_rest_together(server: ProviderServer) -> None:
    call = llm.call("openai", "gpt-4o-mini", retry=Retry(attempts=2, jitter=0))(lambda: "Hi")
    server.reply(Status(429, retry_after=0.3))
    server.reply_always("Hi")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call)
        server.wait_requests(1)
        while not first.done() and not server.requests[0].outcome:
            pass
        second = pool.submit(call).result()
    server.reply_always(None)
    assert len(first.result().attempts) == 2
    assert len(second.attempts) == 1


def test_another_key_does_not_rest(ask: Asker, server: ProviderServer) -> None:
    kind = openai_sdk.AsyncOpenAI if ask.is_async else openai_sdk.OpenAI
    busy, idle = (kind(base_url=server.base_url("openai"), api_key=key) for key in ("busy", "idle"))
    server.reply(Status(429, retry_after=0.5), "Hi", "Hi")
    with pytest.raises(errors.RateLimitError):
        ask.call(client=busy, retry=1)()
    assert ask.call(client=idle, retry=1)().attempts[0].waited == 0
    assert ask.call(client=busy, retry=1)().attempts[0].waited > 0.1
    for client in (busy, idle):
        closing = client.close()
        if closing is not None:
            ask.await_(closing)


def test_rate_limits_out_of_range() -> None:
    with pytest.raises(ValueError) as caught:
        RateLimit(requests_per_minute=0)
    assert str(caught.value) == "`requests_per_minute` of a rate limit must be greater than 0, not 0"


def test_a_stream_is_requested_once_by_two_readers(ask: Asker, server: ProviderServer) -> None:
    server.reply(Answer(Text("one two three")), "Hi")
    stream = ask.call(stream=True, retry=FAST)()
    if ask.is_async:

        async def both() -> list[Any]:
            first = stream.__aiter__()
            items = [await anext(first)]
            items += [item async for item in stream]
            return items + [item async for item in first]

        items = ask.await_(both())
    else:
        first = iter(stream)
        items = [next(first)]
        assert list(stream) == []
        items += list(first)
    assert "".join(chunk.content for chunk, _ in items) == "one two three"
    assert ask.items(stream) == []
    assert len(server.requests) == 1


def test_a_closed_stream_sends_nothing(ask: Asker, server: ProviderServer) -> None:
    stream = ask.call(stream=True, retry=FAST)()
    if ask.is_async:
        ask.await_(stream.aclose())
    else:
        stream.close()
    assert ask.items(stream) == []
    assert server.requests == []
    assert stream.attempts == ()


def test_a_stream_can_be_replayed(ask: Asker, server: ProviderServer) -> None:
    server.reply(Status(503), Answer(Text("one two three")))
    stream = ask.call(stream={"replay": True}, retry=FAST)()
    texts = [["".join(ask.items(stream.text()))] for _ in range(2)]
    assert texts == [["one two three"]] * 2
    assert len(server.requests) == len(stream.attempts) == 2


def test_a_loop_that_is_left_closes_the_connection(ask: Asker, server: ProviderServer) -> None:
    server.reply(Stall(Answer(Text("one two three")), after=3))
    stream = ask.call(stream=True, retry=FAST)()
    if ask.is_async:

        async def first() -> None:
            async with stream:
                async for _ in stream:
                    break

        ask.await_(first())
    else:
        with stream:
            for _ in stream:
                break
    server.wait_closed()
    assert [attempt.error for attempt in stream.attempts] == [None]
    assert len(server.requests) == 1


def test_a_stream_that_cannot_begin_in_time_sends_nothing(ask: Asker, server: ProviderServer) -> None:
    limit = RateLimit(requests_per_minute=1, period=20 + ask.is_async)
    call = ask.call(stream=True, rate_limit=limit, retry=Retry(deadline=5))
    server.reply("Hi", "Hi")
    assert ask.collect(call()).content == "Hi"
    stream = call()
    _, error = ask.read(stream)
    assert isinstance(error, errors.APITimeoutError)
    assert "it has to wait for" in str(error)
    assert ask.items(stream) == []
    assert len(server.requests) == 1


def test_a_mock_of_a_client_is_called_itself() -> None:
    made = openai_sdk.types.chat.ChatCompletion.model_validate(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
        }
    )
    client = MagicMock(spec=openai_sdk.OpenAI)
    client.chat.completions.create.return_value = made
    assert openai.call("m", client=client, retry=2)(lambda: "Hi")().content == "Hi"
    client.with_options.assert_not_called()


def test_a_second_request_needs_room_in_the_rate_limit(ask: Asker, server: ProviderServer) -> None:
    server.reply("Hi", SlowHeaders("Hi", seconds=0.4), "never")
    limit = RateLimit(requests_per_minute=2, period=3600 + ask.is_async)  # each kind has its own
    options: dict[str, Any] = {"retry": Retry(hedge_after=0.1), "rate_limit": limit}
    assert len(ask.call(**options)().attempts) == 1
    assert len(ask.call(**options)().attempts) == 1
    assert len(server.requests) == 2


def test_the_request_that_lost_has_a_span_of_its_own(ask: Asker, server: ProviderServer) -> None:
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    import ferroscope

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    server.reply("Hi", SlowHeaders("Hi"), "Hi")
    ask.call()()
    ferroscope.instrument(tracer_provider=provider)
    try:
        before = server.open_streams
        assert len(ask.call(retry=Retry(hedge_after=0.2))().attempts) == 2
        server.wait_closed(streams=before)
    finally:
        ferroscope.uninstrument()
    for _ in range(200):
        if len(exporter.get_finished_spans()) == 2:
            break
        threading.Event().wait(0.01)
    spans = exporter.get_finished_spans()
    assert sorted(bool(span.attributes.get("gen_ai.usage.input_tokens")) for span in spans) == [False, True]
