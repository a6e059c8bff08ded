"""The combination of several decorators in one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

# The complete type of a decorator with its overloads. Parameter and result types could express only one of them.
_DecoratorT = TypeVar("_DecoratorT", bound=Callable[..., Any])


def merge_decorators(
    decorator: _DecoratorT,
    *additional_decorators: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Callable[[], _DecoratorT]:
    """Combine several decorators: `merge_decorators(a, b)()(f)` is `a(b(f))`.

    The decorators are applied once, at decoration, so an error is raised there. The type is that of the first
    decorator. The name and docstring of the function are restored if a decorator drops them.

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
                fn = _with_original_name(fn, one(fn))
            return fn

        return cast(_DecoratorT, decorate)

    return factory


def _with_original_name(fn: Callable[..., Any], decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Return the decorated function with the name of the original, unless it already refers to the original."""
    if decorated is fn or hasattr(decorated, "__wrapped__"):
        return decorated

    # Use a wrapper: `decorated` may be shared by other functions, so it must not be renamed.
    if inspect.iscoroutinefunction(decorated):

        @wraps(fn)
        async def wrapped_async(*args: Any, **kwargs: Any) -> Any:
            return await decorated(*args, **kwargs)

        return wrapped_async

    @wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return decorated(*args, **kwargs)

    return wrapped
