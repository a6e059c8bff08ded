"""Calls of models at Azure: the OpenAI SDK's clients, and the retired `azure-ai-inference`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("openai")

import openai
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.core import azure, prompt_template
from ferroscope.core.base import AudioPart, BaseMessageParam, ImagePart, Messages, TextPart
from ferroscope.errors import ProviderStreamError
from ferroscope.testing import (
    Answer,
    Body,
    ContentFilter,
    Cut,
    Json,
    ProviderServer,
    Replay,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
)

CORPUS = Path(__file__).parents[2] / "corpus" / "openai_chat"
MODEL = "gpt-4o-mini"


@pytest.fixture(scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _server.forget()
    for name in (
        "OPENAI_API_VERSION",
        "AZURE_OPENAI_API_VERSION",
        "AZURE_INFERENCE_ENDPOINT",
        "AZURE_INFERENCE_CREDENTIAL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", _server.base_url("azure"))
    return _server


@pytest.fixture
def inference(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    """The environment of somebody who has not moved yet."""
    pytest.importorskip("azure.ai.inference")
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT")
    monkeypatch.setenv("AZURE_INFERENCE_ENDPOINT", server.base_url("azure"))
    monkeypatch.setenv("AZURE_INFERENCE_CREDENTIAL", "inference-key")
    return server


def call(prompt: Any = "Hello", /, **options: Any) -> Any:
    return azure.call(MODEL, **options)(lambda: prompt)()


def consumed(stream: Any) -> Any:
    for _ in stream:
        pass
    return stream


def acall(prompt: Any = "Hello", /, **options: Any) -> Any:
    """The same of an async function; a stream is consumed."""

    async def ask() -> Any:
        return prompt

    async def run() -> Any:
        result = await azure.call(MODEL, **options)(ask)()
        if options.get("stream"):
            async for _ in result:
                pass
        return result

    return asyncio.run(run())


def add(a: int, b: int = 2) -> int:
    """Adds two numbers."""
    return a + b


class Book(BaseModel):
    title: str
    year: int


# -- the clients of the OpenAI SDK -----------------------------------------------------------------------------


def test_the_newest_api_is_the_default(server: ProviderServer) -> None:
    server.reply("Hello")
    assert call().content == "Hello"
    request = server.requests[-1]
    assert request.path == "/azure/openai/v1/chat/completions"
    assert request.json["model"] == MODEL
    assert request.headers["authorization"] == "Bearer test-key"


def test_an_api_version_asks_for_the_older_one(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    server.reply("Hello")
    assert consumed(call(stream=True)).content == "Hello"
    request = server.requests[-1]
    assert request.path == f"/azure/openai/deployments/{MODEL}/chat/completions"
    assert request.parameters == {"api-version": "2024-10-21"}
    assert request.headers["api-key"] == "test-key"


def test_without_an_endpoint_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_INFERENCE_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyError, match=r"AZURE_OPENAI_ENDPOINT.*AZURE_OPENAI_API_KEY.*client="):
        call()


def test_roles_survive_and_images_work(server: ProviderServer) -> None:
    """v1 made a user of everybody, and failed on parts after the call was paid (D21)."""
    server.reply("A cat")
    image = ImagePart(type="image", media_type="image/png", image=b"\x89PNG", detail=None)
    response = call(
        [
            Messages.System("Be brief"),
            Messages.Assistant("Yes?"),
            BaseMessageParam(role="user", content=[TextPart(type="text", text="What is this?"), image]),
        ]
    )
    sent = server.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "assistant", "user"]
    assert [part["type"] for part in sent[2]["content"]] == ["text", "image_url"]
    assert response.common_user_message_param.content[0].text == "What is this?"


def test_azure_takes_no_sounds() -> None:
    sound = AudioPart(type="audio", media_type="audio/wav", audio=b"RIFF")
    with pytest.raises(ValueError, match="Azure currently only supports text and image parts"):
        call([BaseMessageParam(role="user", content=[sound])])


def test_parameters(server: ProviderServer) -> None:
    server.reply("Hi")
    call(call_params={"stop": "END", "seed": None, "temperature": 0.5, "model_extras": {"safe_mode": True}})
    body = server.requests[-1].json
    assert {name: body.get(name) for name in ("stop", "temperature", "safe_mode")} == {
        "stop": ["END"],
        "temperature": 0.5,
        "safe_mode": True,
    }
    assert "seed" not in body


def test_the_filters_are_readable(server: ProviderServer) -> None:
    server.reply("Hi", "Hi")
    response = call()
    assert response.content_filter_results["hate"] == {"filtered": False, "severity": "safe"}
    built = consumed(call(stream=True)).construct_call_response()
    for found in (response, built):
        assert found.prompt_filter_results[0]["content_filter_results"]["hate"]["severity"] == "safe"


@pytest.mark.parametrize("name", ["azure_filters", "azure_frames_without_delta"])
def test_frames_that_only_filters_send(server: ProviderServer, name: str) -> None:
    server.reply(Replay(CORPUS / f"{name}.sse"))
    stream = call(stream=True)
    chunks = [chunk for chunk, _ in stream]
    twin = json.loads((CORPUS / f"{name}.json").read_text())
    assert stream.content == "".join(chunk.content for chunk in chunks) == twin["choices"][0]["message"]["content"]
    assert stream.model == twin["model"]
    assert any(chunk.content_filter_results for chunk in chunks)
    assert all(chunk.finish_reasons is None or chunk.finish_reasons for chunk in chunks)
    response = stream.construct_call_response()
    assert response.content_filter_results == twin["choices"][0]["content_filter_results"]


def test_a_tool_is_azures(server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("add", {"a": 1}, "call_1")))
    response = call(tools=[add])
    assert isinstance(response.tool, azure.AzureTool)
    assert response.tool.call() == 3
    assert response.tool_message_params([(response.tool, 3)]) == [
        {"role": "tool", "content": "3", "tool_call_id": "call_1", "name": "add"}
    ]


# -- azure-ai-inference ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [call, acall], ids=["sync", "async"])
def test_a_response_of_the_retired_sdk(inference: ProviderServer, run: Any) -> None:
    inference.reply(Answer(Text("Adding."), ToolCall("add", {"a": 1}, "call_1"), usage=Usage(9, 3, cached=4)))
    response = run(tools=[add], call_params={"temperature": 0.5, "stop": "END"})
    assert type(response.response).__name__ == "ChatCompletions"
    assert (response.content, response.finish_reasons) == ("Adding.", ["tool_calls"])
    assert (response.input_tokens, response.cached_tokens, response.output_tokens) == (9, 4, 3)
    assert response.tool.call() == 3
    assert response.message_param["tool_calls"][0]["id"] == "call_1"
    assert [part.type for part in response.common_message_param.content] == ["text", "tool_call"]
    request = inference.requests[-1]
    assert request.path == "/azure/chat/completions"
    assert {name: request.json[name] for name in ("model", "temperature", "stop")} == {
        "model": MODEL,
        "temperature": 0.5,
        "stop": ["END"],
    }
    assert response.model_dump()["content"] == "Adding."


@pytest.mark.parametrize("run", [lambda **options: consumed(call(**options)), acall], ids=["sync", "async"])
def test_a_stream_of_the_retired_sdk(inference: ProviderServer, run: Any) -> None:
    calls = ToolCalls(ToolCall("add", {"a": 1}), ToolCall("add", {"a": 2}), shape="interleaved")
    inference.reply(Answer(Text("Adding."), calls, usage=Usage(9, 3, cached=4)))
    stream = run(stream=True, tools=[add])
    response = stream.construct_call_response()
    assert (stream.content, stream.finish_reasons) == ("Adding.", ["tool_calls"])
    assert (stream.input_tokens, stream.cached_tokens, stream.output_tokens) == (9, 4, 3)
    assert [tool.call() for tool in response.tools] == [3, 4]


def test_leaving_a_stream_of_the_retired_sdk_closes_it(inference: ProviderServer) -> None:
    inference.reply(Answer(Text("word " * 500), delay=0.001))
    stream = call(stream=True)
    for chunk, _ in stream:
        if chunk.content:
            break
    inference.wait_closed(timeout=1)
    assert stream.construct_call_response().content == stream.content != ""


def test_an_error_inside_a_stream_is_told(inference: ProviderServer) -> None:
    """The SDK itself drops it."""
    inference.reply(StreamError(Answer(Text("Hello", ["Hel", "lo"])), after=3, message="Too much."))
    stream = call(stream=True)
    with pytest.raises(ProviderStreamError, match=r"Too much\.") as caught:
        consumed(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"


def test_a_response_model_of_the_retired_sdk(inference: ProviderServer) -> None:
    inference.reply(Answer(Json({"title": "Emma", "year": 1815})), Answer(Json({"title": "Emma", "year": 1815})))
    assert call(response_model=Book, json_mode=True) == Book(title="Emma", year=1815)
    assert list(call(response_model=Book, json_mode=True, stream=True))[-1] == Book(title="Emma", year=1815)
    assert inference.requests[-1].json["response_format"] == {"type": "json_object"}


def test_a_client_of_either_sdk_can_be_given(server: ProviderServer) -> None:
    inference = pytest.importorskip("azure.ai.inference")
    credentials = pytest.importorskip("azure.core.credentials")
    server.reply("one", "two")
    url = server.base_url("azure")
    with ExitStack() as open_clients:
        old = open_clients.enter_context(
            inference.ChatCompletionsClient(endpoint=url, credential=credentials.AzureKeyCredential("k"))
        )
        new = open_clients.enter_context(openai.OpenAI(base_url=f"{url}/openai/v1/", api_key="k"))
        assert [call(client=client).content for client in (old, new)] == ["one", "two"]
    assert [request.path for request in server.requests] == [
        "/azure/chat/completions",
        "/azure/openai/v1/chat/completions",
    ]


def test_a_client_keeps_the_extras_that_it_was_made_with(inference: ProviderServer) -> None:
    """To the SDK those of a call, as each stream has them, stand for all that the client has."""
    from azure.ai.inference import ChatCompletionsClient
    from azure.core.credentials import AzureKeyCredential

    inference.reply("one", "two", "three")
    extras = {"safe_mode": True, "top_k": 5}
    with ChatCompletionsClient(inference.base_url("azure"), AzureKeyCredential("k"), model_extras=extras) as client:
        call(client=client)
        consumed(call(client=client, stream=True))
        call(client=client, call_params={"model_extras": {"top_k": 1}})
    sent = [(request.json["safe_mode"], request.json["top_k"]) for request in inference.requests]
    assert sent == [(True, 5), (True, 5), (True, 1)]


# -- either SDK ------------------------------------------------------------------------------------------------


def either(name: str, monkeypatch: pytest.MonkeyPatch, server: ProviderServer) -> None:
    """The environment of one of the two SDKs."""
    if name == "inference":
        pytest.importorskip("azure.ai.inference")
        monkeypatch.delenv("AZURE_OPENAI_ENDPOINT")
        monkeypatch.setenv("AZURE_INFERENCE_ENDPOINT", server.base_url("azure-inference"))
        monkeypatch.setenv("AZURE_INFERENCE_CREDENTIAL", "inference-key")


@pytest.fixture(params=["openai", "inference"])
def sdk(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> str:
    either(request.param, monkeypatch, server)
    return str(request.param)


OBJECTS = {
    "openai": ("ChatCompletion", "ChatCompletionChunk", "ChatCompletionMessageFunctionToolCall"),
    "inference": ("ChatCompletions", "StreamingChatCompletionsUpdate", "ChatCompletionsToolCall"),
}


def test_a_tool_message_has_a_name_only_where_the_api_has_it(sdk: str, server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("add", {"a": 1})), "Done.")
    response = call(tools=[add])
    results = response.tool_message_params([(response.tool, "1")])

    @azure.call("gpt-4o-mini")
    def follow_up() -> azure.AzureDynamicConfig:
        return {"messages": [*response.messages, response.message_param, *results]}

    follow_up()
    sent = server.requests[-1].json["messages"][-1]
    assert (sent["role"], sent["content"]) == ("tool", "1")
    assert ("name" in sent) is (sdk == "openai")
    assert results[0]["name"] == "add"  # the caller's message is not changed


def test_all_objects_are_of_the_sdk_that_called(sdk: str, server: ProviderServer) -> None:
    answer = Answer(Text("Adding."), ToolCall("add", {"a": 1}))
    server.reply(answer, answer)
    response, stream = call(tools=[add]), call(tools=[add], stream=True)
    pairs = list(stream)
    built = stream.construct_call_response()
    for one in (response, built):
        names = (type(one.response).__name__, type(pairs[0][0].chunk).__name__, type(one.tool.tool_call).__name__)
        assert names == OBJECTS[sdk]
    assert [type(tool.tool_call).__name__ for _, tool in pairs if tool] == [OBJECTS[sdk][2]]
    assert all(isinstance(chunk, azure.AzureCallResponseChunk) for chunk, _ in pairs)
    assert built.message_param == response.message_param


def test_the_call_of_an_azure_tool_is_of_the_sdk_that_made_it(sdk: str, server: ProviderServer) -> None:
    answer = Answer(ToolCall("add", {"a": 1}))
    server.reply(answer, answer)
    tools = [azure.AzureTool.type_from_fn(add)]
    streamed = [tool for _, tool in call(tools=tools, stream=True) if tool]
    for tool in (call(tools=tools).tool, *streamed):
        assert (tool.call(), type(tool.tool_call).__name__) == (3, OBJECTS[sdk][2])


def test_the_retired_sdk_reads_the_same_objects(inference: ProviderServer) -> None:
    """What we make of the bytes is what the SDK would have made."""
    from azure.ai.inference import ChatCompletionsClient
    from azure.core.credentials import AzureKeyCredential

    answer = Answer(Text("Hello there"), usage=Usage(9, 2))
    inference.reply(answer, answer)
    ours = [chunk.chunk for chunk, _ in call(stream=True)]
    with ChatCompletionsClient(inference.base_url("azure"), AzureKeyCredential("k")) as client:
        theirs = list(client.complete(messages=[{"role": "user", "content": "Hello"}], model=MODEL, stream=True))
    assert [chunk.choices for chunk in ours if chunk.choices] == [chunk.choices for chunk in theirs if chunk.choices]


def test_a_wrapped_stream_is_read_by_its_objects(inference: ProviderServer) -> None:
    """Who traces a client counts on seeing what it yields."""
    from azure.ai.inference import ChatCompletionsClient
    from azure.core.credentials import AzureKeyCredential

    seen: list[Any] = []

    class Traced(ChatCompletionsClient):
        def complete(self, **kwargs: Any) -> Any:
            return self._watch(super().complete(**kwargs))

        def _watch(self, updates: Any) -> Iterator[Any]:
            for update in updates:
                seen.append(update)
                yield update

    inference.reply(Answer(Text("Hello there"), ToolCall("add", {"a": 1}), usage=Usage(9, 2)))
    with Traced(inference.base_url("azure"), AzureKeyCredential("k")) as client:
        stream = call(stream=True, client=client, tools=[add])
        tools = [tool.call() for _, tool in stream if tool]
    assert (stream.content, tools, stream.output_tokens) == ("Hello there", [3], 2)
    assert len(seen) > 3


def test_parameters_of_either_sdk_go_to_both(sdk: str, server: ProviderServer) -> None:
    models = pytest.importorskip("azure.ai.inference.models")
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    wanted: dict[str, Any] = {"type": "json_schema", "json_schema": {"name": "X", "schema": schema, "strict": True}}
    named = models.ChatCompletionsNamedToolChoice(function=models.ChatCompletionsNamedToolChoiceFunction(name="add"))
    given = models.JsonSchemaFormat(name="X", schema=schema, strict=True)
    searches = models.ChatCompletionsToolDefinition(function=models.FunctionDefinition(name="search"))
    extra = {"safe_mode": True}
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"response_format": "json_object"}, {"response_format": {"type": "json_object"}}),
        ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
        ({"response_format": given}, {"response_format": wanted}),
        ({"response_format": wanted}, {"response_format": wanted}),
        ({"response_format": wanted["json_schema"]}, {"response_format": wanted}),
        ({"tools": [searches]}, {"tools": [searches.as_dict(), azure.AzureTool.type_from_fn(add).tool_schema()]}),
        ({"tool_choice": named}, {"tool_choice": {"type": "function", "function": {"name": "add"}}}),
        ({"tool_choice": models.ChatCompletionsToolChoicePreset.AUTO}, {"tool_choice": "auto"}),
        ({"model_extras": extra}, extra),
        ({"extra_body": extra, "max_completion_tokens": 5}, {**extra, "max_completion_tokens": 5}),
        ({"stop": "END"}, {"stop": ["END"]}),
        ({"reasoning_effort": "low", "temperature": None}, {"reasoning_effort": "low"}),
        (
            {"data_sources": [{"type": "azure_search"}], "extra_body": extra},
            {"data_sources": [{"type": "azure_search"}], **extra},
        ),
        ({"model_extras": None, "extra_body": None, "top_k": 3}, {"top_k": 3}),
    ]
    for params, sent in rows:
        server.reply("Hi")
        call(call_params=params, tools=[add])
        body = server.requests[-1].json
        assert {name: body.get(name) for name in sent} == sent, params
        assert "temperature" not in body


def test_headers_and_query_of_the_caller(sdk: str, server: ProviderServer) -> None:
    server.reply("Hi")
    call(call_params={"extra_headers": {"x-mine": "1"}, "extra_query": {"y": "2"}, "timeout": 5})
    request = server.requests[-1]
    assert (request.headers["x-mine"], request.parameters["y"]) == ("1", "2")


def test_messages_of_the_retired_sdk_can_be_sent_and_read(sdk: str, server: ProviderServer) -> None:
    models = pytest.importorskip("azure.ai.inference.models")
    server.reply("Hi")
    asked = models.ChatCompletionsToolCall(id="c1", function=models.FunctionCall(name="add", arguments='{"a":1}'))
    image = models.ImageContentItem(image_url=models.ImageUrl(url="https://x.test/y.png"))
    messages = [
        models.SystemMessage("Be brief"),
        models.AssistantMessage(tool_calls=[asked]),
        models.ToolMessage("3", tool_call_id="c1"),
        models.UserMessage([models.TextContentItem(text="Thanks"), image]),
    ]
    response = call({"messages": messages})
    sent = server.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "assistant", "tool", "user"]
    assert sent[1]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a":1}'}
    assert sent[3]["content"][0] == {"type": "text", "text": "Thanks"}
    assert [part.type for part in response.common_user_message_param.content] == ["text", "image_url"]
    assert response.common_messages[1].content[0].args == {"a": 1}


def test_models_of_the_retired_sdk_have_json(sdk: str, server: ProviderServer) -> None:
    models = pytest.importorskip("azure.ai.inference.models")
    parts = [models.TextContentItem(text="Hi"), models.ImageContentItem(image_url=models.ImageUrl(url="data:,"))]
    history = [models.SystemMessage("Be brief"), models.UserMessage(parts)]
    response_format = models.JsonSchemaFormat(name="X", schema={"type": "object"})

    @azure.call(MODEL, call_params={"response_format": response_format})
    def ask(history: list[Any]) -> Any:
        return {"messages": history, "call_params": {"response_format": response_format}}

    server.reply("Hello")
    dumped = json.loads(ask(history).model_dump_json())
    wanted = [message.as_dict() for message in history]
    assert dumped["fn_args"] == {"history": wanted}
    assert dumped["messages"] == dumped["dynamic_config"]["messages"] == wanted
    assert dumped["call_params"] == dumped["dynamic_config"]["call_params"]
    assert dumped["call_params"] == {"response_format": response_format.as_dict()}
    assert dumped["response"]["choices"][0]["message"]["content"] == "Hello"


def test_a_template_takes_a_history_of_the_retired_sdk(sdk: str, server: ProviderServer) -> None:
    models = pytest.importorskip("azure.ai.inference.models")
    history = [models.SystemMessage("Be brief"), models.UserMessage("Hello"), {"role": "assistant", "content": "Hi"}]

    class Librarian(BaseModel):
        history: list[Any]

        @azure.call(MODEL)
        @prompt_template("MESSAGES: {self.history}\nUSER: {query}")
        def ask(self, query: str) -> None: ...

    @azure.call(MODEL)
    @prompt_template("MESSAGES: {history}\nUSER: {query}")
    def ask(history: list[Any], query: str) -> None: ...

    for asked in (Librarian(history=history).ask, lambda query: ask(history, query)):
        server.reply("Emma")
        asked("A book?")
        sent = [(message["role"], message["content"]) for message in server.requests[-1].json["messages"]]
        assert sent == [("system", "Be brief"), ("user", "Hello"), ("assistant", "Hi"), ("user", "A book?")]


def test_an_answer_goes_back_without_what_only_answers_have(sdk: str, server: ProviderServer) -> None:
    """What DeepSeek's and others' models say beside it, strict servers refuse to hear."""
    asked = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": "Adding.", "reasoning_content": "Hm.", "annotations": [{"type": "x"}]}
    choice = {"index": 0, "finish_reason": "tool_call", "message": {**message, "tool_calls": [{**asked, "index": 0}]}}
    server.reply(Body({"id": "x", "created": 1, "model": "DeepSeek-V3.1", "choices": [choice]}), "Three.", "Three.")
    response = call(tools=[add])
    expected = {"role": "assistant", "content": "Adding.", "tool_calls": [asked]}
    assert response.message_param == expected
    for answer in (response.message_param, response.common_message_param):
        call([*response.messages, answer, *response.tool_message_params([(response.tool, 3)])])
        assert server.requests[-1].json["messages"][1] == expected
    kept = response.common_message_param.provider_data["members"]
    assert (response.thinking, kept["reasoning_content"]) == ("Hm.", "Hm.")
    assert (response.finish_reasons, response.common_finish_reasons) == (["tool_call"], ["tool_calls"])


def test_a_history_of_parallel_calls_stays_one_turn(sdk: str, server: ProviderServer) -> None:
    """v1 sent an assistant's message for each call, which the API refuses (D35)."""
    server.reply(Answer(Text("Adding."), ToolCalls(ToolCall("add", {"a": 1}), ToolCall("add", {"a": 2}))), "5 and 4")
    first = call(tools=[add])
    results = first.tool_message_params([(tool, tool.call()) for tool in first.tools])
    call([*first.messages, first.common_message_param, *results], tools=[add])
    sent = server.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool"]
    assert sent[1]["content"] == "Adding."
    assert [one["id"] for one in sent[1]["tool_calls"]] == [one["tool_call_id"] for one in sent[2:]]


@pytest.mark.parametrize("run", [lambda **options: consumed(call(**options)), acall], ids=["sync", "async"])
def test_a_finished_stream_gives_its_connection_back(sdk: str, server: ProviderServer, run: Any) -> None:
    server.reply("one", "two", "three")
    ask = azure.call(MODEL, stream=True)

    async def asked() -> None:
        @ask
        async def again() -> str:
            return "?"

        for _ in range(3):
            async for _pair in await again():
                pass

    before = server.connections_opened
    if run is acall:
        asyncio.run(asked())
    else:
        again = ask(lambda: "?")
        for _ in range(3):
            consumed(again())
    # The client of another test may have its connection still.
    assert server.connections_opened - before <= 1


# -- the filter ------------------------------------------------------------------------------------------------

HATE = {"hate": {"filtered": True, "severity": "high"}}


def test_the_filter_speaks_first_and_with_each_text(sdk: str, server: ProviderServer) -> None:
    jailbreak = {"jailbreak": {"detected": True, "filtered": False}}
    server.reply(Answer(Text("Hello", ["Hel", "lo"]), content_filter=ContentFilter(prompt=jailbreak, answer=HATE)))
    stream = call(stream=True)
    chunks = [chunk for chunk, _ in stream]
    assert [(chunk.content, chunk.content_filter_results) for chunk in chunks if chunk.content] == [
        ("Hel", HATE),
        ("lo", HATE),
    ]
    prompt = [{"prompt_index": 0, "content_filter_results": jailbreak}]
    assert [chunk.prompt_filter_results for chunk in chunks] == [prompt, *[None] * (len(chunks) - 1)]
    assert (stream.prompt_filter_results, stream.content_filter_results) == (prompt, HATE)
    assert stream.id == "chatcmpl-" + str(server.requests[-1].number)


def test_the_asynchronous_filter_speaks_after_the_end(sdk: str, server: ProviderServer) -> None:
    server.reply(Answer("Hello", content_filter=ContentFilter(answer=HATE, asynchronous=True)))
    stream = call(stream=True)
    chunks = [chunk for chunk, _ in stream]
    ended = next(position for position, chunk in enumerate(chunks) if chunk.finish_reasons)
    late = [chunk.content_filter_results for chunk in chunks[ended + 1 :] if chunk.content_filter_results]
    assert late == [HATE]
    assert (stream.content, stream.finish_reasons, stream.model) == ("Hello", ["stop"], MODEL)
    assert stream.content_filter_results == stream.construct_call_response().content_filter_results == HATE


def test_a_filter_that_says_nothing(sdk: str, server: ProviderServer) -> None:
    silent = Answer("Hello", content_filter=ContentFilter(prompt=None, answer=None))
    server.reply(silent, silent)
    for one in (call(), consumed(call(stream=True))):
        assert (one.content, one.content_filter_results, one.prompt_filter_results) == ("Hello", None, None)


def frames(*events: dict[str, Any]) -> Replay:
    """A stream of these chunks."""
    rest = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    sent = [json.dumps({**rest, "choices": [], **event}) for event in events]
    return Replay("".join(f"data: {event}\n\n" for event in [*sent, "[DONE]"]).encode())


def test_what_the_filter_found_stays_found(sdk: str, server: ProviderServer) -> None:
    """Each text has findings of its own, and those that are said later stand beside them."""

    def said(text: str, found: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": {"content": text}, "content_filter_results": found}]}

    def listed(*names: str, filtered: bool) -> dict[str, Any]:
        return {"custom_blocklists": {"filtered": filtered, "details": [{"id": name} for name in names]}}

    code = {"detected": True, "filtered": False, "citation": {"URL": "https://x.test", "license": "MIT"}}
    server.reply(
        frames(
            {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"severity": "low"}}}]},
            said("a", {"hate": {"filtered": True, "severity": "medium"}, **listed("a", filtered=True)}),
            said("b", {"hate": {"filtered": False, "severity": "safe"}, **listed("b", "a", filtered=False)}),
            {"prompt_filter_results": [{"prompt_index": 1, "content_filter_results": {"hate": {"severity": "high"}}}]},
            said("c", {"protected_material_code": code}),
            said("d", {"protected_material_code": {"detected": False, "filtered": False}}),
        )
    )
    stream = call(stream=True)
    latest = [chunk.content_filter_results for chunk, _ in stream][-1]
    assert latest == {"protected_material_code": {"detected": False, "filtered": False}}
    for one in (stream, stream.construct_call_response()):
        assert one.content_filter_results == {
            "hate": {"filtered": True, "severity": "medium"},
            "protected_material_code": code,
            **listed("a", "b", filtered=True),
        }
        assert [(each["prompt_index"], each["content_filter_results"]) for each in one.prompt_filter_results] == [
            (0, {"hate": {"severity": "low"}}),
            (1, {"hate": {"severity": "high"}}),
        ]


# -- errors and clients ----------------------------------------------------------------------------------------


def test_a_status_is_the_sdks_error_and_ours(sdk: str, server: ProviderServer) -> None:
    server.reply(Status(404, "The API deployment for this resource does not exist."))
    with pytest.raises(errors.NotFoundError, match="deployment") as caught:
        call()
    theirs = {"openai": "openai.NotFoundError", "inference": "azure.core.exceptions.ResourceNotFoundError"}[sdk]
    module, _, name = theirs.rpartition(".")
    assert isinstance(caught.value, getattr(import_module(module), name))


def test_a_broken_connection_is_whatever_azure_core_calls_it(inference: ProviderServer) -> None:
    from azure.core import exceptions

    inference.reply(Cut(Answer(Text("word " * 50)), at=4000))
    with pytest.raises(errors.StreamInterruptedError, match="provider 'azure'") as caught:
        consumed(call(stream=True))
    assert isinstance(caught.value, exceptions.IncompleteReadError)
    assert isinstance(caught.value, exceptions.ServiceResponseError)
    assert isinstance(caught.value, errors.APIConnectionError)
    assert caught.value.partial.content.startswith("word word")


def test_the_key_of_another_provider_is_never_sent(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.delenv("AZURE_OPENAI_AD_TOKEN", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "of-another")
    monkeypatch.setitem(__import__("sys").modules, "azure.identity", None)
    with pytest.raises(KeyError, match="AZURE_OPENAI_API_KEY") as caught:
        call()
    assert isinstance(caught.value, errors.MissingApiKeyError)
    assert server.requests == []


@pytest.mark.parametrize("version", ["", "2024-10-21"])
def test_a_token_goes_before_a_key(server: ProviderServer, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "test-token")
    monkeypatch.setenv("OPENAI_API_VERSION", version)
    server.reply("Hello", "Hello")
    assert call().content == acall().content == "Hello"
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer test-token"] * 2


@pytest.mark.parametrize("variable", ["OPENAI_API_VERSION", "AZURE_OPENAI_API_VERSION"])
@pytest.mark.parametrize(
    ("address", "version"),
    [("/openai/v1/", ""), ("/openai/v1", "2024-10-21"), ("", "preview"), ("/", "latest"), ("", "v1")],
)
def test_the_address_of_the_api_without_versions(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch, address: str, version: str, variable: str
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.base_url("azure") + address)
    monkeypatch.setenv(variable, version)
    server.reply("Hello", "Hello")
    assert call().content == acall().content == "Hello"
    for request in server.requests:
        assert (request.path, request.parameters) == ("/azure/openai/v1/chat/completions", {})


def test_an_empty_variable_is_none(sdk: str, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = ("AZURE_OPENAI_ENDPOINT", "AZURE_INFERENCE_ENDPOINT")
    for name in endpoints:
        monkeypatch.setenv(name, os.environ.get(name, ""))
    server.reply("Hello")
    assert type(call().response).__name__ == OBJECTS[sdk][0]
    for name in endpoints:
        monkeypatch.setenv(name, "")
    with pytest.raises(KeyError, match="AZURE_OPENAI_ENDPOINT is not set"):
        call()


def test_the_credential_of_a_default_client_is_closed_with_it(
    inference: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[object] = []

    class DefaultAzureCredential:
        async def get_token(self, *scopes: str, **options: Any) -> None: ...

        async def close(self) -> None:
            closed.append(self)

    identity = SimpleNamespace(DefaultAzureCredential=DefaultAzureCredential)
    monkeypatch.setitem(sys.modules, "azure.identity", SimpleNamespace(aio=identity, __path__=[]))
    monkeypatch.setitem(sys.modules, "azure.identity.aio", identity)
    monkeypatch.delenv("AZURE_INFERENCE_CREDENTIAL")
    # The SDK shows a token to no server that is without TLS, as ours is.
    with pytest.raises(errors.APIConnectionError, match="Bearer token"):
        acall()
    assert len(closed) == 1


WITH_ONE_SDK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if f"{name}.".startswith(f"{sys.argv[1]}."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from ferroscope import llm
from ferroscope.core import azure

for decorator in (azure.call("m"), llm.call("azure", "m")):
    try:
        decorator(lambda: "Hello")()
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("missing", "variable", "says"),
    [
        ("openai", "AZURE_OPENAI_ENDPOINT", r"MissingExtraError .*OpenAI's SDK.* pip install 'ferroscope\[azure\]'"),
        ("azure.ai", "AZURE_INFERENCE_ENDPOINT", r"KeyError .*AZURE_OPENAI_ENDPOINT.*retired.*\[azure-inference\]'"),
    ],
)
@pytest.mark.slow
def test_the_sdk_that_the_environment_asks_for_is_missing(missing: str, variable: str, says: str) -> None:
    pytest.importorskip("azure.ai.inference")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    run = subprocess.run(
        [sys.executable, "-c", WITH_ONE_SDK, missing],
        env=environment | {variable: "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = run.stdout.splitlines()
    assert len(lines) == 2, run.stderr
    for line in lines:
        assert re.match(says, line), line


WITH_AN_OLD_SDK = """
import os
import azure.ai.inference.aio, azure.ai.inference.models
del azure.ai.inference.models.JsonSchemaFormat
from azure.core.credentials import AzureKeyCredential
from ferroscope.core import azure as provider

def ask(): return "Hi"

client = azure.ai.inference.ChatCompletionsClient("http://127.0.0.1:9", AzureKeyCredential("k"))
for options in ({}, {"client": client}):
    try:
        provider.call("m", **options)(ask)()
    except Exception as error:
        print(type(error).__name__, error)
    os.environ.pop("AZURE_INFERENCE_ENDPOINT", None)
"""


@pytest.mark.slow
def test_an_sdk_that_is_too_old_says_so() -> None:
    pytest.importorskip("azure.ai.inference")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    run = subprocess.run(
        [sys.executable, "-c", WITH_AN_OLD_SDK],
        env=environment | {"AZURE_INFERENCE_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(run.stdout.splitlines()) == 2, run.stderr
    for line in run.stdout.splitlines():
        assert re.fullmatch(
            r"MissingExtraError azure-ai-inference \S+ is too old: pip install --upgrade "
            r"'ferroscope\[azure-inference\]'",
            line,
        ), line


# -- recordings ------------------------------------------------------------------------------------------------

RECORDINGS = Path(__file__).parents[4] / "shared" / "corpus"


def recorded() -> list[Path]:
    found = []
    for provider in ("azure-openai", "azure-ai", "github-copilot"):
        for path in sorted(RECORDINGS.glob(f"{provider}/*/meta.json")):
            meta = json.loads(path.read_bytes())
            # This recording stops before any finish reason, which is an interrupted stream.
            whole = not path.parent.name.startswith("013-testdata-chat-completion-with-data")
            if meta["api"] == "openai-chat" and meta["framing"] == "sse" and whole:
                found.append(path.parent)
    return found


@pytest.mark.parametrize("folder", recorded(), ids=lambda folder: f"{folder.parent.name}/{folder.name[:40]}")
def test_recorded_streams_say_the_same_through_both_sdks(folder: Path, sdk: str, server: ProviderServer) -> None:
    body = (folder / "response.sse").read_bytes()
    meta = json.loads((folder / "meta.json").read_bytes())
    server.reply(Replay(body, read_sizes=meta["network_chunk_sizes"]))
    stream = call(stream=True)
    chunks = [chunk for chunk, _ in stream]
    events = [json.loads(line[5:]) for line in body.splitlines() if line.startswith(b"data:") and b"[DONE]" not in line]
    deltas = [choice.get("delta") or {} for event in events for choice in event["choices"] if choice["index"] == 0]
    text = "".join(delta.get("content") or "" for delta in deltas)
    assert stream.content == "".join(chunk.content for chunk in chunks) == text
    usages = [event["usage"] for event in events if event.get("usage")]
    if usages:
        last = usages[-1]
        assert (stream.input_tokens, stream.output_tokens) == (last["prompt_tokens"], last["completion_tokens"])
    assert stream.id == next((event["id"] for event in events if event.get("id")), None)
    first = events[0].get("prompt_filter_results")
    assert (stream.prompt_filter_results == first) or first is None
    for chunk in chunks:
        assert chunk.chunk is not None and chunk.common_finish_reasons != []
    response = stream.construct_call_response()
    assert response.content == text
    assert response.common_message_param.role == "assistant"
