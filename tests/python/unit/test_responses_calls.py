"""Calls of the Responses API: when they are made, what they send, and what they return."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import ferroscope
from ferroscope import errors, llm
from ferroscope.core import openai
from ferroscope.core.base import (
    AudioPart,
    BaseMessageParam,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    Messages,
    TextPart,
)
from ferroscope.testing import (
    Answer,
    Body,
    Citation,
    Cut,
    EncryptedReasoning,
    Json,
    ProviderServer,
    Reasoning,
    Refusal,
    Replay,
    Status,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
)

pytest.importorskip("openai", minversion="2.0")

CORPUS = Path(__file__).parents[2] / "corpus" / "openai_responses"
CHAT, RESPONSES = "/openai/v1/chat/completions", "/openai/v1/responses"


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    running.forget()
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", running.base_url("openai"))
    return running


def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def ask(prompt: Any = "Hi", model: str = "gpt-5.5", **options: Any) -> Any:
    """A sync call of the Responses API; a stream is read to its end."""
    call: Any = openai.call(model, **{"api": "responses", **options})(lambda: prompt)
    response = call()
    return response.collect() if options.get("stream") else response


def sent(server: ProviderServer) -> dict[str, Any]:
    return server.requests[-1].json


streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


# -- which API ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "path"),
    [
        ("gpt-4o-mini", {}, CHAT),
        ("gpt-5.5", {}, CHAT),
        ("gpt-5.5", {"api": "auto"}, CHAT),
        ("gpt-5.5", {"api": "responses"}, RESPONSES),
        ("gpt-5.5", {"call_params": {"api": "responses"}}, RESPONSES),
        ("o1-pro", {}, RESPONSES),
        ("o3-deep-research-2025-06-26", {}, RESPONSES),
        ("o1-pro", {"api": "chat"}, CHAT),
        ("gpt-5.5", {"call_params": {"max_tokens": 5, "temperature": 1}}, CHAT),
        ("gpt-5.5", {"call_params": {"reasoning_effort": "low"}}, CHAT),
        ("gpt-5.5", {"call_params": {"reasoning": {"summary": "auto"}}}, RESPONSES),
        ("gpt-5.5", {"call_params": {"previous_response_id": "resp_1"}}, RESPONSES),
        ("gpt-5.5", {"call_params": {"previous_response_id": None}}, CHAT),
        ("gpt-5.5", {"call_params": {"include": ["reasoning.encrypted_content"]}}, RESPONSES),
        ("gpt-5.5", {"call_params": {"background": True}}, RESPONSES),
        ("gpt-5.5", {"call_params": {"tools": [{"type": "web_search"}]}}, RESPONSES),
        ("gpt-5.5", {"call_params": {"tools": [{"type": "function", "function": {"name": "f"}}]}}, CHAT),
    ],
)
@pytest.mark.parametrize("door", ["core", "llm"])
def test_the_model_and_the_parameters_choose_the_api(
    server: ProviderServer, door: str, model: str, options: dict[str, Any], path: str
) -> None:
    if door == "llm":
        api = options.get("api")
        params = {**({"api": api} if api else {}), **options.get("call_params", {})}
        call: Any = llm.call("openai", model, call_params=params)  # type: ignore[call-overload]
    else:
        call = openai.call(model, **options)
    server.reply("Hello")
    response = call(lambda: "Hi")()
    assert server.requests[-1].path == path
    assert response.content == "Hello"
    assert "api" not in sent(server)
    own = response._response if door == "llm" else response
    expected = openai.OpenAIResponsesCallResponse if path == RESPONSES else openai.OpenAICallResponse
    assert type(own) is expected


def test_a_dynamic_config_chooses_for_its_call_only(server: ProviderServer) -> None:
    class Book(BaseModel):
        title: str

    def prompt(summary: bool) -> Any:
        params = {"call_params": {"reasoning": {"summary": "auto"}}} if summary else {}
        return {"messages": [Messages.User("Hi")], **params}

    call: Any = openai.call("gpt-5.5", tools=[weather])(prompt)
    server.reply(*[Answer(ToolCall("weather", {"city": "Oslo"}))] * 3)
    results = [call(summary) for summary in (True, False, True)]
    assert [request.path for request in server.requests] == [RESPONSES, CHAT, RESPONSES]
    assert [result.tool.call() for result in results] == ["sunny in Oslo"] * 3
    assert [isinstance(result.tool, openai.OpenAIResponsesTool) for result in results] == [True, False, True]
    extract: Any = openai.call("gpt-5.5", response_model=Book)(prompt)
    server.reply(*[Answer(ToolCall("Book", {"title": "Emma"}))] * 2)
    assert [extract(summary) for summary in (True, False)] == [Book(title="Emma")] * 2
    assert sent(server)["messages"] == [{"role": "user", "content": "Hi"}]


def test_call_params_of_a_context_choose_for_an_llm_call(server: ProviderServer) -> None:
    @llm.call("openai", "gpt-5.5")
    def greet() -> str:
        return "Hi"

    server.reply("one", "two")
    with llm.context(provider="openai", model="gpt-5.5", call_params={"api": "responses"}):
        greet()
    greet()
    assert [request.path for request in server.requests] == [RESPONSES, CHAT]


@pytest.mark.parametrize(
    ("provider", "api", "message"),
    [
        ("openai", "completions", "`api` of 'openai' is one of 'auto', 'chat', 'responses', not 'completions'"),
        (
            "anthropic",
            "responses",
            "`api` of 'anthropic' is available only for providers with several APIs, not 'responses'",
        ),
    ],
)
def test_an_api_that_there_is_not_is_an_error_at_the_call(provider: str, api: str, message: str) -> None:
    call: Any = llm.call(provider, "a-model", call_params={"api": api})  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=f"^{message}$"):
        call(lambda: "Hi")()


def test_an_api_that_there_is_not_is_an_error_at_decoration() -> None:
    call: Any = openai.call
    with pytest.raises(ValueError, match="not 'completions'"):
        call("gpt-5.5", api="completions")(lambda: "Hi")


def test_an_sdk_without_the_api_is_named_with_the_version_that_has_it() -> None:
    class OldClient:
        """A client as of openai 1.65: with chat completions only."""

        chat = object()

    call: Any = openai.call("gpt-5.5", api="responses", client=OldClient())  # type: ignore[call-overload]
    with pytest.raises(errors.ClientError, match=r"OpenAI needs openai>=1\.66, and .* is installed"):
        call(lambda: "Hi")()


def test_a_server_of_a_program_has_the_api_where_its_row_does(server: ProviderServer) -> None:
    url = server.base_url("openai")
    ferroscope.register_provider("acme", base_url=url, responses=True)
    ferroscope.register_provider("plain", base_url=url)
    try:
        server.reply("Hello", "Hello")
        call: Any = llm.call("acme/m", call_params={"api": "responses", "top_k": 5})  # type: ignore[call-overload]
        response = call(lambda: "Hi")()
        assert (server.requests[-1].path, response.provider, response.content) == (RESPONSES, "acme", "Hello")
        assert sent(server)["top_k"] == 5
        # A parameter of its own does not choose: several servers have `reasoning` in chat completions.
        call = llm.call("acme/m", call_params={"reasoning": {"effort": "low"}})  # type: ignore[call-overload]
        call(lambda: "Hi")()
        assert server.requests[-1].path == CHAT
        call = llm.call("plain/m", call_params={"api": "responses"})  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="'plain'"):
            call(lambda: "Hi")()
    finally:
        ferroscope.unregister_provider("acme")
        ferroscope.unregister_provider("plain")


@pytest.mark.parametrize("name", ["azure", "xai", "openrouter", "lmstudio", "deepseek", "ollama", "vllm", "llamacpp"])
@streamed
def test_other_providers_have_the_api_too(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch, name: str, stream: bool
) -> None:
    if name == "azure":
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.base_url("azure"))
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    else:
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.base_url("openai"))
        monkeypatch.setenv(f"{name.upper()}_API_KEY", "k")
    server.reply(Answer(Reasoning("Hm."), "Hello", ToolCall("weather", {"city": "Oslo"}), usage=Usage(9, 3)))
    call: Any = llm.call(name, "m", stream=stream, tools=[weather], call_params={"api": "responses"})  # type: ignore[call-overload]
    response = call(lambda: "Hi")()
    response = response.collect() if stream else response
    assert server.requests[-1].path.endswith("/responses")
    assert (response.provider, response.content, response.thinking) == (name, "Hello", "Hm.")
    assert response.tool.call() == "sunny in Oslo"
    assert response.finish_reasons == ["tool_calls"]
    assert response.usage.model_dump() == {
        "input_tokens": 9,
        "cached_tokens": 0,
        "output_tokens": 3,
        "total_tokens": 12,
    }


def test_an_azure_deployment_of_the_dated_api(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferroscope.core import azure

    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.base_url("azure"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-04-01-preview")
    server.reply("Hello")
    call: Any = azure.call("gpt-5.5", api="responses")
    response = call(lambda: "Hi")()
    assert type(response) is azure.AzureResponsesCallResponse
    assert (server.requests[-1].path, response.content) == ("/azure/openai/responses", "Hello")


# -- what is sent ------------------------------------------------------------------------------------------------------


PNG = b"\x89PNG\r\n\x1a\nx"


def test_a_prompt_in_items(server: ProviderServer) -> None:
    server.reply("Hello")
    parts = [
        TextPart(type="text", text="What is this?"),
        ImagePart(type="image", media_type="image/png", image=PNG, detail=None),
        ImageURLPart(type="image_url", url="https://a.example/x.png", detail="low"),
        AudioPart(type="audio", media_type="audio/wav", audio=b"RIFF"),
        DocumentPart(type="document", media_type="application/pdf", document=b"%PDF-1"),
        DocumentURLPart(type="document_url", url="https://a.example/x.pdf"),
    ]
    ask([Messages.System("Be brief."), BaseMessageParam(role="user", content=parts)])
    png, pdf = base64.b64encode(PNG).decode(), base64.b64encode(b"%PDF-1").decode()
    assert sent(server)["input"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{png}", "detail": "auto"},
                {"type": "input_image", "image_url": "https://a.example/x.png", "detail": "low"},
                {"type": "input_audio", "input_audio": {"format": "wav", "data": "UklGRg=="}},
                {
                    "type": "input_file",
                    "filename": "document.pdf",
                    "file_data": f"data:application/pdf;base64,{pdf}",
                },
                {"type": "input_file", "file_url": "https://a.example/x.pdf"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"max_tokens": 5}, {"max_output_tokens": 5}),
        ({"max_completion_tokens": 5}, {"max_output_tokens": 5}),
        ({"max_output_tokens": 5, "top_p": 0.5, "temperature": None}, {"max_output_tokens": 5, "top_p": 0.5}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        (
            {"reasoning": {"summary": "auto"}, "reasoning_effort": "low"},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "b", "strict": True, "schema": {"type": "object"}},
                },
                "verbosity": "low",
            },
            {
                "text": {
                    "format": {"type": "json_schema", "name": "b", "strict": True, "schema": {"type": "object"}},
                    "verbosity": "low",
                }
            },
        ),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
            {"tool_choice": {"type": "function", "name": "weather"}},
        ),
        ({"logprobs": True, "top_logprobs": 2}, {"include": ["message.output_text.logprobs"], "top_logprobs": 2}),
        (
            {"web_search_options": {"search_context_size": "low"}},
            {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        ),
        ({"stop": ["x"], "seed": 5, "frequency_penalty": 1, "presence_penalty": 1}, {}),
        ({"extra_headers": {"x-a": "b"}, "metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
    ],
)
def test_parameters_of_chat_completions_under_their_names_here(
    server: ProviderServer, params: dict[str, Any], expected: dict[str, Any]
) -> None:
    server.reply("Hello")
    ask(call_params=params)
    body = sent(server)
    assert {name: value for name, value in body.items() if name not in ("model", "input")} == expected


def test_tools_are_described_with_their_members_at_the_top(server: ProviderServer) -> None:
    def now() -> str:
        """The time."""
        return "noon"

    class Strict(openai.OpenAIResponsesTool):
        """Looks."""

        tool_config = openai.OpenAIToolConfig(strict=True)
        title: str

        def call(self) -> str:
            return self.title

    hosted = {"type": "web_search", "search_context_size": "low"}
    server.reply("Hello")
    ask(tools=[weather, now, Strict], call_params={"tools": [hosted]})
    assert sent(server)["tools"] == [
        hosted,
        {
            "type": "function",
            "name": "weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            "strict": False,
        },
        {
            "type": "function",
            "name": "now",
            "description": "The time.",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
        {
            "type": "function",
            "name": "Strict",
            "description": "Looks.",
            "parameters": {
                "type": "object",
                "properties": {"title": {"type": "string"}},
                "required": ["title"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    ]


class Book(BaseModel):
    title: str


class StrictBook(BaseModel):
    model_config = {"strict": True}
    title: str


@streamed
def test_structured_answers_in_every_mode(server: ProviderServer, stream: bool) -> None:
    def extract(model: type[BaseModel], **options: Any) -> Any:
        call: Any = openai.call("gpt-5.5", api="responses", response_model=model, stream=stream, **options)(
            lambda: "Emma"
        )
        result = call()
        return list(result)[-1] if stream else result

    server.reply(Answer(ToolCall("Book", {"title": "Emma"})))
    assert extract(Book) == Book(title="Emma")
    assert sent(server)["tool_choice"] == {"type": "function", "name": "Book"}
    server.reply(Answer(Json({"title": "Emma"})))
    assert extract(Book, json_mode=True, call_params={"verbosity": "low"}) == Book(title="Emma")
    assert sent(server)["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert "adheres to this schema" in sent(server)["input"][-1]["content"]
    server.reply(Answer(Json({"title": "Emma"})))
    assert extract(StrictBook, json_mode=True) == StrictBook(title="Emma")
    format = sent(server)["text"]["format"]
    assert (format["type"], format["name"], format["strict"]) == ("json_schema", "StrictBook", True)
    assert format["schema"]["additionalProperties"] is False
    assert len(sent(server)["input"]) == 1


# -- what comes back ---------------------------------------------------------------------------------------------------


@streamed
def test_text_reasoning_and_citations(server: ProviderServer, stream: bool) -> None:
    server.reply(
        Answer(
            Reasoning("**Plan**"),
            Reasoning("Look."),
            Text("It is Oslo, or Oslo."),
            Citation("Oslo", "https://a.example/", "A"),
            Citation("Oslo", "https://a.example/", "A"),
        )
    )
    response = ask(stream=stream)
    assert response.content == "It is Oslo, or Oslo."
    assert response.thinking == "**Plan**\n\nLook."
    assert response.citations == ["https://a.example/"]
    assert [(one.type, one.start_index, one.end_index) for one in response.annotations] == [("url_citation", 6, 10)] * 2
    assert response.refusal is None
    assert response.hosted_tool_calls == []


def test_a_stream_shows_reasoning_as_it_comes(server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("one two", chunks=["one ", "two"]), "Hello"))
    call: Any = openai.call("gpt-5.5", api="responses", stream=True)(lambda: "Hi")
    stream = call()
    seen = [(chunk.thinking, chunk.content) for chunk, _ in stream if chunk.thinking or chunk.content]
    assert seen == [("one ", ""), ("two", ""), ("", "Hello")]
    assert (stream.thinking, stream.content) == ("one two", "Hello")


def test_chunks_are_the_sdks_events(server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("Hm."), "Hello", ToolCall("weather", {"city": "Oslo"}), usage=Usage(9, 3)))
    call: Any = openai.call("gpt-5.5", api="responses", stream=True, tools=[weather])(lambda: "Hi")
    chunks = [chunk for chunk, _ in call()]
    from openai.types import responses

    assert type(chunks[0].chunk) is responses.ResponseCreatedEvent
    assert [chunk.chunk.sequence_number for chunk in chunks] == list(range(len(chunks)))
    assert (chunks[0].id, chunks[0].model) == (chunks[0].chunk.response.id, "gpt-5.5")
    assert (chunks[5].id, chunks[5].model, chunks[5].finish_reasons, chunks[5].usage) == (None, None, None, None)
    assert type(chunks[-1].chunk) is responses.ResponseCompletedEvent
    assert (chunks[-1].finish_reasons, chunks[-1].common_finish_reasons) == (["completed"], ["tool_calls"])
    assert (chunks[-1].input_tokens, chunks[-1].output_tokens) == (9, 3)
    # Made of the SDK's object, a chunk reads the same.
    again = [openai.OpenAIResponsesCallResponseChunk(chunk=chunk.chunk) for chunk in chunks]
    assert [one.content for one in again] == [one.content for one in chunks]


def test_an_event_that_the_sdk_does_not_know(server: ProviderServer) -> None:
    server.reply(Replay(CORPUS / "unknown_everything.sse"))
    call: Any = openai.call("gpt-5.5", api="responses", stream=True)(lambda: "Hi")
    stream = call()
    chunks = [chunk for chunk, _ in stream]
    weather_changed = next(chunk for chunk in chunks if chunk.chunk.type == "response.weather.changed")
    assert weather_changed.chunk.degrees == 3
    response = stream.construct_call_response()
    assert response.content == "Hi"
    assert json.loads(response.response.model_dump_json(warnings=False))["mood"] == "better"


@streamed
def test_a_refusal_is_apart_from_the_text(server: ProviderServer, stream: bool) -> None:
    server.reply(Answer(Refusal("I cannot.")))
    response = ask(stream=stream, tools=[weather])
    assert (response.content, response.refusal) == ("", "I cannot.")
    with pytest.raises(ValueError, match=r"I cannot\."):
        _ = response.tools
    assert response.common_message_param.content == "I cannot."
    server.reply(Answer(Refusal("I cannot.")))
    call: Any = openai.call("gpt-5.5", api="responses", response_model=Book)(lambda: "Emma")
    with pytest.raises(errors.ResponseModelError, match=r"I cannot\."):
        call()


@streamed
@pytest.mark.parametrize(
    ("answer", "own", "common"),
    [
        (Answer("Hello"), "completed", "stop"),
        (Answer(ToolCall("weather", {"city": "Oslo"})), "completed", "tool_calls"),
        (Answer("Hel", finish="length"), "max_output_tokens", "length"),
        (Answer("Hel", finish="content_filter"), "content_filter", "content_filter"),
    ],
)
def test_finish_reasons(server: ProviderServer, stream: bool, answer: Answer, own: str, common: str) -> None:
    server.reply(answer)
    response = ask(stream=stream)
    assert (response.finish_reasons, response.common_finish_reasons) == ([own], [common])


def test_a_response_that_failed_is_an_error(server: ProviderServer) -> None:
    import openai as sdk

    server.reply(Answer("Hel", finish="failed", finish_message="Overloaded."))
    with pytest.raises(errors.APIError, match=r"^Overloaded\.; provider 'openai', model") as caught:
        ask()
    assert isinstance(caught.value, sdk.APIError)
    assert caught.value.code == "server_error"
    assert caught.value.partial.content == "Hel"  # type: ignore[attr-defined]
    server.reply(Answer("Hel", ToolCall("weather", {"city": "Oslo"}), finish="failed", finish_message="Overloaded."))
    call: Any = openai.call("gpt-5.5", api="responses", stream=True, tools=[weather])(lambda: "Hi")
    stream = call()
    with pytest.raises(errors.ProviderStreamError, match="Overloaded") as broken:
        list(stream)
    assert isinstance(broken.value, sdk.APIError)
    assert broken.value.code == "server_error"
    assert broken.value.partial is not None
    assert broken.value.partial.content == "Hel"


def test_a_background_run_that_has_not_ended(server: ProviderServer) -> None:
    server.reply(Answer(finish="queued"))
    response = ask(call_params={"background": True})
    assert sent(server)["background"] is True
    assert (response.response.status, response.content, response.finish_reasons) == ("queued", "", [])
    assert response.common_finish_reasons is None
    assert (response.input_tokens, response.cost) == (None, None)


LONG = Answer(Reasoning("Hm, let me see."), Text("one two three four five six"), ToolCall("weather", {"city": "Oslo"}))


def background(asynchronous: bool, **options: Any) -> Any:
    """A background stream, read to its end: the stream, and the texts of its chunks."""
    made: Any = {"api": "responses", "stream": True, "tools": [weather], "call_params": {"background": True}, **options}
    if not asynchronous:
        stream = openai.call("gpt-5.5", **made)(lambda: "Hi")()
        return stream, [(chunk, tool) for chunk, tool in stream]

    @openai.call("gpt-5.5", **made)
    async def call() -> str:
        return "Hi"

    async def run() -> Any:
        stream = await call()
        return stream, [(chunk, tool) async for chunk, tool in stream]

    return asyncio.run(run())


kind = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@kind
@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("at", [800, 1500, 2600, 4100, 5400])
def test_a_background_stream_goes_on_where_it_broke(
    server: ProviderServer, asynchronous: bool, how: Any, at: int
) -> None:
    """H12: every event once, from the last sequence number on."""
    server.reply(LONG)
    whole, expected = background(asynchronous)
    server.reply(Cut(LONG, at=at, how=how), LONG)
    stream, pairs = background(asynchronous)
    first, second = server.requests[-2:]
    assert (first.method, second.method) == ("POST", "GET")
    assert second.path == f"/openai/v1/responses/resp_{first.number}"
    numbers = [chunk.chunk.sequence_number for chunk, _ in pairs]
    assert numbers == list(range(len(expected)))
    assert int(second.parameters["starting_after"]) in numbers
    assert [chunk.content for chunk, _ in pairs] == [chunk.content for chunk, _ in expected]
    assert [tool.call() for _, tool in pairs if tool] == ["sunny in Oslo"]
    response, other = stream.construct_call_response(), whole.construct_call_response()
    assert (response.content, response.thinking, response.usage) == (other.content, other.thinking, other.usage)
    assert response.message_param == other.message_param


@kind
def test_a_server_that_sends_all_events_again(server: ProviderServer, asynchronous: bool) -> None:
    from ferroscope.testing import Exchange, Response
    from ferroscope.testing._wires.openai_responses import OpenAIResponses

    class All:
        """All events, whatever the client asks for."""

        def respond(self, exchange: Exchange) -> Response:
            exchange.request.query = "stream=true"
            return LONG.respond(exchange)

    assert OpenAIResponses().accepts("GET", "/openai/v1/responses/resp_1")
    server.reply(Cut(LONG, at=3000), All())
    stream, pairs = background(asynchronous)
    assert [chunk.chunk.sequence_number for chunk, _ in pairs] == list(range(len(pairs)))
    assert stream.content == "one two three four five six"


@kind
def test_a_background_stream_that_breaks_again_and_again(server: ProviderServer, asynchronous: bool) -> None:
    cuts = [Cut(LONG, at=at) for at in (2000, 700, 700, 700)]
    server.reply(*cuts, LONG)
    stream, pairs = background(asynchronous)
    assert stream.content == "one two three four five six"
    assert [chunk.chunk.sequence_number for chunk, _ in pairs] == list(range(len(pairs)))
    server.reply(Cut(LONG, at=3000), *[Cut(LONG, at=0)] * 5)
    before = len(server.requests)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        background(asynchronous)
    assert caught.value.partial is not None
    assert caught.value.partial.thinking.startswith("Hm, ")
    assert len(server.requests) == before + 4


@kind
def test_a_stream_that_is_no_background_run_is_not_asked_for_again(server: ProviderServer, asynchronous: bool) -> None:
    server.reply(Cut(LONG, at=3000))
    before = len(server.requests)
    with pytest.raises(errors.StreamInterruptedError):
        background(asynchronous, call_params={})
    assert len(server.requests) == before + 1


@kind
def test_a_run_that_the_server_does_not_know_any_more(server: ProviderServer, asynchronous: bool) -> None:
    server.reply(Cut(LONG, at=3000), Status(404, "No such response."))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        background(asynchronous)
    assert caught.value.partial is not None


def test_leaving_a_background_stream_does_not_ask_for_it_again(server: ProviderServer) -> None:
    server.reply(LONG)
    before = len(server.requests)
    call: Any = openai.call("gpt-5.5", api="responses", stream=True, call_params={"background": True})(lambda: "Hi")
    with call() as stream:
        for chunk, _ in stream:
            if chunk.content:
                break
    assert stream.content == "one "
    assert len(server.requests) == before + 1


def hosted() -> Replay:
    return Replay(CORPUS / "hosted_tools.sse", body=CORPUS / "hosted_tools.json")


@streamed
def test_calls_and_results_of_hosted_tools_are_readable(server: ProviderServer, stream: bool) -> None:
    server.reply(hosted())
    response = ask(stream=stream, tools=[weather], call_params={"tools": [{"type": "web_search"}]})
    calls = {one.type: one for one in response.hosted_tool_calls}
    assert list(calls) == [
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "apply_patch_call",
        "shell_call",
        "shell_call_output",
    ]
    assert calls["web_search_call"].action.query == "q"
    assert (calls["code_interpreter_call"].code, calls["code_interpreter_call"].outputs[0].logs) == (
        'print("hi")\n',
        "hi\n",
    )
    assert calls["mcp_call"].output == "ok"
    assert calls["shell_call"].action.commands == ["ls -R", "pwd"]
    assert base64.b64decode(calls["image_generation_call"].result) == b"hello"
    assert response.tools is None
    assert response.content == "See this."
    assert response.citations == ["https://a.example"]
    assert response.common_finish_reasons == ["stop"]


@streamed
def test_hosted_tools_are_in_the_cost(server: ProviderServer, stream: bool) -> None:
    server.reply(hosted())
    cost = ask(model="gpt-5", stream=stream).cost_details
    items = {item.item: (item.count, item.amount) for item in cost.items}
    assert items["web_search calls"] == (1, Decimal("0.01"))
    assert items["file_search calls"] == (1, Decimal("0.0025"))
    assert items["container_session"] == (1, Decimal("0.03"))
    # An image is billed by the tokens of another model, which the response does not report.
    assert (cost.status, cost.total) == ("partial", None)
    assert any("image" in assumption for assumption in cost.assumptions)


def searched(*actions: str, **members: Any) -> Body:
    output = [{"type": "web_search_call", "id": f"ws_{n}", "action": {"type": one}} for n, one in enumerate(actions)]
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    return Body({"id": "r", "model": "gpt-5", "status": "completed", "output": output, "usage": usage, **members})


@pytest.mark.parametrize(
    ("answer", "searches"),
    [
        (searched(), 0),
        (searched("search", "open_page", "find", "search"), 2),
        (searched("search", tool_usage={"web_search": {"num_requests": 3}}), 3),
    ],
)
def test_searches_are_counted_as_they_are_billed(server: ProviderServer, answer: Body, searches: int) -> None:
    server.reply(answer)
    cost = ask(model="gpt-5").cost_details
    assert cost.status == "exact"
    assert cost.total == Decimal("0.00125") + Decimal("0.001") + searches * Decimal("0.01")


# -- histories: every rule of the API about what goes back -------------------------------------------------------------


def items_of(server: ProviderServer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = sent(server)["input"]
    return items


def kinds(items: list[dict[str, Any]]) -> list[str]:
    return [item.get("type") or item["role"] for item in items]


def turn(response: Any) -> list[Any]:
    outputs = [(tool, tool.call()) for tool in response.tools or ()]
    return [response.message_param, *response.tool_message_params(outputs)]


def loop(server: ProviderServer, answer: Answer, door: str, stream: bool, **params: Any) -> list[dict[str, Any]]:
    """The items of the second turn of a tool loop."""
    history: list[Any] = [Messages.User("Hi")]
    options: dict[str, Any] = {"tools": [weather], "stream": stream}
    if door == "llm":
        call: Any = llm.call("openai", "gpt-5.5", call_params={"api": "responses", **params}, **options)  # type: ignore[call-overload]
    else:
        call = openai.call("gpt-5.5", api="responses", call_params=params, **options)
    asked = call(lambda: list(history))
    server.reply(answer, "Done.")
    for _ in range(2):
        response = asked()
        response = response.collect() if stream else response
        history += turn(response)
    return items_of(server)


doors = pytest.mark.parametrize("door", ["core", "llm"])


@doors
@streamed
def test_reasoning_goes_back_before_its_call(server: ProviderServer, door: str, stream: bool) -> None:
    """H3, H5: items go back in the order in which they came; a summary that is empty stays."""
    answer = Answer(EncryptedReasoning("E"), ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_1")))
    items = loop(server, answer, door, stream)
    assert items == [
        {"role": "user", "content": "Hi"},
        {"id": "rs_1", "type": "reasoning", "summary": []},
        {
            "id": "fc_2",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"city": "Oslo"}',
            "call_id": "call_1",
            "name": "weather",
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny in Oslo"},
    ]


@doors
@streamed
def test_what_the_server_does_not_store_goes_back_encrypted_and_without_ids(
    server: ProviderServer, door: str, stream: bool
) -> None:
    """H6"""
    answer = Answer(
        Reasoning("Hm.", signature="E"), Text("Looking."), ToolCall("weather", {"city": "Oslo"}, id="call_1")
    )
    items = loop(server, answer, door, stream, store=False)
    assert sent(server)["include"] == ["reasoning.encrypted_content"]
    assert kinds(items) == ["user", "reasoning", "message", "function_call", "function_call_output"]
    assert items[1]["encrypted_content"] == "E"
    assert not any("id" in item for item in items)


def test_reasoning_that_is_not_encrypted_stays_away_where_nothing_is_stored(server: ProviderServer) -> None:
    """H6: the call goes without its id then."""
    server.reply(Answer(Reasoning("Hm."), ToolCall("weather", {"city": "Oslo"}, id="call_1")), "Done.")
    first = ask(tools=[weather])
    ask([Messages.User("Hi"), *turn(first)], tools=[weather], call_params={"store": False})
    items = items_of(server)
    assert kinds(items) == ["user", "function_call", "function_call_output"]
    assert "id" not in items[1]


def test_encrypted_reasoning_is_asked_of_models_that_have_it_only(server: ProviderServer) -> None:
    for model, asked in (("gpt-5.5", True), ("o3", True), ("gpt-4o", False), ("gpt-5-chat-latest", False)):
        server.reply("Hello")
        ask(model=model, call_params={"store": False})
        assert ("include" in sent(server)) is asked, model
    server.reply("Hello")
    ask(call_params={"store": False, "include": ["reasoning.encrypted_content", "message.output_text.logprobs"]})
    assert sent(server)["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]


def test_reasoning_without_the_item_that_followed_it_stays_away(server: ProviderServer) -> None:
    """H3: both or neither."""
    server.reply(Answer(Reasoning("Hm."), finish="length"), "Done.")
    first = ask()
    ask([Messages.User("Hi"), first.message_param, Messages.User("Go on")])
    assert kinds(items_of(server)) == ["user", "user"]


@pytest.mark.parametrize("edit", ["edited", "removed", "kept"])
def test_reasoning_of_an_item_that_was_edited_stays_away(server: ProviderServer, edit: str) -> None:
    server.reply(Answer(Reasoning("Hm."), "Hello", Reasoning("So."), ToolCall("weather", {"city": "Oslo"})), "Done.")
    call: Any = llm.call("openai", "gpt-5.5", call_params={"api": "responses"}, tools=[weather])  # type: ignore[call-overload]
    message = call(lambda: "Hi")().message_param
    text, tool_call = message.content
    if edit == "edited":
        text.text = "Hello!"
    elif edit == "removed":
        message.content = [tool_call]
    call(lambda: [Messages.User("Hi"), message, Messages.User("Go on")])()
    expected = {
        "edited": ["user", "assistant", "reasoning", "function_call", "user"],
        "removed": ["user", "reasoning", "function_call", "user"],
        "kept": ["user", "reasoning", "message", "reasoning", "function_call", "user"],
    }
    assert kinds(items_of(server)) == expected[edit]


@doors
@streamed
def test_hosted_tools_go_back_as_they_came(server: ProviderServer, door: str, stream: bool) -> None:
    items = loop(server, hosted(), door, stream)  # type: ignore[arg-type]
    output = json.loads((CORPUS / "hosted_tools.json").read_text())["output"]
    assert items == [{"role": "user", "content": "Hi"}, *output]


def test_computer_use_goes_on_with_a_screenshot(server: ProviderServer) -> None:
    """The program runs the action, and answers with the item of the API."""
    action = {"type": "click", "button": "left", "x": 1, "y": 2}
    item = {"type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": action, "status": "completed"}
    screenshot = {
        "type": "computer_call_output",
        "call_id": "call_1",
        "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw=="},
    }
    body = {"id": "r", "model": "gpt-5.5", "status": "completed", "output": [{**item, "pending_safety_checks": []}]}
    server.reply(Body(body), "Done.")
    first = ask()
    assert [(one.type, one.action.x) for one in first.hosted_tool_calls] == [("computer_call", 1)]
    last = ask([Messages.User("Hi"), first.message_param, screenshot])
    assert last.content == "Done."
    assert items_of(server) == [{"role": "user", "content": "Hi"}, *body["output"], screenshot]


OTHERS = {
    "chat": ("openai", "gpt-5.5"),
    "anthropic": ("anthropic", "claude-haiku-4-5"),
    "google": ("google", "gemini-2.5-flash"),
}


@pytest.fixture
def others(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": server.base_url("anthropic"),
        "GOOGLE_API_KEY": "k",
        "GOOGLE_GEMINI_BASE_URL": server.base_url("google"),
    }.items():
        monkeypatch.setenv(name, value)


def other(name: str) -> Any:
    """A call of another API or provider."""
    if name != "chat":
        pytest.importorskip({"anthropic": "anthropic", "google": "google.genai"}[name])
    call: Any = llm.call(*OTHERS[name], tools=[weather])  # type: ignore[call-overload]
    return call


@pytest.mark.parametrize("origin", OTHERS)
def test_a_history_of_another_provider_goes_on_here(server: ProviderServer, others: None, origin: str) -> None:
    server.reply(Answer(Reasoning("Secret."), "Looking.", ToolCall("weather", {"city": "Oslo"}, id="call_1")))
    first = other(origin)(lambda: [Messages.System("Be brief."), Messages.User("Hi")])()
    history = [*first.messages, *turn(first)]
    server.reply("Done.")
    here: Any = llm.call("openai", "gpt-5.5", call_params={"api": "responses"}, tools=[weather])  # type: ignore[call-overload]
    here(lambda: history)()
    system, user, text, call, output = items_of(server)
    assert (system["role"], user["role"]) == ("system", "user")
    assert "Be brief." in json.dumps(system)
    assert "Hi" in json.dumps(user)
    assert text == {"role": "assistant", "content": "Looking."}
    assert (call["type"], call["name"], json.loads(call["arguments"])) == ("function_call", "weather", {"city": "Oslo"})
    assert output == {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny in Oslo"}
    assert "Secret." not in json.dumps(sent(server))


@pytest.mark.parametrize("destination", [*OTHERS, "another model", "the same model"])
def test_a_history_goes_on_with_another_provider_and_comes_back(
    server: ProviderServer, others: None, destination: str
) -> None:
    """I9: reasoning goes only to the model that made it, and is there again for the way back."""
    responses: dict[str, Any] = {"call_params": {"api": "responses"}, "tools": [weather]}
    models = {"another model": "gpt-5.6", "the same model": "gpt-5.5-2026-04-23"}
    here: Any = llm.call("openai", "gpt-5.5", **responses)
    there: Any = llm.call("openai", models[destination], **responses) if destination in models else other(destination)
    server.reply(Answer(Reasoning("Secret."), "Looking.", ToolCall("weather", {"city": "Oslo"}, id="call_1")))
    first = here(lambda: "Hi")()
    history = [*first.messages, *turn(first)]
    server.reply("Sunny.")
    second = there(lambda: list(history))()
    if destination in OTHERS:
        assert ("Looking." in json.dumps(sent(server)), "Secret." in json.dumps(sent(server))) == (True, False)
        assert "sunny in Oslo" in json.dumps(sent(server))
    elif destination == "another model":
        assert kinds(items_of(server)) == ["user", "message", "function_call", "function_call_output"]
        assert not any("id" in item for item in items_of(server))
    else:
        assert kinds(items_of(server))[1] == "reasoning"
    server.reply("Done.")
    here(lambda: [*history, second.message_param, Messages.User("And now?")])()
    items = items_of(server)
    assert kinds(items)[:5] == ["user", "reasoning", "message", "function_call", "function_call_output"]
    assert items[4] == {"type": "function_call_output", "call_id": "call_1", "output": "sunny in Oslo"}
    assert items[5:] == [{"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "And now?"}]


def test_a_history_of_chat_completions_is_understood(server: ProviderServer) -> None:
    """A program keeps its history when it moves from one API to the other."""
    server.reply(Answer("Looking.", ToolCall("weather", {"city": "Oslo"}, id="call_1")), "Done.")
    call: Any = openai.call("gpt-5.5", api="chat", tools=[weather])
    first = call(lambda: "Hi")()
    ask(
        [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            *turn(first),
            {"role": "user", "content": "Go on"},
        ]
    )
    assert items_of(server) == [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"role": "assistant", "content": "Looking."},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny in Oslo"},
        {"role": "user", "content": "Go on"},
    ]


def test_the_sdks_message_of_chat_completions_is_understood(server: ProviderServer) -> None:
    server.reply(Answer("Looking.", ToolCall("weather", {"city": "Oslo"}, id="call_1")), "Done.")
    call: Any = openai.call("gpt-5.5", api="chat", tools=[weather])
    first = call(lambda: "Hi")()
    ask([Messages.User("Hi"), first.response.choices[0].message, *first.tool_message_params([(first.tool, "sunny")])])
    assert items_of(server)[1:] == [
        {"role": "assistant", "content": "Looking."},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    ]


def test_an_answer_without_items_does_not_go_back(server: ProviderServer) -> None:
    server.reply(Answer(), "Done.")
    first = ask()
    ask([Messages.User("Hi"), first.message_param, Messages.User("Go on")])
    assert kinds(items_of(server)) == ["user", "user"]


def test_messages_of_the_assistant_in_the_sdks_form(server: ProviderServer) -> None:
    server.reply("Done.")
    messages = [
        {"role": "assistant", "content": "One."},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Two."}]},
        {"role": "user", "content": [{"type": "input_text", "text": "Go on"}]},
    ]
    ask(messages)
    assert items_of(server) == messages


def test_the_sdks_own_items_are_accepted(server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("Hm."), "Hello"), "Done.")
    first = ask()
    ask([*first.response.output, {"role": "user", "content": "Go on"}])
    assert items_of(server) == [*first.message_param["content"], {"role": "user", "content": "Go on"}]


def test_a_saved_history_goes_on(server: ProviderServer) -> None:
    call: Any = llm.call("openai", "gpt-5.5", call_params={"api": "responses"}, tools=[weather])  # type: ignore[call-overload]
    server.reply(Answer(Reasoning("Hm."), ToolCall("weather", {"city": "Oslo"}, id="call_1")), "Done.", "Done.")
    first = call(lambda: "Hi")()
    history = [*first.messages, *turn(first)]
    call(lambda: list(history))()
    before = items_of(server)
    restored = ferroscope.load_messages(ferroscope.dump_messages(history))
    call(lambda: restored)()
    assert items_of(server) == before


def test_stored_turns_go_on_by_their_id(server: ProviderServer) -> None:
    server.reply("Hello", "Done.")
    first = ask()
    ask("Go on", call_params={"previous_response_id": first.id})
    assert sent(server)["previous_response_id"] == first.id
    assert items_of(server) == [{"role": "user", "content": "Go on"}]


@streamed
def test_a_call_that_was_cut_off_does_not_run(server: ProviderServer, stream: bool) -> None:
    """H8: though its arguments are closed JSON."""
    server.reply(Answer("Hel", ToolCall("weather", {"city": "Oslo"}, id="call_1"), finish="length", usage=Usage(5, 2)))
    call: Any = openai.call("gpt-5.5", api="responses", stream=stream, tools=[weather])(lambda: "Hi")
    result = call()
    with pytest.raises(errors.ToolArgumentsError, match=r"weather.*call_1.*cut off") as caught:
        _ = [tool for _, tool in result] if stream else result.tools
    assert (caught.value.name, caught.value.call_id) == ("weather", "call_1")
    response = result.construct_call_response() if stream else result
    assert (response.content, response.common_finish_reasons) == ("Hel", ["length"])
    assert (response.input_tokens, response.output_tokens) == (5, 2)


def test_a_structured_answer_that_was_cut_off_is_an_error(server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("Book", {"title": "Emma"}), finish="length"))
    call: Any = openai.call("gpt-5.5", api="responses", response_model=Book)(lambda: "Emma")
    with pytest.raises(errors.ResponseModelError, match="cut off: max_output_tokens"):
        call()


def test_async_calls_are_the_same(server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("Hm."), "Hello"), Answer(Reasoning("Hm."), "Hello"))

    @openai.call("gpt-5.5", api="responses")
    async def greet() -> str:
        return "Hi"

    @openai.call("gpt-5.5", api="responses", stream=True)
    async def stream() -> str:
        return "Hi"

    async def run() -> None:
        response = await greet()
        assert (response.content, response.thinking) == ("Hello", "Hm.")
        streamed = await stream()
        assert [chunk.content async for chunk, _ in streamed if chunk.content] == ["Hello"]
        assert streamed.thinking == "Hm."

    asyncio.run(run())


def test_requests_of_chat_completions_are_what_they_were(server: ProviderServer) -> None:
    server.reply("Hello", "Hello")
    params: dict[str, Any] = {"temperature": 0.5, "max_tokens": 5, "stop": ["x"], "reasoning_effort": "low"}
    for api in ({}, {"api": "chat"}):
        call: Any = openai.call("gpt-5.5", tools=[weather], call_params=params, **api)
        call(lambda: [Messages.System("Be brief."), Messages.User("Hi")])()
    first, second = server.requests
    assert first.body == second.body
    assert json.loads(first.body) == {
        "model": "gpt-5.5",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        **params,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "The weather in a city.",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    },
                },
            }
        ],
    }


def test_an_empty_answer(server: ProviderServer) -> None:
    server.reply(Body({"id": "r", "object": "response", "model": "m", "output": []}))
    response = ask()
    assert (response.content, response.tools, response.finish_reasons, response.usage) == ("", None, [], None)
    assert response.common_message_param.content == []
