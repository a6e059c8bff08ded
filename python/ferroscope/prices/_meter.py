"""Meters: the sum of the costs of calls over tasks and threads, and budgets.

A call notes the meters that are open when it is made. Before it is sent, `admit` checks their budgets. When it is
finished, `record` adds its cost. A running stream has a `BudgetWatch`, which counts the text and ends the stream
when a budget is passed. Without a meter all of them return at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from .._core import prices_known
from .._coroutine_function import coroutine_function
from .._scopes import ReentrantScope, Scopes
from ..errors import BudgetExceededError, UnknownPriceError
from ._cost import FREE

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Self

    from ._cost import Cost

_CallT = TypeVar("_CallT", bound=Callable[..., object])


class Meter:
    """The sum of the costs of calls inside its `with` block, and of the calls that it is attached to.

    A block may be entered in one task, thread or generator and left in another. It may be entered again; the sum goes
    on. Tasks that are started inside the block count too.

    Attributes:
        total: The exact sum in USD of the calls whose cost is known.
        calls: How many calls were counted.
        unpriced_calls: How many of them have no known cost: the total is then a lower bound.
        by_model: The same sum by provider and model.
        budget: What may be spent, in USD; None if there is no limit.
    """

    def __init__(self, budget: Decimal | None, allow_unpriced: bool) -> None:
        self.budget = budget
        self.allow_unpriced = allow_unpriced
        self.total = Decimal(0)
        self.calls = 0
        self.unpriced_calls = 0
        self.by_model: dict[tuple[str, str], Decimal] = {}
        self._lock = Lock()
        self._scope = ReentrantScope(_SCOPES, self)

    def __enter__(self) -> Self:
        self._scope.enter()
        return self

    def __exit__(self, *exc_info: object) -> Literal[False]:
        self._scope.exit()
        return False

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *exc_info: object) -> Literal[False]:
        return self.__exit__()

    def attach(self, call: _CallT) -> _CallT:
        """Return the same call, counted by this meter without any `with` block.

        Args:
            call: A function decorated with a provider's `call`, or any sync or async function that makes calls.

        Raises:
            TypeError: It is a generator function, whose body runs in whichever context iterates over it.

        Example:
            ```python
            spent = prices.meter(budget_usd="0.10")
            response = spent.attach(recommend_book)("fantasy")
            ```
        """
        if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
            name = getattr(call, "__qualname__", call)
            raise TypeError(f"{name} is a generator function; attach the meter to the calls that it makes")

        def start(*args: Any, **kwargs: Any) -> Any:  # Any: the call's own
            with self:
                result = call(*args, **kwargs)
            return self._awaited(result) if inspect.isawaitable(result) else result

        if inspect.iscoroutinefunction(call):
            return cast("_CallT", coroutine_function(start, call))
        return cast("_CallT", wraps(call)(start))

    async def _awaited(self, result: Awaitable[Any]) -> Any:
        with self:
            return await result

    @property
    def remaining(self) -> Decimal | None:
        """What is left of the budget; negative if it was passed."""
        return None if self.budget is None else self.budget - self.total

    def record(self, spent: Cost) -> None:
        """Add the cost of a finished call."""
        with self._lock:
            self.calls += 1
            if spent.total is None:
                self.unpriced_calls += 1
                return
            self.total += spent.total
            key = (spent.provider, spent.model_id or spent.model)
            self.by_model[key] = self.by_model.get(key, Decimal(0)) + spent.total

    def __repr__(self) -> str:
        budget = "" if self.budget is None else f" of {self.budget}"
        unpriced = f", {self.unpriced_calls} of them unpriced" if self.unpriced_calls else ""
        return f"Meter({self.total}{budget} USD, {self.calls} calls{unpriced})"


_SCOPES: Final = Scopes[Meter]("ferroscope.prices.meter")


def meter(budget_usd: str | int | Decimal | None = None, *, allow_unpriced: bool = False) -> Meter:
    """Return a meter that adds up the costs inside its `with` or `async with` block; blocks may be nested.

    Args:
        budget_usd: What may be spent. When it is passed, running streams end with `BudgetExceededError`, which has the
            partial response, and no further call is made.
        allow_unpriced: With a budget, calls of models without a price are refused unless this is set, because the
            budget could not be kept.

    Raises:
        ValueError: The budget is not an amount.

    Example:
        >>> from ferroscope import prices
        >>> with prices.meter() as spent:
        ...     usage = {"prompt_tokens": 1000, "completion_tokens": 100}
        ...     prices.record(prices.cost("openai", "gpt-4o", usage))
        >>> spent.total
        Decimal('0.0035')
    """
    try:
        budget = None if budget_usd is None else Decimal(str(budget_usd))
    except ArithmeticError:
        budget = Decimal("NaN")
    if budget is not None and not (budget.is_finite() and budget >= 0):
        raise ValueError(f"a budget is an amount of USD, not {budget_usd!r}")
    return Meter(budget, allow_unpriced)


def open_meters() -> tuple[Meter, ...]:
    """Return the meters that count a call made here, the outermost first."""
    active = _SCOPES.active()
    return tuple(dict.fromkeys(active)) if len(active) > 1 else active


def metered() -> bool:
    """Whether any meter is open here."""
    return bool(_SCOPES.active())


def record(spent: Cost, meters: Sequence[Meter] | None = None) -> None:
    """Add the cost of a finished call to the given meters; by default to those that are open here."""
    for one in open_meters() if meters is None else meters:
        one.record(spent)


def admit(provider: str, model: str, meters: Sequence[Meter] | None = None) -> None:
    """Raise before a call is sent if a budget is used up; by default for the open meters.

    Raises:
        BudgetExceededError: A budget has been used up.
        UnknownPriceError: The model has no price, so that a budget could not be kept.
    """
    for one in open_meters() if meters is None else meters:
        if one.budget is None:
            continue
        if one.total >= one.budget:
            raise BudgetExceededError(
                f"the budget of {one.budget} USD is used up ({one.total} USD in {one.calls} calls); "
                f"no call of {model!r} was made"
            )
        if not one.allow_unpriced and provider != FREE and not prices_known(provider, model):
            raise UnknownPriceError(
                f"{model!r} of {provider} has no price, so the budget of {one.budget} USD could not be kept; "
                "register one with prices.register, or open the meter with allow_unpriced=True"
            )


# Text has about four characters a token; a wrong guess moves the moment at which a stream is ended, not any bill.
CHARACTERS_A_TOKEN = 4


class BudgetWatch:
    """Watches the budget while a stream is running, on an estimate from the length of its text."""

    __slots__ = ("_budgets", "_input", "_model", "_rate", "_spent")

    def __init__(self, model: str, budgets: tuple[Meter, ...], rate: Decimal, prompt: Decimal) -> None:
        self._model = model
        self._budgets = budgets
        self._rate = float(rate) / CHARACTERS_A_TOKEN
        self._input = float(prompt)
        self._spent = 0.0

    @property
    def spent(self) -> float:
        """The estimate in USD so far."""
        return self._input + self._spent

    def add(self, characters: int) -> None:
        """Count received text: content, reasoning, tool arguments.

        Raises:
            BudgetExceededError: A budget is passed. Whoever runs the stream closes it and sets `partial`.
        """
        self._spent += characters * self._rate
        for one in self._budgets:
            if one.budget is not None and float(one.total) + self.spent > float(one.budget):
                raise BudgetExceededError(
                    f"the stream of {self._model!r} was ended: with about {self.spent:.6f} USD for it so far, the "
                    f"budget of {one.budget} USD is passed ({one.total} USD spent before)"
                )


def budget_watch(
    provider: str,
    model: str,
    *,
    context: Mapping[str, object] | None = None,
    prompt_characters: int = 0,
    meters: Sequence[Meter] | None = None,
) -> BudgetWatch | None:
    """Return a watch on the budgets for a new stream; None without a budget."""
    budgets = tuple(one for one in (open_meters() if meters is None else meters) if one.budget is not None)
    if not budgets:
        return None
    from ._cost import cost

    tokens = prompt_characters // CHARACTERS_A_TOKEN
    probe = cost(provider, model, {"prompt_tokens": tokens, "completion_tokens": 1_000}, context=context)
    output = sum((item.amount for item in probe.items if item.unit == "output"), Decimal(0))
    prompt = sum((item.amount for item in probe.items if item.unit != "output"), Decimal(0))
    return BudgetWatch(model, budgets, output / 1_000, prompt)
