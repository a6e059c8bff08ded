"""The function that is called for each row: a decorated function, or any other function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from .. import prices
from .._engine.call import Call
from .._engine.drive import Flow
from .._engine.flow import completion, preparation, restoration
from .._engine.plan import CallPlan
from .._engine.retry_options import plan_retry
from .._mapping import planned
from ..core.base._prompts.plan import fn_is_async
from ..core.base._suggestions import function_name
from ..core.base.call_response import AnyCallResponse, BaseCallResponse
from ..core.base.retry import Attempt, RateLimit, Retry
from ._requests import request_hash
from ._rows import UnreadableRow

# Any: functions have any parameters and results.


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """The response body of an earlier run.

    Attributes:
        body: The body, as the dialect dumps it.
        start_time: The time of the request, in milliseconds since the epoch.
        end_time: The time at which the response was complete.
        batch: Whether it is from a job of the provider's batch API.
        is_new: Whether the meters have to count it.
    """

    body: bytes
    start_time: float
    end_time: float
    batch: bool = False
    is_new: bool = False


@dataclass(slots=True)  # frozen ones take longer to create
class Answer:
    """The answer for one row.

    Attributes:
        value: The result of the call.
        response: The response; None if a function did not return one.
        attempts: The number of requests.
        cost: The cost in USD; None if it is unknown.
        saved: The recorded answer that was used instead of a request.
        body: The response body, if it is to be recorded.
    """

    value: Any
    response: AnyCallResponse | None
    attempts: int
    cost: Decimal | None
    saved: SavedAnswer | None = None
    body: bytes = b""


class Recall(Protocol):
    """Returns the recorded answer for a request, by its hash; None if the request has to be sent.

    For an async function, the result may be an awaitable of it.
    """

    def __call__(self, hashed: bytes, /) -> SavedAnswer | Awaitable[SavedAnswer | None] | None: ...


class Target(Protocol):
    """The function of a run.

    Attributes:
        name: Its name, for messages.
        is_async: Whether it is async.
    """

    @property
    def name(self) -> str: ...
    @property
    def is_async(self) -> bool: ...
    def scope(self) -> AbstractContextManager[object]:
        """Return a context manager for all calls of a run."""
        ...

    def steps(self, row: Any, recall: Recall | None) -> Flow:
        """Yield the steps of the call for a row, and return its `Answer`."""
        ...


class _Arguments:
    """The arguments of a function in a row. Other members of the row are not passed."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        parameters = inspect.signature(fn).parameters.values()
        self.takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        self.names = [one.name for one in parameters if one.kind in named]

    def of(self, row: Any) -> dict[str, Any]:
        """Return the arguments.

        Raises:
            TypeError: The row is not a mapping, or none of its members is a parameter.
        """
        if isinstance(row, UnreadableRow):
            raise row.error
        if not isinstance(row, Mapping):
            raise TypeError(f"a row must be a mapping of the function's arguments, not {type(row).__name__!r}: {row!r}")
        if self.takes_all:
            return {str(name): value for name, value in row.items()}
        found = {name: row[name] for name in self.names if name in row}
        if not found and self.names:
            raise TypeError(f"the row has none of the arguments {self.names!r}; its members are {list(row)!r}")
        return found


class CallTarget:
    """A decorated function, whose requests are known before they are sent."""

    def __init__(
        self,
        fn: Callable[..., Any],
        plan: CallPlan,
        scope: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self.name = function_name(fn)
        self.is_async = plan.prompt.is_async
        self.scope = scope
        self.plan = plan
        self._arguments = _Arguments(plan.prompt.fn)

    def steps(self, row: Any, recall: Recall | None) -> Flow:
        call = yield from self.prepared(row)
        saved = None if recall is None else (yield partial(recall, request_hash(call)))
        return (yield from self.answered(call, saved, is_recorded=recall is not None))

    def answered(self, call: Call, saved: SavedAnswer | None, *, is_recorded: bool) -> Flow:
        """Yield the steps from a prepared call to its `Answer`.

        Args:
            call: The call.
            saved: The recorded answer; None if the request has to be sent.
            is_recorded: Whether the answer will be recorded.
        """
        if saved is not None:
            response, value = yield from restored(call, saved)
            return Answer(value, response, 0, cost_of(response, ()), saved)
        response, value = yield from completion(call)
        body = self._body(call, response.response) if is_recorded else b""
        attempts = response.attempts
        return Answer(value, response, len(attempts) or 1, cost_of(response, attempts), None, body)

    def _body(self, call: Call, raw: Any) -> bytes:
        """Return the body of a response: as it arrived, if that is known."""
        received = call.received
        if received is not None and received[0] is raw:
            return received[1]
        return self.plan.provider.dialect.dump_event(raw).encode()

    def prepared(self, row: Any) -> Flow:
        """Yield the steps that prepare the call for a row, and return it."""
        return preparation(self.plan, (), self._arguments.of(row))


def restored(call: Call, saved: SavedAnswer) -> Flow:
    """Yield the steps of a call whose answer is known, and return its response and result."""
    times = saved.start_time, saved.end_time
    return restoration(call, saved.body, *times, batch=saved.batch, is_new=saved.is_new)


class FunctionTarget:
    """Any function of a program, which may make several calls or none."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.name = function_name(fn)
        self.is_async = fn_is_async(fn)
        self._fn = fn
        self._arguments = _Arguments(fn)

    def scope(self) -> AbstractContextManager[object]:
        return nullcontext()

    def steps(self, row: Any, recall: Recall | None) -> Flow:
        arguments = self._arguments.of(row)
        with prices.meter() as spent:
            value = yield partial(self._fn, **arguments)
        response = value if isinstance(value, BaseCallResponse) else getattr(value, "_response", None)
        attempts = len(response.attempts) if isinstance(response, BaseCallResponse) else 0
        cost = None if spent.unpriced_calls and not spent.total else spent.total
        return Answer(value, response, max(attempts, spent.calls), cost)


def target_of(
    fn: Callable[..., Any], retry: int | Retry | None, rate_limit: RateLimit | None
) -> CallTarget | FunctionTarget:
    """Return the target of a run.

    Args:
        fn: The function.
        retry: The option `retry` of its calls; None for that of the decorator.
        rate_limit: The option `rate_limit` likewise.

    Raises:
        TypeError: It is not a function, or its options cannot be changed.
        ValueError: The function returns streams.
    """
    if not callable(fn):
        raise TypeError(f"`map_rows` needs a function, not {fn!r}")
    found = planned(fn)
    if found is None:
        if retry is not None or rate_limit is not None:
            raise TypeError(
                f"`retry` and `rate_limit` change only decorated functions, and {function_name(fn)} is another one: "
                "set them where its calls are decorated"
            )
        return FunctionTarget(fn)
    plan = found.plan()
    if plan.stream:
        raise ValueError(f"a run needs complete responses: remove `stream` from the decorator of {function_name(fn)}")
    if retry is not None or rate_limit is not None:
        limit = plan.rate_limit if rate_limit is None else rate_limit
        plan = replace(plan, retry=plan_retry(plan.retry if retry is None else retry, limit), rate_limit=limit)
    return CallTarget(fn, plan, found.scope)


def cost_of(response: AnyCallResponse | None, attempts: tuple[Attempt, ...]) -> Decimal | None:
    """Return the cost of all requests for a row in USD; None if no cost is known."""
    if attempts:
        known = [one.cost.total for one in attempts if one.cost is not None and one.cost.total is not None]
        return sum(known, Decimal(0)) if known else None
    return None if response is None else response._total_cost.total
