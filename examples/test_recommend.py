"""Tests of your own program, without a network: `pytest test_recommend.py`. The fixtures come with the package."""

import pytest

from ferroscope import errors, llm
from ferroscope.testing import Answer, Cut, ProviderServer, Status, ToolCall, Usage


def stock(title: str) -> int:
    """Return the number of copies of a book."""
    return 3


@llm.call("openai/gpt-4o-mini", tools=[stock])
def recommend(genre: str) -> str:
    return f"Recommend a {genre} book"


@llm.call("openai/gpt-4o-mini", stream=True)
def tell(subject: str) -> str:
    return f"Tell me about {subject}"


def test_the_prompt_names_the_genre(provider_server: ProviderServer) -> None:
    provider_server.reply("Emma")
    assert recommend("classic").content == "Emma"
    assert provider_server.requests[0].json["messages"] == [{"role": "user", "content": "Recommend a classic book"}]


def test_the_tool_gets_the_title(provider_server: ProviderServer) -> None:
    provider_server.reply(ToolCall("stock", {"title": "Emma"}))
    tool = recommend("classic").tool
    assert tool is not None
    assert (tool.args, tool.call()) == ({"title": "Emma"}, 3)


def test_a_call_costs_what_it_should(provider_server: ProviderServer, assert_costs) -> None:
    provider_server.reply(Answer("Emma", usage=Usage(1000, 100)))
    with assert_costs("0.00021"):
        recommend("classic")


def test_a_rate_limit_is_retried(provider_server: ProviderServer) -> None:
    provider_server.reply(Status(429, retry_after=0), "Emma")
    assert recommend("classic").content == "Emma"


def test_a_broken_stream_keeps_its_text(provider_server: ProviderServer) -> None:
    provider_server.reply(Cut("The sea is wide and blue", at=1000))
    stream = tell("the sea")
    with pytest.raises(errors.FerroscopeError):
        for _ in stream:
            pass
    assert "The sea is wide and blue".startswith(stream.content)
