"""Coroutine functions with code that runs when they are called, before the coroutine is awaited.

The body of an `async def` does not run until its coroutine is awaited. A call that must record the context in which it
was called is therefore a plain function that returns a coroutine. It must be marked as a coroutine function, because
frameworks await only those.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from types import MethodType
from typing import Any

# Any: a decorated function keeps its parameters and its result.
Start = Callable[..., Coroutine[Any, Any, Any]]


def coroutine_function(start: Start, wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Return `start` with the metadata of `wrapped`, marked for `inspect.iscoroutinefunction`."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(update_wrapper(start, wrapped))
    return _CoroutineFunction(start, wrapped)


async def _async_def() -> None: ...


class _CoroutineFunction:
    """A callable with the attributes of a coroutine function, because `inspect` has no marker before Python 3.12."""

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
        # Pickled by name, like a function.
        return self.__qualname__
