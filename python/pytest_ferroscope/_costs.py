"""Check what a block costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from ferroscope.prices import Meter, meter


@contextmanager
def assert_costs(
    exactly: str | int | Decimal | None = None, *, at_most: str | int | Decimal | None = None
) -> Iterator[Meter]:
    """Fail if the calls of a block do not cost what is expected.

    Args:
        exactly: The cost in USD.
        at_most: The largest cost in USD.

    Raises:
        AssertionError: The cost is another one, or the cost of a call is unknown.
        TypeError: Neither limit is given, or both are.
    """
    if (exactly is None) == (at_most is None):
        raise TypeError("assert_costs: pass either the exact cost in USD, or at_most=")
    with meter() as spent:
        yield spent
    assert not spent.unpriced_calls, f"the cost of {spent.unpriced_calls} of the calls is unknown: {spent!r}"
    if exactly is not None:
        assert spent.total == Decimal(exactly), f"the calls cost {spent.total} USD, not {exactly}: {spent!r}"
    else:
        assert spent.total <= Decimal(at_most or 0), f"the calls cost {spent.total} USD, over {at_most}: {spent!r}"
