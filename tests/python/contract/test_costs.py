"""What calls cost, and budgets."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ferroscope import errors, prices
from ferroscope.testing import Answer, Text, Usage

from .conftest import Caller, for_rows

LONG = Answer(Text("word " * 500), delay=0.0005)


pytestmark = for_rows(lambda row: row.prices != "free")


def exact(caller: Caller, response: Any) -> Decimal | None:
    """The price of a response, worked out beside it."""
    usage = response.usage if caller.wire.has_own_classes else response.response.usage
    return prices.cost(caller.row.prices or caller.row.name, response.model, usage).total


def needs_price_table(caller: Caller) -> None:
    if not caller.wire.uses_price_table:
        pytest.skip("the SDK calculates prices: see test_litellm")


def test_a_response_and_a_stream_know_their_cost(caller: Caller) -> None:
    needs_price_table(caller)
    answer = Answer("Hello", usage=Usage(1000, 100, cached=400))
    caller.server.reply(answer, answer)
    response, stream = caller.call(), caller.stream()
    assert response.cost_details.status == "exact"
    assert response.cost_details.total == exact(caller, response)
    assert response.cost == float(response.cost_details.total) > 0
    assert stream.cost == response.cost
    assert stream.cost_details.items == response.cost_details.items
    assert stream.construct_call_response().cost == response.cost
    assert (
        response.cost_metadata.model_dump(exclude_none=True).items()
        >= {
            "input_tokens": 1000 if caller.wire.counts_cached else 600,
            "output_tokens": 100,
            **({"cached_tokens": 400} if caller.wire.reports_cached else {}),
        }.items()
    )
    assert response.model_dump()["cost"] == response.cost


def count_calls(read: Callable[[], object]) -> int:
    """Return the number of Python and C functions that are called by `read`."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read()
    finally:
        sys.setprofile(None)
    return calls


def test_the_cost_alone_makes_no_items(caller: Caller) -> None:
    needs_price_table(caller)
    answer = Answer("Hello", usage=Usage(1000, 100, cached=400))
    caller.server.reply(answer, answer, answer)
    first, alone, itemised = caller.call(), caller.call(), caller.call()
    assert first.cost == first.cost_details.usd, "and what is made once is made"
    alone_calls = count_calls(lambda: alone.cost)
    itemised_calls = count_calls(lambda: itemised.cost_details)
    assert alone.cost == itemised.cost_details.usd
    assert alone_calls + 35 < itemised_calls


def of_tomorrow(caller: Caller) -> Caller:
    """The same with a model without a price."""
    vendor, slash, _ = caller.row.model.rpartition("/")
    return replace(caller, row=replace(caller.row, model=f"{vendor}{slash}a-model-of-tomorrow"))


def test_what_is_not_known_is_none_and_says_why(caller: Caller) -> None:
    caller.server.reply(Answer("Hello", model="a-model-of-tomorrow"), Answer("Hello", usage=None))
    unknown, silent = of_tomorrow(caller).call(), caller.stream()
    assert (unknown.cost, unknown.cost_details.status) == (None, "unknown_model")
    if caller.wire.uses_price_table:  # the other SDKs estimate usage that the provider does not report
        assert (silent.cost, silent.cost_details.status) == (None, "no_usage")


def test_a_stream_that_was_broken_off_has_an_estimate(caller: Caller) -> None:
    caller.server.reply(LONG)
    stream = caller.call("Say hello", stream=True)

    def sync() -> None:
        for _ in stream:
            if len(stream.content) > 400:
                break

    async def asynchronous() -> None:
        async for _ in stream:
            if len(stream.content) > 400:
                break
        while not stream.end_time:  # the loop ends a generator that was left, in its own time
            await asyncio.sleep(0.001)

    caller.run(sync, asynchronous)
    assert stream.cost_details.status == "estimate"
    tokens = -(-len(stream.content) // 4)
    assert [item.count for item in stream.cost_details.items if item.unit == "output"] == [tokens]


def test_a_meter_adds_up_what_is_spent_inside_it(caller: Caller) -> None:
    answer = Answer("Hello", usage=Usage(1000, 100))
    caller.server.reply(*[answer] * 3, Answer("Hello", model="a-model-of-tomorrow"))
    with prices.meter() as spent:
        response = caller.call()
        caller.stream()
        with prices.meter() as inner:
            caller.call()
        of_tomorrow(caller).call()
    assert spent.total == 3 * response.cost_details.total
    assert inner.total == response.cost_details.total
    assert (spent.calls, spent.unpriced_calls) == (4, 1)


def test_a_stream_is_counted_by_the_meter_that_was_open_at_its_call(caller: Caller) -> None:
    caller.server.reply(Answer("Hello", usage=Usage(1000, 100)))
    with prices.meter() as spent:
        stream = caller.call(stream=True)
    with prices.meter() as other:
        caller.consume(stream)
    assert (spent.calls, spent.total, other.calls) == (1, stream.cost_details.total, 0)


def test_a_meter_is_given_to_a_call_without_a_block(caller: Caller) -> None:
    caller.server.reply(*[Answer("Hello", usage=Usage(1000, 100))] * 3)
    spent = prices.meter(budget_usd="100")
    call = spent.attach(caller.decorate(lambda: "Say hello"))
    stream = spent.attach(caller.decorate(lambda: "Say hello", stream=True))
    caller.call()
    one = call().cost_details.total
    caller.consume(stream())
    assert (spent.calls, spent.total) == (2, 2 * one)


def test_a_budget_ends_a_stream_and_lets_no_call_begin(caller: Caller) -> None:
    caller.server.reply(LONG, "never sent")
    with prices.meter(budget_usd="0.00005") as spent:
        stream = caller.call("Say hello", stream=True)
        with pytest.raises(errors.BudgetExceededError, match=r"budget of 0\.00005 USD") as caught:
            caller.consume(stream)
        assert caught.value.partial is not None
        assert 0 < len(caught.value.partial.content) < len(LONG.text)
        assert caught.value.partial.content == stream.content[: len(caught.value.partial.content)]
        caller.server.wait_closed(timeout=0.5)
        assert spent.total >= Decimal("0.00005")
        requests = len(caller.server.requests)
        with pytest.raises(errors.BudgetExceededError, match="used up"):
            caller.call()
        assert len(caller.server.requests) == requests
