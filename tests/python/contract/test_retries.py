"""Calls with the option `retry=`, counted at the server, over every provider."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors, prices
from ferroscope.core.base.retry import Retry
from ferroscope.testing import Answer, Cut, HangUp, SlowHeaders, Stall, Status, StreamError, Text, ToolCall, ToolCalls

from .conftest import Caller

pytest.importorskip("tenacity")

FAST = Retry(attempts=3, wait=0, jitter=0)
BUSY = Status(429, retry_after=0)
DOWN = Status(503)
SLOW_STREAM = Answer(Text("one two three four five six"))


LONG = "Emma, " * 60


class Book(BaseModel):
    title: str
    pages: int


def lookup(title: str) -> str:
    """Look up a book."""
    return title


def ask(caller: Caller, *, streamed: bool, **options: Any) -> Any:
    """One call, read to its end."""
    answer = caller.call(stream=streamed, **options)
    if streamed:
        caller.consume(answer)
    return answer


def read(caller: Caller, stream: Any) -> tuple[list[Any], Exception | None]:
    """The items of a stream, and the exception that ended it."""
    items: list[Any] = []

    def sync() -> None:
        for item in stream:
            items.append(item)

    async def asynchronous() -> None:
        async for item in stream:
            items.append(item)

    try:
        caller.run(sync, asynchronous)
    except Exception as error:
        return items, error
    return items, None


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("fault", [BUSY, DOWN], ids=["429", "503"])
def test_the_attempts_are_the_requests(caller: Caller, streamed: bool, fault: Status) -> None:
    caller.server.reply(*[fault] * 9)
    with pytest.raises(errors.APIStatusError) as caught:
        ask(caller, streamed=streamed, retry=Retry(attempts=4, wait=0, jitter=0))
    assert len(caller.server.requests) == 4
    attempts: Any = caught.value.attempts  # type: ignore[attr-defined]
    assert [attempt.error for attempt in attempts][-1] is caught.value
    assert [(attempt.provider, attempt.model, attempt.cost) for attempt in attempts] == [
        (caller.row.name, caller.row.model, None)
    ] * 4
    assert all(attempt.start_time <= attempt.end_time for attempt in attempts)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("fault", [BUSY, DOWN, HangUp()], ids=["429", "503", "reset"])
def test_the_answer_after_a_failure_is_the_answer(caller: Caller, streamed: bool, fault: Any) -> None:
    caller.server.reply(fault, fault, Answer(Text("Hi there")))
    answer = ask(caller, streamed=streamed, retry=FAST)
    assert answer.content == "Hi there"
    assert len(caller.server.requests) == 3
    assert [attempt.error is None for attempt in answer.attempts] == [False, False, True]
    assert answer.attempts[-1].cost.total == answer.cost_details.total


def test_a_number_is_the_attempts(caller: Caller) -> None:
    caller.server.reply(BUSY, "Hi")
    with pytest.raises(errors.RateLimitError):
        caller.call(retry=1)
    assert len(caller.server.requests) == 1
    assert caller.call(retry=1).content == "Hi"


def test_a_call_without_the_option_has_no_attempts(caller: Caller) -> None:
    caller.server.reply("Hi", "Hi")
    assert (caller.call().attempts, caller.stream().attempts) == ((), ())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_a_second_request_cannot_change_is_final(caller: Caller, status: int) -> None:
    caller.server.reply(*[Status(status)] * 3)
    with pytest.raises(errors.APIStatusError):
        caller.call(retry=FAST)
    assert len(caller.server.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_is_the_one_that_the_server_asks_for(caller: Caller, status: int) -> None:
    caller.server.reply(Status(status, retry_after=0.05), Status(status, retry_after=0.01), "Hi")
    response = caller.call(retry=Retry(wait=9, jitter=0))
    assert response.content == "Hi"
    waited = [attempt.waited for attempt in response.attempts]
    assert waited[0] == 0
    assert waited[1] >= 0.05
    assert 0.01 <= waited[2] < 9


def test_a_wait_that_is_too_long_raises_at_once(caller: Caller) -> None:
    caller.server.reply(Status(429, retry_after=1382400), "Hi")
    with pytest.raises(errors.RateLimitError) as caught:
        caller.call(retry=Retry(max_retry_after=0.01))
    assert len(caller.server.requests) == 1
    assert any("1.3824e+06 s" in note for note in caught.value.__notes__)


def test_a_stream_that_broke_after_its_first_text_fails(caller: Caller) -> None:
    caller.server.reply(Cut(SLOW_STREAM, at=caller.wire.halfway), SLOW_STREAM)
    stream = caller.call(stream=True, retry=FAST)
    items, error = read(caller, stream)
    text = "".join(chunk.content for chunk, _ in items)
    assert text
    assert isinstance(error, errors.StreamInterruptedError)
    assert error.partial is not None
    assert error.partial.content == text == stream.content
    assert [attempt.error for attempt in stream.attempts] == [error]
    assert stream.attempts == error.attempts  # type: ignore[attr-defined]
    assert len(caller.server.requests) == 1


def test_a_stream_that_broke_inside_a_tool_call_fails(caller: Caller) -> None:
    """Half of the arguments are never joined with those of another answer. A call that arrived whole is handed out."""
    if not caller.wire.cuts_arguments:
        pytest.skip("a call arrives whole")
    answer = Answer(Text("I look it up"), ToolCall("lookup", {"title": LONG}))
    caller.server.reply(Cut(answer, at=caller.wire.halfway + 900), answer)
    stream = caller.call(stream=True, tools=[lookup], retry=FAST)
    items, error = read(caller, stream)
    assert [tool.title for _, tool in items if tool] in ([], [LONG])
    assert isinstance(error, errors.StreamInterruptedError)
    assert len(caller.server.requests) == 1


def test_every_call_of_an_invalid_answer_gets_a_result(caller: Caller) -> None:
    """Providers refuse a conversation in which the result of a call is missing."""
    wrong = ToolCalls(ToolCall("Book", {"title": "A"}), ToolCall("Book", {"title": "B"}))
    caller.server.reply(Answer(wrong), Answer(ToolCall("Book", {"title": "Emma", "pages": 474})))
    book = caller.call("Recommend a book", response_model=Book, retry=FAST)
    assert book == Book(title="Emma", pages=474)
    second = caller.wire.messages(caller.server.requests[1].json)
    assert str(second).count("pages: Field required") == 2


def test_a_stream_that_fails_before_its_first_text_is_requested_again(caller: Caller) -> None:
    caller.server.reply(StreamError(SLOW_STREAM, after=0, status=503), SLOW_STREAM)
    stream = caller.stream(retry=FAST)
    assert stream.content == "one two three four five six"
    assert len(caller.server.requests) == len(stream.attempts) == 2
    assert len(stream.construct_call_response().attempts) == 2


def test_a_stream_that_is_collected_is_requested_again_wherever_it_broke(caller: Caller) -> None:
    caller.server.reply(Cut(SLOW_STREAM, at=caller.wire.halfway), SLOW_STREAM)
    stream = caller.call(stream=True, retry=FAST)
    response = caller.run(stream.collect, stream.acollect)
    assert response.content == "one two three four five six"
    assert [attempt.error is None for attempt in response.attempts] == [False, True]


def test_a_stream_restarts_if_the_program_asks_for_it(caller: Caller) -> None:
    caller.server.reply(Cut(SLOW_STREAM, at=caller.wire.halfway), Answer(Text("once more")))
    stream = caller.call(stream=True, retry=Retry(wait=0, jitter=0, on_break="restart"))
    items, error = read(caller, stream)
    assert error is None
    assert "".join(chunk.content for chunk, _ in items).endswith("once more")
    assert stream.content == "once more" == stream.construct_call_response().content
    assert len(stream.attempts) == 2


def test_a_structured_stream_restarts_with_a_new_instance(caller: Caller) -> None:
    answer = Answer(ToolCall("Book", {"title": LONG, "pages": 7}))
    caller.server.reply(Cut(answer, at=caller.wire.halfway), answer)
    stream = caller.call(stream=True, response_model=Book, retry=Retry(wait=0, jitter=0, on_break="restart"))
    items, error = read(caller, stream)
    assert error is None
    assert items[-1] == Book(title=LONG, pages=7)
    assert stream.constructed_response_model == items[-1]
    assert len(caller.server.requests) == 2


@pytest.mark.parametrize("streamed", [False, True])
def test_meters_count_every_attempt_that_was_answered(caller: Caller, streamed: bool) -> None:
    caller.server.reply(BUSY, DOWN, SLOW_STREAM)
    with prices.meter() as spent:
        answer = ask(caller, streamed=streamed, retry=FAST)
    assert (spent.calls, spent.unpriced_calls) == (1, 0)
    assert spent.total == answer.cost_details.total


def test_an_invalid_answer_is_asked_for_again(caller: Caller) -> None:
    caller.server.reply(
        Answer(ToolCall("Book", {"title": "Emma"})), Answer(ToolCall("Book", {"title": "Emma", "pages": 474}))
    )
    with prices.meter() as spent:
        book = caller.call("Recommend a book", response_model=Book, retry=FAST)
    assert book == Book(title="Emma", pages=474)
    first, second = (caller.wire.messages(request.json) for request in caller.server.requests)
    assert len(second) == len(first) + 2
    assert "pages: Field required" in str(second[-1])
    assert [type(attempt.error).__name__ for attempt in book._response.attempts] == ["ValidationError", "NoneType"]
    assert spent.calls == 2
    assert sum(attempt.cost.total for attempt in book._response.attempts) == spent.total


def test_an_invalid_answer_in_the_text_is_asked_for_again(caller: Caller) -> None:
    caller.server.reply(Answer(Text('{"title": "Emma"}')), Answer(Text('{"title": "Emma", "pages": 474}')))
    book = caller.call("Recommend a book", response_model=Book, json_mode=True, retry=FAST)
    assert book == Book(title="Emma", pages=474)
    assert "pages: Field required" in str(caller.wire.messages(caller.server.requests[1].json))


def test_an_invalid_answer_is_final_if_the_program_asks_for_that(caller: Caller) -> None:
    caller.server.reply(Answer(ToolCall("Book", {"title": "Emma"})), "Hi")
    with pytest.raises(ValueError, match="pages"):
        caller.call("Recommend a book", response_model=Book, retry=Retry(on=("status",)))
    assert len(caller.server.requests) == 1


def test_a_deadline_ends_the_call(caller: Caller) -> None:
    caller.server.reply(BUSY, SlowHeaders("Hi", seconds=5))
    with pytest.raises(errors.APITimeoutError, match=r"did not end within 0\.4 s") as caught:
        caller.call(retry=Retry(wait=0, jitter=0, deadline=0.4))
    assert len(caller.server.requests) == 2
    assert len(caught.value.attempts) == 2  # type: ignore[attr-defined]


def test_a_stream_outlives_the_default_client_that_it_was_sent_with(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(caller.row.key_variable, "a-key-for-one-call")
    caller.server.reply(Stall(SLOW_STREAM, after=caller.wire.opening + 1, seconds=0.2), "another")
    stream = caller.call(stream=True, retry=FAST)
    call = caller.decorate(lambda: "Say hello")

    def sync() -> str:
        items = iter(stream)
        text = next(items)[0].content
        monkeypatch.setenv(caller.row.key_variable, "another-key")
        call()
        gc.collect()
        return text + "".join(chunk.content for chunk, _ in items)

    async def asynchronous() -> str:
        return "".join([chunk.content async for chunk, _ in stream])

    assert caller.run(sync, asynchronous) == "one two three four five six"


def test_responses_with_attempts_can_be_pickled(caller: Caller) -> None:
    caller.server.reply(BUSY, "Hi")
    response = caller.call(retry=FAST)
    again = pickle.loads(pickle.dumps(response))
    assert again.content == "Hi"
    assert [attempt.error is None for attempt in again.attempts] == [False, True]
