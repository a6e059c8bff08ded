"""Uses of the `llm` module that the type checkers must understand."""

from __future__ import annotations

from typing import assert_type

from pydantic import BaseModel

from ferroscope import BaseMessageParam, RateLimitError, llm
from ferroscope.core.base.stream_events import TextEvent, ToolEvent, UsageEvent
from ferroscope.core.base.structured_stream import BaseStructuredStream
from ferroscope.core.base.types import Usage
from ferroscope.core.openai import OpenAICallParams
from ferroscope.retries import Attempt, RateLimit, Retry, fallback


class Book(BaseModel):
    title: str


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@llm.call("openai", "gpt-4o-mini")
def plain(genre: str, *, n: int = 1) -> str:
    return genre * n


assert_type(plain("fantasy", n=2), llm.CallResponse)
assert_type(plain("fantasy").usage, Usage | None)
assert_type(plain("fantasy").message_param, BaseMessageParam)
assert_type(plain("fantasy").messages, list[BaseMessageParam])


@llm.call("openai/gpt-4o-mini", call_params={"temperature": 0.5})
async def plain_async(genre: str) -> str:
    return genre


@llm.call(provider="openai", model="gpt-4o-mini", tools=[add], call_params=OpenAICallParams(logprobs=True))
def with_tools(genre: str) -> list[BaseMessageParam]:
    return [BaseMessageParam(role="user", content=genre)]


assert_type(with_tools("fantasy").tool, llm.Tool | None)
assert_type(with_tools("fantasy").tools, list[llm.Tool] | None)


def length(response: llm.CallResponse) -> int:
    return len(response.content)


@llm.call("openai", "gpt-4o-mini", output_parser=length)
def parsed(genre: str) -> str:
    return genre


assert_type(parsed("fantasy"), int)


@llm.call("openai", "gpt-4o-mini", stream=True)
def streamed(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", stream={"partial_tools": True}, tools=[add])
async def streamed_async(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", response_model=Book)
def extracted(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", response_model=Book, tools=[add])
def extracted_or_tool(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", response_model=list[str], output_parser=len)
def extracted_and_parsed(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", response_model=Book, stream=True)
def extracted_while_written(genre: str) -> str:
    return genre


assert_type(extracted("fantasy"), Book)
assert_type(extracted_or_tool("fantasy"), Book | llm.CallResponse)
assert_type(extracted_and_parsed("fantasy"), int)
for book in extracted_while_written("fantasy"):
    assert_type(book, Book)

for text in streamed("fantasy").text():
    assert_type(text, str)
assert_type(streamed("fantasy").collect(), llm.CallResponse)
for event in streamed("fantasy").events():
    match event:
        case ToolEvent(called):
            assert_type(called, llm.Tool)
        case TextEvent(added):
            assert_type(added, str)
        case UsageEvent(counted):
            assert_type(counted, Usage)
        case _:
            pass

for chunk, tool in streamed("fantasy"):
    assert_type(chunk, llm.CallResponseChunk)
    assert_type(tool, llm.Tool | None)
assert_type(streamed("fantasy").construct_call_response(), llm.CallResponse)
assert_type(streamed("fantasy").usage, Usage | None)


async def awaited() -> None:
    assert_type(await plain_async("fantasy"), llm.CallResponse)
    stream = await streamed_async("fantasy")
    assert_type(stream, llm.Stream)
    async for chunk, tool in stream:
        assert_type(chunk, llm.CallResponseChunk)
        assert_type(tool, llm.Tool | None)


assert_type(llm.override(plain, provider="anthropic", model="claude")("fantasy", n=1), llm.CallResponse)
assert_type(llm.override(plain, tools=[add])("fantasy"), llm.CallResponse)
assert_type(llm.override(plain, stream=True)("fantasy"), llm.Stream)
assert_type(llm.override(streamed, stream=False)("fantasy"), llm.CallResponse)
assert_type(llm.override(streamed, provider="ollama", model="m")("fantasy"), llm.Stream)
assert_type(llm.override(plain, output_parser=length)("fantasy"), int)
assert_type(llm.override(parsed, call_params={"seed": 1})("fantasy"), int)

assert_type(llm.override(plain, response_model=Book)("fantasy"), Book)
assert_type(llm.override(plain, response_model=Book, tools=[add])("fantasy"), Book | llm.CallResponse)
assert_type(llm.override(plain, response_model=Book, stream=True)("fantasy"), BaseStructuredStream[Book])
assert_type(llm.override(extracted_while_written, stream=False)("fantasy"), Book)
assert_type(llm.override(extracted, provider="openai", model="m")("fantasy"), Book)
assert_type(llm.override(extracted, stream=True)("fantasy"), llm.Stream)


async def overridden() -> None:
    assert_type(await llm.override(plain_async, provider="openai", model="m")("fantasy"), llm.CallResponse)
    assert_type(await llm.override(plain_async, stream=True)("fantasy"), llm.Stream)
    assert_type(await llm.override(streamed_async, stream=False)("fantasy"), llm.CallResponse)
    assert_type(await llm.override(plain_async, output_parser=length)("fantasy"), int)
    assert_type(await llm.override(plain_async, response_model=Book)("fantasy"), Book)
    stream = await llm.override(plain_async, response_model=Book, stream=True)("fantasy")
    async for book in stream:
        assert_type(book, Book)
    text = (await llm.override(plain_async, stream=True)("fantasy")).text()
    async for piece in text:
        assert_type(piece, str)


with llm.context(provider="openai", model="gpt-4o", client=object(), call_params={"top_p": 1.0}) as context:
    assert_type(context.model, str | None)


@llm.call("openai", "gpt-4o-mini", stream=True, retry=3, rate_limit=RateLimit(requests_per_minute=60))
def retried(genre: str) -> str:
    return genre


assert_type(retried("fantasy"), llm.Stream)
assert_type(retried("fantasy").attempts, tuple[Attempt, ...])
assert_type(llm.override(plain, retry=Retry(on_break="restart"))("fantasy").attempts, tuple[Attempt, ...])


@fallback(RateLimitError, [{"catch": RateLimitError, "provider": "anthropic", "model": "m"}])
@llm.call("openai", "gpt-4o-mini", response_model=Book)
async def falling_back(genre: str) -> str:
    return genre


async def fell_back() -> None:
    assert_type(await falling_back("fantasy"), Book)
