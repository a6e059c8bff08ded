"""Bedrock's Converse beyond what all providers share: clients, raw frames, reasoning, media, errors."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors, llm
from ferroscope.core.base import (
    BaseMessageParam,
    CacheControlPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    Messages,
    TextPart,
)
from ferroscope.testing import (
    Answer,
    Blocked,
    Body,
    EncryptedReasoning,
    Exchange,
    Piece,
    ProviderServer,
    Reasoning,
    Response,
    Stall,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
)

from .conftest import ROWS, Caller, Row

boto3 = pytest.importorskip("boto3")
pytest.importorskip("aiobotocore")

from botocore import exceptions  # noqa: E402
from botocore.config import Config  # noqa: E402

from ferroscope.core import bedrock  # noqa: E402

ROW = next(row for row in ROWS if row.name == "bedrock")
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "region_name": "us-east-1"}
NOVA = "amazon.nova-lite-v1:0"
PNG = b"\x89PNG\r\n\x1a\n"
# Older ones know neither reasoning nor cache points.
NEEDS_CURRENT_SDK = pytest.mark.skipif(
    tuple(map(int, boto3.__version__.split(".")[:2])) < (1, 42), reason="the SDK is older than what is sent"
)


def add(a: int, b: int = 2) -> str:
    """Adds two numbers."""
    return str(a + b)


class Book(BaseModel):
    """A book."""

    title: str


@pytest.fixture(params=[ROW], ids=["bedrock"])
def row(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Row:
    for name, value in ROW.environment.items():
        monkeypatch.setenv(name, value.format(url=server.base_url("bedrock")))
    return ROW


@asynccontextmanager
async def async_client(server: ProviderServer, **config: Any) -> AsyncIterator[Any]:
    """A client of aiobotocore, as a program makes it."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    options: dict[str, Any] = {"endpoint_url": server.base_url("bedrock"), "config": AioConfig(**config)}
    async with get_session().create_client("bedrock-runtime", **options, **KEYS) as client:
        yield client


def with_client(caller: Caller, use: Callable[[Any], Any], **config: Any) -> Any:
    """What a function makes of a client that a program has made; the function may return a coroutine."""
    if caller.kind == "sync":
        options: dict[str, Any] = {"endpoint_url": caller.server.base_url("bedrock"), "config": Config(**config)}
        client = boto3.client("bedrock-runtime", **options, **KEYS)
        try:
            return use(client)
        finally:
            client.close()

    async def main() -> Any:
        async with async_client(caller.server, **config) as client:
            return await use(client)

    return caller.await_(main())


def call_with(caller: Caller, client: Any, **options: Any) -> Any:
    """One call with a client, its stream collected; a coroutine if the caller is async."""
    decorator = bedrock.call(caller.row.model, client=client, **options)
    if caller.kind == "sync":
        result = decorator(lambda: "Hi")()
        return result.collect() if options.get("stream") else result

    async def prompt() -> str:
        return "Hi"

    async def run() -> Any:
        result = await decorator(prompt)()
        return await result.acollect() if options.get("stream") else result

    return run()


# -- clients ---------------------------------------------------------------------------------------------------


def test_the_package_loads_no_sdk() -> None:
    program = (
        "import sys, ferroscope.core.bedrock\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(found & {'boto3', 'botocore', 'aiobotocore', 'mypy_boto3_bedrock_runtime'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_of_ones_own_is_called(caller: Caller, stream: bool) -> None:
    caller.server.reply("Hello")
    assert with_client(caller, lambda client: call_with(caller, client, stream=stream)).content == "Hello"


def test_one_client_reads_the_bytes_of_streams_after_plain_calls(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.eventstream import EventStream

    monkeypatch.delattr(EventStream, "__iter__")  # the objects are not read
    caller.server.reply("one", Answer("two"), "three")
    assert [caller.call().content, caller.stream().content, caller.call().content] == ["one", "two", "three"]


def test_the_region_is_the_first_that_is_set(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for name, value in (("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_REGION", "eu-west-2"), ("AWS_REGION_NAME", "x-1")):
        monkeypatch.delenv("AWS_REGION", raising=False)
        monkeypatch.setenv(name, value)
        caller.server.reply("Hello")
        caller.call()
        seen.append(caller.server.requests[-1].headers["authorization"].split("/")[2])
    assert seen == ["eu-west-1", "eu-west-2", "x-1"]


def test_no_region_is_an_error_that_names_the_variable(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(exceptions.NoRegionError) as caught:
        caller.call()
    assert "AWS_REGION" in caught.value.__notes__[0]


def test_no_credentials_are_a_missing_key(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(errors.MissingApiKeyError) as caught:
        caller.call()
    assert isinstance(caught.value, exceptions.NoCredentialsError)


def test_a_client_that_was_not_entered_is_named(server: ProviderServer) -> None:
    async def prompt() -> str:
        return "Hi"

    async def main() -> None:
        from aiobotocore.session import get_session

        context = get_session().create_client("bedrock-runtime", **KEYS)
        try:
            with pytest.raises(errors.ClientError, match="ClientCreatorContext cannot call 'bedrock'"):
                await bedrock.call(NOVA, client=context)(prompt)()
        finally:
            async with context:
                pass

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_many_first_calls_make_one_client(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferroscope._dialects.bedrock_converse import clients

    made = []
    usual = clients._async_session
    monkeypatch.setattr(clients, "_async_session", lambda: (made.append(1), usual())[1])
    caller.server.reply_always("Hello")

    async def prompt() -> str:
        return "Hi"

    async def main() -> list[str]:
        call = bedrock.call(caller.row.model)(prompt)
        cancelled = asyncio.create_task(call())
        await asyncio.sleep(0)
        cancelled.cancel()
        return [response.content for response in await asyncio.gather(*(call() for _ in range(5)))]

    assert caller.await_(main()) == ["Hello"] * 5
    assert made == [1]
    caller.server.reply_always(None)


@pytest.mark.parametrize("params", [{"timeout": 1}, {"extra_headers": {"x": "y"}}], ids=["timeout", "headers"])
def test_parameters_that_a_client_has_are_named(caller: Caller, params: dict[str, Any]) -> None:
    with pytest.raises(exceptions.ParamValidationError, match=f'Unknown parameter in input: "{next(iter(params))}"'):
        caller.call(call_params=params)


def test_silence_is_a_timeout_of_the_client(caller: Caller) -> None:
    caller.server.reply(Stall(Answer(Text("Hello", ["Hel", "lo"])), after=2))
    config = {"read_timeout": 0.2, "retries": {"total_max_attempts": 1}}
    with pytest.raises(errors.StreamInterruptedError) as caught:
        with_client(caller, lambda client: call_with(caller, client, stream=True), **config)
    assert isinstance(caught.value, exceptions.ReadTimeoutError)
    assert caught.value.partial.content == "Hel"


# -- errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "ThrottlingException", errors.RateLimitError),
        (400, "ServiceQuotaExceededException", errors.RateLimitError),
        (400, "ValidationException", errors.BadRequestError),
        (403, "AccessDeniedException", errors.PermissionDeniedError),
        (403, "ExpiredTokenException", errors.AuthenticationError),
        (403, "UnrecognizedClientException", errors.AuthenticationError),
        (404, "ResourceNotFoundException", errors.NotFoundError),
        (503, "ServiceUnavailableException", errors.InternalServerError),
    ],
)
def test_errors_of_the_service_are_in_both_trees(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, status: int, code: str, kind: type[Exception], stream: bool
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"{code}-{stream}")  # another client, which reads the variable above
    caller.server.reply(Status(status, "No.", type=code))
    with pytest.raises(kind) as caught:
        caller.stream() if stream else caller.call()
    error: Any = caught.value
    assert isinstance(error, exceptions.ClientError)
    assert (error.status_code, error.response["Error"]) == (status, {"Message": "No.", "Code": code})


def test_the_clients_own_exceptions_catch(caller: Caller) -> None:
    caller.server.reply(Status(429, "Slow down."))

    def sync(client: Any) -> None:
        with pytest.raises(client.exceptions.ThrottlingException) as caught:
            call_with(caller, client)
        assert isinstance(caught.value, errors.RateLimitError)

    async def asynchronous(client: Any) -> None:
        with pytest.raises(client.exceptions.ThrottlingException) as caught:
            await call_with(caller, client)
        assert isinstance(caught.value, errors.RateLimitError)

    with_client(caller, sync if caller.kind == "sync" else asynchronous, retries={"total_max_attempts": 1})


def test_an_address_without_a_server_is_a_connection_error(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(errors.APIConnectionError) as caught:
        caller.call()
    assert isinstance(caught.value, exceptions.EndpointConnectionError)


@pytest.mark.parametrize("objects", [False, True], ids=["bytes", "objects"])
def test_an_exception_frame_is_an_error_that_names_it(
    caller: Caller, objects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if objects:
        monkeypatch.setattr("ferroscope._engine.source.is_untouched", lambda *_: False)
    caller.server.reply(StreamError(Answer("Hello there"), after=2, type="throttlingException", message="Too many"))
    with pytest.raises(errors.ProviderStreamError, match="throttlingException") as caught:
        caller.stream()
    error: Any = caught.value
    assert isinstance(error, exceptions.EventStreamError)
    assert error.response["Error"] == {"Code": "throttlingException", "Message": "Too many"}
    assert error.partial.content == "Hello "


@dataclass(frozen=True)
class Changed:
    """An answer whose bytes are changed on their way, all in one piece."""

    text: str
    change: Callable[[bytes], bytes]

    def respond(self, exchange: Exchange) -> Response:
        response = Answer(self.text).respond(exchange)
        return replace(response, pieces=(Piece(self.change(response.body)),))


def flipped(body: bytes) -> bytes:
    place = body.index(b"there")
    return body[:place] + b"T" + body[place + 1 :]


@pytest.mark.parametrize(
    ("change", "says"),
    [(flipped, "message checksum mismatch"), (lambda body: body[:-20], "ended inside a message")],
    ids=["a changed byte", "a cut frame"],
)
def test_a_broken_frame_is_named_and_what_came_is_kept(
    caller: Caller, change: Callable[[bytes], bytes], says: str
) -> None:
    caller.server.reply(Changed("Hello there", change))
    with pytest.raises(errors.StreamError, match=says) as caught:
        caller.stream()
    assert caught.value.partial is not None
    assert "Hello there".startswith(caught.value.partial.content)
    assert caught.value.partial.content


# -- responses -------------------------------------------------------------------------------------------------


def test_ids_and_models_come_from_the_request(caller: Caller) -> None:
    caller.server.reply(Answer("Hello", usage=Usage(9, 3)), Answer("Hello", usage=Usage(9, 3)))
    whole = caller.call()
    stream = caller.call(stream=True)
    chunks = [chunk for chunk, _ in caller.consume(stream)]
    built = stream.construct_call_response()
    numbers = [f"req_{request.number}" for request in caller.server.requests[-2:]]
    assert [whole.id, stream.id, built.id, chunks[0].id] == [numbers[0], *[numbers[1]] * 3]
    assert {whole.model, stream.model, built.model, chunks[-1].model} == {ROW.model}
    assert chunks[0].chunk["responseMetadata"] == built.response["ResponseMetadata"]
    plain = [{**response.response, "ResponseMetadata": None} for response in (whole, built)]
    assert plain[0] == plain[1]


def test_a_replayed_stream_has_the_same_chunks(caller: Caller) -> None:
    caller.server.reply("Hello")
    stream = caller.call(stream={"replay": True})
    first, again = ([chunk.chunk for chunk, _ in caller.consume(stream)] for _ in range(2))
    assert again == first
    assert stream.id


def test_the_model_that_a_prompt_router_chose(caller: Caller) -> None:
    pytest.importorskip("botocore", minversion="1.36")  # older ones drop the member
    trace = {"trace": {"promptRouter": {"invokedModelId": NOVA}}}
    answer = Answer("Hello", usage=Usage(9, 3), extra=trace)
    caller.server.reply(answer, answer)
    assert [caller.call().model, caller.stream().construct_call_response().model] == [NOVA, NOVA]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_counts_that_the_sdk_does_not_know_are_kept(caller: Caller, stream: bool) -> None:
    extra = {"usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8, "newTokens": 7}}
    caller.server.reply(Answer("Hello", usage=None, extra=extra))
    response = caller.stream().construct_call_response() if stream else caller.call()
    assert response.usage["newTokens"] == 7
    assert (response.input_tokens, response.output_tokens) == (5, 3)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered", "malformed_tool_use"])
def test_a_blocked_or_malformed_response_is_no_runnable_call(caller: Caller, reason: str, stream: bool) -> None:
    caller.server.reply(Answer("Hel", ToolCall("add", {"a": 1}, "t1"), finish=reason))
    common = None if reason.startswith("malformed") else ["content_filter"]
    if not stream:
        response = caller.call(tools=[add])
        assert (response.finish_reasons, response.common_finish_reasons) == ([reason], common)
        with pytest.raises(errors.ToolArgumentsError, match=reason):
            _ = response.tools
        return
    made = caller.call(tools=[add], stream=True)
    given = []

    def sync() -> None:
        given.extend(tool for _, tool in made if tool)

    async def asynchronous() -> None:
        given.extend([tool async for _, tool in made if tool])

    with pytest.raises(errors.ToolArgumentsError, match=reason):
        caller.run(sync, asynchronous)
    assert (made.finish_reasons, made.content) == ([reason], "Hel")
    assert made.construct_call_response().common_finish_reasons == common


def test_a_guardrail_is_an_error_of_extraction(caller: Caller) -> None:
    caller.server.reply(Answer(Blocked(message="Sorry, no."), usage=Usage(9, 3)))
    with pytest.raises(errors.ResponseModelError, match=r"^Sorry, no\.$"):
        caller.call(response_model=Book)


def test_parallel_calls_are_told_apart_by_their_blocks(caller: Caller) -> None:
    calls = ToolCalls(ToolCall("add", {"a": 1}, "t1"), ToolCall("add", {"a": 5}, "t2"), shape="interleaved")
    caller.server.reply(Answer(calls), "Done.")
    stream = caller.call("Add", stream=True, tools=[add])
    tools = [tool for _, tool in caller.consume(stream) if tool]
    assert [(tool.id, tool.args) for tool in tools] == [("t1", {"a": 1, "b": 2}), ("t2", {"a": 5, "b": 2})]
    results = stream.tool_message_params([(tool, tool.call()) for tool in tools])
    assert [len(message["content"]) for message in results] == [2]  # the API takes them in one message
    caller.call(lambda: [Messages.User("Add"), stream.message_param, *results], tools=[add])
    sent = caller.server.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]


# -- reasoning -------------------------------------------------------------------------------------------------

THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "S"}}}
SECRET = {"reasoningContent": {"redactedContent": base64.b64encode(b"x").decode()}}
USE = {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"a": 1}}}


@NEEDS_CURRENT_SDK
@pytest.mark.parametrize("by", ["core", "common", "llm"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_reasoning_goes_back_to_its_model_alone(caller: Caller, stream: bool, by: str) -> None:
    redacted = EncryptedReasoning(SECRET["reasoningContent"]["redactedContent"])
    answer = Answer(Reasoning("Hm.", signature="S"), redacted, "ok", ToolCall("add", {"a": 1}, "t1"))
    caller.server.reply(answer, "3", "3")
    response = caller.stream(tools=[add]).construct_call_response() if stream else caller.call(tools=[add])
    assert (response.thinking, response.signature) == ("Hm.", "S")
    message = response.message_param if by == "core" else response.common_message_param
    result = response.tool_message_params([(response.tool, "3")])
    history = [Messages.User("Add"), message, *result]
    caller.call(lambda: history, tools=[add])
    sent = caller.server.requests[-1].json["messages"][1]["content"]
    assert sent == [THOUGHT, SECRET, {"text": "ok"}, USE]
    if by == "llm":
        history = [BaseMessageParam.model_validate_json(one.model_dump_json()) for one in history[:2]] + history[2:]
    if by != "core":
        replace(caller, row=replace(caller.row, model=NOVA)).call(lambda: history, tools=[add])
        assert caller.server.requests[-1].json["messages"][1]["content"] == [{"text": "ok"}, USE]


@NEEDS_CURRENT_SDK
def test_reasoning_without_a_signature_does_not_go_back(caller: Caller) -> None:
    caller.server.reply(Answer(Reasoning("Hm."), "ok"), "fine")
    response = caller.call()
    assert response.thinking == "Hm."
    caller.call(lambda: [Messages.User("Hi"), response.message_param, Messages.User("And?")])
    assert caller.server.requests[-1].json["messages"][1]["content"] == [{"text": "ok"}]


@NEEDS_CURRENT_SDK
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_reasoning_model_is_not_forced(caller: Caller, stream: bool) -> None:
    caller.server.reply(Answer(Reasoning("Hm.", signature="S"), json.dumps({"title": "Emma"})))
    params = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
    found = caller.call("?", response_model=Book, call_params=params, stream=stream)
    if stream:
        found = caller.consume(found)[-1]
    assert found == Book(title="Emma")
    body = caller.server.requests[-1].json
    assert "toolConfig" not in body
    assert "JSON dict" in body["messages"][-1]["content"][-1]["text"]


# -- requests --------------------------------------------------------------------------------------------------


@NEEDS_CURRENT_SDK
def test_a_request_in_full(caller: Caller) -> None:
    """System prompts, cache points, media and parameters, with the tool that a response model becomes."""
    caller.server.reply(Answer(ToolCall("Book", {"title": "Emma"})))
    video = {"video": {"format": "mp4", "source": {"bytes": b"mp4"}}}
    messages = [
        Messages.System("Be brief."),
        BaseMessageParam(
            role="user",
            content=[
                TextPart(type="text", text="Look"),
                ImagePart(type="image", media_type="image/png", image=PNG, detail=None),
                ImageURLPart(type="image_url", url="s3://bucket/cat.png", detail=None),
                DocumentURLPart(type="document_url", url="s3://bucket/book.pdf"),
                CacheControlPart(type="cache_control", cache_type="ephemeral"),
            ],
        ),
        {"role": "assistant", "content": [{"text": "And?"}]},
        {"role": "user", "content": [video, {"text": "Go"}]},
    ]
    guard = {"guardrailIdentifier": "abcdefgh", "guardrailVersion": "1"}
    params = {
        "system": [{"text": "You are a librarian."}, {"cachePoint": {"type": "default"}}],
        "guardrailConfig": guard,
        "serviceTier": {"type": "flex"},
        "inferenceConfig": {"temperature": 0.5},
        "max_tokens": 5,
        "stop": "x",
        "seed": 1,
    }
    assert caller.call(lambda: messages, response_model=Book, call_params=params) == Book(title="Emma")
    body = caller.server.requests[-1].json
    assert body["system"] == [*params["system"], {"text": "Be brief."}]
    assert body["inferenceConfig"] == {"temperature": 0.5, "maxTokens": 5, "stopSequences": ["x"]}
    assert (body["guardrailConfig"], body["serviceTier"]) == (guard, {"type": "flex"})
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"text": "Look"},
                {"image": {"format": "png", "source": {"bytes": base64.b64encode(PNG).decode()}}},
                {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/cat.png"}}}},
                {
                    "document": {
                        "format": "pdf",
                        "name": "document-1",
                        "source": {"s3Location": {"uri": "s3://bucket/book.pdf"}},
                    }
                },
                {"cachePoint": {"type": "default"}},
            ],
        },
        {"role": "assistant", "content": [{"text": "And?"}]},
        {
            "role": "user",
            "content": [
                {"video": {"format": "mp4", "source": {"bytes": base64.b64encode(b"mp4").decode()}}},
                {"text": "Go"},
            ],
        },
    ]
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "Book"}}
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["Book"]


def test_single_members_of_the_configuration_are_replaced(caller: Caller) -> None:
    caller.server.reply("ok")
    config = {"messages": [Messages.User("Hi")], "call_params": {"inferenceConfig": {"temperature": 0.9}}}
    caller.call(lambda: config, call_params={"temperature": 0.1, "max_tokens": 5})
    assert caller.server.requests[-1].json["inferenceConfig"] == {"temperature": 0.9, "maxTokens": 5}


def test_a_history_with_tools_goes_on_without_tools(caller: Caller) -> None:
    caller.server.reply("ok")
    result = {"toolResult": {"toolUseId": "t1", "content": [{"text": "3"}]}}
    history = [Messages.User("Hi"), {"role": "assistant", "content": [USE]}, {"role": "user", "content": [result]}]
    caller.call(lambda: history)
    names = [tool["toolSpec"]["name"] for tool in caller.server.requests[-1].json["toolConfig"]["tools"]]
    assert names == ["add"]


def test_what_the_sdk_does_not_know_is_left_out_of_the_models_messages(caller: Caller) -> None:
    caller.server.reply("ok")
    unknown = {"blockOfTomorrow": {"text": "Hm."}}
    use = {"toolUseId": "t1", "name": "add", "input": {"a": {"any": ["JSON"]}}}
    answer = [unknown, {"text": "Yes?"}, {"toolUse": {**use, "memberOfTomorrow": 1}}]
    history = [Messages.User("Hi"), {"role": "assistant", "content": answer}, Messages.User("Go")]
    caller.call(lambda: history)
    assert caller.server.requests[-1].json["messages"][1]["content"] == [{"text": "Yes?"}, {"toolUse": use}]
    with pytest.raises(exceptions.ParamValidationError, match="blockOfTomorrow"):
        caller.call(lambda: [{"role": "user", "content": [unknown]}])


def test_prices_know_the_tier_and_the_cache(caller: Caller) -> None:
    caller.server.reply(Answer("Hello", usage=Usage(1000, 100, cached=400)), Answer("Hello", usage=Usage(1000, 100)))
    cached, plain = caller.call(), caller.stream()
    assert cached.cost is not None
    assert plain.cost is not None
    assert (cached.input_tokens, cached.cached_tokens) == (600, 400)
    assert cached.cost < plain.cost


def test_llm_calls_it_by_name(row: Row, server: ProviderServer) -> None:
    server.reply("Hello")
    response = llm.call(f"bedrock/{row.model}")(lambda: "Hi")()
    assert (response.content, response.provider, response.finish_reasons) == ("Hello", "bedrock", ["stop"])


def test_a_body_that_is_an_object_but_no_response(caller: Caller) -> None:
    caller.server.reply(Body({"hello": "there"}))
    with pytest.raises(errors.APIError, match="the body is not a response; it begins with") as caught:
        caller.call()
    assert f"'{{\"hello\": \"there\"}}'; provider 'bedrock', model '{ROW.model}'" in str(caught.value)
