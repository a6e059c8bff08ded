"""`BasePrompt`: a prompt whose variables are fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from pydantic import computed_field

from ferroscope import BaseMessageParam, ImageURLPart, TextPart, prompt_template
from ferroscope.core import BasePrompt
from ferroscope.core.base import metadata
from ferroscope.core.base._prompts.plan import PromptPlan, ResolvedPrompt, plan_prompt
from ferroscope.errors import TemplateError, TemplateVariableError


def user(content: Any) -> BaseMessageParam:
    return BaseMessageParam(role="user", content=content)


@prompt_template("Recommend a {genre} book like these:\n{books:list}")
@metadata({"tags": {"version:0001"}})
class Recommendation(BasePrompt):
    genre: str
    books: list[str] = ["Dune"]


def call(fn: Callable[..., Any]) -> Callable[..., tuple[PromptPlan, ResolvedPrompt]]:
    """A call decorator that stops before the request."""
    plan = plan_prompt(fn)

    @wraps(fn)
    def called(*args: Any, **kwargs: Any) -> tuple[PromptPlan, ResolvedPrompt]:
        return plan, plan.resolve(plan.bind(args, kwargs), plan.fn(*args, **kwargs))

    return called


def call_async(fn: Callable[..., Any]) -> Callable[..., Any]:
    plan = plan_prompt(fn)

    @wraps(fn)
    async def called(*args: Any, **kwargs: Any) -> tuple[PromptPlan, ResolvedPrompt]:
        return plan, plan.resolve(plan.bind(args, kwargs), await plan.fn(*args, **kwargs))

    return called


def test_as_text_as_messages_and_dumped() -> None:
    prompt = Recommendation(genre="fantasy")
    assert str(prompt) == "Recommend a fantasy book like these:\nDune"
    assert prompt.message_params() == [user("Recommend a fantasy book like these:\nDune")]
    assert prompt.dynamic_config() is None
    assert prompt.dump() == {
        "metadata": {"tags": {"version:0001"}},
        "prompt": "Recommend a fantasy book like these:\nDune",
        "template": "Recommend a {genre} book like these:\n{books:list}",
        "inputs": {"genre": "fantasy", "books": ["Dune"]},
    }


def test_the_template_may_stand_in_the_class() -> None:
    class Greeting(BasePrompt):
        prompt_template = "SYSTEM: Be kind.\nUSER: Hi, I am {name}"
        name: str

    prompt = Greeting(name="Ann")
    assert str(prompt) == "SYSTEM: Be kind.\nUSER: Hi, I am Ann"
    assert prompt.message_params() == [
        BaseMessageParam(role="system", content="Be kind."),
        user("Hi, I am Ann"),
    ]
    assert prompt.dump()["metadata"] == {}


def test_a_field_may_be_a_part_and_reads_as_text_in_a_text() -> None:
    @prompt_template("Look: {url:image}")
    class Look(BasePrompt):
        url: str

    prompt = Look(url="https://example.com/a.png")
    assert prompt.message_params() == [
        user(
            [
                TextPart(type="text", text="Look:"),
                ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None),
            ]
        )
    ]
    assert str(prompt) == "Look: https://example.com/a.png"


def test_properties_and_computed_fields_are_variables() -> None:
    @prompt_template("{name} {upper} {lower} {later}")
    class Names(BasePrompt):
        name: str

        @property
        def upper(self) -> str:
            return self.name.upper()

        @computed_field  # type: ignore[prop-decorator]
        @property
        def lower(self) -> str:
            return self.name.lower()

        def dynamic_config(self) -> Any:
            return {"computed_fields": {"later": self.name * 2}}

    prompt = Names(name="Ann")
    assert str(prompt) == "Ann ANN ann AnnAnn"
    assert prompt.run(call)[1].messages == [user("Ann ANN ann AnnAnn")]


def test_a_subclass_inherits_the_template() -> None:
    class Narrow(Recommendation):
        genre: str = "fantasy"

    assert Narrow().message_params() == Recommendation(genre="fantasy").message_params()


def test_run_calls_with_the_fields() -> None:
    plan, prompt = Recommendation(genre="fantasy").run(call)
    assert prompt.messages == [user("Recommend a fantasy book like these:\nDune")]
    assert prompt.fn_args == {"genre": "fantasy", "books": ["Dune"]}
    assert plan.template == "Recommend a {genre} book like these:\n{books:list}"
    assert plan.metadata == {"tags": {"version:0001"}}
    assert plan.fn.__name__ == "Recommendation"


async def test_run_async_awaits() -> None:
    plan, prompt = await Recommendation(genre="fantasy").run_async(call_async)
    assert plan.is_async
    assert prompt.messages == [user("Recommend a fantasy book like these:\nDune")]


def test_run_honours_the_whole_dynamic_config() -> None:
    class Set(Recommendation):
        def dynamic_config(self) -> Any:
            return {"metadata": {"tags": {"other"}}, "call_params": {"temperature": 0.5}}

    plan, prompt = Set(genre="fantasy").run(call)
    assert prompt.config == {"metadata": {"tags": {"other"}}, "call_params": {"temperature": 0.5}}
    assert plan.metadata == {"tags": {"other"}}
    assert Set(genre="fantasy").dump()["metadata"] == {"tags": {"other"}}


def test_further_decorators_go_around_the_call() -> None:
    calls: list[str] = []

    def logged(fn: Any) -> Any:
        @wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls.append(fn.__name__)
            return fn(*args, **kwargs)

        return wrapper

    Recommendation(genre="fantasy").run(call, logged, logged)
    assert calls == ["Recommendation", "Recommendation"]


def test_a_variable_that_is_no_field_warns_at_the_class_and_is_raised_by_rendering() -> None:
    mistake = r"has the variable 'gerne', which is neither one of its fields \('genre'\)"
    with pytest.warns(UserWarning, match=mistake) as warned:

        @prompt_template("Recommend a {gerne} book")
        class Decorated(BasePrompt):
            genre: str

    assert [warning.filename for warning in warned] == [__file__]
    with pytest.warns(UserWarning, match="'gerne'"):

        class Bodied(BasePrompt):
            prompt_template = "Recommend a {gerne} book"
            genre: str

    for prompt in (Decorated(genre="fantasy"), Bodied(genre="fantasy")):
        with pytest.raises(TemplateVariableError, match=mistake):
            str(prompt)
        with pytest.raises(TemplateVariableError, match=mistake):
            prompt.message_params()


def test_a_class_without_a_template_says_so() -> None:
    class Documented(BasePrompt):
        """Recommend a {genre} book"""

        genre: str

    with pytest.raises(ValueError, match="FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE=ENABLED"):
        str(Documented(genre="fantasy"))
    with pytest.raises(TemplateError, match="requires a template"):
        prompt_template()(Documented)  # type: ignore[call-overload]


def test_a_docstring_may_be_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE", "ENABLED")

    class Documented(BasePrompt):
        """Recommend a {genre} book"""

        genre: str

    assert str(Documented(genre="fantasy")) == "Recommend a fantasy book"
