"""Calls of models at Azure: the OpenAI SDK's clients, and the retired `azure-ai-inference`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai")

import openai
from pydantic import BaseModel

from ferroscope.core import azure
from ferroscope.core.base import AudioPart, BaseMessageParam, ImagePart, Messages, TextPart
from ferroscope.errors import ProviderStreamError
from ferroscope.testing import Answer, Json, ProviderServer, Replay, StreamError, Text, ToolCall, ToolCalls, Usage

CORPUS = Path(__file__).parents[2] / "corpus" / "openai_chat"
MODEL = "gpt-4o-mini"


@pytest.fixture(scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _server.forget()
    for name in ("OPENAI_API_VERSION", "AZURE_INFERENCE_ENDPOINT", "AZURE_INFERENCE_CREDENTIAL"):
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
    with pytest.raises(KeyError, match="AZURE_INFERENCE_ENDPOINT") as caught:
        call()
    assert "AZURE_OPENAI_ENDPOINT" in caught.value.__notes__[0]


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
    inference.reply(StreamError(Answer(Text("Hello", ["Hel", "lo"])), after=2, message="Too much."))
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
