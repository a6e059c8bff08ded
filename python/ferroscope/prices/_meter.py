"""Meters: the total cost of calls across tasks and threads, with optional budgets.

A call records which meters are open when it is made. `check_budgets` checks their budgets before the request is sent.
`record` adds the cost when the call is finished. A `BudgetWatch` counts the text of a running stream and ends it
when a budget is exceeded. Without a meter, all of them return immediately.
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
from .._mapping import add_map
from .._scopes import ReentrantScope, Scopes
from ..errors import BudgetExceededError, UnknownPriceError
from ._cost import FREE

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Self

    from ._cost import Cost, Total

_CallT = TypeVar("_CallT", bound=Callable[..., object])


class Meter:
    """The total cost of the calls inside a `with` block, and of calls that the meter is attached to.

    A block may be entered in one task, thread or generator and left in another. It may be entered again; the total
    is not reset. Tasks that are started inside the block are counted too.

    Attributes:
        total: The exact total in USD of the calls whose cost is known.
        calls: The number of counted calls.
        unpriced_calls: The number of counted calls whose cost is unknown; if not 0, the total is a lower bound.
        by_model: The total in USD by provider and model.
        budget: The limit of the total in USD; None if there is no limit.
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
        """Return the same call, counted by this meter without a `with` block.

        Args:
            call: A function decorated with a provider's `call`, or any sync or async function that makes calls.

        Raises:
            TypeError: `call` is a generator function, whose body runs in the context of each iteration.

        Example:
            ```python
            spent = prices.meter(budget_usd="0.10")
            response = spent.attach(recommend_book)("fantasy")
            ```
        """
        if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
            name = getattr(call, "__qualname__", call)
            raise TypeError(f"{name} is a generator function; attach the meter to the calls inside it")

        def start(*args: Any, **kwargs: Any) -> Any:  # Any: the parameters of the call
            with self:
                result = call(*args, **kwargs)
            return self._awaited(result) if inspect.isawaitable(result) else result

        counted = coroutine_function(start, call) if inspect.iscoroutinefunction(call) else wraps(call)(start)
        if hasattr(call, "map"):
            add_map(counted)
        return cast("_CallT", counted)

    async def _awaited(self, result: Awaitable[Any]) -> Any:
        with self:
            return await result

    @property
    def remaining(self) -> Decimal | None:
        """The unspent part of the budget in USD, negative if the budget is exceeded; None without a budget."""
        return None if self.budget is None else self.budget - self.total

    def record(self, spent: Cost | Total) -> None:
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
        budget_usd: The limit of the total in USD. When it is exceeded, running streams raise `BudgetExceededError`
            with the partial response, and no further request is sent.
        allow_unpriced: Whether calls of models without a price are allowed although there is a budget, which cannot
            limit them.

    Raises:
        ValueError: The budget is not a finite amount of 0 or more.

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
        raise ValueError(f"a budget must be an amount in USD, not {budget_usd!r}")
    return Meter(budget, allow_unpriced)


def open_meters() -> tuple[Meter, ...]:
    """Return the meters that are open in the current context, the outermost first."""
    active = _SCOPES.active()
    return tuple(dict.fromkeys(active)) if len(active) > 1 else active


def metered() -> bool:
    """Return whether a meter is open in the current context."""
    return bool(_SCOPES.active())


def record(spent: Cost | Total, meters: Sequence[Meter] | None = None) -> None:
    """Add the cost of a finished call to the given meters; by default to the open ones."""
    for one in open_meters() if meters is None else meters:
        one.record(spent)


def check_budgets(provider: str, model: str, meters: Sequence[Meter] | None = None) -> None:
    """Raise before a request is sent if a budget is used up; by default for the open meters.

    Raises:
        BudgetExceededError: A budget is used up.
        UnknownPriceError: The model has no price, so the budget cannot be enforced.
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
                f"{model!r} of {provider} has no price, so the budget of {one.budget} USD cannot be enforced; "
                "register one with prices.register, or open the meter with allow_unpriced=True"
            )


# A token has about four characters. The estimate decides when a stream is ended; it does not change any cost.
CHARACTERS_PER_TOKEN = 4


class BudgetWatch:
    """The estimated cost of a running stream, checked against the budgets of meters."""

    __slots__ = ("_budgets", "_input", "_model", "_rate", "_spent")

    def __init__(self, model: str, budgets: tuple[Meter, ...], rate: Decimal, prompt: Decimal) -> None:
        self._model = model
        self._budgets = budgets
        self._rate = float(rate) / CHARACTERS_PER_TOKEN
        self._input = float(prompt)
        self._spent = 0.0

    @property
    def spent(self) -> float:
        """The estimated cost in USD so far."""
        return self._input + self._spent

    def add(self, characters: int) -> None:
        """Count received text: content, reasoning, tool arguments.

        Raises:
            BudgetExceededError: A budget is exceeded. The caller closes the stream and sets `partial` on the error.
        """
        self._spent += characters * self._rate
        for one in self._budgets:
            if one.budget is not None and float(one.total) + self.spent > float(one.budget):
                raise BudgetExceededError(
                    f"the stream of {self._model!r} was ended: its cost of about {self.spent:.6f} USD so far exceeds "
                    f"the budget of {one.budget} USD ({one.total} USD spent before)"
                )


def budget_watch(
    provider: str,
    model: str,
    *,
    context: Mapping[str, object] | None = None,
    prompt_characters: int = 0,
    meters: Sequence[Meter] | None = None,
) -> BudgetWatch | None:
    """Return a watch on the budgets of the meters for a new stream; None without a budget."""
    budgets = tuple(one for one in (open_meters() if meters is None else meters) if one.budget is not None)
    if not budgets:
        return None
    from ._cost import cost

    tokens = prompt_characters // CHARACTERS_PER_TOKEN
    probe = cost(provider, model, {"prompt_tokens": tokens, "completion_tokens": 1_000}, context=context)
    output = sum((item.amount for item in probe.items if item.unit == "output"), Decimal(0))
    prompt = sum((item.amount for item in probe.items if item.unit != "output"), Decimal(0))
    return BudgetWatch(model, budgets, output / 1_000, prompt)
