"""Google's own behaviour: its clients, streamed arguments, blocked and malformed answers, signatures, both APIs."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.core.base import BaseMessageParam, Messages
from ferroscope.core.base.retry import Retry
from ferroscope.testing import (
    Answer,
    Blocked,
    Body,
    Cut,
    ProviderServer,
    Reasoning,
    Replay,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
)

genai = pytest.importorskip("google.genai")
google = pytest.importorskip("ferroscope.core.google")

MODEL = "gemini-2.5-flash"
FILES = "https://generativelanguage.googleapis.com/v1beta/files"
LONG = Answer(Text("word " * 500), delay=0.001)


class Google:
    """Calls of Google of one kind, sync or async."""

    def __init__(self, kind: str, server: ProviderServer, runner: asyncio.Runner) -> None:
        self.kind = kind
        self.server = server
        self._runner = runner

    def run(self, coroutine: Any) -> Any:
        found: list[Any] = []

        async def keep() -> None:
            # Not returned: Python 3.11's runner makes the repr of a result, and that of large media takes seconds.
            found.append(await coroutine)

        self._runner.run(keep(), context=copy_context())
        return found[0]

    def call(self, prompt: Any = "Say hello", *, model: str = MODEL, module: Any = google, **options: Any) -> Any:
        decorator = module.call(model, **options)
        if self.kind == "sync":
            return decorator(lambda: prompt)()

        async def ask() -> Any:
            return prompt

        return self.run(decorator(ask)())

    def consume(self, stream: Any) -> list[Any]:
        if self.kind == "sync":
            return list(stream)

        async def collect() -> list[Any]:
            return [item async for item in stream]

        return self.run(collect())  # type: ignore[no-any-return]

    def client(self, **options: Any) -> Any:
        """A client of a program's own."""
        url = self.server.base_url("google")
        return genai.Client(**{"api_key": "own-key", **options}, http_options={"base_url": url})

    def close(self, client: Any) -> None:
        if self.kind == "async":
            self.run(self._aclose(client))
        client.close()

    async def _aclose(self, client: Any) -> None:
        await client.aio.aclose()
        await asyncio.sleep(0)  # aiohttp leaves the last step to the loop

    @property
    def sent(self) -> Any:
        """The body of the last request."""
        return self.server.requests[-1].json


@pytest.fixture
def ask(kind: str, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    monkeypatch.setenv("GOOGLE_API_KEY", "test-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.base_url("google"))
    with asyncio.Runner() as runner:
        yield Google(kind, server, runner)


# ---- clients


def test_the_bytes_of_a_default_client_are_read_and_the_objects_of_every_other(ask: Google) -> None:
    ask.server.reply(*[Answer(Reasoning("Hm."), Text("one two"), usage=Usage(9, 3, reasoning=1))] * 2)
    client = ask.client()
    seen = []
    for options in ({}, {"client": client}):
        stream = ask.call(stream=True, **options)
        chunks = ask.consume(stream)
        seen.append(([chunk.content for chunk, _ in chunks], stream.thinking, stream.usage, stream.message_param))
        read = type(stream._run._source).__name__
        assert read == ("_Objects" if options else "_Bytes")
    assert seen[0] == seen[1]
    ask.close(client)


def test_a_stream_keeps_its_client(ask: Google) -> None:
    """The SDK closes a client that is collected, under a stream that still runs."""
    ask.server.reply(Answer(Text("one two three"), delay=0.001))

    def prompt() -> Any:
        return {"messages": [Messages.User("Hi")], "client": ask.client()}

    stream = ask.call(prompt(), stream=True)
    gc.collect()
    assert "".join(chunk.content for chunk, _ in ask.consume(stream)) == "one two three"
    ask.close(stream.dynamic_config["client"])


def test_leaving_the_stream_of_a_client_of_ones_own_closes_its_connection(ask: Google) -> None:
    """The SDK's own async streams stay open until the body ends."""
    ask.server.reply(LONG)
    client = ask.client()
    stream = ask.call(stream=True, client=client)

    async def leave() -> None:
        async for chunk, _ in stream:
            if chunk.content:
                break
        await stream.aclose()
        await asyncio.to_thread(ask.server.wait_closed, timeout=0.5)

    gc.disable()  # it must not be the collector that closes it
    try:
        if ask.kind == "async":
            ask.run(leave())
        else:
            for chunk, _ in stream:
                if chunk.content:
                    break
            stream.close()
            ask.server.wait_closed(timeout=0.5)
    finally:
        gc.enable()
    assert stream.content.startswith("word ")
    ask.close(client)


def test_tracing_that_wraps_the_sdk_sees_every_object(ask: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.genai import models

    seen: list[Any] = []
    kind = models.Models if ask.kind == "sync" else models.AsyncModels
    usual = kind.generate_content_stream

    def traced(self: Any, **kwargs: Any) -> Any:
        for chunk in usual(self, **kwargs):
            seen.append(chunk)
            yield chunk

    async def atraced(self: Any, **kwargs: Any) -> Any:
        async def chunks() -> Any:
            async for chunk in await usual(self, **kwargs):
                seen.append(chunk)
                yield chunk

        return chunks()

    monkeypatch.setattr(kind, "generate_content_stream", traced if ask.kind == "sync" else atraced)
    ask.server.reply(Answer(Text("one two three")))
    stream = ask.call(stream=True)
    ask.consume(stream)
    assert stream.content == "one two three" == "".join(chunk.text or "" for chunk in seen)


@pytest.mark.parametrize("own", [False, True], ids=["bytes", "objects"])
def test_an_error_inside_the_stream_has_its_code(ask: Google, own: bool) -> None:
    ask.server.reply(StreamError(Answer("one two three"), after=2, message="Overloaded", status=503))
    client = ask.client() if own else None
    stream = ask.call(stream=True, client=client)
    with pytest.raises(errors.ProviderStreamError, match="Overloaded") as caught:
        ask.consume(stream)
    assert isinstance(caught.value, genai.errors.ServerError)
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    assert caught.value.partial.content == "one two "
    if client:
        ask.close(client)


def test_a_cut_body_of_a_client_of_ones_own(ask: Google) -> None:
    ask.server.reply(Cut(Answer(Text("word " * 100, 100)), at=5000))
    client = ask.client()
    stream = ask.call(stream=True, client=client)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        ask.consume(stream)
    assert caught.value.partial.content.startswith("word ")
    ask.close(client)


def test_status_errors_and_lost_connections_are_in_the_tree(ask: Google) -> None:
    ask.server.reply(*[Status(429, "Slow down.")] * 3, Status(404, "No such model."))
    with pytest.raises(errors.RateLimitError) as limited:
        ask.call()
    assert isinstance(limited.value, genai.errors.ClientError)
    assert limited.value.status_code == 429
    assert len(ask.server.requests) == 3, "two retries"
    with pytest.raises(errors.NotFoundError, match="No such model"):
        ask.call(stream=False)
    client = genai.Client(api_key="k", http_options={"base_url": "http://127.0.0.1:9"})
    if ask.kind == "sync":  # over aiohttp the SDK waits for up to ten seconds before it tries once more
        with pytest.raises(errors.APIConnectionError):
            ask.call(client=client)
    ask.close(client)


def test_no_key_is_a_clear_error(ask: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_API_KEY")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(errors.MissingApiKeyError, match="GOOGLE_API_KEY nor GEMINI_API_KEY"):
        ask.call()
    monkeypatch.setenv("GEMINI_API_KEY", "second")
    ask.server.reply("Hello")
    assert ask.call().content == "Hello"
    assert ask.server.requests[-1].headers["x-goog-api-key"] == "second"


@pytest.mark.parametrize("module", ["google.generativeai.generative_models", "vertexai.generative_models"])
def test_a_client_of_an_abandoned_sdk_is_an_error_that_names_the_new_one(ask: Google, module: str) -> None:
    client = type("GenerativeModel", (), {"__module__": module})()
    with pytest.raises(errors.ClientError, match=r"abandoned; pass a `google\.genai\.Client`"):
        ask.call(client=client)


# ---- the request


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_old_version_sends_each_attempt_once(ask: Google, stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 1.67, the SDK ignores the retries of a request in async streams."""
    monkeypatch.setattr("ferroscope._dialects.gemini.clients.KEEPS_RETRIES", True)
    ask.server.reply(*[Status(503)] * 9)
    with pytest.raises(errors.InternalServerError):
        found = ask.call(stream=stream, retry=Retry(attempts=2, wait=0, jitter=0))
        ask.consume(found)
    assert len(ask.server.requests) == 2
    client = ask.client()
    client._api_client._http_options.retry_options = genai.types.HttpRetryOptions(attempts=3)
    with pytest.raises(errors.ClientError, match=r"update to google-genai 1\.67"):
        found = ask.call(stream=stream, client=client, retry=2)
        ask.consume(found)
    assert len(ask.server.requests) == 2
    ask.close(client)


def test_parameters_are_members_of_the_configuration(ask: Google) -> None:
    ask.server.reply("Hello")
    params = {
        "temperature": 0.5,
        "max_tokens": 9,
        "seed": 3,
        "thinking_config": {"thinking_budget": 0},
        "config": {"top_k": 4, "cached_content": "cachedContents/1"},
        "safety_settings": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"},
        "extra_headers": {"x-trace": "1"},
        "timeout": 9,
    }
    ask.call([Messages.System("Be brief."), Messages.User("Hi")], call_params=params)
    assert ask.sent["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    config = ask.sent["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"], config["topK"]) == (0.5, 9, 4)
    assert list(config["thinkingConfig"].values()) == [0]
    assert "seed" not in config
    assert ask.sent["safetySettings"] == [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    assert ask.sent["cachedContent"] == "cachedContents/1"
    assert ask.server.requests[-1].headers["x-trace"] == "1"


def test_the_system_prompt_is_part_of_the_common_messages(ask: Google) -> None:
    ask.server.reply("Hello")
    response = ask.call([Messages.System("Be brief."), Messages.User("Hi")])
    assert [(one.role, one.content) for one in response.common_messages] == [("system", "Be brief."), ("user", "Hi")]


def test_googles_own_contents_are_sent_as_they_are(ask: Google) -> None:
    types = genai.types
    contents = [
        types.Content(role="user", parts=[types.Part(text="One")]),
        {"role": "model", "parts": [{"text": "Two"}]},
        {"role": "user", "parts": [types.Part(text="Three")]},
    ]
    ask.server.reply("Hello")
    response = ask.call({"messages": contents})
    assert [one["parts"][0]["text"] for one in ask.sent["contents"]] == ["One", "Two", "Three"]
    assert [one.role for one in response.common_messages] == ["user", "assistant", "user"]


def test_functions_are_never_called_by_the_sdk(ask: Google) -> None:
    called: list[str] = []

    def shout(text: str) -> str:
        """Shout."""
        called.append(text)
        return text.upper()

    ask.server.reply(Answer(ToolCall("shout", {"text": "hi"})))
    response = ask.call(tools=[shout])
    assert (called, len(ask.server.requests)) == ([], 1)
    assert response.common_finish_reasons == ["tool_calls"]
    assert response.tool.call() == "HI"


def uploads(server: ProviderServer) -> list[int]:
    """Return the size of each part of an upload."""
    return [len(one.body) for one in server.requests if "/upload/" in one.path and one.body[:1] != b"{"]


def part_of(media_type: str, data: bytes) -> BaseMessageParam:
    kind = media_type.partition("/")[0]
    part = {"type": kind, "media_type": media_type, kind: data, **({"detail": None} if kind == "image" else {})}
    return BaseMessageParam.model_validate({"role": "user", "content": [part]})


def test_large_media_are_uploaded_once(ask: Google) -> None:
    image = b"\x89PNG" + bytes(11_000_000)
    ask.server.reply(*["A cat."] * 3)
    assert ask.call([part_of("image/png", image[:1000])]).content == "A cat."
    assert uploads(ask.server) == []
    assert "inlineData" in ask.sent["contents"][0]["parts"][0]
    for _ in range(2):
        assert ask.call([part_of("image/png", image)]).content == "A cat."
        (reference,) = ask.sent["contents"][0]["parts"][0].values()
        uri, media_type = sorted(reference.values())
        assert (uri.rpartition("-")[0], media_type) == (f"{FILES}/file", "image/png")
    parts = uploads(ask.server)
    assert sum(parts) == len(image)
    assert len(parts) == 2  # of eight MiB, once


def test_a_video_is_waited_for(ask: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferroscope._dialects.gemini.files._POLL_SECONDS", 0.01)
    ask.server.reply("A film.")
    blob = {"inline_data": {"mime_type": "video/mp4", "data": bytes(10_000_001)}}
    assert ask.call([{"role": "user", "parts": [blob, {"text": "What is it?"}]}]).content == "A film."
    asked = [(one.method, one.path.rpartition("/")[2]) for one in ask.server.requests][-2:]
    assert (asked[0][0], asked[0][1][:5]) == ("GET", "file-")
    assert "video/mp4" in next(iter(ask.sent["contents"][0]["parts"][0].values())).values()


def test_an_upload_leaves_the_event_loop_free(ask: Google) -> None:
    if ask.kind == "sync":
        pytest.skip("there is no loop")
    ask.server.reply("A cat.")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def main() -> str:
        counting = asyncio.create_task(count())

        async def prompt() -> Any:
            return [part_of("image/png", bytes(12_000_000))]

        response = await google.call(MODEL)(prompt)()
        counting.cancel()
        return str(response.content)

    assert ask.run(main()) == "A cat."
    assert sum(uploads(ask.server)) == 12_000_000
    assert turns > 20  # between the reads and writes of the upload


# ---- answers


class Book(BaseModel):
    title: str
    pages: int | None = None


def test_a_response_model_is_a_forced_function_and_in_json_mode_a_schema(ask: Google) -> None:
    answer = {"title": "Emma", "pages": 400}
    ask.server.reply(Answer(ToolCall("Book", answer)), Answer(Text(json.dumps(answer))))
    assert ask.call(response_model=Book) == Book(title="Emma", pages=400)
    config = ask.sent["toolConfig"]["functionCallingConfig"]
    assert sorted(map(str, config.values())) == ["ANY", "['Book']"]
    assert ask.call(response_model=Book, json_mode=True) == Book(title="Emma", pages=400)
    config = ask.sent["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert set(config["responseJsonSchema"]["properties"]) == {"title", "pages"}
    assert "tools" not in ask.sent


def test_arguments_that_come_value_by_value_grow(ask: Google) -> None:
    """Only Vertex AI streams arguments; v1 refused to stream a response model outside of JSON mode."""
    calls = ToolCalls(ToolCall("Book", {"title": "Emma", "pages": 400}, chunks=2), shape="by_path")
    ask.server.reply(Answer(calls), Answer(calls))
    books = ask.consume(ask.call(stream=True, response_model=Book))
    titles = [book.title for book in books]
    assert titles == sorted(titles, key=lambda title: len(title or ""))
    assert list(dict.fromkeys(titles)) == ["Em", "Emma"]
    assert books[-1] == Book(title="Emma", pages=400)
    partial = ask.call(stream={"partial_tools": True}, tools=[Book])
    tools = [tool for _, tool in ask.consume(partial) if tool]
    assert tools[-1].args == {"title": "Emma", "pages": 400}
    assert [tool.delta is None for tool in tools][-2:] == [False, True]
    assert len({str(tool.args) for tool in tools}) > 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_blocked_prompt_is_no_ordinary_end(ask: Google, stream: bool) -> None:
    ask.server.reply(*[Answer(Blocked(message="No."), usage=Usage(7, 0))] * 2)
    answer = ask.call(stream=stream)
    if stream:
        ask.consume(answer)
        answer = answer.construct_call_response()
    assert (answer.content, answer.finish_reasons) == ("", ["PROHIBITED_CONTENT"])
    assert answer.common_finish_reasons == ["content_filter"]
    assert answer.input_tokens == 7
    with pytest.raises(errors.ResponseModelError, match=r"the prompt was blocked: PROHIBITED_CONTENT \(No\.\)"):
        found = ask.call(response_model=Book, stream=stream)
        ask.consume(found)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_malformed_call_is_neither_run_nor_an_ordinary_end(ask: Google, stream: bool) -> None:
    def shelve(place: str) -> str:
        """Shelve."""
        return place

    malformed = Answer(
        ToolCall("shelve", {"place": "hall"}), finish="MALFORMED_FUNCTION_CALL", finish_message="Malformed: shelve("
    )
    ask.server.reply(malformed, malformed)
    answer = ask.call(stream=stream, tools=[shelve])
    if stream:
        with pytest.raises(errors.ToolArgumentsError, match="MALFORMED_FUNCTION_CALL"):
            ask.consume(answer)
        answer = answer.construct_call_response()
    assert answer.finish_reasons == ["MALFORMED_FUNCTION_CALL"]
    assert answer.common_finish_reasons is None
    with pytest.raises(errors.ToolArgumentsError, match=r"'shelve'.*MALFORMED_FUNCTION_CALL"):
        _ = answer.tools
    # The SDK drops the message of a whole answer of the Gemini API.
    message = r"MALFORMED_FUNCTION_CALL: Malformed: shelve\(" if stream else "MALFORMED_FUNCTION_CALL"
    with pytest.raises(errors.ResponseModelError, match=message):
        found = ask.call(response_model=Book, stream=stream)
        ask.consume(found)


def test_signatures_go_back_on_their_own_parts_and_only_to_their_model(ask: Google) -> None:
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"fine in {city}"

    calls = ToolCalls(
        ToolCall("weather", {"city": "Oslo"}, "c1", signature="c2lnMQ=="),
        ToolCall("weather", {"city": "Rome"}, "c2"),
    )
    ask.server.reply(Answer(Reasoning("Two cities."), calls), "Fine.", "Fine.")
    stream = ask.call("Weather?", stream=True, tools=[weather])
    outputs = [(tool, tool.call()) for _, tool in ask.consume(stream) if tool]
    history = [Messages.User("Weather?"), stream.message_param, *stream.tool_message_params(outputs)]
    ask.call({"messages": history}, tools=[weather])
    asked = ask.sent["contents"][1]
    assert asked["role"] == "model"
    signed = [part.get("thoughtSignature") for part in asked["parts"] if "functionCall" in part]
    assert signed == ["c2lnMQ==", None]
    assert [part["functionResponse"]["id"] for part in ask.sent["contents"][2]["parts"]] == ["c1", "c2"]
    common = stream.construct_call_response().common_message_param
    ask.call({"messages": [Messages.User("Weather?"), common]}, model="gemini-2.5-pro", tools=[weather])
    assert "c2lnMQ" not in json.dumps(ask.sent)


def test_reasoning_counts_as_output(ask: Google) -> None:
    ask.server.reply(Answer("Hello", usage=Usage(219, 171, reasoning=167)))
    response = ask.call()
    assert response.usage.candidates_token_count == 4
    assert (response.output_tokens, response.common_usage.total_tokens) == (171, 390)
    assert [item.count for item in response.cost_details.items] == [219, 171]


UNKNOWN = {
    "candidates": [
        {
            "content": {"parts": [{"text": "Hello", "aura": 1}], "role": "model"},
            "finishReason": "NEW_REASON",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 3,
        "candidatesTokenCount": 1,
        "serviceTier": "STANDARD",
        "promptTokensDetails": [{"modality": 1, "tokenCount": 3}, {"modality": 99, "tokenCount": 0}],
    },
    "modelVersion": MODEL,
    "news": {"a": [1]},
}


def test_what_the_sdk_does_not_know_is_kept_beside(ask: Google) -> None:
    event = b"data: " + json.dumps(UNKNOWN).encode() + b"\r\n\r\n"
    ask.server.reply(Replay(event))
    stream = ask.call(stream=True)
    ((chunk, _),) = ask.consume(stream)
    assert (chunk.content, chunk.finish_reasons, stream.finish_reasons) == ("Hello", ["NEW_REASON"], ["NEW_REASON"])
    response = stream.construct_call_response()
    assert (response.content, response.common_finish_reasons) == ("Hello", None)
    assert [detail.modality for detail in stream.usage.prompt_tokens_details] == ["TEXT", "99"]
    assert json.loads(response.response.sdk_http_response.body)["news"] == {"a": [1]}
    assert json.loads(chunk.chunk.sdk_http_response.body) == UNKNOWN


def test_a_json_array_is_read_like_events(ask: Google) -> None:
    """The SDK itself refuses it."""
    end: dict[str, Any] = {"candidates": [{"finishReason": "STOP", "index": 0}]}
    texts = [
        {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}]}
        for text in ("one ", "two")
    ]
    body = json.dumps([*texts, end], indent=2).encode()
    ask.server.reply(Replay(body, content_type="application/json; charset=UTF-8"))
    stream = ask.call(stream=True)
    assert [chunk.content for chunk, _ in ask.consume(stream)] == ["one ", "two", ""]


def test_numbers_in_place_of_words_are_read(ask: Google) -> None:
    """Old versions of Vertex AI sent them; Google's SDK fails on them."""
    pytest.importorskip("google.genai", minversion="3")  # older ones raise a ValidationError, which is kept
    content = {"role": "model", "parts": [{"text": "Hello"}]}
    ask.server.reply(Body({"candidates": [{"content": content, "finishReason": 1}]}))
    response = ask.call()
    assert (response.content, response.finish_reasons) == ("Hello", ["STOP"])


def test_a_body_that_is_no_response_is_shown(ask: Google) -> None:
    ask.server.reply(Body({"no": "answer"}))
    with pytest.raises(errors.APIError, match=r'it is {"no":"answer"}'):
        ask.call()


def test_silence_is_a_timeout(ask: Google) -> None:
    ask.server.reply(Stall(Answer(Text("Hello", ["Hel", "lo"])), after=1))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        ask.consume(ask.call(stream=True, call_params={"timeout": 0.2}))
    assert isinstance(caught.value, errors.APITimeoutError)


# ---- Vertex AI, and v1's other names


@pytest.mark.parametrize("how", ["client", "environment"])
def test_vertex_ai_is_called_by_its_clients_and_by_the_environment(
    ask: Google, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = ask.server.base_url("vertex")
    ask.server.reply(Answer("Hello", usage=Usage(9, 3)), Answer("Hello", usage=Usage(9, 3)))
    options: dict[str, Any] = {}
    if how == "client":
        options["client"] = ask.client(vertexai=True)
    else:
        monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
        monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", url)
    image = {"type": "image_url", "url": "https://example.com/cat.png", "detail": None}
    message = BaseMessageParam.model_validate({"role": "user", "content": [image]})
    response = ask.call([message], **options)
    assert response.provider == "google"
    assert "/publishers/google/models/" in ask.server.requests[-1].path
    # It reads media itself.
    (part,) = ask.sent["contents"][0]["parts"]
    assert "https://example.com/cat.png" in next(iter(part.values())).values()
    assert response.cost_metadata.google.use_vertex_ai is True
    stream = ask.call(stream=True, **options)
    ask.consume(stream)
    assert stream.content == "Hello"
    if how == "client":
        ask.close(options["client"])


@pytest.mark.parametrize(
    ("project", "message"),
    [(None, "GOOGLE_VERTEX_BASE_URL is set, but neither"), ("library", "default credentials were not found")],
    ids=["nothing", "project"],
)
def test_a_server_in_place_of_vertex_ai_needs_a_key_or_credentials(
    ask: Google, project: str | None, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))  # no credentials of this machine
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", ask.server.base_url("vertex"))
    if project:
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    before = len(ask.server.requests)
    with pytest.raises(errors.MissingApiKeyError, match=message):
        ask.call()
    assert len(ask.server.requests) == before


@pytest.mark.parametrize("name", ["gemini", "vertex"])
def test_v1s_other_names_warn_and_work(ask: Google, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [one for one in sys.modules if one.startswith(f"ferroscope.core.{name}")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.warns(
        DeprecationWarning, match=rf"`ferroscope\.core\.{name}` is deprecated.*`ferroscope\.core\.google`"
    ):
        module = importlib.import_module(f"ferroscope.core.{name}")
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", ask.server.base_url("vertex"))
    ask.server.reply(Answer("Hello", usage=Usage(1000, 100)), Answer(ToolCall("Book", {"title": "Emma"})))
    params = {"generation_config": {"temperature": 0.5}, "request_options": {"timeout": 9}}
    response = ask.call(module=module, call_params=params)
    assert (response.content, response.provider, type(response).__module__) == (
        "Hello",
        name,
        f"ferroscope.core.{name}.call_response",
    )
    assert ask.sent["generationConfig"]["temperature"] == 0.5
    assert ("/publishers/" in ask.server.requests[-1].path) is (name == "vertex")
    assert response.cost is not None
    assert ask.call(module=module, response_model=Book) == Book(title="Emma")
