"""The types of members that depend on the provider: usage, chunks, SDK objects, tools and their outputs.

Their type is `object` where a checker cannot know it. `cast` or `isinstance` narrows it.
"""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Mapping
from typing import Any, assert_type, cast

from anthropic.types import RawMessageStreamEvent
from anthropic.types import Usage as AnthropicUsage
from cohere import Usage as CohereUsage
from google.genai.types import GenerateContentResponse, GenerateContentResponseUsageMetadata
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import ResponseUsage
from pydantic import BaseModel

from ferroscope import BaseMessageParam, BaseTool, llm
from ferroscope.core import anthropic, bedrock, cohere, google, groq, mistral, openai
from ferroscope.core.base.types import Usage


class FormatBook(BaseTool):
    title: str

    def call(self) -> str:
        return self.title


def published(title: str) -> datetime.date:
    """Return the day on which a book was published."""
    return datetime.date(1815, 12, 23)


def prompt(genre: str) -> str:
    return f"Recommend a {genre} book"


chat = openai.call("gpt-4o-mini", tools=[FormatBook, published], stream=True)(prompt)("fantasy")
responses = openai.call("gpt-4o-mini", api="responses", stream=True)(prompt)("fantasy")
messages = anthropic.call("claude-sonnet-4-5", stream=True)(prompt)("fantasy")
contents = google.call("gemini-2.5-flash", stream=True)(prompt)("fantasy")
assert_type(chat.usage, CompletionUsage | None)
assert_type(responses.usage, ResponseUsage | None)
assert_type(messages.usage, AnthropicUsage | None)
assert_type(contents.usage, GenerateContentResponseUsageMetadata | None)
assert_type(cohere.call("command-a", stream=True)(prompt)("fantasy").usage, CohereUsage | None)
assert_type(groq.call("llama-4", stream=True)(prompt)("fantasy").usage, CompletionUsage | None)
assert_type(mistral.call("mistral-large", stream=True)(prompt)("fantasy").usage, CompletionUsage | None)
assert_type(bedrock.call("nova", stream=True)(prompt)("fantasy").usage, Mapping[str, Any] | None)
assert_type(chat.collect().usage, CompletionUsage | None)
assert_type(contents.construct_call_response().usage, GenerateContentResponseUsageMetadata | None)
for chat_chunk, tool in chat:
    assert_type(chat_chunk.chunk, ChatCompletionChunk)
    assert_type(chat_chunk.usage, CompletionUsage | None)
    assert_type(tool, openai.OpenAITool | None)
for message_chunk, _tool in messages:
    assert_type(message_chunk.chunk, RawMessageStreamEvent)
for content_chunk, _ in contents:
    assert_type(content_chunk.chunk, GenerateContentResponse)

# One type for all providers.
response = llm.call("openai/gpt-4o-mini", tools=[FormatBook, published])(prompt)("fantasy")
assert_type(response.usage, Usage | None)
assert_type(response.response, object)
assert_type(cast("ChatCompletion", response.response).id, str)
assert_type(response.message_param, BaseMessageParam)
stream = llm.call("openai/gpt-4o-mini", tools=[FormatBook, published], stream=True)(prompt)("fantasy")
assert_type(stream.usage, Usage | None)
for chunk, _called in stream:
    assert_type(chunk.chunk, object)
    assert_type(chunk.usage, Usage | None)
if called := response.tool:
    assert_type(called.tool_call, object)
    # A response has tools of several types, sync and async.
    output = called.call()
    assert_type(output, object)
    if isinstance(called, FormatBook):
        assert_type(called.call(), str)
    assert_type(response.tool_message_params([(called, output)]), list[BaseMessageParam])


async def run(tool: BaseTool) -> object:
    output = tool.call()
    return await output if inspect.isawaitable(output) else output


# An output of any type can be sent.
assert_type(
    llm.CallResponse.tool_message_params([(FormatBook(title="Emma"), datetime.date(1815, 12, 23))]),
    list[BaseMessageParam],
)


class Book(BaseModel):
    title: str


# A partial model has the type of the model: Python's type system cannot make the fields of a class optional.
for book in llm.call("openai/gpt-4o-mini", response_model=Book, stream=True)(prompt)("fantasy"):
    assert_type(book, Book)
    assert_type(book.title, str)
