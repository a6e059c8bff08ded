"""`llm.call` with a response model: what comes back, and the way to the response."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ferroscope import BaseMessageParam, llm
from ferroscope.core.base.structured_stream import BaseStructuredStream
from ferroscope.testing import Answer, Json, ProviderServer, Text, ToolCall


class Book(BaseModel):
    title: str
    pages: int


EMMA = {"title": "Emma", "pages": 474}


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@llm.call("openai", "gpt-4o-mini", response_model=Book)
def recommend(genre: str) -> str:
    return f"Recommend a {genre} book"


def test_the_model_carries_the_common_response(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", EMMA))
    book: Any = recommend("fantasy")
    assert book == Book(title="Emma", pages=474)
    assert isinstance(book._response, llm.CallResponse)
    assert book._response.messages == [BaseMessageParam(role="user", content="Recommend a fantasy book")]


def test_a_failed_extraction_carries_it_too(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", {"title": "Emma", "pages": "many"}))
    with pytest.raises(ValidationError) as raised:
        recommend("fantasy")
    response: Any = raised.value._response  # type: ignore[attr-defined]
    assert isinstance(response, llm.CallResponse)


def test_a_tool_that_is_called_instead_comes_as_a_response(server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", response_model=Book, tools=[add])
    def ask() -> str:
        return "Recommend a book"

    server.reply(ToolCall("add", {"a": 1, "b": 2}), Answer(Json(EMMA)))
    called, book = ask(), ask()
    assert isinstance(called, llm.CallResponse)
    assert called.tool is not None
    assert called.tool.call() == 3
    assert book == Book(title="Emma", pages=474)


def test_the_parser_gets_the_model(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", EMMA))
    title = llm.call("openai", "gpt-4o-mini", response_model=Book, output_parser=lambda book: book.title)
    assert title(lambda: "Recommend a book")() == "Emma"


def test_a_structured_stream_has_the_common_stream(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", EMMA, chunks=6))
    stream = llm.override(recommend, response_model=Book, stream=True)("fantasy")
    assert isinstance(stream, BaseStructuredStream)
    books = list(stream)
    assert books[-1] == stream.constructed_response_model == Book(title="Emma", pages=474)
    assert isinstance(stream.stream, llm.Stream)
    assert isinstance(stream.stream.construct_call_response(), llm.CallResponse)
    assert stream.stream.finish_reasons == ["tool_calls"]


async def test_an_override_gives_and_takes_the_model(server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", tools=[add])
    async def ask() -> str:
        return "Recommend a book"

    server.reply(ToolCall("Book", EMMA), Text("Emma"))
    extracting = llm.override(ask, response_model=Book)
    assert await extracting() == Book(title="Emma", pages=474)
    assert [tool["function"]["name"] for tool in server.requests[-1].json["tools"]] == ["Book"]
    stream = await llm.override(extracting, stream=True)()
    assert [text async for text in stream.text()] == ["Emma"]


def test_an_override_of_the_model_takes_the_parser_away(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", EMMA))
    parsed = llm.override(recommend, output_parser=lambda response: response.content)
    assert llm.override(parsed, response_model=Book)("fantasy") == Book(title="Emma", pages=474)
