"""Calls of Cohere, over the clients of its SDK: the requests that are sent, and what is read from the responses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

pytest.importorskip("cohere")

import cohere as cohere_sdk
import httpx

from ferroscope import errors
from ferroscope._dialects.anthropic.messages import render_messages as render_for_anthropic
from ferroscope._engine.source import _Bytes, _Objects  # which way a stream is read is what two tests are about
from ferroscope.core import cohere
from ferroscope.core.base import (
    BaseMessageParam,
    ImagePart,
    Messages,
    ResponseModelConfigDict,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ferroscope.testing import (
    Answer,
    Body,
    Citation,
    ProviderServer,
    Reasoning,
    Status,
    Text,
    ToolCall,
    ToolPlan,
    Usage,
)

MODEL = "command-a-03-2025"
MAJOR = int(cohere_sdk.__version__.split(".")[0])


@pytest.fixture(scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _server.forget()
    monkeypatch.setenv("CO_API_KEY", "test-key")
    monkeypatch.setenv("CO_API_URL", _server.base_url("cohere"))
    return _server


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(prompt: Any = "Hello", /, *, model: str = MODEL, **options: Any) -> Any:
    return cohere.call(model, **options)(lambda: prompt)()


def streamed(kind: str, prompt: Any = "Hello", /, **options: Any) -> Any:
    """A stream that was read to its end."""
    if kind == "sync":
        stream = call(prompt, stream=True, **options)
        for _ in stream:
            pass
        return stream

    @cohere.call(MODEL, stream=True, **options)
    async def say() -> Any:
        return prompt

    async def main() -> Any:
        stream = await say()
        async for _ in stream:
            pass
        return stream

    return asyncio.run(main())


def sent(server: ProviderServer) -> dict[str, Any]:
    return server.requests[-1].json


def weather(city: str) -> str:
    """Get the weather.

    Args:
        city: The city.
    """
    return f"sunny in {city}"


class Book(BaseModel):
    """A book."""

    title: str


class StrictBook(Book):
    model_config = ResponseModelConfigDict(strict=True)


# -- what is sent ----------------------------------------------------------------------------------------------


def test_the_request_of_a_call_with_tools(server: ProviderServer) -> None:
    server.reply("Hi")
    call([Messages.System("Be brief."), Messages.User("Hello")], tools=[weather], call_params={"top_p": 0.5})
    assert sent(server) == {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "p": 0.5,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Get the weather.",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": "string", "description": "The city."}},
                        "required": ["city"],
                    },
                },
            }
        ],
        "stream": False,
    }


def test_a_tool_without_parameters_has_an_empty_schema(server: ProviderServer) -> None:
    def now() -> str:
        """Tell the time."""
        return "noon"

    server.reply("Hi")
    call(tools=[now])
    assert sent(server)["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


def test_the_preamble_is_a_system_message_and_part_of_the_history(server: ProviderServer) -> None:
    server.reply("Hi")
    response = call(call_params={"preamble": "Be brief."})
    assert sent(server)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    assert [(one.role, one.content) for one in response.common_messages] == [("system", "Be brief."), ("user", "Hello")]


def test_a_parameter_of_the_old_api_without_a_counterpart_is_an_error_at_decoration() -> None:
    with pytest.raises(ValueError, match="v2 chat API has no parameter 'chat_history': write the messages in the"):
        cohere.call(MODEL, call_params={"chat_history": []})(lambda: "Hello")


def test_parameters_for_the_request_and_for_newer_apis(server: ProviderServer) -> None:
    server.reply("Hi")
    params = {
        "thinking": {"type": "enabled", "token_budget": 100},
        "extra_body": {"of_tomorrow": 1},
        "extra_query": {"trace": "yes"},
        "extra_headers": {"x-tenant": "acme"},
        "timeout": 5.5,
    }
    call(call_params=params)
    assert sent(server)["thinking"] == {"type": "enabled", "token_budget": 100}
    assert sent(server)["of_tomorrow"] == 1
    assert server.requests[-1].headers["x-tenant"] == "acme"
    assert server.requests[-1].query == "trace=yes"


def test_images_are_sent(server: ProviderServer) -> None:
    server.reply("A dot")
    image = ImagePart(type="image", media_type="image/png", image=b"x", detail=None)
    call([BaseMessageParam(role="user", content=[TextPart(type="text", text="What is it?"), image])])
    assert sent(server)["messages"][0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA==", "detail": "auto"}},
    ]


def test_a_response_model_requires_the_call_of_its_tool(server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("Book", {"title": "Emma"})))
    assert call(response_model=Book) == Book(title="Emma")
    assert sent(server)["tool_choice"] == "REQUIRED"
    assert [tool["function"]["name"] for tool in sent(server)["tools"]] == ["Book"]


def test_beside_tools_the_answer_is_asked_for_in_the_prompt_alone(server: ProviderServer) -> None:
    """The API refuses a response format beside tools and documents, and can require no certain tool."""
    own = {"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}}
    server.reply(*['{"title": "Emma"}'] * 3)
    assert call(response_model=Book, tools=[weather]) == Book(title="Emma")
    assert "response_format" not in sent(server)
    assert "adheres to this schema" in sent(server)["messages"][-1]["content"]
    assert call(response_model=Book, call_params={"tools": [own]}) == Book(title="Emma")
    assert "tool_choice" not in sent(server)
    call(response_model=Book, json_mode=True, call_params={"documents": ["Emma is a novel."]})
    assert "response_format" not in sent(server)


def test_json_mode_and_strict_models_have_a_response_format(server: ProviderServer) -> None:
    server.reply(*['{"title": "Emma"}'] * 2)
    assert call(response_model=Book, json_mode=True) == Book(title="Emma")
    assert sent(server)["response_format"] == {"type": "json_object"}
    assert sent(server)["messages"][-1]["content"].startswith("Hello\n\nFor your final response, output ONLY a valid")
    assert call(response_model=StrictBook, json_mode=True) == StrictBook(title="Emma")
    assert sent(server)["response_format"] == {
        "type": "json_object",
        "json_schema": {
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
            "additionalProperties": False,
        },
    }
    assert sent(server)["messages"] == [{"role": "user", "content": "Hello"}]


# -- what is read ----------------------------------------------------------------------------------------------

TOOL_LOOP = Answer(
    Reasoning("They ask for the weather. "),
    ToolPlan("I will look it up.", ["I will ", "look it up."]),
    ToolCall("weather", {"city": "Oslo"}, id="weather_1"),
    ToolCall("weather", {"city": "Rome"}, id="weather_2"),
)


def test_the_tool_plan_is_thinking_and_goes_back_with_the_calls(server: ProviderServer, kind: str) -> None:
    server.reply(TOOL_LOOP, TOOL_LOOP, "Sunny.")
    stream = streamed(kind, tools=[weather])
    response = call(tools=[weather])
    for one in (stream, stream.construct_call_response(), response):
        assert one.content == ""
        assert one.thinking == "They ask for the weather. I will look it up."
    outputs = [(tool, tool.call()) for tool in response.tools]
    call([response.user_message_param, response.message_param, *response.tool_message_params(outputs)])
    assert sent(server)["messages"] == [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "tool_plan": "I will look it up.",
            "tool_calls": [
                {
                    "id": f"weather_{number}",
                    "type": "function",
                    "function": {"name": "weather", "arguments": f'{{"city": "{city}"}}'},
                }
                for number, city in ((1, "Oslo"), (2, "Rome"))
            ],
            "content": [{"type": "thinking", "thinking": "They ask for the weather. "}],
        },
        {"role": "tool", "tool_call_id": "weather_1", "content": '{"output":"sunny in Oslo"}'},
        {"role": "tool", "tool_call_id": "weather_2", "content": '{"output":"sunny in Rome"}'},
    ]
    assert stream.message_param == response.message_param


def test_citations_are_readable(server: ProviderServer, kind: str) -> None:
    answer = Answer(Text("Emma is by Austen."), Citation("Austen", url="https://example.com/emma", title="Emma"))
    server.reply(answer, answer)
    stream, response = streamed(kind), call()
    assert stream.content == response.content == "Emma is by Austen."
    for one in (stream, stream.construct_call_response(), response):
        [citation] = one.citations
        assert (citation.start, citation.end, citation.text) == (11, 17, "Austen")
        assert citation.sources[0].document["url"] == "https://example.com/emma"
    server.reply("Hi")
    assert call().citations == []


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_a_failed_generation_is_no_ordinary_end(server: ProviderServer, reason: str) -> None:
    answer = Answer(Text("Let me"), ToolCall("weather", {"city": "Oslo"}), finish=reason)
    server.reply(answer, Answer('{"title": "Em', finish=reason))
    response = call(tools=[weather])
    assert (response.content, response.finish_reasons, response.common_finish_reasons) == ("Let me", [reason], None)
    with pytest.raises(errors.ToolArgumentsError, match=rf"tool 'weather', .* the response failed \({reason}\)"):
        _ = response.tools
    with pytest.raises(errors.ResponseModelError, match=f"the generation failed: {reason}") as caught:
        call(response_model=Book, json_mode=True)
    assert caught.value.text == '{"title": "Em'


@pytest.mark.parametrize(
    ("theirs", "common"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "content_filter"),
    ],
)
def test_finish_reasons_in_common_terms(server: ProviderServer, theirs: str, common: str) -> None:
    server.reply(Answer("Hi", finish=theirs))
    response = call()
    assert (response.finish_reasons, response.common_finish_reasons) == ([theirs], [common])


def test_billed_units_are_what_is_counted_and_billed(server: ProviderServer) -> None:
    usage = {"billed_units": {"input_tokens": 5, "output_tokens": 7}, "tokens": {"input_tokens": 500}}
    message = {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
    server.reply(Body({"id": "1", "finish_reason": "COMPLETE", "message": message, "usage": usage}))
    response = call()
    assert (response.input_tokens, response.output_tokens) == (5, 7)
    assert response.usage.tokens.input_tokens == 500
    assert response.cost == pytest.approx(5 * 2.5e-6 + 7 * 1e-5)


def test_a_history_of_another_provider_goes_on(server: ProviderServer) -> None:
    server.reply(TOOL_LOOP)
    response = call(tools=[weather])
    common = response.common_message_param
    server.reply("Sunny.")
    call([response.common_user_message_param, common, *results(common)])
    assert sent(server)["messages"][1] == {
        "role": "assistant",
        "tool_plan": "I will look it up.",
        "tool_calls": response.message_param["tool_calls"],
        "content": [{"type": "thinking", "thinking": "They ask for the weather. "}],
    }
    [rendered] = render_for_anthropic([common])
    assert [block["type"] for block in rendered["content"]] == ["tool_use", "tool_use"]


def results(message: BaseMessageParam) -> list[BaseMessageParam]:
    calls = [part for part in message.content if isinstance(part, ToolCallPart)]
    parts = [ToolResultPart(type="tool_result", id=one.id, name=one.name, content="x") for one in calls]
    return [BaseMessageParam(role="tool", content=[part]) for part in parts]


# -- clients ---------------------------------------------------------------------------------------------------


@pytest.fixture
def old_client(kind: str, server: ProviderServer) -> Iterator[Any]:
    """A program's own client of the old API."""
    if kind == "sync":
        with cohere_sdk.Client("users-key", base_url=server.base_url("cohere")) as client:
            yield client
    else:
        http = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))  # each test loop is another
        yield cohere_sdk.AsyncClient("users-key", base_url=server.base_url("cohere"), httpx_client=http)


def test_a_client_of_the_old_api_is_called_through_its_v2(server: ProviderServer, kind: str, old_client: Any) -> None:
    server.reply("Hello there")
    stream = streamed(kind, client=old_client)
    assert stream.content == "Hello there"
    assert server.requests[-1].path.endswith("/v2/chat")
    assert server.requests[-1].headers["authorization"] == "Bearer users-key"


def test_streams_are_read_from_the_bytes(server: ProviderServer, kind: str, old_client: Any) -> None:
    server.reply("Hello there", "Hello there")
    assert type(streamed(kind)._run._source) is _Bytes
    assert type(streamed(kind, client=old_client)._run._source) is (_Bytes if MAJOR >= 7 else _Objects)


def test_a_stream_that_tracing_has_wrapped_is_read_by_its_objects(
    server: ProviderServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    of = cohere_sdk.v2.client.V2Client if kind == "sync" else cohere_sdk.v2.client.AsyncV2Client
    usual = of.chat_stream

    def traced(self: Any, **kwargs: Any) -> Iterator[Any]:
        for event in usual(self, **kwargs):
            seen.append(event.type)
            yield event

    async def atraced(self: Any, **kwargs: Any) -> Any:
        async for event in usual(self, **kwargs):
            seen.append(event.type)
            yield event

    monkeypatch.setattr(of, "chat_stream", traced if kind == "sync" else atraced)
    monkeypatch.setenv("CO_API_KEY", "another-key")  # clients look the method up when they are made
    server.reply(Answer(Text("Hello there"), usage=Usage(9, 3)))
    stream = streamed(kind)
    assert (stream.content, stream.output_tokens) == ("Hello there", 3)
    assert seen[0] == "message-start"
    assert seen[-1] == "message-end"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_the_request_of_a_stream_is_sent_again_by_default_clients(
    server: ProviderServer, kind: str, status: int
) -> None:
    server.reply(Status(status, retry_after=0), Status(status, retry_after=0), "Hello there")
    assert streamed(kind).content == "Hello there"
    assert len(server.requests) == 3


def test_retries_have_a_limit_and_can_be_switched_off(server: ProviderServer, kind: str, old_client: Any) -> None:
    server.reply_always(Status(429, "Slow down.", retry_after=0))
    with pytest.raises(errors.RateLimitError) as caught:
        streamed(kind)
    assert isinstance(caught.value, cohere_sdk.TooManyRequestsError)
    assert len(server.requests) == 3
    with pytest.raises(errors.RateLimitError):
        streamed(kind, call_params={"request_options": {"max_retries": 0}})
    assert len(server.requests) == 4
    with pytest.raises(errors.RateLimitError):  # as the SDK has it
        streamed(kind, client=old_client)
    assert len(server.requests) == 5
    server.reply_always(None)


@pytest.mark.parametrize("status", [418, 502])
def test_a_status_without_an_error_class_of_the_sdk(server: ProviderServer, status: int) -> None:
    server.reply(Status(status, "No."))
    kind = errors.InternalServerError if status >= 500 else errors.APIStatusError
    with pytest.raises(kind) as caught:
        call(call_params={"request_options": {"max_retries": 0}})
    assert isinstance(caught.value, cohere_sdk.core.ApiError)
    assert caught.value.status_code == status


def test_the_text_of_an_error_has_no_values_of_headers(server: ProviderServer) -> None:
    server.reply(Status(401, "Wrong key.", headers={"x-echo": "sk-secret"}))
    with pytest.raises(errors.AuthenticationError) as caught:
        call()
    assert "Wrong key." in str(caught.value)
    assert "sk-secret" not in str(caught.value) + repr(caught.value)
    assert caught.value.headers["x-echo"] == "sk-secret"  # who asks for it gets it


def test_without_a_key_nothing_is_sent(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CO_API_KEY")
    with pytest.raises(errors.MissingApiKeyError, match="CO_API_KEY is not set"):
        call()
    assert server.requests == []


def test_a_client_of_another_sdk_is_an_error(server: ProviderServer) -> None:
    with pytest.raises(errors.ClientError, match="cannot call 'cohere'"):
        call(client=object())
    assert server.requests == []


def test_the_default_timeout_is_the_sdks(server: ProviderServer) -> None:
    from ferroscope._engine.clients import default_client
    from ferroscope.core.cohere._provider import COHERE

    client: Any = default_client(COHERE.clients, asynchronous=False)
    assert client._client.timeout.read == 300
