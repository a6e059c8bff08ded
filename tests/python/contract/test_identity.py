"""The identity of a provider comes from its record alone: names, prices and quirks of everything that a call makes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import ferroscope
from ferroscope import Quirks, errors, llm, prices
from ferroscope._engine.decorator import call_decorator
from ferroscope.core._registry import provider_names, provider_record
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, Usage

SERVERS = {"ollama": "OLLAMA_BASE_URL", "vllm": "VLLM_BASE_URL"}


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


@pytest.fixture(params=["ollama", "vllm", "acme"])
def name(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A provider that is only data, at the loopback server."""
    pytest.importorskip("openai")
    name, url = request.param, server.base_url("openai")
    if name in SERVERS:
        monkeypatch.setenv(SERVERS[name], url)
        yield name
        return
    monkeypatch.setenv("ACME_API_KEY", "key-of-acme")
    ferroscope.register_provider(name, base_url=url, api_key_env="ACME_API_KEY", prices="deepseek")
    yield name
    ferroscope.unregister_provider(name)


def prompt() -> str:
    return "What is the weather in Oslo?"


def test_everything_of_a_call_has_the_name_of_its_provider(name: str, server: ProviderServer) -> None:
    server.reply_always(Answer(Text("Let me look."), ToolCall("weather", {"city": "Oslo"})))
    decorators: list[Any] = [call_decorator(provider_record(name)), lambda *a, **o: llm.call(name, *a, **o)]
    for decorate in decorators:
        response = decorate("a-model", tools=[weather])(prompt)()
        assert (response.provider, response.tool.__provider__, response.tool.call()) == (name, name, "sunny in Oslo")
        stream = decorate("a-model", tools=[weather], stream=True)(prompt)()
        pairs = list(stream)
        assert {chunk.provider for chunk, _ in pairs} == {name}
        assert [tool.__provider__ for _, tool in pairs if tool] == [name]
        assert (stream.provider, stream.construct_call_response().provider) == (name, name)


def test_copies_of_a_response_keep_its_provider(name: str, server: ProviderServer) -> None:
    server.reply_always(Answer(ToolCall("weather", {"city": "Oslo"})))
    response = call_decorator(provider_record(name))("a-model", tools=[weather])(prompt)()
    for copied in (pickle.loads(pickle.dumps(response)), copy.deepcopy(response)):
        assert (copied.provider, copied.tool.__provider__, copied.tool.call()) == (name, name, "sunny in Oslo")
        assert copied == response
    assert type(response).__name__ == "OpenAICallResponse"
    chunk, _ = next(iter(call_decorator(provider_record(name))("a-model", stream=True)(prompt)()))
    assert (pickle.loads(pickle.dumps(chunk)).provider, pickle.loads(pickle.dumps(chunk))) == (name, chunk)


def test_a_call_is_priced_as_its_record_says(name: str, server: ProviderServer) -> None:
    server.reply_always(Answer(Text("Hi"), usage=Usage(1000, 100), model="deepseek-chat"))
    with prices.meter(budget_usd="1") as spent:
        response = llm.call(name, "deepseek-chat")(prompt)()
        streamed = llm.call(name, "deepseek-chat", stream=True)(prompt)().collect()
    priced = prices.cost("deepseek", "deepseek-chat", {"prompt_tokens": 1000, "completion_tokens": 100})
    expected = priced.total if name == "acme" else 0
    assert expected is not None
    assert (response.cost_details.total, streamed.cost_details.total) == (expected, expected)
    assert response.cost_details.status == ("exact" if name == "acme" else "free")
    assert (spent.total, spent.unpriced_calls) == (2 * expected, 0)


def test_the_record_of_another_provider_changes_its_name_and_price() -> None:
    record = replace(provider_record("openai"), name="deepseek")
    assert (record.response._record.name, provider_record("openai").response._record.name) == ("deepseek", "openai")
    assert issubclass(record.response, provider_record("openai").response)


def test_a_registered_server_gets_its_own_key_and_no_other(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    monkeypatch.setenv("ACME_API_KEY", "key-of-acme")
    ferroscope.register_provider("acme", base_url=server.base_url("openai"), api_key_env="ACME_API_KEY")
    try:
        call = llm.call("acme/some-model")(prompt)
        server.reply("Sunny.")
        assert call().content == "Sunny."
        assert server.requests[-1].headers["authorization"] == "Bearer key-of-acme"
        monkeypatch.delenv("ACME_API_KEY")
        with pytest.raises(
            errors.MissingApiKeyError, match=r"ACME_API_KEY is not set: set it to the API key for 'acme'"
        ):
            call()
    finally:
        ferroscope.unregister_provider("acme")


def test_quirks_of_a_registered_server_reach_request_and_response(server: ProviderServer) -> None:
    quirks = Quirks(reasoning_fields=("thoughts",), stream_options=False, finish_reasons={"done": "stop"})
    ferroscope.register_provider("acme", base_url=server.base_url("openai"), quirks=quirks)
    try:
        call = llm.call("acme/some-model", stream=True)(prompt)
        server.reply("Hello")
        stream = call()
        list(stream)
        assert "stream_options" not in server.requests[-1].json
        kind = provider_record("acme").response
        assert kind._record.quirks == quirks
    finally:
        ferroscope.unregister_provider("acme")


@pytest.mark.parametrize(
    ("name", "base_url", "message"),
    [
        ("openai", "http://localhost/v1", "the provider 'openai' already exists"),
        ("a/b", "http://localhost/v1", "'a/b' is not a valid provider name"),
        ("Acme", "http://localhost/v1", "'Acme' is not a valid provider name"),
        ("acme", "localhost/v1", "`base_url` of 'acme' must be an HTTP URL"),
    ],
)
def test_a_mistake_in_a_registration_is_an_error(name: str, base_url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ferroscope.register_provider(name, base_url=base_url)
    assert "acme" not in provider_names()


def test_only_registered_providers_can_be_unregistered() -> None:
    with pytest.raises(ValueError, match="the provider 'openai' is not registered"):
        ferroscope.unregister_provider("openai")
