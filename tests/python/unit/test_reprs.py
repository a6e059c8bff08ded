"""Short representations, for logs, debuggers and notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from pydantic import BaseModel

from ferroscope import AudioPart, BaseMessageParam, ImagePart, Messages, TextPart, llm
from ferroscope.core import openai
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, ToolCalls


class Book(BaseModel):
    """A book."""

    title: str


def weather(city: str) -> str:
    """Return the weather."""
    return city


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def client(server: ProviderServer) -> Iterator[OpenAI]:
    with OpenAI(api_key="secret-key", base_url=server.base_url("openai")) as client:
        yield client


def ask(client: OpenAI, **options: Any) -> Any:
    @openai.call("gpt-4o-mini", client=client, **options)
    def hello() -> str:
        return "Hi"

    return hello()


def test_a_response_shows_its_answer_tokens_and_cost(server: ProviderServer, client: OpenAI) -> None:
    server.reply("Hello")
    assert repr(ask(client)) == (
        "OpenAICallResponse(model='gpt-4o-mini', content='Hello', finish_reasons=['stop'], input_tokens=10, "
        "output_tokens=20, cost=1.35e-05)"
    )


def test_a_response_shows_its_tools(server: ProviderServer, client: OpenAI) -> None:
    server.reply(Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"}))))
    response = ask(client, tools=[weather])
    assert repr(response.tool) == "weather(city='Oslo')"
    assert "tools=[weather(city='Oslo')]" in repr(response)


def test_a_response_whose_tools_cannot_be_read_still_has_a_repr(server: ProviderServer, client: OpenAI) -> None:
    server.reply(Answer(ToolCalls(ToolCall("weather", '{"city": '))))
    assert "tools=<ToolArgumentsError>" in repr(ask(client, tools=[weather]))


def test_a_response_of_llm(server: ProviderServer, client: OpenAI) -> None:
    server.reply("Hello")

    @llm.call("openai/gpt-4o-mini", client=client)
    def hello() -> str:
        return "Hi"

    assert repr(hello()).startswith("CallResponse(model='gpt-4o-mini', content='Hello', ")


def test_long_texts_and_bytes_are_cut(server: ProviderServer, client: OpenAI) -> None:
    server.reply("x" * 5000)
    assert len(repr(ask(client))) < 400
    message = BaseMessageParam(
        role="user",
        content=[
            TextPart(type="text", text="y" * 5000),
            ImagePart(type="image", media_type="image/png", image=b"z" * 5000, detail=None),
            AudioPart(type="audio", media_type="audio/wav", audio=b"z" * 5000),
        ],
    )
    assert len(repr(message)) < 600
    assert "image=<5,000 bytes>" in repr(message)
    assert "... (5,000 characters)" in repr(message)


def test_a_stream_shows_its_state(server: ProviderServer, client: OpenAI) -> None:
    server.reply("Hello")
    stream = ask(client, stream=True)
    assert repr(stream) == "OpenAIStream(model='gpt-4o-mini', state='not started', content='')"
    chunks = iter(stream)
    next(chunks)
    assert "state='open'" in repr(stream)
    list(chunks)
    assert repr(stream) == "OpenAIStream(model='gpt-4o-mini', state='ended', content='Hello')"


def test_a_structured_stream_names_its_model(server: ProviderServer, client: OpenAI) -> None:
    server.reply(Answer(Text('{"title": "Emma"}')))
    stream = ask(client, stream=True, response_model=Book, json_mode=True)
    assert repr(stream).startswith("BaseStructuredStream(response_model=Book, stream=OpenAIStream(")


def test_a_cost_shows_its_amount(server: ProviderServer, client: OpenAI) -> None:
    server.reply("Hello")
    assert repr(ask(client).cost_details) == (
        "Cost(0.0000135 USD, status='exact', provider='openai', model='gpt-4o-mini')"
    )


def test_a_server_shows_its_address(server: ProviderServer) -> None:
    assert repr(server) == f"ProviderServer('{server.url}', 0 requests)"
    assert repr(ProviderServer()) == "ProviderServer(not running, 0 requests)"


def test_notebooks_show_escaped_html(server: ProviderServer, client: OpenAI) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    server.reply(hostile)
    response = ask(client)
    for shown in (response._repr_html_(), Messages.User(hostile)._repr_html_()):
        assert "&lt;img src=x" in shown
        assert "<img" not in shown
    assert "model: gpt-4o-mini" in response._repr_html_()
    assert "<th>amount in USD</th>" in response.cost_details._repr_html_()
