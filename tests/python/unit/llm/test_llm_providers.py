"""One function, several providers: what goes over to another one, and what does not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from ferroscope import BaseMessageParam, BaseTool, Messages, errors, llm
from ferroscope.core import anthropic
from ferroscope.core._registry import provider_names
from ferroscope.core.base import Usage
from ferroscope.testing import Answer, Body, Json, ProviderServer, Text, ToolCall
from ferroscope.testing import Usage as Tokens


class FormatBook(BaseTool):
    """Formats a book."""

    title: str

    def call(self) -> str:
        return self.title.title()


MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-haiku-4-5",
    "azure": "gpt-4o-mini",
    "ollama": "llama3",
    "vllm": "llama3",
}


@pytest.fixture(params=MODELS)
def provider(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_table_names_records_that_are_there(provider: str) -> None:
    from ferroscope.core._registry import provider_record

    assert provider_record(provider).name == provider
    assert set(MODELS) <= set(provider_names())
    assert provider_names() == sorted(provider_names())


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_that_changes_its_provider_in_the_middle(stream: bool, provider: Any, server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", tools=[FormatBook], stream=stream)
    def ask(history: list[BaseMessageParam]) -> list[BaseMessageParam]:
        return [Messages.System("Be brief."), Messages.User("Recommend a book"), *history]

    server.reply(
        Answer(Text("One moment."), ToolCall("FormatBook", {"title": "emma"}), usage=Tokens(9, 4)),
        Answer(Text("Emma it is."), usage=Tokens(20, 5)),
    )
    with llm.context(provider=provider, model=MODELS[provider]):
        first: Any = ask([])
    first = first.collect() if stream else first
    assert isinstance(first.tool, FormatBook)
    assert first.usage == Usage(input_tokens=9, cached_tokens=0, output_tokens=4, total_tokens=13)
    assert first.finish_reasons == ["tool_calls"]
    history = [first.message_param, *first.tool_message_params([(first.tool, first.tool.call())])]
    for other in MODELS:
        server.reply(Answer(Text("Emma it is."), usage=Tokens(20, 5)))
        with llm.context(provider=other, model=MODELS[other]):  # type: ignore[arg-type]
            second: Any = ask(history)
            second = second.collect() if stream else second
        assert (second.content, second.finish_reasons) == ("Emma it is.", ["stop"])
        assert second.messages[-1].content[0].content == "Emma"
        assert second.messages[-2].content[1].args == {"title": "emma"}


ONLY_ANTHROPICS = {
    "a search result": [{"type": "search_result", "source": "s", "title": "t", "content": []}],
    "a file": [{"type": "text", "text": "What is it?"}, {"type": "image", "source": {"type": "file", "file_id": "f"}}],
    "an image of a tool": [
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}],
        }
    ],
}


@pytest.mark.parametrize("content", ONLY_ANTHROPICS.values(), ids=ONLY_ANTHROPICS)
def test_what_only_one_provider_understands_of_the_user_is_not_lost_at_another(
    content: list[Any], provider: Any, server: ProviderServer
) -> None:
    response = anthropic.call(MODELS["anthropic"])(lambda: [{"role": "user", "content": content}])()

    @llm.call(provider, MODELS[provider])
    def ask() -> list[BaseMessageParam]:
        return response.common_messages

    if provider == "anthropic":
        ask()
        assert server.requests[-1].json["messages"] == [{"role": "user", "content": content}]
    else:
        with pytest.raises(ValueError, match=r"'user' has content that only its own provider supports \(\w+\)"):
            ask()
        assert len(server.requests) == 1


def test_an_answer_of_which_nothing_is_left_at_another_provider_is_left_out(
    provider: Any, server: ProviderServer
) -> None:
    @llm.call("anthropic", MODELS["anthropic"])
    def ask(history: list[BaseMessageParam]) -> list[BaseMessageParam]:
        return [*history, Messages.User("Go on")]

    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [search]}
    server.reply(Body({**message, "stop_reason": "pause_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}))
    paused = ask([])
    with llm.context(provider=provider, model=MODELS[provider]):
        ask([paused.message_param])
    expected = [{"role": "user", "content": "Go on"}]
    if provider == "anthropic":
        expected.insert(0, {"role": "assistant", "content": [search]})
    assert server.requests[-1].json["messages"] == expected


def test_common_parameters_and_response_models_go_over(provider: Any, server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", json_mode=True, response_model=FormatBook, call_params={"max_tokens": 7})
    def ask() -> str:
        return "Recommend a book"

    server.reply(Answer(Json({"title": "emma"})))
    book: Any = llm.override(ask, provider=provider, model=MODELS[provider])()
    assert book.call() == "Emma"
    assert server.requests[-1].json["max_tokens"] == 7
    assert isinstance(book._response, llm.CallResponse)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_client_of_another_provider_is_told(kind: str, server: ProviderServer) -> None:
    wrong: dict[str, Any] = {
        "openai": Anthropic if kind == "sync" else AsyncAnthropic,
        "anthropic": OpenAI if kind == "sync" else AsyncOpenAI,
    }
    for name, client in wrong.items():
        with pytest.raises(errors.ClientError, match=f"cannot call '{name}'.*pass a client of the SDK '{name}'"):
            if kind == "sync":
                llm.call(name, "m", client=client())(lambda: "Hi")()
            else:
                import asyncio

                async def ask() -> str:
                    return "Hi"

                asyncio.run(llm.call(name, "m", client=client())(ask)())
    assert server.requests == []


@pytest.mark.slow
def test_a_missing_sdk_is_told_at_the_call_and_only_if_it_is_needed(server: ProviderServer) -> None:
    script = """
import sys
sys.modules["anthropic"] = None
from ferroscope import llm, MissingExtraError

@llm.call("anthropic", "claude-haiku-4-5")
def ask() -> str:
    return "Hi"

try:
    ask()
except MissingExtraError as error:
    print(error)
print(llm.override(ask, provider="openai", model="gpt-4o-mini")().content)
"""
    import os

    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert run.stderr == ""
    told, content = run.stdout.splitlines()
    assert "pip install 'ferroscope[anthropic]'" in told
    assert content == "Hello there"


def test_naming_llm_imports_no_sdk() -> None:
    script = (
        "import sys; from ferroscope import llm; llm.call, llm.override, llm.context;"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'openai', 'anthropic', 'httpx', 'httpx2'}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
