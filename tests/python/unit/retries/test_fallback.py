"""Calls that fall back to other models."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import APIError, FerroscopeError, RateLimitError, StreamInterruptedError, llm
from ferroscope.core import openai
from ferroscope.core.base import BaseMessageParam
from ferroscope.retries import FallbackError, fallback
from ferroscope.testing import Answer, Cut, ProviderServer, Reasoning, Status, Text, ToolCall

from .conftest import NO_RETRY, Asker

BUSY = Status(429, headers=NO_RETRY)
# No SDK retries this one.
REFUSED = Status(403)
BROKEN = Cut(Answer(Text("one two three four five")), at=700)
PROVIDERS = [("anthropic", "claude-haiku-4-5"), ("google", "gemini-2.5-flash"), ("mistral", "mistral-large-latest")]


class Book(BaseModel):
    title: str


def falling_back(*models: tuple[str, str], catch: Any = FerroscopeError, **options: Any) -> Any:
    return fallback(catch, [{"catch": catch, "provider": one, "model": model, **options} for one, model in models])


@pytest.mark.parametrize("model", PROVIDERS)
def test_another_provider_answers(ask: Asker, server: ProviderServer, model: tuple[str, str]) -> None:
    server.reply(BUSY, "Hi")
    response = ask.decorate(falling_back(model), llm.call("openai", "gpt-4o-mini"))()
    assert (response.content, response.provider) == ("Hi", model[0])
    assert [type(error).__name__ for error in response._caught] == ["RateLimitError"]


@pytest.mark.parametrize("model", PROVIDERS)
@pytest.mark.parametrize("way", ["pairs", "text", "events", "collect"])
def test_a_stream_falls_back_before_it_begins(
    ask: Asker, server: ProviderServer, model: tuple[str, str], way: str
) -> None:
    stream = ask.decorate(falling_back(model), llm.call("openai", "gpt-4o-mini", stream=True))()
    assert server.requests == []
    server.reply(BUSY, Answer(Text("Hi there")))
    if way == "collect":
        assert ask.collect(stream).content == "Hi there"
    else:
        read = {"pairs": lambda: stream, "text": stream.text, "events": stream.events}[way]
        assert len(ask.items(read())) > 0
    assert (stream.content, stream.provider, stream.model) == ("Hi there", model[0], model[1])
    assert stream.construct_call_response().provider == model[0]
    assert [type(error).__name__ for error in stream._caught] == ["RateLimitError"]
    assert ask.items(stream) == []


def test_a_stream_that_broke_after_its_first_text_is_not_replaced(ask: Asker, server: ProviderServer) -> None:
    stream = ask.decorate(falling_back(PROVIDERS[0]), llm.call("openai", "gpt-4o-mini", stream=True))()
    server.reply(BROKEN)
    texts, error = ask.read(stream.text())
    assert isinstance(error, StreamInterruptedError)
    assert "one two three four five".startswith("".join(texts)) and texts
    assert error.partial is not None and error.partial.content == "".join(texts) == stream.content
    assert len(server.requests) == 1


def test_a_stream_that_is_collected_is_replaced_wherever_it_broke(ask: Asker, server: ProviderServer) -> None:
    stream = ask.decorate(falling_back(PROVIDERS[0]), llm.call("openai", "gpt-4o-mini", stream=True))()
    server.reply(BROKEN, Answer(Text("Hi there")))
    response = ask.collect(stream)
    assert (response.content, response.provider) == ("Hi there", "anthropic")


@pytest.mark.parametrize("model", PROVIDERS)
def test_a_structured_stream_falls_back(ask: Asker, server: ProviderServer, model: tuple[str, str]) -> None:
    options = {"stream": True, "response_model": Book}
    stream = ask.decorate(falling_back(model), llm.call("openai", "gpt-4o-mini", **options))()
    below = stream.stream
    server.reply(BUSY, Answer(ToolCall("Book", {"title": "Emma"})))
    assert ask.items(stream)[-1] == Book(title="Emma") == stream.constructed_response_model
    assert stream.stream is below
    assert (below.provider, below.model) == model
    assert stream.is_done("title")


def test_a_response_model_has_what_was_caught(ask: Asker, server: ProviderServer) -> None:
    server.reply(BUSY, Answer(ToolCall("Book", {"title": "Emma"})))
    book = ask.decorate(falling_back(PROVIDERS[0]), llm.call("openai", "gpt-4o-mini", response_model=Book))()
    assert book == Book(title="Emma")
    assert len(book._caught) == 1


def test_a_builtin_result_is_returned(ask: Asker, server: ProviderServer) -> None:
    server.reply(BUSY, Answer(ToolCall("OutputTool", {"value": "Emma"})))
    call = ask.decorate(falling_back(PROVIDERS[0]), llm.call("openai", "gpt-4o-mini", response_model=str))
    assert call() == "Emma"


def test_the_fallbacks_are_called_in_turn_and_their_causes_kept(ask: Asker, server: ProviderServer) -> None:
    server.reply(REFUSED, REFUSED, REFUSED, REFUSED)
    with pytest.raises(FallbackError) as caught:
        ask.decorate(falling_back(*PROVIDERS), llm.call("openai", "gpt-4o-mini"))()
    error = caught.value
    assert len(error.caught) == len(server.requests) == 4
    assert error.__cause__ is error.caught[-1]
    assert [one.__context__ for one in error.caught[1:]] == error.caught[:-1]
    assert str(error) == f"All fallbacks failed:\n{error.caught}"
    assert len(pickle.loads(pickle.dumps(error)).caught) == 4


def test_a_stream_with_no_fallback_left_raises_where_it_is_read(ask: Asker, server: ProviderServer) -> None:
    stream = ask.decorate(falling_back(PROVIDERS[0]), llm.call("openai", "gpt-4o-mini", stream=True))()
    server.reply(BUSY, BUSY)
    _, error = ask.read(stream)
    assert isinstance(error, FallbackError)
    assert [isinstance(one, RateLimitError) for one in error.caught] == [True, True]


def test_other_exceptions_are_raised(ask: Asker, server: ProviderServer) -> None:
    server.reply(Status(400))
    with pytest.raises(APIError):
        ask.decorate(falling_back(PROVIDERS[0], catch=RateLimitError), llm.call("openai", "gpt-4o-mini"))()
    assert len(server.requests) == 1


def test_other_exceptions_of_a_fallback_are_raised(ask: Asker, server: ProviderServer) -> None:
    server.reply(BUSY, Status(400))
    with pytest.raises(APIError) as caught:
        ask.decorate(falling_back(*PROVIDERS, catch=RateLimitError), llm.call("openai", "gpt-4o-mini"))()
    assert not isinstance(caught.value, FallbackError)
    assert len(server.requests) == 2


def test_call_params_of_a_fallback_are_sent(ask: Asker, server: ProviderServer) -> None:
    server.reply(BUSY, "Hi")
    retried = falling_back(PROVIDERS[0], call_params={"max_tokens": 7})
    ask.decorate(retried, llm.call("openai", "gpt-4o-mini"))("cats")
    assert server.requests[1].json["max_tokens"] == 7
    assert server.requests[1].json["messages"][0]["content"] == "Tell me of cats"


def test_a_call_of_one_provider_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"decorate .*ask with `llm.call`"):
        Asker("sync", None).decorate(falling_back(PROVIDERS[0]), openai.call("gpt-4o-mini"))  # type: ignore[arg-type]


@pytest.mark.parametrize("is_async", [False, True])
def test_name_signature_and_kind_of_the_function_are_kept(is_async: bool) -> None:
    def ask(subject: str, *, count: int = 1) -> str:
        """Ask."""
        return subject

    async def ask_async(subject: str, *, count: int = 1) -> str:
        """Ask."""
        return subject

    prompt: Any = ask_async if is_async else ask
    call: Any = falling_back(PROVIDERS[0])(llm.call("openai", "gpt-4o-mini")(prompt))
    assert (call.__name__, call.__doc__) == (prompt.__name__, "Ask.")
    assert inspect.signature(call) == inspect.signature(prompt)
    assert inspect.iscoroutinefunction(call) is is_async


def test_a_fallback_may_be_overridden_again(ask: Asker, server: ProviderServer) -> None:
    server.reply(REFUSED, "Hi")
    call = ask.decorate(
        lambda fn: llm.override(fn, provider="google", model="gemini-2.5-flash"),
        falling_back(PROVIDERS[0]),
        llm.call("openai", "gpt-4o-mini"),
    )
    assert call().provider == "anthropic"
    assert "gemini-2.5-flash" in server.requests[0].path


def test_signatures_go_back_only_to_the_model_that_made_them(ask: Asker, server: ProviderServer) -> None:
    """Turn 1 is Claude's, turn 2 falls back to OpenAI, turn 3 is Claude's again."""
    history: list[Any] = []

    def prompt(subject: str = "") -> Any:
        return [*history, BaseMessageParam(role="user", content=subject)]

    call = llm.call("anthropic", "claude-haiku-4-5")(prompt)
    safe = falling_back(("openai", "gpt-4o-mini"))(call)
    server.reply(Answer(Reasoning("Hm.", signature="c2ln"), Text("one")), Status(403), Answer(Text("two")), "three")
    for number, subject in enumerate(["first", "second", "third"]):
        response = (call, safe, call)[number](subject)
        history += [BaseMessageParam(role="user", content=subject), response.common_message_param]
    requests = [request.body.decode() for request in server.requests]
    assert ["c2ln" in body for body in requests] == [False, True, False, True]
    assert server.requests[2].path.startswith("/openai")
