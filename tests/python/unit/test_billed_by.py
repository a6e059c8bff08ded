"""Whose prices a call is billed by, where a client calls another vendor's server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai as openai_sdk
import pytest

from ferroscope import llm, prices
from ferroscope.core import openai
from ferroscope.testing import Answer, ProviderServer, Usage


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


def client(server: ProviderServer, base_url: str) -> Any:  # Any: the SDK's own client
    """A client of that URL whose requests all go to the server, as to a proxy."""
    http = openai_sdk.DefaultHttpxClient(proxy=server.url)
    return openai_sdk.OpenAI(base_url=base_url, api_key="key", http_client=http, max_retries=0)


def answers(server: ProviderServer, base_url: str, model: str) -> list[Any]:
    """A response, a stream at its end and its response, of both modules."""
    server.reply(*[Answer("Hi", model=model, usage=Usage(1000, 100))] * 4)
    own = client(server, base_url)
    found: list[Any] = []
    for call in (
        openai.call(model, client=own),
        openai.call(model, stream=True, client=own),
        llm.call(provider="openai", model=model, client=own),
        llm.call(provider="openai", model=model, stream=True, client=own),
    ):

        @call  # type: ignore[operator]  # the overloads do not know a union of decorators
        def greet() -> str:
            return "Say hi"

        answer: Any = greet()
        if hasattr(answer, "construct_call_response"):
            list(answer)
            found.append(answer.construct_call_response())
        found.append(answer)
    own.close()
    return found


@pytest.mark.parametrize(
    ("base_url", "model", "provider"),
    [
        ("http://api.deepseek.com", "deepseek-chat", "deepseek"),
        ("http://api.groq.com/openai/v1", "llama-3.3-70b-versatile", "groq"),
        ("http://openrouter.ai/api/v1", "openai/gpt-4o-mini", "openrouter"),
        ("http://api.openai.com/v1", "gpt-4o-mini", "openai"),
        # A proxy of one's own: the model's own row.
        ("http://llm.example/v1", "gpt-4o-mini", "openai"),
        ("http://llm.example/v1", "deepseek-chat", "deepseek"),
        ("http://llm.example/v1", "mistral-small-latest", "mistral"),
    ],
)
def test_a_call_is_billed_by_the_server_that_answered(
    server: ProviderServer, base_url: str, model: str, provider: str
) -> None:
    expected = prices.cost(provider, model, {"prompt_tokens": 1000, "completion_tokens": 100})
    assert expected.status == "exact"
    for answer in answers(server, base_url, model):
        cost = answer.cost_details
        assert (cost.total, cost.status, cost.provider) == (expected.total, "exact", provider)
        assert answer.provider == "openai"
        guessed = base_url == "http://llm.example/v1" and provider != "openai"
        note = f"the server llm.example is unknown: priced as {provider}, which makes the model"
        assert (note in cost.assumptions) is guessed


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        ("http://api.deepseek.com", "gpt-4o-mini"),
        ("http://api.openai.com/v1", "deepseek-chat"),
        ("http://llm.example/v1", "Qwen/Qwen3-4B"),  # many serve it, at prices of their own
        ("http://llm.example/v1", "deepseek/deepseek-chat"),
        ("http://llm.example/v1", "deepseek-v4-flash"),
        ("http://llm.example/v1", "gpt-oss-20b"),
        ("http://llm.example/v1", "openai/gpt-oss-20b"),
    ],
)
def test_a_model_that_the_server_does_not_have_has_no_price(server: ProviderServer, base_url: str, model: str) -> None:
    for answer in answers(server, base_url, model):
        assert (answer.cost, answer.cost_details.status) == (None, "unknown_model")


def test_a_budget_knows_the_price_of_the_server(server: ProviderServer) -> None:
    server.reply(Answer("Hi", model="deepseek-chat", usage=Usage(1000, 100)))
    own = client(server, "http://api.deepseek.com")

    @openai.call("deepseek-chat", client=own)
    def greet() -> str:
        return "Say hi"

    with prices.meter(budget_usd="1") as spent:
        response = greet()
    own.close()
    assert spent.total == response.cost_details.total
    assert [provider for provider, _ in spent.by_model] == ["deepseek"]


def test_prices_that_were_registered_for_a_server_stay() -> None:
    prices.register([{"provider": "acme", "model": "model-x", "rates": {"input": 1, "output": 1}}])
    try:
        assert prices.billed_by("acme", "acme", "api.deepseek.com", "model-x") == ("acme", None)
        assert prices.billed_by("acme", "acme", "api.deepseek.com", "deepseek-chat") == ("deepseek", None)
        assert prices.billed_by("acme", "openai", "api.deepseek.com", "deepseek-chat") == ("openai", None)
    finally:
        prices.reset()
