"""What calls add up to, across tasks, and how a budget is kept."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ferroscope import prices
from ferroscope.errors import BudgetExceededError, UnknownPriceError


def spend(tokens: int = 1000, model: str = "gpt-4o") -> None:
    usage = {"prompt_tokens": tokens, "completion_tokens": 0}
    prices.record(prices.cost_of(provider="openai", model=model, usage_json=prices.usage_json(usage)))


def test_a_meter_adds_up_what_was_spent_inside() -> None:
    spend()
    with prices.meter() as outer:
        spend()
        with prices.meter() as inner:
            spend(2000)
        spend(1, "gpt-unheard-of")
    spend()
    assert (inner.total, inner.calls, inner.unpriced_calls) == (Decimal("0.005"), 1, 0)
    assert (outer.total, outer.calls, outer.unpriced_calls) == (Decimal("0.0075"), 3, 1)
    assert outer.by_model == {("openai", "gpt-4o"): Decimal("0.0075")}
    assert repr(outer) == "Meter(0.0075 USD, 3 calls, 1 of them unpriced)"


async def test_tasks_that_were_started_inside_share_the_meter() -> None:
    async def work(n: int) -> None:
        await asyncio.sleep(0)
        spend(n)

    other = asyncio.create_task(work(10**6))
    with prices.meter() as meter:
        await asyncio.gather(*(work(1000) for _ in range(50)), asyncio.to_thread(spend, 1000))
    await other
    assert (meter.total, meter.calls) == (Decimal("0.1275"), 51)


def test_no_call_is_made_when_the_budget_is_used_up() -> None:
    with prices.meter("0.005") as meter:
        for _ in range(2):
            prices.check_budgets("openai", "gpt-4o")
            spend()
        with pytest.raises(BudgetExceededError, match=r"the budget of 0.005 USD is used up \(0.0050? USD in 2 calls\)"):
            prices.check_budgets("openai", "gpt-4o")
    assert meter.remaining == 0
    prices.check_budgets("openai", "gpt-4o")


def test_a_budget_refuses_what_has_no_price() -> None:
    with (
        prices.meter(1),
        pytest.raises(UnknownPriceError, match="'gpt-unheard-of' of openai has no price, so the budget of 1 USD"),
    ):
        prices.check_budgets("openai", "gpt-unheard-of")
    with prices.meter(1, allow_unpriced=True):
        prices.check_budgets("openai", "gpt-unheard-of")
    with prices.meter():
        prices.check_budgets("openai", "gpt-unheard-of")


def test_a_stream_is_ended_when_the_budget_is_passed() -> None:
    with prices.meter("0.01") as meter:
        spend(1600)  # 0.004
        watch = prices.budget_watch("openai", "gpt-4o", prompt_characters=4_000)  # 0.0025
        assert watch is not None
        watch.add(1_000)  # 0.0025
        assert watch.spent == pytest.approx(0.005)
        watch.add(399)
        with pytest.raises(BudgetExceededError, match=r"gpt-4o. was ended: its cost of about 0\.006") as caught:
            watch.add(10)
    assert caught.value.partial is None
    assert meter.total == Decimal("0.004")


def test_without_a_budget_nothing_is_watched() -> None:
    assert prices.budget_watch("openai", "gpt-4o") is None
    assert not prices.metered()
    with prices.meter():
        assert prices.metered()
        assert prices.budget_watch("openai", "gpt-4o") is None


@pytest.mark.parametrize("budget", ["nan", "-1", "Infinity", "5 USD"])
def test_a_budget_is_an_amount(budget: str) -> None:
    with pytest.raises(ValueError, match="a budget must be an amount in USD"), prices.meter(budget):
        pass


def test_an_unknown_cost_is_logged_once_and_refused_if_it_was_demanded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "ferroscope.prices")
    for _ in range(3):
        spend(1, "gpt-never-heard-of")
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("the cost of a call of 'gpt-never-heard-of' is unknown (unknown_model): no price for")
    with pytest.raises(UnknownPriceError, match="gpt-never-heard-of"):
        prices.cost_of(provider="openai", model="gpt-never-heard-of", usage_json=b'{"prompt_tokens": 1}', strict=True)


def test_a_meter_in_one_generator_does_not_stop_another() -> None:
    def work(tokens: int) -> Iterator[Decimal]:
        with prices.meter() as spent:
            spend(tokens)
            yield spent.total
            spend(tokens)
            yield spent.total

    first, second = work(1000), work(2000)
    assert (next(first), next(second)) == (Decimal("0.0025"), Decimal("0.005"))
    assert next(first) == Decimal("0.01")  # both are open here, and count the second's call too
    first.close()
    assert next(second) == Decimal("0.0125")
    second.close()
    assert not prices.metered()


def test_a_meter_that_is_entered_twice_counts_once() -> None:
    spent = prices.meter()
    with spent, spent:
        spend()
    with spent:
        spend()
    spend()
    assert (spent.total, spent.calls) == (Decimal("0.005"), 2)


def test_a_meter_is_attached_to_a_function() -> None:
    spent = prices.meter()
    counted = spent.attach(spend)
    counted(tokens=2000)
    spend()
    assert (spent.total, spent.calls, counted.__name__) == (Decimal("0.005"), 1, "spend")


async def test_a_meter_is_attached_to_an_async_function() -> None:
    async def work(tokens: int) -> int:
        await asyncio.sleep(0)
        spend(tokens)
        return tokens

    spent, other = prices.meter(), prices.meter()
    counted = spent.attach(work)
    assert inspect.iscoroutinefunction(counted)
    with other:
        assert await asyncio.gather(counted(1000), work(1000), counted(2000)) == [1000, 1000, 2000]
    assert (spent.total, spent.calls) == (Decimal("0.0075"), 2)
    assert (other.total, other.calls) == (Decimal("0.01"), 3)


def test_a_meter_is_not_attached_to_a_generator_function() -> None:
    def work() -> Iterator[None]:
        yield

    with pytest.raises(TypeError, match=r"work is a generator function; attach the meter to the calls inside it"):
        prices.meter().attach(work)
