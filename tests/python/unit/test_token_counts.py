"""Token counts: what the provider reported, and None for what it did not report or what is no count."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ferroscope import llm, prices
from ferroscope._core import StreamDecoder, token_counts
from ferroscope.core import anthropic, openai
from ferroscope.testing import Body, ProviderServer, Replay

ROOT = Path(__file__).parents[3]
CORPUS = ROOT.parent / "shared/corpus"

# Any: parsed JSON of whatever shape.
Json = Any


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        for provider in ("openai", "anthropic"):
            monkeypatch.setenv(f"{provider.upper()}_API_KEY", "key")
            monkeypatch.setenv(f"{provider.upper()}_BASE_URL", running.base_url(provider))
        yield running


def counts(**known: int) -> dict[str, int | None]:
    """The counts of a usage object, whose cached tokens are part of the prompt unless `prompt` differs."""
    names = ("input", "prompt", "cached", "output", "reasoning", "cache_write", "total")
    return {**dict.fromkeys(names), "prompt": known.get("input"), **known}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 64},
                "completion_tokens_details": {"reasoning_tokens": 8},
            },
            counts(input=100, cached=64, output=20, reasoning=8, total=120),
        ),
        (
            {"prompt_tokens": 100, "completion_tokens": 20, "prompt_cache_hit_tokens": 64},
            counts(input=100, cached=64, output=20),
        ),
        ({"prompt_tokens": 100, "completion_tokens": 20, "cached_tokens": 64}, counts(input=100, cached=64, output=20)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 30,
                "cache_creation_input_tokens": 7,
            },
            counts(input=10, prompt=47, cached=30, output=5, cache_write=7),
        ),
        # The reasoning is beside the candidates, and is generated all the same.
        (
            {
                "promptTokenCount": 10,
                "toolUsePromptTokenCount": 3,
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 2,
                "cachedContentTokenCount": 4,
                "totalTokenCount": 20,
            },
            counts(input=10, prompt=13, cached=4, output=7, reasoning=2, total=20),
        ),
        (
            {"inputTokens": 10, "outputTokens": 5, "totalTokens": 45, "cacheReadInputTokens": 30},
            counts(input=10, prompt=40, cached=30, output=5, total=45),
        ),
        (
            {
                "billed_units": {"input_tokens": 9.0, "output_tokens": 5.0},
                "tokens": {"input_tokens": 70, "output_tokens": 6},
                "cached_tokens": 12,
            },
            counts(input=9, cached=12, output=5),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens_details": {"reasoning_tokens": 2},
                "total_tokens": 15,
            },
            counts(input=10, cached=4, output=5, reasoning=2, total=15),
        ),
        # A server that counts reasoning beside the completion: each count is as reported.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 18,
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            counts(input=10, output=5, reasoning=3, total=18),
        ),
        ({}, counts()),
        ([1], counts()),
        ("free", counts()),
        (None, counts()),
    ],
)
def test_counts_are_those_that_the_provider_reported(usage: Json, expected: dict[str, int | None]) -> None:
    assert token_counts(json.dumps(usage).encode()) == expected


NO_COUNTS = pytest.mark.parametrize("bad", [None, "12", [3], {"value": 3}, -1, 0.5, 1e30, 10**30], ids=repr)


def chat_script(usage: Json) -> Replay:
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    choice = {"index": 0, "finish_reason": "stop"}
    pieces = [
        {**head, "choices": [{**choice, "delta": {"content": "Hi"}}]},
        {**head, "choices": [], "usage": usage},
    ]
    body = {**head, "choices": [{**choice, "message": {"role": "assistant", "content": "Hi"}}], "usage": usage}
    stream = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"
    return Replay(stream.encode(), body=body)


def message_stream(start: Json, end: Json) -> bytes:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": []}
    events = [
        {"type": "message_start", "message": {**message, "usage": start}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def message_script(usage: Json) -> Replay:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6"}
    body = {**message, "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": usage}
    return Replay(message_stream(usage, {}), body=body)


def both(provider: str, server: ProviderServer, script: Replay) -> list[Any]:
    """The response, and the stream at its end."""
    server.reply(script, script)
    call = openai.call if provider == "openai" else anthropic.call
    model = "gpt-4o-mini" if provider == "openai" else "claude-sonnet-4-6"

    def greet() -> str:
        return "Say hi"

    response = call(model)(greet)()  # type: ignore[operator]  # the overloads do not know a union of decorators
    stream = call(model, stream=True)(greet)()  # type: ignore[operator]
    chunks = [chunk for chunk, _ in stream]
    assert all(chunk.input_tokens is None or chunk.input_tokens >= 0 for chunk in chunks)
    return [response, stream, stream.construct_call_response()]


@NO_COUNTS
@pytest.mark.parametrize(
    ("provider", "name", "count"),
    [
        ("openai", "completion_tokens", "output_tokens"),
        ("anthropic", "input_tokens", "input_tokens"),
    ],
)
def test_what_is_no_count_is_none_and_leaves_the_cost_unknown(
    server: ProviderServer, provider: str, name: str, count: str, bad: Json
) -> None:
    usual = {"prompt_tokens": 9, "completion_tokens": 4} if provider == "openai" else {}
    usual = usual or {"input_tokens": 9, "output_tokens": 4}
    script = (chat_script if provider == "openai" else message_script)({**usual, name: bad})
    with prices.meter() as spent:
        answers = both(provider, server, script)
    for answer in answers:
        assert getattr(answer, count) is None
        other = "output_tokens" if count == "input_tokens" else "input_tokens"
        assert getattr(answer, other) in (9, 4)
        assert getattr(answer.cost_metadata, count) is None
        assert answer.common_usage is None
        details = answer.cost_details
        assert (details.total, answer.cost) == (None, None)
        if bad is None:
            unit = "input" if count == "input_tokens" else "output"
            assert details.status == "partial"
            assert details.assumptions == (f"the response does not report its {unit} tokens",)
            assert details.lower_bound > 0
        else:
            assert details.status == "inconsistent_usage"
            assert name in details.assumptions[0]
    assert (spent.total, spent.calls, spent.unpriced_calls) == (Decimal(0), 2, 2)


def test_a_model_without_a_price_for_output_needs_no_count_of_it() -> None:
    cost = prices.cost("openai", "text-embedding-3-small", {"prompt_tokens": 10**6, "total_tokens": 10**6})
    assert (cost.total, cost.status) == (Decimal("0.02"), "exact")


@pytest.mark.parametrize(
    ("end", "status", "total", "sent"),
    [
        ({"output_tokens": 50}, "exact", "0.00675", 100),
        ({"input_tokens": 100, "cache_read_input_tokens": 2000, "output_tokens": 50}, "exact", "0.00675", 100),
        ({"input_tokens": None, "output_tokens": 50}, "exact", "0.00675", 100),
        ({"output_tokens": None}, "partial", None, 100),  # the 1 of the first event is no count of the answer
        ({"input_tokens": 0, "output_tokens": 50}, "inconsistent_usage", None, 0),
        ({"cache_read_input_tokens": 0, "output_tokens": 50}, "inconsistent_usage", None, 100),
        ({"cache_creation_input_tokens": 0, "output_tokens": 50}, "inconsistent_usage", None, 100),
    ],
)
def test_counts_that_fall_to_zero_contradict_the_first_event(
    server: ProviderServer, end: Json, status: str, total: str | None, sent: int
) -> None:
    start = {
        "input_tokens": 100,
        "cache_creation_input_tokens": 1000,
        "cache_read_input_tokens": 2000,
        "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600},
        "output_tokens": 1,
    }
    server.reply(*[Replay(message_stream(start, end))] * 2)

    def greet() -> str:
        return "Say hi"

    stream = anthropic.call("claude-sonnet-4-6", stream=True)(greet)()
    common = llm.call(provider="anthropic", model="claude-sonnet-4-6", stream=True)(greet)()
    for one in (stream, common):
        list(one)
    response, known = stream.construct_call_response(), Decimal(total) if total else None
    answers = (stream, common, common.construct_call_response(), response)
    for answer in (*answers, pickle.loads(pickle.dumps(response)), copy.deepcopy(response)):
        assert (answer.cost_details.status, answer.cost_details.total) == (status, known)
        assert (answer.input_tokens, answer.output_tokens) == (sent, end["output_tokens"])


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"cost": 0.00012, "is_byok": False}, "0.00012"),
        ({"cost_in_usd_ticks": 158500}, "0.00001585"),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.006}}, "0.006"),
        ({"estimated_cost": 8.775e-06}, "0.000008775"),
        # The charge does not depend on counts that cannot be read.
        ({"cost": 0.5, "completion_tokens": "many"}, "0.5"),
    ],
)
def test_a_stated_charge_is_the_cost_of_any_call(server: ProviderServer, stated: Json, expected: str) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 5, **stated}
    for answer in both("openai", server, chat_script(usage)):
        assert (answer.cost_details.status, answer.cost_details.total) == ("reported", Decimal(expected))


def test_usage_in_the_choice_is_the_usage_of_the_stream(server: ProviderServer) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "cached_tokens": 2}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    last = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop", "usage": usage}
    server.reply(Replay(f"data: {json.dumps({**head, 'choices': [last]})}\n\ndata: [DONE]\n\n".encode()))

    @openai.call("gpt-4o-mini", stream=True)
    def greet() -> str:
        return "Say hi"

    stream = greet()
    [(chunk, _)] = stream
    for answer in (chunk, stream, stream.construct_call_response()):
        assert (answer.input_tokens, answer.cached_tokens, answer.output_tokens) == (5, 2, 1)


def test_a_usage_object_may_be_anything(server: ProviderServer) -> None:
    for usage in ("free", [1, 2], 7, {"tokens": 3}):
        server.reply(Body({**json.loads(json.dumps(chat_script(usage).body))}))

        @openai.call("gpt-4o-mini")
        def greet() -> str:
            return "Say hi"

        response = greet()
        assert (response.input_tokens, response.common_usage, response.cost) == (None, None, None)
        assert response.cost_details.status == "no_usage"


# What a recording reports, read by Python, for every wire that the core decodes.


def oracle_chat(events: list[Json]) -> dict[str, Json]:
    found: Json = None
    for event in events:
        if isinstance(event, dict):
            choices = event.get("choices") or [{}]
            in_choice = choices[0].get("usage") if isinstance(choices[0], dict) else None
            found = event.get("usage") or (event.get("x_groq") or {}).get("usage") or in_choice or found
    usage = found or {}
    details = usage.get("prompt_tokens_details") or {}
    cached = [details.get("cached_tokens"), *map(usage.get, ("cached_tokens", "prompt_cache_hit_tokens"))]
    cached = [count for count in cached if count is not None]
    return {
        "input": usage.get("prompt_tokens"),
        "output": usage.get("completion_tokens"),
        "cached": max(cached, default=None),
        "total": usage.get("total_tokens"),
    }


def oracle_messages(events: list[Json]) -> dict[str, Json]:
    usage: dict[str, Json] = {}
    for event in events:
        if event.get("type") == "message_start":
            usage = dict(event["message"].get("usage") or {})
        elif event.get("type") == "message_delta":
            usage |= {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
    return {
        "input": usage.get("input_tokens"),
        "output": usage.get("output_tokens"),
        "cached": usage.get("cache_read_input_tokens"),
        "cache_write": usage.get("cache_creation_input_tokens"),
    }


APIS = {"openai-chat": ("openai_chat", oracle_chat), "anthropic-messages": ("anthropic", oracle_messages)}


def recorded() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(CORPUS.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] in APIS and meta["stream"] and meta["framing"] == "sse":
            found.append((meta["api"], path.parent / meta["response_file"]))
    return found


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared recordings lie beside the repository")
@pytest.mark.slow
def test_the_counts_of_every_recording_are_those_in_its_events() -> None:
    wrong, seen = {}, 0
    for api, file in recorded():
        dialect, oracle = APIS[api]
        body = file.read_bytes()
        decoder = StreamDecoder(dialect, **({"usage_in": "x_groq"} if dialect == "openai_chat" else {}))
        decoder.feed(body)
        decoder.finish()
        try:
            decoder.fold()
        except Exception:  # streams that end in an error are tested elsewhere
            continue
        lines = [line[5:].strip() for line in body.decode(errors="replace").splitlines() if line.startswith("data:")]
        try:
            events = [json.loads(line) for line in lines if line and line != "[DONE]"]
        except ValueError:  # data of several lines
            continue
        expected, got = oracle(events), decoder.token_counts()
        seen += 1
        if {name: got[name] for name in expected} != expected:
            wrong[str(file)] = (got, expected)
    assert wrong == {}
    assert seen > 500
