"""Streams that continue after a break: `on_break="continue"`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors, llm, prices
from ferroscope.retries import Retry
from ferroscope.testing import Answer, Cut, ProviderServer, Reasoning, Status, StreamError, Text, ToolCall

from .conftest import Asker

CONTINUE = Retry(wait=0, jitter=0, on_break="continue")
CLAUDE = ("anthropic", "claude-haiku-4-5")
WORDS = "one two three four five six"


def broken(*pieces: str) -> StreamError:
    """A stream that fails after these pieces of its text, which follow two other events."""
    return StreamError(Answer(Text("".join([*pieces, "never"]), chunks=[*pieces, "never"])), after=2 + len(pieces))


class Book(BaseModel):
    title: str


def test_the_text_goes_on_where_the_stream_broke(ask: Asker, server: ProviderServer) -> None:
    server.reply(broken("one two ", "three"), Answer(Text(" four five six", chunks=[" fo", "ur five", " six"])))
    with prices.meter() as spent:
        stream = ask.call(*CLAUDE, stream=True, retry=CONTINUE)()
        items, error = ask.read(stream)
    assert error is None
    text = "".join(chunk.content for chunk, _ in items)
    assert text == stream.content == WORDS
    response = stream.construct_call_response()
    assert response.content == WORDS
    assert [block.text for block in response.response.content] == [WORDS]
    first, second = (request.json["messages"] for request in server.requests)
    sent = second[len(first) :]
    assert sent == [{"role": "assistant", "content": "one two three"}]
    assert [type(attempt.error) for attempt in stream.attempts[1:]] == [type(None)]
    assert isinstance(stream.attempts[0].error, errors.ProviderStreamError)
    costs = [attempt.cost.total for attempt in stream.attempts]
    assert all(costs)
    assert sum(costs) == spent.total
    assert spent.calls == 2


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ("one two ", "three", "one two three"),
        ("one two ", " three", "one two three"),
        ("one two\n", "\n\nthree", "one two\n\nthree"),
        ("one two \n", " three", "one two \nthree"),
        ("\n", "\none", "\none"),
        ("é\u00a0", "\u00a0ü", "é\u00a0ü"),
    ],
)
def test_whitespace_at_the_break_is_not_repeated(
    ask: Asker, server: ProviderServer, before: str, after: str, whole: str
) -> None:
    server.reply(
        broken(before),
        Answer(Text(after, chunks=list(after))),
    )
    stream = ask.call(*CLAUDE, stream=True, retry=CONTINUE)()
    items, error = ask.read(stream.text())
    assert error is None
    assert "".join(items) == stream.content == whole


def test_a_stream_continues_as_often_as_it_has_attempts(ask: Asker, server: ProviderServer) -> None:
    server.reply(
        broken("one ", "two "),
        broken(),
        broken("three ", "four "),
        Answer(Text("five six")),
    )
    stream = ask.call(*CLAUDE, stream=True, retry=Retry(attempts=4, wait=0, jitter=0, on_break="continue"))()
    items, error = ask.read(stream.text())
    assert error is None
    assert "".join(items) == stream.content == WORDS
    assert [request.json["messages"][1:] for request in server.requests] == [
        [],
        [{"role": "assistant", "content": "one two"}],
        [{"role": "assistant", "content": "one two"}],
        [{"role": "assistant", "content": "one two three four"}],
    ]
    assert len(stream.attempts) == 4


def test_a_connection_that_breaks_is_continued(ask: Asker, server: ProviderServer) -> None:
    server.reply(Cut(Answer(Text(WORDS)), at=900), Answer(Text("done")))
    stream = ask.call(*CLAUDE, stream=True, retry=CONTINUE)()
    items, error = ask.read(stream.text())
    assert error is None
    before = "".join(items).removesuffix("done")
    assert WORDS.startswith(before)
    assert before
    assert server.requests[1].json["messages"][1] == {"role": "assistant", "content": before.rstrip()}


def test_what_was_received_stays_readable_after_the_last_attempt(ask: Asker, server: ProviderServer) -> None:
    server.reply(broken("one ", "two "), *[Status(503)] * 2)
    stream = ask.call(*CLAUDE, stream=True, retry=CONTINUE)()
    items, error = ask.read(stream.text())
    assert isinstance(error, errors.InternalServerError)
    assert "".join(items) == stream.content == "one two "
    assert stream.construct_call_response().content == "one two "
    assert len(error.attempts) == len(server.requests) == 3


def test_the_beginning_that_the_program_wrote_is_extended(ask: Asker, server: ProviderServer) -> None:
    server.reply(broken(" two "), Answer(Text("three")))

    def messages(subject: str = "") -> Any:
        return [{"role": "user", "content": "Count"}, {"role": "assistant", "content": "one"}]

    call: Any = llm.call(*CLAUDE, stream=True, retry=CONTINUE)(messages)
    assert "".join(call().text()) == " two three"
    assert server.requests[1].json["messages"][1:] == [{"role": "assistant", "content": "one two"}]


def test_a_tool_call_is_never_continued(ask: Asker, server: ProviderServer) -> None:
    def lookup(title: str) -> str:
        """Look up a book."""
        return title

    answer = Answer(Text("I look"), ToolCall("lookup", {"title": "Emma, " * 40}))
    server.reply(Cut(answer, at=1500), Answer(Text("never")))
    stream = ask.call(*CLAUDE, stream=True, tools=[lookup], retry=CONTINUE)()
    _, error = ask.read(stream)
    assert isinstance(error, errors.StreamInterruptedError)
    assert any("a tool call had begun" in note for note in error.__notes__)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("params", "answer", "reason"),
    [
        ({}, Answer(Reasoning("hm " * 9), Text(WORDS)), "the model had sent reasoning"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
            Answer(Text(WORDS)),
            "together with the other parameters",
        ),
    ],
)
def test_what_the_api_does_not_continue_fails(
    ask: Asker, server: ProviderServer, params: dict[str, Any], answer: Answer, reason: str
) -> None:
    server.reply(Cut(answer, at=1300), "never")
    stream = ask.call(*CLAUDE, stream=True, call_params=params, retry=CONTINUE)()
    _, error = ask.read(stream)
    assert isinstance(error, errors.StreamInterruptedError)
    assert any(reason in note for note in error.__notes__)
    assert error.partial is not None
    assert len(server.requests) == 1


def test_a_stream_that_is_collected_is_requested_again(ask: Asker, server: ProviderServer) -> None:
    server.reply(broken("one ", "two three "), Answer(Text(WORDS)))
    response = ask.collect(ask.call(*CLAUDE, stream=True, retry=CONTINUE)())
    assert response.content == WORDS
    assert [len(request.json["messages"]) for request in server.requests] == [1, 1]


def test_a_browser_receives_one_text(ask: Asker, server: ProviderServer) -> None:
    server.reply(broken("one ", "two three "), Answer(Text("four five six")))
    stream = ask.call(*CLAUDE, stream=True, retry=CONTINUE)()
    frames, _ = ask.read(stream.sse("vercel"))
    data = [line[6:] for line in b"".join(frames).decode().splitlines() if line.startswith("data: {")]
    events = [json.loads(line) for line in data]
    assert "".join(event.get("delta", "") for event in events) == WORDS
    assert [event["type"] for event in events].count("text-start") == 1


def test_a_browser_receives_no_text_twice_when_a_read_has_text_and_an_error(ask: Asker, server: ProviderServer) -> None:
    server.reply(broken("one ", "two "), Answer(Text(WORDS)))
    stream = ask.call(*CLAUDE, stream=True, retry=Retry(wait=0, jitter=0))()
    frames, _ = ask.read(stream.sse("text"))
    assert b"".join(frames).count(b"one") == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-4-1-20250805", "claude-3-5-sonnet-latest"])
def test_models_that_continue(model: str) -> None:
    assert callable(llm.call("anthropic", model, stream=True, retry=CONTINUE)(lambda: "Hi"))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-4-6"),
        ("anthropic", "claude-sonnet-4-6-20260210"),
        ("anthropic", "claude-sonnet-5"),
        ("openai", "gpt-4o-mini"),
        ("mistral", "mistral-large-latest"),
    ],
)
def test_models_that_do_not_continue_are_refused(provider: str, model: str) -> None:
    with pytest.raises(ValueError, match=f'{model!r} of {provider!r} does not: write `on_break="restart"`'):
        llm.call(provider, model, stream=True, retry=CONTINUE)(lambda: "Hi")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stream": True, "response_model": Book}, "not for a `response_model`"),
        ({"stream": {"replay": True}}, "excludes `replay`"),
    ],
)
def test_streams_that_cannot_continue_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        llm.call(*CLAUDE, retry=CONTINUE, **options)(lambda: "Hi")


def test_a_call_that_is_not_streamed_ignores_the_option(ask: Asker, server: ProviderServer) -> None:
    server.reply("Hi")
    assert ask.call("openai", "gpt-4o-mini", retry=CONTINUE)().content == "Hi"
