"""What is LiteLLM's own: its functions, objects, prices and errors, beside its rows in the matrix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors, llm
from ferroscope.cache import MemoryCache
from ferroscope.core.base.retry import Retry
from ferroscope.testing import (
    Answer,
    Body,
    Cut,
    ProviderServer,
    Reasoning,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
)

from .conftest import close_litellm

pytest.importorskip("litellm")

MODEL = "openai/gpt-4o-mini"


class Book(BaseModel):
    title: str
    author: str


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make one call with some options; a stream is returned consumed, with its pairs."""
    from ferroscope.core import litellm

    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
    with asyncio.Runner() as runner:

        def make(
            take: Callable[[Any], bool] = lambda item: False, params: dict[str, Any] | None = None, **options: Any
        ) -> Any:
            call: Any = litellm.call(MODEL, call_params={"num_retries": 0, **(params or {})}, **options)
            if request.param == "sync":
                answer = call(lambda: "Hi")()
                return _read(answer, take) if options.get("stream") else answer

            async def prompt() -> str:
                return "Hi"

            async def run() -> Any:
                answer = await call(prompt)()
                return await _aread(answer, take) if options.get("stream") else answer

            return runner.run(run())

        yield make
        close_litellm(runner)


def _read(stream: Any, take: Callable[[Any], bool]) -> tuple[Any, list[Any]]:
    items = []
    for item in stream:
        items.append(item)
        if take(item):
            break
    return stream, items


async def _aread(stream: Any, take: Callable[[Any], bool]) -> tuple[Any, list[Any]]:
    items = []
    async for item in stream:
        items.append(item)
        if take(item):
            break
    await stream.aclose()
    return stream, items


def test_a_response_has_litellms_object_and_its_price(ask: Any, server: ProviderServer) -> None:
    server.reply(Answer(Text("Hello."), usage=Usage(1000, 100)))
    response = ask()
    assert (response.content, response.provider, type(response.response).__name__) == (
        "Hello.",
        "litellm",
        "ModelResponse",
    )
    assert (response.input_tokens, response.output_tokens) == (1000, 100)
    assert (response.cost_details.status, response.cost) == ("reported", pytest.approx(0.00021))


def test_a_stream_gives_text_tools_usage_and_price(ask: Any, server: ProviderServer) -> None:
    calls = ToolCalls(ToolCall("weather", {"city": "Oslo"}), ToolCall("weather", {"city": "Rome"}))
    server.reply(Answer(Text("Let me see.", 3), calls, usage=Usage(1000, 100)))
    stream, pairs = ask(stream=True, tools=[weather])
    assert "".join(chunk.content for chunk, _ in pairs) == stream.content == "Let me see."
    assert [tool.call() for _, tool in pairs if tool] == ["sunny in Oslo", "sunny in Rome"]
    assert (stream.input_tokens, stream.output_tokens, stream.finish_reasons) == (1000, 100, ["tool_calls"])
    assert stream.cost == pytest.approx(0.00021)
    assert [call["function"]["name"] for call in stream.message_param["tool_calls"]] == ["weather", "weather"]


def test_tools_and_their_results_make_the_next_request(ask: Any, server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("weather", {"city": "Oslo"})), "Sunny.")
    response = ask(tools=[weather])
    assert response.tool.call() == "sunny in Oslo"
    results = response.tool_message_params([(response.tool, "sunny")])
    assert [one["role"] for one in (response.message_param, *results)] == ["assistant", "tool"]


@pytest.mark.parametrize("options", [{}, {"json_mode": True}], ids=["call", "text"])
def test_a_response_model_is_read_whole_and_streamed(ask: Any, server: ProviderServer, options: dict[str, Any]) -> None:
    text = '{"title": "Emma", "author": "Jane Austen"}'
    part = Text(text, 5) if options else ToolCall("Book", text, chunks=[text[:12], text[12:]])
    server.reply(Answer(part), Answer(part))
    assert ask(response_model=Book, **options) == Book(title="Emma", author="Jane Austen")
    _, books = ask(response_model=Book, stream=True, **options)
    assert books[-1] == Book(title="Emma", author="Jane Austen")


def test_reasoning_is_readable(ask: Any, server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("Hm."), Text("Hello.")))
    assert ask().thinking == "Hm."


def test_status_errors_are_in_the_one_tree(ask: Any, server: ProviderServer) -> None:
    server.reply_always(Status(401, "Incorrect API key provided."))
    with pytest.raises(errors.AuthenticationError, match="Incorrect API key provided") as caught:
        ask()
    assert "test-key" not in str(caught.value) + repr(caught.value)
    server.reply_always(None)


def test_a_cut_stream_keeps_what_came(ask: Any, server: ProviderServer) -> None:
    words = " ".join(f"word{number}" for number in range(200))
    server.reply(Cut(Answer(Text(words)), at=6000))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        ask(stream=True)
    assert words.startswith(caught.value.partial.content)
    assert caught.value.partial.content


def test_leaving_a_stream_closes_its_connection(ask: Any, server: ProviderServer) -> None:
    server.reply(Stall(Answer(Text("one two three four five six")), after=4))
    stream, _ = ask(lambda pair: pair[0].content != "", stream=True)
    server.wait_closed(timeout=1)
    assert stream.content == "one "


@pytest.mark.parametrize("usage", [Usage(1000, 100), Usage(2459, 23, cached=2455)], ids=["plain", "cached"])
def test_a_stream_costs_what_litellm_calculates(ask: Any, server: ProviderServer, usage: Usage) -> None:
    import litellm

    server.reply(Answer(Text("Hello."), usage=usage), Answer(Text("Hello."), usage=usage))
    stream, _ = ask(stream=True)
    assert stream.cost == pytest.approx(ask().cost)
    sent, said = litellm.cost_per_token(
        model="gpt-4o-mini",
        prompt_tokens=stream.input_tokens,
        completion_tokens=stream.output_tokens,
        cache_read_input_tokens=stream.cached_tokens or 0,
    )
    assert stream.cost == pytest.approx(sent + said)


def test_no_event_is_no_answer(ask: Any, server: ProviderServer) -> None:
    """LiteLLM itself makes an answer with the finish reason "stop" of it."""
    for body in (Body(b"", content_type="text/event-stream"), Body({"object": "list", "data": []})):
        server.reply(body)
        with pytest.raises(errors.StreamInterruptedError, match="provider 'litellm'") as caught:
            ask(stream=True)
        assert not caught.value.partial.finish_reasons


def test_usage_behind_the_last_choice_is_asked_for_and_can_be_left_out(ask: Any, server: ProviderServer) -> None:
    server.reply(Answer(Text("Hello."), usage=Usage(9, 3)))
    stream, _ = ask(stream=True)
    assert server.requests[-1].json["stream_options"] == {"include_usage": True}
    assert (stream.input_tokens, stream.output_tokens) == (9, 3)
    server.reply(Answer(Text("Hello."), usage=None))
    ask(stream=True, params={"stream_options": None})
    assert "stream_options" not in server.requests[-1].json


@pytest.mark.parametrize("how", ["cut", "error"])
def test_a_stream_that_broke_after_its_text_began_is_not_sent_again(ask: Any, server: ProviderServer, how: str) -> None:
    answer = Answer(Text("one two three four five six seven eight"))
    server.reply(Cut(answer, at=1500) if how == "cut" else StreamError(answer, after=4), answer)
    before = len(server.requests)
    with pytest.raises(errors.StreamError) as caught:
        ask(stream=True, retry=Retry(attempts=3, wait=0, jitter=0))
    assert len(server.requests) == before + 1
    assert caught.value.partial.content.startswith("one")


@pytest.mark.parametrize(
    "status",
    [
        Status(400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded"),
        Status(400, "maximum context length is 8192 tokens"),
        Status(401, "no"),
        Status(403, "no"),
        Status(404, "no"),
        Status(422, "no"),
    ],
    ids=["context", "context by its text", "401", "403", "404", "422"],
)
def test_what_is_final_is_sent_once(ask: Any, server: ProviderServer, status: Status) -> None:
    server.reply(status, status, status)
    before = len(server.requests)
    with pytest.raises(errors.APIStatusError) as caught:
        ask(retry=Retry(attempts=3, wait=0, jitter=0))
    assert len(server.requests) == before + 1
    assert isinstance(caught.value, errors.BadRequestError) or status.status != 400


def test_without_a_key_nothing_is_sent(ask: Any, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    before = len(server.requests)
    with pytest.raises(errors.MissingApiKeyError, match="OPENAI_API_KEY"):
        ask(retry=3)
    assert len(server.requests) == before


def test_a_client_is_an_error_that_names_the_other_way(ask: Any) -> None:
    with pytest.raises(errors.ClientError, match=r"LiteLLM makes its own clients.*`api_base`"):
        ask(client=object())


def test_llm_calls_it_by_name(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
    server.reply("Hello.")
    response = llm.call(f"litellm/{MODEL}")(lambda: "Hi")()
    assert (response.content, response.provider) == ("Hello.", "litellm")
    assert server.requests[-1].json["model"] == "gpt-4o-mini"


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_comes_from_the_cache(ask: Any, server: ProviderServer, streamed: bool) -> None:
    server.reply(Answer(Text("one two three")))
    cache = MemoryCache()
    answers = []
    for _ in range(2):
        answer = ask(stream=streamed, cache=cache)
        answers.append(answer[0] if streamed else answer)
    assert [answer.content for answer in answers] == ["one two three"] * 2
    assert (answers[1].cached, answers[1].cost) == (True, 0.0)
    assert len(server.requests) == 1
