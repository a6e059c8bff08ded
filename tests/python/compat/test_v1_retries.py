"""Programs of v1's documentation with tenacity, `collect_errors` and `fallback`, with the import changed."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable
from typing import Annotated, Any
from unittest.mock import MagicMock

import pytest
from anthropic import RateLimitError as AnthropicRateLimitError
from openai import RateLimitError as OpenAIRateLimitError
from pydantic import AfterValidator, BaseModel, TypeAdapter, ValidationError
from tenacity import RetryCallState, RetryError, retry, retry_if_exception_type, stop_after_attempt, wait_none

from ferroscope import llm
from ferroscope.core import openai, prompt_template
from ferroscope.retries import FallbackError, fallback
from ferroscope.retries.tenacity import collect_errors
from ferroscope.testing import Answer, ProviderServer, Status, ToolCall

NO_RETRY = {"x-should-retry": "false"}
BUSY = Status(429, headers=NO_RETRY)


def is_upper(value: str) -> str:
    assert value.isupper(), "Must be uppercase"
    return value


def author(name: str) -> Answer:
    return Answer(ToolCall("OutputTool", {"value": name}))


def test_a_call_is_repeated_by_tenacity(server: ProviderServer) -> None:
    @retry(stop=stop_after_attempt(3), wait=wait_none())
    @llm.call(provider="openai", model="gpt-4o-mini")
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"

    server.reply(BUSY, BUSY, "The Name of the Wind")
    assert str(recommend_book("fantasy")) == "The Name of the Wind"
    assert len(server.requests) == 3


def test_errors_are_put_back_into_the_prompt(server: ProviderServer) -> None:
    @retry(stop=stop_after_attempt(3), after=collect_errors(ValidationError))
    @llm.call(
        provider="openai",
        model="gpt-4o-mini",
        response_model=Annotated[str, AfterValidator(is_upper)],
    )
    def identify_author(book: str, *, errors: list[ValidationError] | None = None) -> str:
        if errors:
            return f"Previous Error: {errors}\n\nWho wrote {book}?"
        return f"Who wrote {book}?"

    server.reply(author("Patrick Rothfuss"), author("Patrick"), author("PATRICK ROTHFUSS"))
    assert identify_author("The Name of the Wind") == "PATRICK ROTHFUSS"
    prompts = [request.json["messages"][-1]["content"] for request in server.requests]
    assert prompts[0] == "Who wrote The Name of the Wind?"
    assert [prompt.count("Must be uppercase") for prompt in prompts] == [0, 1, 2]


@pytest.mark.parametrize("decorate", [openai.call, lambda model, **options: llm.call("openai", model, **options)])
def test_errors_are_put_back_into_the_prompt_of_async_calls(
    server: ProviderServer, decorate: Callable[..., Any]
) -> None:
    @retry(stop=stop_after_attempt(3), after=collect_errors(ValidationError))
    @decorate("gpt-4o-mini", response_model=Annotated[str, AfterValidator(is_upper)])
    async def identify_author(book: str, *, errors: list[ValidationError] | None = None) -> str:
        return f"Who wrote {book}? {errors}"

    server.reply(author("Patrick"), author("PATRICK"))
    assert asyncio.run(identify_author("it")) == "PATRICK"
    assert "Must be uppercase" in server.requests[1].json["messages"][-1]["content"]


class Narrow(ValueError):
    pass


def test_errors_of_subclasses_are_collected() -> None:
    seen: list[list[ValueError] | None] = []

    @retry(stop=stop_after_attempt(3), after=collect_errors(ValueError))
    def fail(*, errors: list[ValueError] | None = None) -> None:
        seen.append(errors)
        raise Narrow(str(len(seen)))

    with pytest.raises(RetryError):
        fail()
    assert [[str(error) for error in errors or ()] for errors in seen] == [[], ["1"], ["1", "2"]]


def test_other_errors_are_not_collected() -> None:
    @retry(stop=stop_after_attempt(2), after=collect_errors(KeyError))
    def fail(*, errors: list[KeyError] | None = None) -> None:
        assert errors is None
        raise ValueError

    with pytest.raises(RetryError):
        fail()


def by_position_or_keyword(book: str, errors: list[Exception] | None = None) -> int:
    return need_two(errors)


def keyword_only(book: str, *, errors: list[Exception] | None = None) -> int:
    return need_two(errors)


def any_keyword(book: str, **kwargs: Any) -> int:
    return need_two(kwargs.get("errors"))


def any_argument(*args: Any, errors: list[Exception] | None = None) -> int:
    return need_two(errors)


class Librarian:
    def method(self, book: str, errors: list[Exception] | None = None) -> int:
        return need_two(errors)


def need_two(errors: list[Exception] | None) -> int:
    if len(errors or ()) < 2:
        raise ValueError
    return len(errors or ())


@pytest.mark.parametrize(
    "function", [by_position_or_keyword, keyword_only, any_keyword, any_argument, Librarian().method]
)
def test_errors_reach_every_signature(function: Callable[..., Any]) -> None:
    assert retry(stop=stop_after_attempt(3), after=collect_errors(ValueError))(function)("it") == 2


def without_errors(book: str) -> None:
    raise ValueError(book)


def positional_only(book: str, errors: None = None, /) -> None:
    raise ValueError(book)


def given_by_position(book: str, errors: None = None) -> None:
    raise ValueError(book)


@pytest.mark.parametrize(
    ("function", "args"), [(without_errors, ()), (positional_only, ()), (given_by_position, (None,))]
)
def test_a_function_that_cannot_take_them_is_called_as_before(function: Callable[..., Any], args: Any) -> None:
    decorated = retry(stop=stop_after_attempt(2), after=collect_errors(ValueError), reraise=True)(function)
    with pytest.raises(ValueError, match=r"^it$"):
        decorated("it", *args)


def test_the_hook_takes_a_mock_of_the_state() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(int).validate_python("one")
    state = MagicMock(spec=RetryCallState)
    state.outcome = MagicMock()
    state.kwargs = {}
    state.outcome.exception.return_value = caught.value
    collect_errors(ValidationError)(state)
    assert state.kwargs["errors"] == [caught.value]


def test_the_old_name_warns() -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        import importlib

        module = importlib.reload(importlib.import_module("ferroscope.integrations.tenacity"))
    assert module.collect_errors is collect_errors
    assert {(one.category, "ferroscope.retries.tenacity" in str(one.message)) for one in warned} == {
        (UserWarning, True)
    }


@fallback(
    OpenAIRateLimitError,
    [
        {
            "catch": AnthropicRateLimitError,
            "provider": "anthropic",
            "model": "claude-3-5-sonnet-latest",
        }
    ],
)
@llm.call("openai", "gpt-4o-mini")
def answer_question(question: str) -> str:
    """Answer a question."""
    return f"Answer this question: {question}"


def test_the_first_model_answers(server: ProviderServer) -> None:
    server.reply("42")
    response = answer_question("What is the meaning of life?")
    assert (response.content, response.provider, getattr(response, "_caught", None)) == ("42", "openai", None)


def test_the_fallback_answers(server: ProviderServer) -> None:
    server.reply(BUSY, "42")
    response = answer_question("What is the meaning of life?")
    assert (response.content, response.provider) == ("42", "anthropic")
    (caught,) = response._caught  # type: ignore[attr-defined]
    assert isinstance(caught, OpenAIRateLimitError)
    assert [json.dumps(request.json["messages"]).count("meaning") for request in server.requests] == [1, 1]


def test_all_fallbacks_fail(server: ProviderServer) -> None:
    server.reply(BUSY, BUSY)
    with pytest.raises(FallbackError, match=r"^All fallbacks failed:\n\[") as caught:
        answer_question("What is the meaning of life?")
    error = caught.value
    assert isinstance(error.caught[0], OpenAIRateLimitError)
    assert isinstance(error.caught[1], AnthropicRateLimitError)
    assert error.__cause__ is error.caught[1]
    assert error.caught[1].__context__ is error.caught[0]


def test_the_signature_and_the_docstring_are_kept() -> None:
    assert answer_question.__name__ == "answer_question"
    assert answer_question.__doc__ == "Answer a question."


def test_a_fallback_after_retries_retries_the_other_model_too(server: ProviderServer) -> None:
    @fallback(RetryError, [{"catch": RetryError, "provider": "anthropic", "model": "claude-3-5-sonnet-latest"}])
    @retry(
        retry=retry_if_exception_type((OpenAIRateLimitError, AnthropicRateLimitError)),
        stop=stop_after_attempt(3),
        wait=wait_none(),
    )
    @llm.call("openai", "gpt-4o-mini")
    def ask(question: str) -> str:
        return f"Answer this question: {question}"

    server.reply(*[BUSY] * 5, "42")
    response: Any = ask("What is the meaning of life?")
    assert (response.content, response.provider) == ("42", "anthropic")
    assert [type(error) for error in response._caught] == [RetryError]
    assert [request.path.split("/")[1] for request in server.requests] == ["openai"] * 3 + ["anthropic"] * 3


def test_errors_are_put_back_through_computed_fields(server: ProviderServer) -> None:
    class Book(BaseModel):
        title: Annotated[str, AfterValidator(is_upper)]

    @retry(stop=stop_after_attempt(3), after=collect_errors(ValidationError))
    @openai.call("gpt-4o-mini", response_model=Book)
    @prompt_template(
        """
        {previous_errors}

        Extract the book: {book}
        """
    )
    def extract(book: str, *, errors: list[ValidationError] | None = None) -> openai.OpenAIDynamicConfig:
        return {"computed_fields": {"previous_errors": f"Previous Errors: {errors}" if errors else None}}

    server.reply(Answer(ToolCall("Book", {"title": "Emma"})), Answer(ToolCall("Book", {"title": "EMMA"})))
    assert extract("emma") == Book(title="EMMA")
    first, second = (request.json["messages"][0]["content"] for request in server.requests)
    assert first.strip() == "Extract the book: emma"
    assert second.startswith(
        "Previous Errors: [1 validation error for Book\ntitle\n  Assertion failed, Must be uppercase"
    )
