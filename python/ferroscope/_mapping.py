"""The method `map` of decorated functions. `ferroscope.batch` is imported when it is first called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._lazy import load_name

if TYPE_CHECKING:
    from ._engine.plan import CallPlan

# Any: a decorated function has any parameters, and rows have any form.


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """The plan of a decorated function, for code that makes many of its calls.

    Attributes:
        owner: The decorated function. `functools.wraps` copies attributes to wrappers, which this plan does not cover.
        plan: Returns the plan of a call in the current context.
        scope: Returns a context manager for the calls, in which nested calls have the same changes.
    """

    owner: Callable[..., Any]
    plan: Callable[[], CallPlan]
    scope: Callable[[], AbstractContextManager[object]] = nullcontext


def planned(call: object) -> Planned | None:
    """Return the plan of a decorated function; None for any other function."""
    found = getattr(call, "_planned", None)
    return found if isinstance(found, Planned) and found.owner is call else None


def add_map(
    call: Any,
    plan: Callable[[], CallPlan] | None = None,
    scope: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Add the method `map` to a decorated function, or to a wrapper of one, which has no plan."""

    def map(rows: Any, **options: Any) -> Any:
        return load_name("ferroscope.batch:map_rows")(call, rows, **options)

    map.__doc__ = "Call the function for many rows; see `ferroscope.batch.map_rows`."
    call.map = map
    call._planned = None if plan is None else Planned(call, plan, scope)
