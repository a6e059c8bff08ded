"""Several decorators under one name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")
_WP = ParamSpec("_WP")
_WR = TypeVar("_WR")


def merge_decorators(
    decorator: Callable[[Callable[_P, _R]], Callable[_WP, _WR]],
    *additional_decorators: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Callable[[], Callable[[Callable[_P, _R]], Callable[_WP, _WR]]]:
    """Make one decorator of several: `merge_decorators(a, b)()(f)` is `a(b(f))`.

    They are applied once, at decoration, so a mistake shows there. The type is the first decorator's;
    name and docstring of the function stay visible through decorators that drop them.

    ```python
    book_call = merge_decorators(openai.call("gpt-4o-mini"), prompt_template("Recommend a {genre} book"))


    @book_call()
    def recommend(genre: str) -> None: ...
    ```
    """

    def factory() -> Callable[[Callable[_P, _R]], Callable[_WP, _WR]]:
        def decorate(fn: Callable[_P, _R]) -> Callable[_WP, _WR]:
            inner: Callable[..., Any] = fn
            for one in reversed(additional_decorators):
                inner = _named_after(inner, one(inner))
            return _named_after(inner, decorator(inner))

        return decorate

    return factory


def _named_after(fn: Callable[..., Any], decorated: Callable[_WP, _WR]) -> Callable[_WP, _WR]:
    """Give what a decorator made the name of what it decorates, unless it already leads there."""
    if decorated is fn or hasattr(decorated, "__wrapped__"):
        return decorated

    # A function of our own: `decorated` may be shared, and is not ours to rename.
    if inspect.iscoroutinefunction(decorated):

        @wraps(fn)
        async def wrapped_async(*args: _WP.args, **kwargs: _WP.kwargs) -> Any:
            return await decorated(*args, **kwargs)

        return cast(Callable[_WP, _WR], wrapped_async)

    @wraps(fn)
    def wrapped(*args: _WP.args, **kwargs: _WP.kwargs) -> _WR:
        return decorated(*args, **kwargs)

    return wrapped
