"""Several decorators under one name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

# A decorator's whole type, overloads included: pairs of parameters and results would keep only one of them.
_DecoratorT = TypeVar("_DecoratorT", bound=Callable[..., Any])


def merge_decorators(
    decorator: _DecoratorT,
    *additional_decorators: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Callable[[], _DecoratorT]:
    """Make one decorator of several: `merge_decorators(a, b)()(f)` is `a(b(f))`.

    They are applied once, at decoration, so a mistake shows there. The type is the first decorator's;
    name and docstring of the function stay visible through decorators that drop them.

    ```python
    book_call = merge_decorators(openai.call("gpt-4o-mini"), prompt_template("Recommend a {genre} book"))


    @book_call()
    def recommend(genre: str) -> None: ...
    ```
    """

    decorators: list[Callable[..., Callable[..., Any]]] = [decorator, *additional_decorators]

    def factory() -> _DecoratorT:
        def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
            for one in reversed(decorators):
                fn = _named_after(fn, one(fn))
            return fn

        return cast(_DecoratorT, decorate)

    return factory


def _named_after(fn: Callable[..., Any], decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Give what a decorator made the name of what it decorates, unless it already leads there."""
    if decorated is fn or hasattr(decorated, "__wrapped__"):
        return decorated

    # A function of our own: `decorated` may be shared, and is not ours to rename.
    if inspect.iscoroutinefunction(decorated):

        @wraps(fn)
        async def wrapped_async(*args: Any, **kwargs: Any) -> Any:
            return await decorated(*args, **kwargs)

        return wrapped_async

    @wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return decorated(*args, **kwargs)

    return wrapped
