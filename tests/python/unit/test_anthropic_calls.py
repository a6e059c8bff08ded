"""Calls of Anthropic, over the clients of its SDK: what is sent, and what is read from the answer."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

pytest.importorskip("anthropic")

import anthropic as anthropic_sdk

from ferroscope import errors
from ferroscope.core import anthropic
from ferroscope.core.base import BaseMessageParam, CacheControlPart, Messages, TextPart, prompt_template
from ferroscope.testing import (
    Answer,
    Body,
    Json,
    ProviderServer,
    Reasoning,
    Replay,
    Status,
    StreamError,
    Text,
    ToolCall,
)

MODEL = "claude-haiku-4-5"
MAJOR = int(anthropic_sdk.__version__.split(".")[0])
CORPUS = Path(__file__).parents[2] / "corpus" / "anthropic"


@pytest.fixture(scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _server.forget()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", _server.base_url("anthropic"))
    return _server


def call(prompt: Any = "Hello", /, **options: Any) -> Any:
    return anthropic.call(MODEL, **options)(lambda: prompt)()


def consumed(stream: Any) -> Any:
    for _ in stream:
        pass
    return stream


def sent(server: ProviderServer) -> dict[str, Any]:
    return server.requests[-1].json


class Book(BaseModel):
    """A book."""

    title: str
    year: int


EMMA = {"title": "Emma", "year": 1815}


# -- what is sent ----------------------------------------------------------------------------------------------


def test_all_system_messages_are_lifted(server: ProviderServer) -> None:
    server.reply("Hi")
    cached = [TextPart(type="text", text="Be kind"), CacheControlPart(type="cache_control", cache_type="ephemeral")]
    response = call(
        [
            Messages.System("Be brief"),
            BaseMessageParam(role="system", content=cached),
            Messages.User("Hello"),
        ],
        call_params={"max_tokens": 9, "system": "Be fair"},
    )
    assert sent(server)["system"] == [
        {"type": "text", "text": "Be fair"},
        {"type": "text", "text": "Be brief"},
        {"type": "text", "text": "Be kind", "cache_control": {"type": "ephemeral"}},
    ]
    assert sent(server)["messages"] == response.messages == [{"role": "user", "content": "Hello"}]
    assert [message.role for message in response.common_messages] == ["system", "user"]


PARAMETERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none": ({}, {"max_tokens": 1024}),
    "shared by all providers": (
        {"stop": "END", "seed": 7, "frequency_penalty": 0.5, "presence_penalty": 0.5},
        {"max_tokens": 1024, "stop_sequences": ["END"]},
    ),
    "several stops": ({"stop": ["A", "B"]}, {"max_tokens": 1024, "stop_sequences": ["A", "B"]}),
    "its own": (
        {"max_tokens": 9, "metadata": {"user_id": "u"}, "stop_sequences": ["A"]},
        {"max_tokens": 9, "metadata": {"user_id": "u"}, "stop_sequences": ["A"]},
    ),
    "its own without max_tokens": ({"metadata": {"user_id": "u"}}, {"max_tokens": 1024, "metadata": {"user_id": "u"}}),
    "null": ({"max_tokens": 9, "metadata": None}, {"max_tokens": 9}),
}


@pytest.mark.parametrize(("given", "expected"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters(server: ProviderServer, given: dict[str, Any], expected: dict[str, Any]) -> None:
    server.reply("Hi")
    call(call_params=given)
    body = sent(server)
    del body["model"], body["messages"]
    assert body == expected


def test_dynamic_parameters_need_no_max_tokens(server: ProviderServer) -> None:
    server.reply("Hi", "Hi")
    dynamic = {"messages": [Messages.User("Hello")], "call_params": {"metadata": {"user_id": "u"}}}
    call(dynamic)
    assert sent(server)["max_tokens"] == 1024
    call(dynamic, call_params={"max_tokens": 9})
    assert sent(server)["max_tokens"] == 9


SAMPLING = {"temperature": 0.5, "top_p": 0.9, "top_k": 5}


def test_sampling_parameters_arrive_or_warn(server: ProviderServer) -> None:
    server.reply("Hi")
    if MAJOR < 2:
        call(call_params={"max_tokens": 9, **SAMPLING})
        expected = SAMPLING
    else:
        with pytest.warns(
            UserWarning, match="refuses 'temperature', 'top_p', 'top_k', so they are not sent to 'claude-haiku-4-5'"
        ):
            call(call_params={"max_tokens": 9, **SAMPLING})
        expected = {}
    assert {name: sent(server)[name] for name in SAMPLING if name in sent(server)} == expected


@pytest.mark.skipif(MAJOR < 2, reason="its API takes them")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_call_is_told_of_sampling_parameters_that_are_lost(server: ProviderServer, kind: str) -> None:
    def loses(model: str) -> Any:
        @anthropic.call(model, call_params={"temperature": 0.5})
        def ask() -> str:
            return "Hello"

        @anthropic.call(model, call_params={"temperature": 0.5}, stream=True)
        async def aask() -> str:
            return "Hello"

        return ask if kind == "sync" else aask

    async def consume(ask: Any) -> None:
        async for _ in await ask():
            pass

    server.reply("Hi", "Hi")
    # As Python does it by default: once for each place.
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for model in ("claude-a", "claude-b"):
            ask = loses(model)
            ask() if kind == "sync" else asyncio.run(consume(ask))
    assert [warning.filename for warning in told] == [__file__] * 2
    for warning, model in zip(told, ("claude-a", "claude-b"), strict=True):
        assert f"refuses 'temperature', so it is not sent to '{model}'" in str(warning.message)


@pytest.mark.parametrize("by", ["parameters", "client"])
def test_sampling_parameters_arrive_with_the_api_that_takes_them(server: ProviderServer, by: str) -> None:
    server.reply("Hi")
    old = {"anthropic-version": "2023-06-01"}
    params: dict[str, Any] = {"max_tokens": 9, **SAMPLING, "extra_body": {"new": 1}}
    if by == "parameters":
        call(call_params={**params, "extra_headers": old})
    else:
        with anthropic_sdk.Anthropic(default_headers=old) as client:
            call(call_params=params, client=client)
    assert {name: sent(server)[name] for name in (*SAMPLING, "new")} == {**SAMPLING, "new": 1}
    assert server.requests[-1].headers["anthropic-version"] == "2023-06-01"


SEARCH = {"type": "web_search_20250305", "name": "web_search"}
VERTEX = {"region": "us", "project_id": "p", "access_token": "t", "max_retries": 0}


@pytest.mark.skipif(MAJOR < 2, reason="its API takes them")
@pytest.mark.parametrize("by", ["header", "body"])
def test_a_client_that_says_its_api_in_the_body_is_asked_there(server: ProviderServer, by: str) -> None:
    pytest.importorskip("google.auth")
    server.reply("Hi")
    pinned: dict[str, Any] = {
        "header": {"extra_headers": {"anthropic-version": "2023-06-01"}},
        "body": {"extra_body": {"anthropic_version": "vertex-2023-10-16"}},
    }
    params = {"temperature": 0.5, **pinned[by]}
    with anthropic_sdk.AnthropicVertex(base_url=server.base_url("anthropic"), **VERTEX) as client:
        if by == "body":
            call(call_params=params, client=client)
        else:
            advice = "accepts them: call_params={.extra_body.: {.anthropic_version.: .vertex-2023-10-16.}"
            with pytest.warns(UserWarning, match=advice):
                call(call_params=params, client=client)
    found = sent(server)["anthropic_version"], sent(server).get("temperature")
    assert found == (("vertex-2023-10-16", 0.5) if by == "body" else ("2026-10-21", None))


@pytest.mark.parametrize("name", sorted(anthropic.AnthropicCallParams.__annotations__))
def test_every_declared_parameter_is_taken(server: ProviderServer, name: str) -> None:
    """By the SDK, whatever its version, or by the body."""
    given: dict[str, Any] = {
        "container": "c",
        "context_management": {"edits": []},
        "extra_body": {"new": 1},
        "extra_headers": {"x-new": "1"},
        "extra_query": {"new": "1"},
        "inference_geo": "us",
        "max_tokens": 9,
        "metadata": {"user_id": "u"},
        "output_config": {"effort": "low"},
        "service_tier": "auto",
        "speed": "fast",
        "stop_sequences": ["END"],
        "system": "Be brief",
        "temperature": 0.5,
        "thinking": {"type": "disabled"},
        "timeout": 5.0,
        "tool_choice": {"type": "auto"},
        "tools": [SEARCH],
        "top_k": 5,
        "top_p": 0.5,
    }
    server.reply("Hi")
    old = {"anthropic-version": "2023-06-01"} if name in SAMPLING else {}
    call(call_params={"extra_headers": old, name: given[name]})
    request = server.requests[-1]
    match name:
        case "extra_body":
            assert request.json["new"] == 1
        case "extra_headers":
            assert request.headers["x-new"] == "1"
        case "extra_query":
            assert request.parameters["new"] == "1"
        case "timeout":
            assert request.headers["x-stainless-read-timeout"] == "5.0"
        case _:
            assert request.json[name] == given[name]


def test_a_parameter_that_nobody_knows_is_the_sdks_error(server: ProviderServer) -> None:
    with pytest.raises(TypeError, match="max_token"):
        call(call_params={"max_token": 9})


def test_a_document_by_its_address_is_fetched_by_anthropic(server: ProviderServer) -> None:
    @anthropic.call(MODEL)
    @prompt_template("Sum up {url:document}")
    def sum_up(url: str) -> None: ...

    server.reply("It is short.", "It is.")
    response = sum_up("https://example.com/a.pdf")
    document = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    assert sent(server)["messages"][0]["content"][1] == document
    call([*response.common_messages, response.common_message_param, Messages.User("Really?")])
    assert sent(server)["messages"][0]["content"][1] == document


def test_a_tool_with_cache_control(server: ProviderServer) -> None:
    class Look(anthropic.AnthropicTool):
        """Looks at a book."""

        tool_config = anthropic.AnthropicToolConfig(cache_control={"type": "ephemeral"})
        title: str

        def call(self) -> str:
            return self.title

    server.reply(Answer(ToolCall("Look", {"title": "Emma"}, "toolu_1")))
    response = call(tools=[Look])
    schema = {
        "name": "Look",
        "description": "Looks at a book.",
        "input_schema": {
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
        },
        "cache_control": {"type": "ephemeral"},
    }
    assert sent(server)["tools"] == [schema]
    tool = response.tool
    assert (tool.id, tool.call(), tool.tool_schema()) == ("toolu_1", "Emma", schema)
    assert tool.tool_call == anthropic_sdk.types.ToolUseBlock(
        type="tool_use", id="toolu_1", name="Look", input={"title": "Emma"}
    )
    assert response.tool_message_params([(tool, "read")]) == [
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": "read"}],
                }
            ],
        }
    ]


def test_no_text_is_sent_empty(server: ProviderServer) -> None:
    """The API refuses that, and sends it itself."""

    def forget(title: str) -> str:
        """Forgets a book."""
        return ""

    server.reply(Answer(ToolCall("forget", {"title": "Emma"}, "toolu_1")), Answer(Text("", [""])), "Fine", "Fine")
    response = call(tools=[forget])
    results = response.tool_message_params([(response.tool, response.tool.call())])
    assert results == [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]}]
    history = [Messages.User("Hello"), response.message_param, *results]
    silent = call(history)
    call([*history, silent.message_param, Messages.User("And now?")])
    expected = sent(server)["messages"]
    assert expected == [{"role": "user", "content": "Hello"}, response.message_param, *results, expected[-1]]
    call([*silent.common_messages, silent.common_message_param, Messages.User("And now?")])
    expected[2]["content"][0]["is_error"] = False
    assert sent(server)["messages"] == expected


def test_the_servers_tools_stand_beside_the_calls_own(server: ProviderServer) -> None:
    def look(title: str) -> str:
        """Looks at a book."""
        return title

    params = {"max_tokens": 9, "tools": [SEARCH]}
    server.reply("Hi", "Hi")
    call(call_params=params, tools=[look])
    assert [tool["name"] for tool in sent(server)["tools"]] == ["web_search", "look"]
    call({"messages": [Messages.User("Hello")], "tools": [look], "call_params": {"tools": [SEARCH]}})
    assert [tool["name"] for tool in sent(server)["tools"]] == ["web_search", "look"]
    assert params == {"max_tokens": 9, "tools": [SEARCH]}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_the_servers_tools_can_be_used_for_a_response_model(server: ProviderServer, streamed: bool) -> None:
    """A model that is forced to call one tool uses no other."""
    server.reply(Answer("Let me search.", Json(EMMA)))
    found = call(response_model=Book, stream=streamed, call_params={"max_tokens": 9, "tools": [SEARCH]})
    books = list(found) if streamed else [found]
    assert books[-1] == Book.model_validate(EMMA)
    assert sent(server)["tools"] == [SEARCH]
    assert "tool_choice" not in sent(server)


def test_json_mode_ends_the_last_message(server: ProviderServer) -> None:
    server.reply("{}", "{}")
    call(json_mode=True)
    text = "For your final response, output ONLY a valid JSON dict that adheres to the schema"
    assert sent(server)["messages"] == [{"role": "user", "content": f"Hello\n\n{text}"}]
    parts = [TextPart(type="text", text="a"), TextPart(type="text", text="b")]
    call([BaseMessageParam(role="user", content=parts)], json_mode=True)
    assert sent(server)["messages"][0]["content"][2] == {"type": "text", "text": f"\n\n{text}"}


# -- response models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_response_model_is_a_forced_tool(server: ProviderServer, streamed: bool) -> None:
    server.reply(Answer(ToolCall("Book", EMMA)))
    found = call(response_model=Book, stream=streamed)
    books = list(found) if streamed else [found]
    assert books[-1] == Book.model_validate(EMMA)
    assert sent(server)["tool_choice"] == {"type": "tool", "name": "Book"}
    assert [tool["name"] for tool in sent(server)["tools"]] == ["Book"]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dynamic", [False, True], ids=["decorator", "dynamic"])
def test_a_thinking_model_is_asked_for_json(server: ProviderServer, streamed: bool, dynamic: bool) -> None:
    """It may not be forced to call a tool, and v1 forced it (D23)."""
    server.reply(Answer(Reasoning("Which one?"), Json(EMMA)))
    params = {"max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    prompt: Any = [Messages.User("Recommend a book")]
    options: dict[str, Any] = {"response_model": Book, "stream": streamed}
    if dynamic:
        found = call({"messages": prompt, "call_params": params}, **options)
    else:
        found = call(prompt, call_params=params, **options)
    books = list(found) if streamed else [found]
    assert books[-1] == Book.model_validate(EMMA)
    assert "tools" not in sent(server)
    assert "tool_choice" not in sent(server)
    assert '"title"' in sent(server)["messages"][-1]["content"]
    if streamed:
        assert len(books) > 2
        assert found.stream.thinking == "Which one?"
    else:
        assert found._response.thinking == "Which one?"


# -- what is read ----------------------------------------------------------------------------------------------

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 3},
}


def test_the_content_is_all_the_text(server: ProviderServer) -> None:
    """v1 gave the first text block only (D23)."""
    blocks = [
        {"type": "thinking", "thinking": "Hm, ", "signature": "c2ln"},
        {"type": "text", "text": "It is "},
        {"type": "redacted_thinking", "data": "ZW5j"},
        {"type": "thinking", "thinking": "well.", "signature": "c2lnMg=="},
        {"type": "text", "text": "", "citations": None},
        {"type": "text", "text": "out."},
    ]
    server.reply(Body({**MESSAGE, "content": blocks}))
    response = call()
    assert (response.content, response.thinking, response.signature) == ("It is out.", "Hm, well.", "c2ln")
    assert response.message_param == {"role": "assistant", "content": [*blocks[:4], blocks[5]]}
    assert response.tools is None


def test_offered_tools_that_were_not_called_are_an_empty_list(server: ProviderServer) -> None:
    def now() -> str:
        """Tells the time."""
        return "noon"

    server.reply("No need.")
    assert call(tools=[now]).tools == []


REASONS = {
    "end_turn": ["stop"],
    "stop_sequence": ["stop"],
    "pause_turn": ["stop"],
    "max_tokens": ["length"],
    "model_context_window_exceeded": ["length"],
    "tool_use": ["tool_calls"],
    "refusal": ["content_filter"],
    "something_new": None,
}


@pytest.mark.parametrize(("reason", "common"), REASONS.items())
def test_finish_reasons(server: ProviderServer, reason: str, common: list[str] | None) -> None:
    server.reply(Answer("Hi", finish=reason), Answer("Hi", finish=reason))
    response, stream = call(), consumed(call(stream=True))
    for found in (response, stream.construct_call_response()):
        assert (found.finish_reasons, found.common_finish_reasons) == ([reason], common)
    assert stream.finish_reasons == [reason]


def test_thoughts_go_on_with_their_signature(server: ProviderServer) -> None:
    """v1's streams lost them (D8)."""
    server.reply(Answer(Reasoning("Hm."), "Hello"), "Fine")
    stream = call(stream=True)
    chunks = [chunk for chunk, _ in stream]
    assert "".join(chunk.thinking for chunk in chunks) == stream.thinking == "Hm."
    assert "".join(chunk.signature for chunk in chunks) == stream.signature != ""
    call([Messages.User("Hello"), stream.message_param, Messages.User("And you?")])
    assert sent(server)["messages"][1] == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": stream.signature},
            {"type": "text", "text": "Hello"},
        ],
    }


def test_thoughts_stay_in_a_common_answer_that_is_marked_for_the_cache(server: ProviderServer) -> None:
    server.reply(Answer(Reasoning("Hm."), "Hello"), "Fine")
    answer = call().common_message_param
    answer.content = [*answer.content, CacheControlPart(type="cache_control", cache_type="5m")]
    call([Messages.User("Hello"), answer, Messages.User("And you?")])
    thought, text = sent(server)["messages"][1]["content"]
    assert (thought["thinking"], text["text"]) == ("Hm.", "Hello")
    assert text["cache_control"] == {"type": "ephemeral", "ttl": "5m"}


def test_the_chunks_are_the_events_of_the_sdk(server: ProviderServer) -> None:
    server.reply(Answer("Hi", model="claude-9"))
    chunks = [chunk for chunk, _ in call(stream=True)]
    assert [type(chunk.chunk).__name__ for chunk in chunks] == [
        "RawMessageStartEvent",
        "RawContentBlockStartEvent",
        "RawContentBlockDeltaEvent",
        "RawContentBlockStopEvent",
        "BaseModel",  # a ping
        "RawMessageDeltaEvent",
        "RawMessageStopEvent",
    ]
    first, last = chunks[0], chunks[-2]
    assert first.id == first.chunk.message.id
    assert (first.model, first.input_tokens, first.output_tokens) == ("claude-9", 10, 1)
    assert (last.finish_reasons, last.common_finish_reasons, last.output_tokens) == (["end_turn"], ["stop"], 20)
    assert [chunk.finish_reasons for chunk in chunks[:-2]] == [None] * 5


def test_half_a_character_is_a_chunk(server: ProviderServer) -> None:
    deltas = [{"type": "text_delta", "text": half} for half in ("\ud83d", "\ude00")]
    events = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    stream = b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
    server.reply(Replay(stream))
    chunks = [chunk for chunk, _ in call(stream=True)]
    assert [chunk.chunk.delta.text for chunk in chunks] == ["\ud83d", "\ude00"]
    assert [(chunk.thinking, chunk.usage, chunk.finish_reasons) for chunk in chunks] == [("", None, None)] * 2


def test_partial_tools_take_input_that_is_not_whole() -> None:
    """v1 failed on it with newer SDKs (D3)."""

    class Look(anthropic.AnthropicTool):
        """Looks at a book."""

        title: str
        copies: int

        def call(self) -> str:
            return self.title

    block = anthropic_sdk.types.ToolUseBlock.construct(
        id="toolu_1", type="tool_use", name="Look", input='{"title": "Em'
    )
    tool: Any = Look.from_tool_call(block, allow_partial=True)
    assert (tool.title, tool.copies, tool.id) == ("Em", None, "toolu_1")


def test_an_error_event_is_what_the_sdk_raises(server: ProviderServer) -> None:
    server.reply(StreamError(Answer("Hello there"), after=3, type="overloaded_error", message="Overloaded"))
    stream = call(stream=True)
    with pytest.raises(anthropic_sdk.APIStatusError) as caught:
        consumed(stream)
    error: Any = caught.value
    assert isinstance(error, errors.ProviderStreamError)
    assert (error.status_code, error.message) == (200, "Overloaded")
    assert error.body["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert error.partial.content == stream.content == "Hello "


def test_an_overloaded_provider_has_a_status_of_its_own(server: ProviderServer) -> None:
    server.reply(Status(529, retry_after=0.01), Status(529))
    with anthropic_sdk.Anthropic(max_retries=1) as client, pytest.raises(errors.InternalServerError) as caught:
        call(client=client)
    error: Any = caught.value
    assert (error.status_code, error.body["error"]) == (529, {"type": "overloaded_error", "message": "Overloaded"})


STREAMS = sorted(path for path in CORPUS.glob("*.sse") if path.stem != "error_event")


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("way", ["bytes", "objects"])
def test_a_stream_is_the_response_without_streaming(server: ProviderServer, path: Path, way: str) -> None:
    if way == "objects" and path.stem in ("done_terminator", "last_event_without_blank_line"):
        pytest.skip("the SDK itself stumbles over it")
    server.reply(Replay(path))
    client = Touched(anthropic_sdk.Anthropic()) if way == "objects" else None
    stream = consumed(call(stream=True, client=client))
    expected = json.loads(path.with_suffix(".json").read_text())
    found = stream.construct_call_response().response.model_dump(mode="json", exclude_unset=True, warnings=False)
    assert without_nulls(found) == without_nulls(expected)


class Touched:
    """A client whose streams somebody has wrapped, as tracers do."""

    def __init__(self, client: Any) -> None:
        self.messages = self
        self._client = client

    def create(self, **kwargs: Any) -> Iterator[Any]:
        with self._client as client:
            yield from client.messages.create(**kwargs)


def without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {name: without_nulls(member) for name, member in value.items() if member is not None}
        case list():
            return [without_nulls(element) for element in value]
        case _:
            return value


def test_a_stream_that_ends_before_its_answer_is_interrupted(server: ProviderServer) -> None:
    """As a proxy ends it that has waited long enough: no part of HTTP says so."""
    whole = (CORPUS / "tools_parallel.sse").read_bytes()
    server.reply(Replay(whole[: whole.rindex(b"event: content_block_stop")]))
    stream = call(stream=True)
    with pytest.raises(errors.StreamInterruptedError, match="the body ended before the response did") as caught:
        consumed(stream)
    assert isinstance(caught.value, anthropic_sdk.APIConnectionError)
    assert caught.value.partial is not None
    assert caught.value.partial.content == stream.content != ""


# -- the other clients -----------------------------------------------------------------------------------------


def test_vertex_ai(server: ProviderServer) -> None:
    pytest.importorskip("google.auth")
    server.reply("Hello", "Hello")
    url = server.base_url("anthropic")
    with anthropic_sdk.AnthropicVertex(base_url=url, **VERTEX) as client:
        response = call(client=client)
        assert (response.content, response.model) == ("Hello", MODEL)
        assert server.requests[-1].path.endswith(f"/models/{MODEL}:rawPredict")
        stream = consumed(call(stream=True, client=client))
        assert (stream.content, stream.model) == ("Hello", MODEL)
        assert server.requests[-1].path.endswith(f"/models/{MODEL}:streamRawPredict")


def test_foundry(server: ProviderServer) -> None:
    foundry = getattr(anthropic_sdk, "AnthropicFoundry", None)
    if foundry is None:
        pytest.skip("this SDK has no such client")
    server.reply("Hello")
    with foundry(api_key="k", base_url=server.base_url("anthropic")) as client:
        assert consumed(call(stream=True, client=client)).content == "Hello"
