"""`llm.call`: what it sends, what it gives back, and that frameworks take it for what it is."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from typing import Any

import pytest
from openai import OpenAI

from ferroscope import BaseMessageParam, BaseTool, TextPart, ToolCallPart, ToolResultPart, llm
from ferroscope.core.base import BaseCallResponse, BaseCallResponseChunk, BaseDynamicConfig, Usage
from ferroscope.testing import Answer, ProviderServer, Reasoning, Refusal, Text, ToolCall, ToolCalls
from ferroscope.testing import Usage as Tokens


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class FormatBook(BaseTool):
    """Formats a book."""

    title: str

    def call(self) -> str:
        return self.title.title()


@llm.call("openai", "gpt-4o-mini")
def named_in_module(genre: str) -> str:
    """Recommends."""
    return f"Recommend a {genre} book"


@llm.call("openai", "gpt-4o-mini")
async def async_named_in_module(genre: str) -> str:
    """Recommends."""
    return f"Recommend a {genre} book"


USER = BaseMessageParam(role="user", content="Recommend a fantasy book")


def test_a_response_has_the_common_form(server: ProviderServer) -> None:
    server.reply(Answer(Text("Emma"), usage=Tokens(9, 4, cached=3)))
    response = named_in_module("fantasy")
    assert isinstance(response, llm.CallResponse)
    assert isinstance(response, BaseCallResponse)
    assert (
        response.content,
        str(response),
        response.finish_reasons,
        response.usage,
        response.messages,
        response.user_message_param,
        response.message_param,
        response.tools,
        response.tool,
        response.provider,
        response.model,
        response.input_tokens,
        response.cached_tokens,
        response.output_tokens,
        response.fn_args,
        response.call_params,
    ) == (
        "Emma",
        "Emma",
        ["stop"],
        Usage(input_tokens=9, cached_tokens=3, output_tokens=4, total_tokens=13),
        [USER],
        USER,
        BaseMessageParam(role="assistant", content="Emma"),
        None,
        None,
        "openai",
        "gpt-4o-mini",
        9,
        3,
        4,
        {"genre": "fantasy"},
        {},
    )
    assert response.common_messages == [USER]
    assert response.common_finish_reasons == ["stop"]
    assert response.common_usage == response.usage
    assert response.common_message_param == response.message_param
    assert response.common_user_message_param == USER


def test_what_only_the_provider_has_is_forwarded(server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("Let me see."), Text("Emma")))
    response: Any = named_in_module("fantasy")
    assert (response.thinking, response.audio_transcript) == ("Let me see.", None)
    assert response.response.choices[0].message.content == "Emma"
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = response.nothing_like_it


def test_a_response_dumps_its_common_form(server: ProviderServer) -> None:
    response = named_in_module("fantasy")
    dumped = response.model_dump(exclude={"response", "start_time", "end_time"})
    user = {"role": "user", "content": "Recommend a fantasy book"}
    wanted = {
        "metadata": {},
        "tool_types": None,
        "prompt_template": None,
        "fn_args": {"genre": "fantasy"},
        "dynamic_config": {"messages": [user]},
        "messages": [user],
        "common_messages": [user],
        "call_params": {},
        "call_kwargs": {"model": "gpt-4o-mini", "messages": [user]},
        "user_message_param": user,
        "content": "Hello there",
        "finish_reasons": ["stop"],
        "model": "gpt-4o-mini",
        "id": response.id,
        "input_tokens": 10,
        "cached_tokens": 0,
        "output_tokens": 20,
        "message_param": {"role": "assistant", "content": "Hello there"},
        "audio": None,
        "audio_transcript": None,
    }
    assert {name: dumped[name] for name in wanted} == wanted
    assert dumped["cost_metadata"]["batch_mode"] is None
    assert response.model_dump(include={"audio", "content"}) == {"audio": None, "content": "Hello there"}
    assert "audio" not in response.model_dump(exclude={"audio"})
    assert '"finish_reasons":["stop"]' in response.model_dump_json()


def test_tools_are_of_the_users_own_class(server: ProviderServer) -> None:
    server.reply(
        Answer(
            Text("One moment."), ToolCalls(ToolCall("FormatBook", {"title": "emma"}), ToolCall("add", {"a": 1, "b": 2}))
        )
    )

    @llm.call("openai", "gpt-4o-mini", tools=[FormatBook, add])
    def recommend() -> str:
        return "Recommend a book"

    response = recommend()
    tools = response.tools
    assert tools is not None
    assert response.tool is tools[0]
    assert isinstance(tools[0], FormatBook)
    assert all(isinstance(tool, llm.Tool) for tool in tools)
    assert [tool.call() for tool in tools] == ["Emma", 3]
    assert response.message_param == BaseMessageParam(
        role="assistant",
        content=[
            TextPart(type="text", text="One moment."),
            ToolCallPart(type="tool_call", name="FormatBook", args={"title": "emma"}, id="call_1"),
            ToolCallPart(type="tool_call", name="add", args={"a": 1, "b": 2}, id="call_2"),
        ],
    )
    assert response.tool_message_params([(tools[0], "Emma"), (tools[1], 3)]) == [
        BaseMessageParam(
            role="tool",
            content=[ToolResultPart(type="tool_result", name="FormatBook", content="Emma", id="call_1")],
        ),
        BaseMessageParam(
            role="tool", content=[ToolResultPart(type="tool_result", name="add", content="3", id="call_2")]
        ),
    ]
    assert not isinstance(3, llm.Tool)
    assert llm.Tool(tools[0]) is tools[0]


def test_an_agent_goes_on_from_common_messages(server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", tools=[add])
    def ask(history: list[BaseMessageParam]) -> list[BaseMessageParam]:
        return [BaseMessageParam(role="user", content="1 + 2?"), *history]

    server.reply(ToolCall("add", {"a": 1, "b": 2}), Answer(Text("3")))
    response = ask([])
    assert response.tool is not None
    history = [response.message_param, *response.tool_message_params([(response.tool, response.tool.call())])]
    assert ask(history).content == "3"
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
    sent = server.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert [sent[1]["tool_calls"][0]["id"], sent[1]["tool_calls"][0]["function"]["name"]] == [call["id"], "add"]
    assert sent[2] == {"role": "tool", "content": "3", "tool_call_id": "call_1"} | (
        {"name": "add"} if "name" in sent[2] else {}
    )


def test_a_refusal_is_a_message(server: ProviderServer) -> None:
    server.reply(Answer(Refusal("No.")))
    response = named_in_module("fantasy")
    assert response.message_param.role == "assistant"
    assert response.finish_reasons == ["stop"]


def test_the_parser_gets_the_common_response(server: ProviderServer) -> None:
    seen: list[type] = []

    def parse(response: llm.CallResponse) -> str:
        seen.append(type(response))
        return response.content.upper()

    @llm.call("openai", "gpt-4o-mini", output_parser=parse)
    def recommend() -> str:
        return "Recommend a book"

    assert (recommend(), seen) == ("HELLO THERE", [llm.CallResponse])


def test_a_stream_has_the_common_form(server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", stream=True, tools=[FormatBook])
    def recommend() -> str:
        return "Recommend a book"

    server.reply(Answer(Text("One moment"), ToolCall("FormatBook", {"title": "emma"}), usage=Tokens(9, 4, cached=3)))
    stream = recommend()
    assert isinstance(stream, llm.Stream)
    pairs = list(stream)
    assert all(isinstance(chunk, llm.CallResponseChunk) for chunk, _ in pairs)
    assert all(isinstance(chunk, BaseCallResponseChunk) for chunk, _ in pairs)
    assert "".join(chunk.content for chunk, _ in pairs) == "One moment"
    assert [chunk.finish_reasons for chunk, _ in pairs if chunk.finish_reasons] == [["tool_calls"]]
    usage = Usage(input_tokens=9, cached_tokens=3, output_tokens=4, total_tokens=13)
    assert [chunk.usage for chunk, _ in pairs if chunk.usage] == [usage]
    [tool] = [tool for _, tool in pairs if tool is not None]
    assert isinstance(tool, FormatBook)
    message = BaseMessageParam(
        role="assistant",
        content=[
            TextPart(type="text", text="One moment"),
            ToolCallPart(type="tool_call", name="FormatBook", args={"title": "emma"}, id="call_1"),
        ],
    )
    user = BaseMessageParam(role="user", content="Recommend a book")
    response = stream.construct_call_response()
    assert isinstance(response, llm.CallResponse)
    assert (
        stream.content,
        stream.finish_reasons,
        stream.usage,
        stream.messages,
        stream.user_message_param,
        stream.message_param,
        stream.provider,
        response.message_param,
        response.usage,
        [tool.call() for tool in response.tools or ()],
    ) == ("One moment", ["tool_calls"], usage, [user], user, message, "openai", message, usage, ["Emma"])
    assert stream.start_time <= stream.end_time
    assert stream.tool_message_params([(tool, "Emma")]) == response.tool_message_params([(tool, "Emma")])


async def test_an_async_stream_has_it_too(server: ProviderServer) -> None:
    @llm.call("openai", "gpt-4o-mini", stream=True)
    async def recommend() -> str:
        return "Recommend a book"

    stream = await recommend()
    assert [chunk.content async for chunk, _ in stream] == ["", "Hello ", "there", "", ""]
    assert (stream.content, stream.finish_reasons) == ("Hello there", ["stop"])
    assert 0 < stream.start_time <= stream.end_time


def test_provider_and_model_in_one_string(server: ProviderServer) -> None:
    @llm.call("openai/org/model-1")
    def recommend() -> str:
        return "Recommend a book"

    recommend()
    assert server.requests[-1].json["model"] == "org/model-1"
    with pytest.raises(ValueError, match=r"no model specified: write `llm.call\('openai', 'a-model'\)`"):
        llm.call("openai")


def test_an_unknown_provider_is_told_at_decoration() -> None:
    with pytest.raises(
        ValueError, match=r"Unsupported provider: opnai \(did you mean 'openai'\?\); known providers: .*openai"
    ):
        llm.call("opnai", "gpt-4o-mini")(lambda: "Hi")


@pytest.mark.parametrize("provider", ["ollama", "vllm"])
def test_a_local_server_is_a_provider(provider: Any, server: ProviderServer) -> None:
    @llm.call(provider, "llama3")
    def recommend() -> str:
        return "Recommend a book"

    assert recommend().content == "Hello there"
    assert server.requests[-1].headers["authorization"] == f"Bearer {provider}"


def test_parameters_and_client_reach_the_request(server: ProviderServer) -> None:
    with OpenAI(base_url=server.base_url("openai"), api_key="tenant") as client:

        @llm.call("openai", "gpt-4o-mini", client=client, call_params={"max_tokens": 7, "temperature": None})
        def recommend() -> BaseDynamicConfig[Any, Any, Any]:
            return {"messages": [USER], "call_params": {"top_p": 0.5}, "metadata": {"tags": {"a"}}}

        response = recommend()
    sent = server.requests[-1]
    assert sent.headers["authorization"] == "Bearer tenant"
    assert (sent.json["max_tokens"], sent.json["top_p"]) == (7, 0.5)
    assert "temperature" not in sent.json
    assert response.metadata == {"tags": {"a"}}


def test_calls_keep_what_frameworks_look_at() -> None:
    for call, asynchronous in ((named_in_module, False), (async_named_in_module, True)):
        assert inspect.iscoroutinefunction(call) is asynchronous
        assert asyncio.iscoroutinefunction(call) is asynchronous
        assert list(inspect.signature(call).parameters) == ["genre"]
        assert call.__doc__ == "Recommends."
        assert pickle.loads(pickle.dumps(call)) is call
        marked: Any = call
        assert marked.__mirascope_call__ is True
        assert marked._model == "gpt-4o-mini"
        assert marked._original_fn is marked.__wrapped__
        assert marked._original_call_args == {
            "provider": "openai",
            "model": "gpt-4o-mini",
            "stream": False,
            "tools": None,
            "response_model": None,
            "output_parser": None,
            "json_mode": False,
            "client": None,
            "call_params": None,
        }
    assert async_named_in_module.__name__ == "async_named_in_module"


async def test_methods_are_calls(server: ProviderServer) -> None:
    class Librarian:
        name = "Ann"

        @llm.call("openai", "gpt-4o-mini")
        def ask(self, query: str) -> str:
            return f"{self.name}: {query}"

        @llm.call("openai", "gpt-4o-mini")
        async def ask_async(self, query: str) -> str:
            return f"{self.name}: {query}"

    librarian = Librarian()
    assert inspect.iscoroutinefunction(librarian.ask_async)
    answers = [librarian.ask("Hi?"), await librarian.ask_async("Hi?")]
    assert [answer.messages[0].content for answer in answers] == ["Ann: Hi?", "Ann: Hi?"]
