"""Prompts under call decorators: parameters, sync or async, and the provider's classes come through."""

from __future__ import annotations

from typing import assert_type

from ferroscope import BaseDynamicConfig, prompt_template
from ferroscope.core import BasePrompt, merge_decorators, openai
from ferroscope.core.openai import OpenAICallResponse, OpenAIStream


@prompt_template("Recommend a {genre} book")
class Recommendation(BasePrompt):
    genre: str


prompt = Recommendation(genre="fantasy")
assert_type(prompt.run(openai.call("gpt-4o-mini")), OpenAICallResponse)
assert_type(prompt.run(openai.call("gpt-4o-mini", stream=True)), OpenAIStream)


@openai.call("gpt-4o-mini")
@prompt_template("Recommend a {genre} book")
def by_template(genre: str, *, n: int = 1) -> None: ...


assert_type(by_template("fantasy", n=2), OpenAICallResponse)


@openai.call("gpt-4o-mini")
@prompt_template("Recommend a {genre} book")
async def by_template_async(genre: str) -> None: ...


@openai.call("gpt-4o-mini")
@prompt_template()
def by_config(genre: str) -> BaseDynamicConfig:
    return {}


assert_type(by_config("fantasy"), OpenAICallResponse)


class Librarian:
    @openai.call("gpt-4o-mini")
    @prompt_template("Recommend a {genre} book")
    def ask(self, genre: str) -> None: ...


assert_type(Librarian().ask("fantasy"), OpenAICallResponse)

book_call = merge_decorators(openai.call("gpt-4o-mini"), prompt_template("Recommend a {genre} book"))


@book_call()
def merged(genre: str) -> None: ...


@book_call()
async def merged_async(genre: str) -> None: ...


assert_type(merged("fantasy"), OpenAICallResponse)


async def awaited() -> None:
    assert_type(await prompt.run_async(openai.call("gpt-4o-mini")), OpenAICallResponse)
    assert_type(await by_template_async("fantasy"), OpenAICallResponse)
    assert_type(await merged_async("fantasy"), OpenAICallResponse)
