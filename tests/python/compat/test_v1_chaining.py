"""Chains of calls as v1's documentation has them: nested, computed, parallel, parsed, retried."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from openai import RateLimitError
from pydantic import BaseModel, ValidationError
from tenacity import RetryError, retry, retry_if_exception_type, stop_after_attempt, wait_none

from ferroscope import BaseDynamicConfig, Messages, llm, prompt_template
from ferroscope.core import openai
from ferroscope.testing import Answer, Json, ProviderServer, Status, Text


def asked(server: ProviderServer) -> list[str]:
    return [request.json["messages"][-1]["content"] for request in server.requests]


@openai.call("gpt-4o-mini")
@prompt_template("Summarize: {text}")
def summarize(text: str): ...


@openai.call("gpt-4o-mini")
@prompt_template("Translate to {language}: {text}")
def translate(text: str, language: str): ...


def test_one_call_after_the_other(server: ProviderServer) -> None:
    server.reply("short", "kurz")
    summary = summarize("a long text")
    assert translate(summary.content, "German").content == "kurz"
    assert asked(server) == ["Summarize: a long text", "Translate to German: short"]


def test_a_response_is_a_template_variable(server: ProviderServer) -> None:
    server.reply("short", "kurz")
    assert translate(summarize("a long text"), "German").content == "kurz"
    assert asked(server)[1] == "Translate to German: short"


def test_a_call_inside_a_call_by_computed_fields(server: ProviderServer) -> None:
    server.reply("short", "kurz")

    @openai.call("gpt-4o-mini")
    @prompt_template("Translate to {language}: {summary}")
    def both(text: str, language: str) -> openai.OpenAIDynamicConfig:
        return {"computed_fields": {"summary": summarize(text)}}

    response = both("a long text", "German")
    assert response.content == "kurz"
    assert asked(server)[1] == "Translate to German: short"
    assert response.fn_args["summary"].content == "short"


def test_a_call_inside_a_call_by_hand(server: ProviderServer) -> None:
    server.reply("short", "kurz")

    @openai.call("gpt-4o-mini")
    def both(text: str, language: str) -> str:
        return f"Translate to {language}: {summarize(text)}"

    assert both("a long text", "German").content == "kurz"
    assert asked(server)[1] == "Translate to German: short"


def test_parallel_calls_into_one(server: ProviderServer) -> None:
    class Ingredients(BaseModel):
        names: list[str]

    @openai.call("gpt-4o-mini")
    async def chef(dish: str) -> str:
        return f"Which chef for {dish}?"

    @openai.call("gpt-4o-mini", response_model=Ingredients, json_mode=True)
    async def ingredients(dish: str) -> str:
        return f"What is in {dish}?"

    @openai.call("gpt-4o-mini")
    @prompt_template("Recipe of {chef} with {names:list}")
    async def recipe(dish: str) -> BaseDynamicConfig:
        who, what = await asyncio.gather(chef(dish), ingredients(dish))
        return {"computed_fields": {"chef": who, "names": what.names}}

    def answer(request: Any) -> Any:
        text = request.json["messages"][0]["content"]
        if "Which chef" in text:
            return Answer(Text("Ann"))
        return Answer(Json({"names": ["egg", "salt"]})) if "What is in" in text else Answer(Text("Cook it."))

    server.reply_always(answer)
    assert asyncio.run(recipe("omelette")).content == "Cook it."
    assert asked(server)[-1] == "Recipe of Ann with egg\nsalt"


def test_a_branch(server: ProviderServer) -> None:
    server.reply("negative", "Sorry!")

    @openai.call("gpt-4o-mini")
    @prompt_template("Sentiment of {review}")
    def sentiment(review: str): ...

    @openai.call("gpt-4o-mini")
    @prompt_template("Answer {review}, which is {mood}, {how}")
    def respond(review: str) -> BaseDynamicConfig:
        mood = sentiment(review).content
        how = "kindly" if mood == "negative" else "gladly"
        return {"computed_fields": {"mood": mood, "how": how}}

    assert respond("Bad book").content == "Sorry!"
    assert asked(server)[1] == "Answer Bad book, which is negative, kindly"


class Book(BaseModel):
    title: str
    author: str


def test_output_parsers(server: ProviderServer) -> None:
    def parse_title(response: openai.OpenAICallResponse) -> Book:
        title, author = response.content.split(" by ")
        return Book(title=title, author=author)

    def parse_xml(response: openai.OpenAICallResponse) -> list[str | None]:
        return [node.text for node in ET.fromstring(response.content)]

    server.reply("Emma by Jane Austen", "<books><book>Emma</book><book>Dune</book></books>")

    @openai.call("gpt-4o-mini", output_parser=parse_title)
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book as 'title by author'"

    @openai.call("gpt-4o-mini", output_parser=parse_xml)
    @prompt_template("Recommend {genre} books as XML")
    async def several(genre: str): ...

    assert recommend("romance") == Book(title="Emma", author="Jane Austen")
    assert asyncio.run(several("any")) == ["Emma", "Dune"]

    with pytest.raises(ValueError, match="Cannot use `output_parser` with `stream=True`"):
        openai.call("gpt-4o-mini", stream=True, output_parser=str)(recommend)


def test_an_llm_output_parser(server: ProviderServer) -> None:
    server.reply("Emma")

    @llm.call(provider="openai", model="gpt-4o-mini", output_parser=lambda response: response.content.upper())
    def recommend() -> str:
        return "Recommend"

    assert recommend() == "EMMA"


@pytest.mark.parametrize("provider", ["openai", "llm"])
def test_retries_by_tenacity_around_a_call(server: ProviderServer, provider: str) -> None:
    server.reply(Status(400, "busy"), Status(400, "busy"), "Hello")
    decorate: Any = (
        openai.call("gpt-4o-mini") if provider == "openai" else llm.call(provider="openai", model="gpt-4o-mini")
    )

    @retry(stop=stop_after_attempt(3), wait=wait_none())
    @decorate
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"

    assert recommend("fantasy").content == "Hello"
    assert len(server.requests) == 3


@pytest.mark.parametrize("provider", ["openai", "llm"])
def test_retries_by_tenacity_around_an_async_call(server: ProviderServer, provider: str) -> None:
    server.reply(Status(400, "busy"), "Hello")
    decorate: Any = (
        openai.call("gpt-4o-mini") if provider == "openai" else llm.call(provider="openai", model="gpt-4o-mini")
    )

    @retry(stop=stop_after_attempt(2), wait=wait_none())
    @decorate
    async def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"

    assert asyncio.run(recommend("fantasy")).content == "Hello"
    assert len(server.requests) == 2


def test_retries_below_a_call_and_that_run_out(server: ProviderServer) -> None:
    server.reply_always(Status(429, "slow down"))

    @retry(
        stop=stop_after_attempt(2),
        wait=wait_none(),
        retry=retry_if_exception_type(RateLimitError),
    )
    @openai.call("gpt-4o-mini")
    def recommend() -> str:
        return "Recommend"

    with pytest.raises(RetryError) as caught:
        recommend()
    assert isinstance(caught.value.last_attempt.exception(), RateLimitError)


def test_retries_that_tell_the_model_what_was_wrong(server: ProviderServer) -> None:
    server.reply(Json({"title": "Emma"}), Json({"title": "Emma", "author": "Jane Austen"}))

    @openai.call("gpt-4o-mini", response_model=Book, json_mode=True)
    def identify(errors: list[str]) -> Messages.Type:
        return [*map(Messages.User, errors), Messages.User("Which book?")]

    errors: list[str] = []

    @retry(stop=stop_after_attempt(3), wait=wait_none())
    def ask() -> Book:
        try:
            return identify(errors)
        except ValidationError as error:
            errors.append(str(error))
            raise

    assert ask() == Book(title="Emma", author="Jane Austen")
    assert "author" in server.requests[1].json["messages"][0]["content"]


def test_a_stream_is_retried_where_it_is_read(server: ProviderServer) -> None:
    server.reply(Status(400, "busy"), "Hello")

    @openai.call("gpt-4o-mini", stream=True)
    def recommend() -> str:
        return "Recommend"

    @retry(stop=stop_after_attempt(2), wait=wait_none())
    def read() -> str:
        return "".join(chunk.content for chunk, _ in recommend())

    assert read() == "Hello"
