"""Provider-agnostic programs as v1's documentation has them: `llm.call`, `llm.override`, `llm.context`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from ferroscope import BaseDynamicConfig, BaseMessageParam, BaseTool, Messages, llm, prompt_template
from ferroscope.core import CostMetadata, anthropic, calculate_cost, openai
from ferroscope.core.base import CommonCallParams
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, Usage

CLAUDE = "claude-3-5-sonnet-20240620"
HELLO = Answer(Text("Hello"), usage=Usage(7, 3))


class Book(BaseModel):
    title: str
    author: str


class GetBookAuthor(BaseTool):
    """Returns the author of a book."""

    title: str

    def call(self) -> str:
        return "Jane Austen"


@llm.call(provider="openai", model="gpt-4o-mini")
@prompt_template("Recommend a {genre} book")
def recommend(genre: str): ...


def models(server: ProviderServer) -> list[str]:
    return [request.json["model"] for request in server.requests]


@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-4o-mini"), ("anthropic", CLAUDE)])
def test_every_property_of_a_common_response(server: ProviderServer, provider: Any, model: str) -> None:
    server.reply(Answer(Text("Hello"), usage=Usage(7, 3), model=model))

    @llm.call(provider=provider, model=model, call_params={"stop": ["x"], "max_tokens": 9})
    @prompt_template("SYSTEM: Be brief.\nUSER: Recommend a {genre} book")
    def ask(genre: str): ...

    response = ask("fantasy")
    assert isinstance(response, llm.CallResponse)
    expected = {
        "content": "Hello",
        "finish_reasons": ["stop"],
        "model": model,
        "provider": provider,
        "input_tokens": 7,
        "output_tokens": 3,
        "message_param": BaseMessageParam(role="assistant", content="Hello"),
        "user_message_param": Messages.User("Recommend a fantasy book"),
        "fn_args": {"genre": "fantasy"},
        "prompt_template": "SYSTEM: Be brief.\nUSER: Recommend a {genre} book",
        "call_params": {"stop": ["x"], "max_tokens": 9},
        "metadata": {},
        "dynamic_config": None,
        "tool_types": None,
        "tool": None,
        "common_finish_reasons": ["stop"],
        "common_message_param": BaseMessageParam(role="assistant", content="Hello"),
    }
    found = {name: getattr(response, name) for name in expected}
    if isinstance(found["message_param"].content, list):  # one text part is as good as text
        found["message_param"] = found["common_message_param"] = expected["message_param"]
    assert found == expected
    assert response.usage.total_tokens == 10
    assert response.messages[-1] == Messages.User("Recommend a fantasy book")
    assert response.call_kwargs["model"] == model
    assert response.response.model == model  # the SDK's own
    assert response.cost is not None and response.id and str(response) == "Hello"
    assert not response.tools


def test_a_common_stream(server: ProviderServer) -> None:
    answer = Answer(Text("Let me see."), ToolCall("GetBookAuthor", {"title": "Emma"}), usage=Usage(7, 3))
    server.reply(answer)

    @llm.call(provider="openai", model="gpt-4o-mini", stream=True, tools=[GetBookAuthor])
    def ask() -> str:
        return "Who wrote Emma?"

    stream = ask()
    assert isinstance(stream, llm.Stream)
    pairs = list(stream)
    assert all(isinstance(chunk, llm.CallResponseChunk) for chunk, _ in pairs)
    assert "".join(chunk.content for chunk, _ in pairs) == stream.content == "Let me see."
    [tool] = [tool for _, tool in pairs if tool]
    assert isinstance(tool, llm.Tool) and isinstance(tool, GetBookAuthor)
    assert tool.call() == "Jane Austen"
    response = stream.construct_call_response()
    assert isinstance(response, llm.CallResponse)
    assert (response.finish_reasons, response.tools) == (["tool_calls"], [tool])
    [result] = stream.tool_message_params([(tool, tool.call())])
    assert (result.role, result.content[0].content) == ("tool", "Jane Austen")
    assert (stream.input_tokens, stream.output_tokens, stream.provider) == (7, 3, "openai")


def test_override_the_model_and_the_provider(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    other = llm.override(recommend, provider="anthropic", model=CLAUDE, call_params={"max_tokens": 70})
    response = other("fantasy")
    assert isinstance(response, llm.CallResponse)
    assert (response.provider, response.content) == ("anthropic", "Hello")
    assert server.requests[-1].json["max_tokens"] == 70
    recommend("fantasy")
    llm.override(recommend, provider="openai", model="gpt-4o")("fantasy")
    assert models(server) == [CLAUDE, "gpt-4o-mini", "gpt-4o"]


def test_override_what_the_call_gives(server: ProviderServer) -> None:
    server.reply(
        "Hel lo",
        ToolCall("Book", {"title": "Emma", "author": "Jane Austen"}),
        "Emma",
        ToolCall("GetBookAuthor", {"title": "x"}),
    )
    streamed = llm.override(recommend, provider="openai", model="gpt-4o", stream=True)
    assert "".join(chunk.content for chunk, _ in streamed("fantasy")) == "Hel lo"
    extracted = llm.override(recommend, provider="openai", model="gpt-4o", response_model=Book)
    assert extracted("fantasy") == Book(title="Emma", author="Jane Austen")
    parsed = llm.override(recommend, provider="openai", model="gpt-4o", output_parser=lambda one: one.content.upper())
    assert parsed("fantasy") == "EMMA"
    armed = llm.override(recommend, provider="openai", model="gpt-4o", tools=[GetBookAuthor])
    assert armed("fantasy").tool.call() == "Jane Austen"


def test_override_needs_both(server: ProviderServer) -> None:
    with pytest.raises(ValueError, match="Provider and model must both be overridden if either is overridden"):
        llm.override(recommend, provider="openai")
    match = "Provider and model must both be specified if either is specified"
    with pytest.raises(ValueError, match=match), llm.context(provider="openai", model=None):  # type: ignore[arg-type]
        pass
    with pytest.raises(ValueError, match="Unsupported provider"):
        llm.call(provider="nobody", model="x")(lambda: "x")()  # type: ignore[call-overload]


def test_a_context_around_calls(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    with llm.context(provider="anthropic", model=CLAUDE, call_params={"max_tokens": 99}):
        recommend("a")
        with llm.context(provider="openai", model="gpt-4o"):
            recommend("b")
        recommend("c")
    recommend("d")
    assert models(server) == [CLAUDE, "gpt-4o", CLAUDE, "gpt-4o-mini"]
    assert [request.json.get("max_tokens") for request in server.requests] == [99, 99, 99, None]


def test_contexts_do_not_meet(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @llm.call(provider="openai", model="default")
    async def ask(name: str) -> str:
        await asyncio.sleep(0.01)
        return name

    async def under(model: str) -> str | None:
        with llm.context(provider="openai", model=model):
            return (await ask(model)).model

    async def main() -> list[str | None]:
        return await asyncio.gather(*(under(f"model-{number}") for number in range(4)))

    assert asyncio.run(main()) == [f"model-{number}" for number in range(4)]

    def in_thread(model: str) -> str | None:
        return llm.override(recommend, provider="openai", model=model)("x").model

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(in_thread, "abcdef")) == list("abcdef")


def test_an_async_override(server: ProviderServer) -> None:
    server.reply(HELLO, "Hi there")

    @llm.call(provider="openai", model="gpt-4o-mini")
    async def ask() -> str:
        return "Recommend"

    async def main() -> tuple[str, str]:
        response = await llm.override(ask, provider="anthropic", model=CLAUDE)()
        stream = await llm.override(ask, provider="openai", model="gpt-4o", stream=True)()
        return response.content, "".join([chunk.content async for chunk, _ in stream])

    assert asyncio.run(main()) == ("Hello", "Hi there")


def test_a_context_around_async_calls_and_streams(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
    def ask() -> str:
        return "Recommend"

    with llm.context(provider="openai", model="gpt-4o"):
        stream = ask()
    assert "".join(chunk.content for chunk, _ in stream) == "Hello"
    assert models(server) == ["gpt-4o"]


def test_a_model_chosen_by_the_program(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    def ask(provider: Any, model: str, query: str) -> str:
        @llm.call(provider=provider, model=model, call_params=CommonCallParams(max_tokens=5, stop=["\n"]))
        def inner() -> BaseDynamicConfig:
            return {"messages": [Messages.System("Be brief."), Messages.User(query)]}

        return inner().content

    assert {ask("openai", "gpt-4o", "x"), ask("anthropic", CLAUDE, "x")} == {"Hello"}
    first, second = (request.json for request in server.requests)
    assert (first["stop"], second["stop_sequences"]) == (["\n"], ["\n"])
    assert (first["messages"][0]["role"], second["system"]) == ("system", "Be brief.")


def test_messages_wander_between_providers(server: ProviderServer) -> None:
    server.reply(ToolCall("GetBookAuthor", {"title": "Emma"}), "Jane Austen", "Yes.")

    def ask(provider: Any, model: str, history: list[Any]) -> llm.CallResponse:
        @llm.call(provider=provider, model=model, tools=[GetBookAuthor])
        def inner() -> list[Any]:
            return history

        return inner()

    history: list[Any] = [Messages.User("Who wrote Emma?")]
    first = ask("openai", "gpt-4o", history)
    tool = first.tool
    assert tool is not None
    history += [first.message_param, *first.tool_message_params([(tool, tool.call())])]
    history.append(ask("anthropic", CLAUDE, history).message_param)
    history.append(Messages.User("Sure?"))
    assert ask("openai", "gpt-4o", history).content == "Yes."
    anthropic_roles = [one["role"] for one in server.requests[1].json["messages"]]
    assert anthropic_roles == ["user", "assistant", "user"]
    assert [one["role"] for one in server.requests[2].json["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


def test_clients_of_an_agnostic_call(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    url = server.base_url("openai")

    @llm.call(provider="openai", model="llama3.2", client=OpenAI(base_url=url, api_key="ollama"))
    def local() -> str:
        return "Recommend"

    assert local().content == "Hello"
    assert server.requests[-1].headers["authorization"] == "Bearer ollama"

    async def main() -> str:
        async with AsyncOpenAI(base_url=url, api_key="mine") as client:

            @llm.call(provider="openai", model="gpt-4o-mini")
            async def ask() -> BaseDynamicConfig:
                return {"messages": [Messages.User("x")], "client": client}

            return (await ask()).content

    assert asyncio.run(main()) == "Hello"
    assert server.requests[-1].headers["authorization"] == "Bearer mine"


def test_a_method_is_overridden(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    class Librarian:
        name = "Ann"

        @llm.call(provider="openai", model="gpt-4o-mini")
        @prompt_template("{self.name} asks for {genre}")
        def ask(self, genre: str): ...

    librarian = Librarian()
    assert librarian.ask("x").content == "Hello"
    assert llm.override(librarian.ask, provider="anthropic", model=CLAUDE)("y").provider == "anthropic"
    assert llm.override(Librarian.ask, provider="openai", model="gpt-4o")(librarian, "z").model == "gpt-4o"
    assert server.requests[-1].json["messages"][-1]["content"] == "Ann asks for z"


def test_a_prompt_without_a_call_runs_anywhere(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @prompt_template("Recommend a {genre} book")
    def prompt(genre: str): ...

    assert prompt("fantasy") == [BaseMessageParam(role="user", content="Recommend a fantasy book")]
    runs = [
        openai.call("gpt-4o-mini")(prompt),
        anthropic.call(CLAUDE)(prompt),
        llm.call(provider="openai", model="gpt-4o")(prompt),
    ]
    assert [run("fantasy").content for run in runs] == ["Hello"] * 3
    assert models(server) == ["gpt-4o-mini", CLAUDE, "gpt-4o"]


def test_costs_are_calculated() -> None:
    cost = calculate_cost("openai", "gpt-4o-mini", CostMetadata(input_tokens=1000, output_tokens=100))
    assert cost == pytest.approx((1000 * 0.15 + 100 * 0.6) / 1e6)
    assert llm.calculate_cost("openai", "no-such-model", CostMetadata(input_tokens=1, output_tokens=1)) is None
