"""Mistakes in the options of a decorator are errors that name the right option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ferroscope import llm
from ferroscope.core import openai

DECORATORS: dict[str, Callable[..., Any]] = {
    "openai.call": lambda **options: openai.call("gpt-4o-mini", **options),
    "llm.call": lambda **options: llm.call("openai", "gpt-4o-mini", **options),
    "llm.override": lambda **options: llm.override(llm.call("openai", "gpt-4o-mini")(prompt), **options),
}


def prompt() -> str:
    return "Hi"


@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("response_modle", "did you mean `response_model`?"),
        ("tool", "did you mean `tools`?"),
        ("temperature", 'write `call_params={"temperature": ...}`'),
        ("max_tokens", 'write `call_params={"max_tokens": ...}`'),
    ],
)
def test_an_unknown_option_is_an_error_with_the_right_name(decorator: str, name: str, hint: str) -> None:
    with pytest.raises(TypeError) as caught:
        DECORATORS[decorator](**{name: 1})
    assert str(caught.value) == f"{decorator}() got an unexpected option `{name}`: {hint}"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (prompt, 'openai.call needs a model: write `@openai.call("a-model")` above `prompt`'),
        (None, "openai.call() needs the name of a model as a string, not None"),
        ("", "openai.call() needs the name of a model as a string, not ''"),
    ],
)
def test_a_decorator_without_a_model_is_an_error(model: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        openai.call(model)
    assert str(caught.value) == message


@pytest.mark.parametrize("decorator", [openai.call, llm.call])
def test_the_help_of_a_decorator_explains_every_option(decorator: Any) -> None:
    for name in ("stream", "tools", "response_model", "output_parser", "json_mode", "client", "call_params", "retry"):
        assert f"    {name}: " in decorator.__doc__
