"""Amounts are the exact fractions, rounded once and half to even at 10^-18 USD."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferroscope import prices

ATTO = 10**18
prices_in_nano = st.integers(0, 600 * 10**9)
counts = st.integers(0, 10**12)
factors = st.fractions(min_value=0, max_value=4, max_denominator=1000)


@pytest.fixture(autouse=True, scope="module")
def only_the_built_in_table() -> Iterator[None]:
    yield
    prices.reset()


def usd(nano: int) -> str:
    return format(Decimal(nano).scaleb(-9), "f")


def rounded(amount: Fraction) -> Decimal:
    atto = amount * ATTO
    whole, rest = divmod(atto.numerator, atto.denominator)
    if 2 * rest > atto.denominator or (2 * rest == atto.denominator and whole % 2):
        whole += 1
    return Decimal(whole).scaleb(-18, Context(prec=60))


@given(
    rates=st.fixed_dictionaries({"input": prices_in_nano, "output": prices_in_nano, "cache_read": prices_in_nano}),
    long=prices_in_nano,
    limit=st.integers(1, 10**6),
    prompt=counts,
    cached=counts,
    output=counts,
)
def test_token_amounts_are_exact(
    rates: dict[str, int], long: int, limit: int, prompt: int, cached: int, output: int
) -> None:
    cached = min(cached, prompt)
    text = " ".join(f"{unit}={usd(nano)}" for unit, nano in rates.items())
    text = text.replace(f"input={usd(rates['input'])}", f"input={usd(rates['input'])},>{limit}:{usd(long)}")
    prices.reset()
    prices.register([{"provider": "acme", "model": "x", "rates": text}])
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "prompt_tokens_details": {"cached_tokens": cached}}
    price = long if prompt > limit else rates["input"]
    exact = Fraction((prompt - cached) * price + cached * rates["cache_read"] + output * rates["output"], 10**15)
    cost = prices.cost("acme", "x", usage)
    assert cost.total is not None
    assert Fraction(cost.total) == exact
    assert cost.atto == exact * ATTO
    assert cost.usd == float(exact)
    assert sum((Fraction(item.amount) for item in cost.items), Fraction(0)) == exact


@given(nano=prices_in_nano, milliseconds=st.integers(1, 10**9))
def test_an_amount_that_does_not_end_is_rounded_once(nano: int, milliseconds: int) -> None:
    prices.reset()
    prices.register([{"provider": "acme", "model": "x", "rates": {"audio_seconds": usd(nano)}}])
    cost = prices.cost("acme", "x", {"seconds": milliseconds / 1000})
    assert cost.total == rounded(Fraction(nano * milliseconds, 3600 * 1000 * 10**9))


@given(factor=factors, prompt=counts)
def test_contracts_are_exact(factor: Fraction, prompt: int) -> None:
    prices.reset()
    prices.scale("openai", factor)
    cost = prices.cost("openai", "gpt-4o", {"prompt_tokens": prompt, "completion_tokens": 0})
    assert cost.total == rounded(Fraction(prompt * 5, 2 * 10**6) * factor)


@given(st.decimals(min_value=0, max_value=10**6, places=18))
def test_the_oracle_rounds_like_decimal(amount: Decimal) -> None:
    assert rounded(Fraction(amount)) == amount.quantize(Decimal(1).scaleb(-18), ROUND_HALF_EVEN, Context(prec=60))
