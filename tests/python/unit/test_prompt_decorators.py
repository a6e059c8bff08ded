"""`merge_decorators`, `metadata` and `FromCallArgs`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from ferroscope.core.base import FromCallArgs, ResponseModelConfigDict, merge_decorators, metadata
from ferroscope.core.base.from_call_args import is_from_call_args


def adding(mark: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    def decorate(fn: Callable[..., str]) -> Callable[..., str]:
        @wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> str:
            return mark + fn(*args, **kwargs)

        return wrapper

    return decorate


def nameless(fn: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(fn):

        async def wrapper_async(*args: Any, **kwargs: Any) -> Any:
            return await fn(*args, **kwargs)

        return wrapper_async
    return lambda *args, **kwargs: fn(*args, **kwargs)


def test_merged_decorators_are_applied_from_the_last_to_the_first() -> None:
    merged = merge_decorators(adding("a"), adding("b"), adding("c"))

    @merged()
    def text(value: str) -> str:
        """Say it."""
        return value

    assert text("!") == "abc!"
    assert (text.__name__, text.__doc__) == ("text", "Say it.")


def test_merged_decorators_are_applied_once() -> None:
    applied: list[str] = []

    def counting(fn: Callable[..., str]) -> Callable[..., str]:
        applied.append(fn.__name__)
        return fn

    @merge_decorators(counting)()
    def text() -> str:
        return "x"

    assert [text(), text()] == ["x", "x"]
    assert applied == ["text"]


async def test_names_stay_visible_through_decorators_that_drop_them() -> None:
    @merge_decorators(nameless, nameless)()
    def text() -> str:
        """Say it."""
        return "x"

    @merge_decorators(nameless)()
    async def text_async() -> str:
        return "x"

    assert (text.__name__, text.__doc__, text()) == ("text", "Say it.", "x")
    assert (text_async.__name__, await text_async()) == ("text_async", "x")
    assert inspect.iscoroutinefunction(text_async)


def test_metadata_is_noted_on_the_function_itself() -> None:
    def text() -> str:
        return "x"

    assert metadata({"tags": {"a"}})(text) is text
    assert text._metadata == {"tags": {"a"}}  # type: ignore[attr-defined]


class Recommendation(BaseModel):
    model_config = ResponseModelConfigDict(strict=True)

    genre: Annotated[str, FromCallArgs()]
    title: str


@pytest.mark.parametrize(("field", "marked"), [("genre", True), ("title", False)])
def test_from_call_args_marks_a_field(field: str, marked: bool) -> None:
    assert is_from_call_args(Recommendation.model_fields[field]) is marked


def test_a_response_model_may_be_strict() -> None:
    assert Recommendation.model_config == {"strict": True}
