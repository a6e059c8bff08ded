"""Prompt functions: what they may return, how their arguments are read, and what is decided at decoration."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import BaseMessageParam, CacheControlPart, ImageURLPart, Messages, TextPart, prompt_template
from ferroscope.core.base import metadata
from ferroscope.core.base._prompts.plan import plan_prompt
from ferroscope.errors import TemplateError, TemplateVariableError


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def user(content: Any) -> BaseMessageParam:
    return BaseMessageParam(role="user", content=content)


IMAGE = ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None)


class ProviderMessage(BaseModel):
    """Stands for an SDK's own message class."""

    role: str
    content: str


RETURNED: dict[str, tuple[Any, list[Any]]] = {
    "a text": ("Hi", [user("Hi")]),
    "an empty text": ("", [user("")]),
    "texts": (["a", "b"], [user([text("a"), text("b")])]),
    "a tuple of text and part": (("a", IMAGE), [user([text("a"), IMAGE])]),
    "only parts": ([text("a"), IMAGE], [user([text("a"), IMAGE])]),
    "one part": (IMAGE, [user([IMAGE])]),
    "a message": (Messages.System("Be brief."), [Messages.System("Be brief.")]),
    "messages": ([Messages.System("a"), user("b")], [Messages.System("a"), user("b")]),
    "a tuple of messages": ((user("a"), user("b")), [user("a"), user("b")]),
    "provider dicts": ([{"role": "user", "content": "a"}], [{"role": "user", "content": "a"}]),
    "provider models": (
        [ProviderMessage(role="user", content="a")],
        [ProviderMessage(role="user", content="a")],
    ),
    "messages of all kinds": ([user("a"), {"role": "user"}], [user("a"), {"role": "user"}]),
    "a config with messages": ({"messages": [user("a")]}, [user("a")]),
}


@pytest.mark.parametrize(("returned", "messages"), RETURNED.values(), ids=RETURNED.keys())
@pytest.mark.parametrize("decorate", [lambda fn: fn, prompt_template()], ids=["bare", "prompt_template()"])
def test_what_a_function_may_return(returned: Any, messages: list[Any], decorate: Callable[..., Any]) -> None:
    def prompt() -> Any:
        return returned

    plan = plan_prompt(decorate(prompt))
    assert plan.resolve({}, plan.fn()).messages == messages


NOT_A_PROMPT: dict[str, tuple[Any, str]] = {
    "None": (None, "No prompt template set!"),
    "an empty list": ([], "No prompt template set!"),
    "an empty config": ({}, "No prompt template set!"),
    "a config with fields but no template": ({"computed_fields": {"a": 1}}, "No prompt template set!"),
    "a message beside a text": ([user("a"), "b"], "Invalid message sequence type"),
    "a text beside a message": (["b", user("a")], "Invalid message sequence type"),
    "a number": (3, "Invalid message sequence type: 3"),
    "bytes": (b"a", "Invalid message sequence type: b'a'"),
    "numbers": ([1, 2], "Invalid message sequence type: 1"),
}


@pytest.mark.parametrize(("returned", "message"), NOT_A_PROMPT.values(), ids=NOT_A_PROMPT.keys())
def test_what_is_no_prompt(returned: Any, message: str) -> None:
    def prompt() -> Any:
        return returned

    with pytest.raises(ValueError, match=message):
        plan_prompt(prompt).resolve({}, prompt())


def test_called_directly_it_gives_its_messages() -> None:
    @prompt_template()
    def recommend(genre: str) -> str:
        """Recommend."""
        return f"Recommend a {genre} book"

    assert recommend("fantasy") == [user("Recommend a fantasy book")]
    assert recommend.__name__ == "recommend"
    assert recommend.__doc__ == "Recommend."
    assert list(inspect.signature(recommend).parameters) == ["genre"]


def test_called_directly_a_config_is_passed_on_as_it_is() -> None:
    config = {"messages": [user("a")], "call_params": {"temperature": 0.5}}

    @prompt_template()
    def recommend() -> Any:
        return config

    assert recommend() is config


async def test_an_async_function_is_awaited() -> None:
    @prompt_template()
    async def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"

    @prompt_template("Recommend a {genre} book")
    async def recommend_by_template(genre: str) -> None: ...

    assert inspect.iscoroutinefunction(recommend)
    assert await recommend("fantasy") == [user("Recommend a fantasy book")]
    assert await recommend_by_template("fantasy") == [user("Recommend a fantasy book")]
    assert plan_prompt(recommend).is_async


def test_a_template_is_rendered_with_the_arguments() -> None:
    @prompt_template(
        """
        SYSTEM: You are a librarian
        USER: Recommend {n} {genre} books
        """
    )
    def recommend(genre: str, n: int = 2) -> None: ...

    assert recommend("fantasy") == [Messages.System("You are a librarian"), user("Recommend 2 fantasy books")]
    plan = plan_prompt(recommend)
    assert plan.template == "SYSTEM: You are a librarian\nUSER: Recommend {n} {genre} books"
    assert plan.bind(("fantasy",), {"n": 3}) == {"genre": "fantasy", "n": 3}


def test_computed_fields_are_variables_and_touch_nothing_of_the_caller_s() -> None:
    config = {"computed_fields": {"upper": "FANTASY"}}

    @prompt_template("Recommend a {upper} book")
    def recommend(genre: str) -> Any:
        return config

    plan = plan_prompt(recommend)
    fn_args = plan.bind(("fantasy",), {})
    prompt = plan.resolve(fn_args, plan.fn("fantasy"))
    assert prompt.messages == [user("Recommend a FANTASY book")]
    assert prompt.config is config
    assert prompt.fn_args == {"genre": "fantasy", "upper": "FANTASY"}
    assert fn_args == {"genre": "fantasy"}
    assert config == {"computed_fields": {"upper": "FANTASY"}}


def test_messages_of_a_config_win_over_the_template() -> None:
    @prompt_template("Recommend a {genre} book")
    def recommend(genre: str) -> Any:
        return {"messages": [user("Just this")], "computed_fields": {"ignored": 1}}

    plan = plan_prompt(recommend)
    prompt = plan.resolve(plan.bind(("fantasy",), {}), plan.fn("fantasy"))
    assert (prompt.messages, prompt.fn_args) == ([user("Just this")], {"genre": "fantasy"})


def test_the_list_of_messages_is_a_new_one() -> None:
    history = [user("a")]
    assert plan_prompt(lambda: history).resolve({}, history).messages is not history


class Librarian:
    def __init__(self) -> None:
        self.name = "Ann"
        self.history = [user("Hi"), Messages.Assistant("Hello")]

    @prompt_template("SYSTEM: You are {self.name}\nMESSAGES: {self.history}\nUSER: {query}")
    def ask(self, query: str) -> None: ...

    @prompt_template()
    def shout(self, query: str) -> str:
        return f"{self.name}! {query}"


def test_a_method_has_self_as_a_variable() -> None:
    ann = Librarian()
    assert ann.ask("And?") == [Messages.System("You are Ann"), *ann.history, user("And?")]
    assert ann.shout("And?") == [user("Ann! And?")]
    plan = plan_prompt(Librarian.ask)
    assert plan.bind((ann, "And?"), {}) == {"self": ann, "query": "And?"}


# -- arguments ------------------------------------------------------------


def ordinary(a: int, b: int = 2, *, c: int = 3) -> str:
    return ""


def gathering(a: int, *args: int, c: int = 3, **kwargs: int) -> str:
    return ""


def by_position(a: int, /, b: int = 2) -> str:
    return ""


BOUND: dict[str, tuple[Callable[..., str], tuple[Any, ...], dict[str, Any], dict[str, Any]]] = {
    "by position": (ordinary, (1, 5), {}, {"a": 1, "b": 5, "c": 3}),
    "by name, in the order of the signature": (ordinary, (), {"c": 6, "a": 1}, {"a": 1, "b": 2, "c": 6}),
    "missing ones are left out": (ordinary, (), {"b": 5}, {"b": 5, "c": 3}),
    "keywords are flattened": (gathering, (1, 2, 3), {"x": 9}, {"a": 1, "args": (2, 3), "c": 3, "x": 9}),
    "positional-only": (by_position, (1,), {"b": 4}, {"a": 1, "b": 4}),
}


@pytest.mark.parametrize(("fn", "args", "kwargs", "bound"), BOUND.values(), ids=BOUND.keys())
def test_arguments_by_name(
    fn: Callable[..., str], args: tuple[Any, ...], kwargs: dict[str, Any], bound: dict[str, Any]
) -> None:
    result = plan_prompt(fn).bind(args, kwargs)
    assert list(result.items()) == list(bound.items())


def test_defaults_are_not_shared_between_calls() -> None:
    plan = plan_prompt(ordinary)
    plan.bind((1,), {})["b"] = "changed"
    assert plan.bind((1,), {}) == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(("args", "kwargs"), [((1, 2, 3), {}), ((1,), {"d": 4})], ids=["too many", "unknown"])
def test_an_argument_that_is_not_the_function_s(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        plan_prompt(ordinary).bind(args, kwargs)


# -- at decoration ------------------------------------------------------------


async def test_a_variable_that_is_no_parameter_warns_at_decoration_and_is_raised_by_the_call() -> None:
    mistake = r"the template of \S+recommend has the variable 'gerne', which is not one of its parameters \('genre'\)"
    with pytest.warns(UserWarning, match=mistake) as warned:

        @prompt_template("Recommend a {gerne} book")
        def recommend(genre: str) -> None: ...

    assert [warning.filename for warning in warned] == [__file__]
    with pytest.warns(UserWarning, match="'gerne'"):

        @prompt_template("Recommend a {gerne} book")
        async def recommend_async(genre: str) -> None:
            """Recommend."""

    for _ in range(2):
        with pytest.raises(TemplateVariableError, match=mistake):
            recommend("fantasy")
        with pytest.raises(KeyError, match="'gerne'"):
            await recommend_async("fantasy")
    with pytest.raises(TypeError):
        recommend()  # type: ignore[call-arg]


def test_a_variable_that_may_still_come_is_accepted() -> None:
    @prompt_template("Recommend a {later} book")
    def computed(genre: str) -> Any:
        return {"computed_fields": {"later": genre}}

    @prompt_template("Recommend a {later} book")
    def gathered(**kwargs: str) -> None: ...

    assert computed("fantasy") == gathered(later="fantasy") == [user("Recommend a fantasy book")]


def test_a_broken_template_is_refused_at_decoration() -> None:
    with pytest.raises(TemplateError, match="expected '}' before end of string"):

        @prompt_template("Recommend a {genre book")
        def recommend(genre: str) -> None: ...


# -- docstrings ------------------------------------------------------------


def documented(genre: str) -> None:
    """Recommend a {genre} book"""


def test_a_docstring_is_no_template_unless_the_environment_says_so() -> None:
    plan = plan_prompt(documented)
    assert plan.template is None
    with pytest.raises(ValueError, match="FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE=ENABLED"):
        plan.resolve({"genre": "fantasy"}, None)


@pytest.mark.parametrize("switch", ["FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE", "MIRASCOPE_DOCSTRING_PROMPT_TEMPLATE"])
def test_a_docstring_is_the_template_where_the_environment_says_so(
    switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(switch, "ENABLED")
    plan = plan_prompt(documented)
    assert plan.template == "Recommend a {genre} book"
    assert plan.resolve({"genre": "fantasy"}, None).messages == [user("Recommend a fantasy book")]


def test_a_docstring_that_is_only_documentation_may_have_braces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE", "ENABLED")

    def prompt(genre: str) -> str:
        """Returns a dict like {"genre": ...}"""
        return genre

    assert plan_prompt(prompt).resolve({"genre": "a"}, "a").messages == [user("a")]


# -- other decorators ------------------------------------------------------------


def test_metadata_is_noted_on_either_side_of_the_template() -> None:
    tags: Any = {"tags": {"version:0001"}}

    @prompt_template("{x}")
    @metadata(tags)
    def inside(x: str) -> None: ...

    @metadata(tags)
    @prompt_template("{x}")
    def outside(x: str) -> None: ...

    @metadata(tags)
    def alone(x: str) -> str:
        return x

    assert [plan_prompt(fn).metadata for fn in (inside, outside, alone)] == [tags, tags, tags]


def test_a_decorator_around_a_prompt_is_not_stepped_over() -> None:
    from functools import wraps

    def twice(fn: Callable[..., list[BaseMessageParam]]) -> Callable[..., list[BaseMessageParam]]:
        @wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> list[BaseMessageParam]:
            return fn(*args, **kwargs) * 2

        return wrapper

    @twice
    @prompt_template("Recommend a {genre} book")
    def recommend(genre: str) -> None: ...

    plan = plan_prompt(recommend)
    messages = plan.resolve(plan.bind(("fantasy",), {}), plan.fn("fantasy")).messages
    assert messages == [user("Recommend a fantasy book")] * 2
    assert plan.template == "Recommend a {genre} book"


def test_a_part_that_is_given_as_a_variable_is_the_same_object() -> None:
    part = CacheControlPart(type="cache_control", cache_type="ephemeral")

    @prompt_template("{part:part}")
    def prompt(part: CacheControlPart) -> None: ...

    assert prompt(part)[0].content[0] is part
