"""Functions that do something when they are called, and not only when what they return is awaited.

An `async def` runs none of its body before that. A call that must take note of where it was made (its context)
is a plain function that returns a coroutine; frameworks have to be told that it is a coroutine function all the
same, or they do not await it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from types import MethodType
from typing import Any

# Any: what a decorated function takes and gives is whatever it took and gave before.
Start = Callable[..., Coroutine[Any, Any, Any]]


def coroutine_function(start: Start, wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Make `start` look like `wrapped` and, to `inspect.iscoroutinefunction`, like an `async def`."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(update_wrapper(start, wrapped))
    return _CoroutineFunction(start, wrapped)


async def _async_def() -> None: ...


class _CoroutineFunction:
    """A function by its attributes: before 3.12 `inspect` has no other way to be told."""

    def __init__(self, start: Start, wrapped: Callable[..., Any]) -> None:
        self.__qualname__: str = ""
        update_wrapper(self, wrapped)
        self._start = start
        self.__code__ = _async_def.__code__
        self.__defaults__ = None
        self.__kwdefaults__ = None
        self.__annotations__ = getattr(wrapped, "__annotations__", {})

    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        return self._start(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"

    def __reduce__(self) -> str:
        # By its name, as functions are.
        return self.__qualname__
