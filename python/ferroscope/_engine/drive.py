"""Steps that are written once for sync and async calls, and the two drivers that run them.

A generator yields functions without arguments. A driver calls each function, awaits the result if the call is async,
and sends the result back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, TypeAlias

# Any: the result of a step comes from the user's function or the SDK.
Step: TypeAlias = Callable[[], Any]
Flow: TypeAlias = Generator[Step, Any, Any]


def drive(steps: Flow) -> Any:
    """Run the steps of a sync call."""
    result: Any = None
    while True:
        try:
            step = steps.send(result)
        except StopIteration as end:
            return end.value
        result = step()


async def adrive(steps: Flow) -> Any:
    """Run the steps of an async call."""
    result: Any = None
    while True:
        try:
            step = steps.send(result)
        except StopIteration as end:
            return end.value
        result = step()
        if type(result) is CoroutineType or inspect.isawaitable(result):
            result = await result


@dataclass(slots=True)  # frozen ones take longer to create
class Outcome:
    """The result of a step, or its exception."""

    value: Any = None
    error: Exception | None = None


def captured(step: Step, *, is_async: bool) -> Step:
    """Return a step that never fails: its result is the outcome of another step."""
    if is_async:

        async def arun() -> Outcome:
            try:
                result = step()
                return Outcome(await result if inspect.isawaitable(result) else result)
            except Exception as error:
                return Outcome(error=error)

        return arun

    def run() -> Outcome:
        try:
            return Outcome(step())
        except Exception as error:
            return Outcome(error=error)

    return run
