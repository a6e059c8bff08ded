"""Prompts without return annotations, in the form of v1's documentation.

To mypy, such a function returns Any, or a coroutine of Any.
"""
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls

from __future__ import annotations

from typing import assert_type

from pydantic import BaseModel

from ferroscope import BaseMessageParam, llm, prompt_template
from ferroscope.core import anthropic, openai
from ferroscope.core.base import BaseStructuredStream


class Book(BaseModel):
    title: str


@prompt_template("Recommend a {genre} book")
async def prompt(genre: str): ...


@openai.call("gpt-4o-mini")
@prompt_template("Recommend a {genre} book")
def recommend(genre: str): ...


@openai.call("gpt-4o-mini")
@prompt_template("Recommend a {genre} book")
async def recommend_async(genre: str): ...


@anthropic.call("claude-sonnet-4-5", stream=True)
@prompt_template("Recommend a {genre} book")
def stream(genre: str): ...


@anthropic.call("claude-sonnet-4-5", stream=True)
@prompt_template("Recommend a {genre} book")
async def stream_async(genre: str): ...


@llm.call("openai/gpt-4o-mini", response_model=Book)
@prompt_template("Extract {text}")
def extract(text: str): ...


@llm.call("openai/gpt-4o-mini", response_model=Book, stream=True)
@prompt_template("Extract {text}")
async def extract_async(text: str): ...


class Librarian(BaseModel):
    @openai.call("gpt-4o-mini")
    @prompt_template("Recommend a {genre} book")
    def step(self, genre: str): ...

    @openai.call("gpt-4o-mini")
    @prompt_template("Recommend a {genre} book")
    async def step_async(self, genre: str): ...


@llm.call("openai/gpt-4o-mini")
async def without_a_template(genre: str):
    return f"Recommend a {genre} book"


async def main() -> None:
    assert_type(await prompt("fantasy"), list[BaseMessageParam])
    assert_type(recommend("fantasy"), openai.OpenAICallResponse)
    assert_type(await recommend_async("fantasy"), openai.OpenAICallResponse)
    assert_type(stream("fantasy"), anthropic.AnthropicStream)
    assert_type(await stream_async("fantasy"), anthropic.AnthropicStream)
    assert_type(extract("Emma"), Book)
    assert_type(await extract_async("Emma"), BaseStructuredStream[Book])
    assert_type(Librarian().step("fantasy"), openai.OpenAICallResponse)
    assert_type(await Librarian().step_async("fantasy"), openai.OpenAICallResponse)
    assert_type(await without_a_template("fantasy"), llm.CallResponse)
