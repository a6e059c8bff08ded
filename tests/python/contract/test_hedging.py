"""A second request if the first is not answered in time (`Retry.hedge_after`), counted at the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ferroscope import errors, prices
from ferroscope.core.base.retry import Retry
from ferroscope.testing import Answer, ProviderServer, SlowHeaders, Stall, Status, Text

from .conftest import Caller, for_rows
from .wires import Anthropic, OpenAIChat

pytest.importorskip("tenacity")

HEDGE = Retry(attempts=3, wait=0, jitter=0, hedge_after=0.3)
ANSWER = Answer(Text("the answer"))


# What happens after the first data does not depend on the provider, and takes time.
some_rows = for_rows(lambda row: row.wire in (OpenAIChat, Anthropic))
# Long enough for a test, and for connections that cannot be closed early.
SLOW = 1.0


@pytest.fixture(autouse=True)
def warmed_up(caller: Caller) -> Iterator[None]:
    """Load the modules of the SDK, so that the first request reaches the server before the second one is sent."""
    caller.server.reply("Hi", "Hi")
    caller.call()
    caller.stream()
    caller.server.wait_closed()
    caller.server.forget()
    yield
    caller.server.wait_closed()


def ask(caller: Caller, *, streamed: bool, **options: Any) -> Any:
    answer = caller.call(stream=streamed, **options)
    if streamed:
        caller.consume(answer)
    return answer


def assert_closed(server: ProviderServer) -> None:
    """Check that the first request was closed by the client at once, by the clock of the server."""
    server.wait_closed(timeout=1)
    assert server.requests[0].outcome == "abandoned"


@pytest.mark.parametrize("streamed", [False, True])
def test_the_second_request_answers_and_the_first_is_closed(caller: Caller, streamed: bool) -> None:
    caller.server.reply(SlowHeaders(ANSWER, seconds=SLOW), ANSWER)
    with prices.meter() as spent:
        answer = ask(caller, streamed=streamed, retry=HEDGE)
    assert answer.content == "the answer"
    assert len(caller.server.requests) == 2
    if caller.kind == "async" or caller.wire.on_httpx:
        assert_closed(caller.server)
    assert [(type(one.error).__name__, one.is_hedge) for one in answer.attempts] == [
        ("HedgeLostError", False),
        ("NoneType", True),
    ]
    assert answer.attempts[0].cost is None
    assert answer.attempts[1].cost.total == answer.cost_details.total == spent.total
    assert (spent.calls, spent.unpriced_calls) == (2, 0 if caller.row.prices == "free" else 1)


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_in_time_is_the_only_request(caller: Caller, streamed: bool) -> None:
    caller.server.reply(ANSWER, ANSWER)
    answer = ask(caller, streamed=streamed, retry=Retry(hedge_after=20))
    assert answer.content == "the answer"
    assert len(caller.server.requests) == len(answer.attempts) == 1


def test_a_stream_without_its_first_chunk_is_hedged(caller: Caller) -> None:
    caller.server.reply(Stall(ANSWER, after=0, seconds=SLOW), ANSWER)
    stream = caller.call(stream=True, retry=HEDGE)
    caller.consume(stream)
    assert stream.content == "the answer"
    assert len(caller.server.requests) == 2
    assert_closed(caller.server)


@some_rows
def test_a_first_request_that_answers_after_all_wins(caller: Caller) -> None:
    caller.server.reply(SlowHeaders(ANSWER, seconds=0.5), SlowHeaders(Answer(Text("late")), seconds=SLOW))
    response = caller.call(retry=HEDGE)
    assert response.content == "the answer"
    assert [(type(one.error).__name__, one.is_hedge) for one in response.attempts] == [
        ("HedgeLostError", True),
        ("NoneType", False),
    ]


@some_rows
@pytest.mark.parametrize("streamed", [False, True])
def test_the_failure_of_one_request_waits_for_the_other(caller: Caller, streamed: bool) -> None:
    caller.server.reply(SlowHeaders(ANSWER, seconds=0.5), Status(503))
    answer = ask(caller, streamed=streamed, retry=HEDGE)
    assert answer.content == "the answer"
    assert [type(one.error).__name__ for one in answer.attempts][1:] == ["NoneType"]
    assert isinstance(answer.attempts[0].error, errors.InternalServerError)


@some_rows
@pytest.mark.parametrize("streamed", [False, True])
def test_failures_of_both_are_attempts(caller: Caller, streamed: bool) -> None:
    caller.server.reply(SlowHeaders(Status(503), seconds=0.5), SlowHeaders(Status(503), seconds=0.8), ANSWER)
    answer = ask(caller, streamed=streamed, retry=HEDGE)
    assert answer.content == "the answer"
    assert len(caller.server.requests) == len(answer.attempts) == 3
    caller.server.reply(SlowHeaders(Status(503), seconds=0.5), SlowHeaders(Status(503), seconds=0.5))
    with pytest.raises(errors.InternalServerError) as caught:
        ask(caller, streamed=streamed, retry=Retry(attempts=2, wait=0, jitter=0, hedge_after=0.2))
    assert len(caught.value.attempts) == 2


@some_rows
def test_a_failure_before_the_time_is_retried_as_usual(caller: Caller) -> None:
    caller.server.reply(Status(503), ANSWER)
    response = caller.call(retry=Retry(wait=0, jitter=0, hedge_after=20))
    assert [one.is_hedge for one in response.attempts] == [False, False]


@some_rows
def test_a_structured_stream_is_hedged(caller: Caller) -> None:
    caller.server.reply(SlowHeaders("never", seconds=SLOW), Answer(Text('{"value": [1, 2]}')))
    stream = caller.call(stream=True, response_model=list[int], json_mode=True, retry=HEDGE)
    items: list[Any] = []

    def sync() -> None:
        items.extend(stream)

    async def asynchronous() -> None:
        items.extend([item async for item in stream])

    caller.run(sync, asynchronous)
    assert items[-1] == [1, 2]
    assert len(caller.server.requests) == 2
