"""The option `rate_limit=`, measured at the server."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import openai as openai_sdk
import pytest

from ferroscope import llm
from ferroscope._engine.pacing import Window
from ferroscope.retries import RateLimit, Retry
from ferroscope.testing import Answer, Body, ProviderServer, Status, Text, Usage

from .conftest import Asker


def are_in_time(server: ProviderServer, begun: float, count: int, period: float) -> bool:
    """Whether no more requests came in each period since the beginning than its count."""
    arrived = sorted(request.received_at - begun for request in server.requests)
    return all(at >= number // count * period for number, at in enumerate(arrived))


@pytest.mark.parametrize("streamed", [False, True])
def test_tasks_share_the_requests_of_a_period(server: ProviderServer, streamed: bool) -> None:
    limit = RateLimit(requests_per_minute=3 + streamed, period=0.3)

    @llm.call("openai", "gpt-4o-mini", stream=streamed, rate_limit=limit)
    async def hello() -> str:
        return "Hi"

    async def ask() -> str:
        answer: Any = await hello()
        return str((await answer.acollect() if streamed else answer).content)

    async def main() -> list[str]:
        return await asyncio.gather(*[ask() for _ in range(9)])

    server.reply(*["Hi"] * 9)
    begun = time.monotonic()
    assert asyncio.run(main()) == ["Hi"] * 9
    assert are_in_time(server, begun, 3 + streamed, 0.3)


def test_threads_and_functions_share_the_requests_of_a_period(server: ProviderServer) -> None:
    limit = RateLimit(requests_per_minute=2, period=0.25)
    calls = [llm.call("openai", "gpt-4o-mini", rate_limit=limit)(lambda: "Hi") for _ in range(2)]
    server.reply(*["Hi"] * 6)
    begun = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        answers: list[Any] = list(pool.map(lambda number: calls[number % 2](), range(6)))
    assert sorted(answer.attempts[0].waited > 0 for answer in answers) == [False] * 2 + [True] * 4
    assert are_in_time(server, begun, 2, 0.25)


def test_retries_count_as_requests(ask: Asker, server: ProviderServer) -> None:
    limit = RateLimit(requests_per_minute=1, period=0.21 if ask.is_async else 0.2)
    server.reply(Status(503), Status(503), "Hi")
    begun = time.monotonic()
    response = ask.call(rate_limit=limit, retry=Retry(wait=0, jitter=0))()
    assert len(response.attempts) == 3
    assert are_in_time(server, begun, 1, 0.2)


def test_the_retries_of_a_limited_call_are_ours(ask: Asker, server: ProviderServer) -> None:
    limit = RateLimit(requests_per_minute=1001 if ask.is_async else 1000)
    server.reply(*[Status(503, retry_after=0)] * 5)
    with pytest.raises(Exception, match="503") as caught:
        ask.call(rate_limit=limit)()
    assert len(server.requests) == len(caught.value.attempts) == 3  # type: ignore[attr-defined]


def test_models_have_limits_of_their_own(ask: Asker, server: ProviderServer) -> None:
    limit = RateLimit(requests_per_minute=1, period=30 + ask.is_async)
    server.reply("Hi", "Hi")
    assert ask.call(model="gpt-4o", rate_limit=limit)().attempts[0].waited == 0
    assert ask.call(model="gpt-4o-mini", rate_limit=limit)().attempts[0].waited == 0


@pytest.mark.parametrize("streamed", [False, True])
def test_tokens_are_corrected_by_the_usage(ask: Asker, server: ProviderServer, streamed: bool) -> None:
    limit = RateLimit(tokens_per_minute=1000, period=30 + ask.is_async + streamed / 2)
    server.reply(*[Answer(Text("Hi"), usage=Usage(100, 50))] * 3)
    call = ask.call(rate_limit=limit, stream=streamed, call_params={"max_tokens": 600})
    for _ in range(3):  # 600 are reserved for each, and 150 used
        answer = call()
        answer = ask.collect(answer) if streamed else answer
        assert answer.attempts[0].waited == 0


def test_tokens_that_are_used_are_waited_for(ask: Asker, server: ProviderServer) -> None:
    limit = RateLimit(tokens_per_minute=1000, period=0.31 if ask.is_async else 0.3)
    server.reply(*[Answer(Text("Hi"), usage=Usage(800, 100))] * 2)
    begun = time.monotonic()
    call = ask.call(rate_limit=limit, call_params={"max_tokens": 600})
    assert [call().attempts[0].waited > 0 for _ in range(2)] == [False, True]
    assert are_in_time(server, begun, 1, 0.3)


STREAM = "".join(
    f"data: {json.dumps(data)}\n\n"
    for data in (
        {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]},
    )
)


@pytest.mark.parametrize("reset", ["0.2", "200ms", "0m0.2s"], ids=["seconds", "milliseconds", "minutes"])
def test_a_limit_that_is_used_up_is_waited_for(ask: Asker, server: ProviderServer, reset: str) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset}
    server.reply(Body(STREAM + "data: [DONE]\n\n", content_type="text/event-stream", headers=headers), "Hi")
    assert ask.collect(ask.call(stream=True, retry=2)()).content == "Hi"
    response = ask.call(retry=2)()
    assert response.attempts[0].waited > 0.1


OPENAI_BODY = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}
ANTHROPIC_BODY = {
    "id": "1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("provider", "model", "body", "headers"),
    [
        (
            "openai",
            "gpt-4o-mini",
            OPENAI_BODY,
            lambda: {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "300ms"},
        ),
        (
            "mistral",
            "mistral-large-latest",
            OPENAI_BODY,
            lambda: {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0.3"},
        ),
        (
            "anthropic",
            "claude-haiku-4-5",
            ANTHROPIC_BODY,
            lambda: {
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": in_seconds(0.4),
            },
        ),
    ],
    ids=["openai", "mistral", "anthropic"],
)
def test_a_limit_that_a_response_reports_is_waited_for(
    ask: Asker, server: ProviderServer, provider: str, model: str, body: Any, headers: Any
) -> None:
    pytest.importorskip(provider if provider != "mistral" else "mistralai")
    server.reply("warm", Body(json.dumps(body), content_type="application/json", headers=headers()), "Hi")
    call = ask.call(provider, model, retry=2)
    assert call().content == "warm"
    assert call().content == "Hi"
    assert call().attempts[0].waited > 0.05


def test_the_hooks_of_a_program_are_kept_and_added_once(server: ProviderServer) -> None:
    seen: list[int] = []
    http = openai_sdk.DefaultHttpxClient(event_hooks={"response": [lambda response: seen.append(1)]})
    server.reply("Hi", "Hi", "Hi")
    with openai_sdk.OpenAI(http_client=http) as client:
        call = llm.call("openai", "gpt-4o-mini", retry=2, client=client)(lambda: "Hi")
        call(), call()
    assert len(seen) == 2
    assert len(http.event_hooks["response"]) == 1
    with openai_sdk.OpenAI() as own:
        call = llm.call("openai", "gpt-4o-mini", retry=2, client=own)(lambda: "Hi")
        call()
        assert len(own._client.event_hooks["response"]) == 1


@pytest.mark.parametrize(
    ("amounts", "times"),
    [
        ([1, 1, 1, 1, 1], [0, 0, 0, 10, 10]),
        ([3, 1, 3], [0, 10, 20]),
        ([2, 2, 1], [0, 10, 10]),
        ([9, 1], [0, 10]),
        ([1, 9, 1], [0, 10, 20]),
        ([0, 3, 0], [0, 0, 0]),
    ],
)
def test_any_period_has_at_most_the_limit(amounts: list[float], times: list[float]) -> None:
    window, found = Window(3, 10), []
    for amount in amounts:
        at = window.earliest(0, amount)
        window.add(at, amount)
        found.append(at)
    assert found == times
