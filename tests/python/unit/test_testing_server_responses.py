"""The wire of OpenAI's Responses API on the loopback server, read by the real openai SDK and as raw bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from ferroscope._core import StreamDecoder
from ferroscope.testing import (
    Answer,
    Blocked,
    Body,
    Citation,
    Cut,
    EncryptedReasoning,
    Garbage,
    Json,
    Media,
    ProviderServer,
    Reasoning,
    Refusal,
    Replay,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    Usage,
)

pytest.importorskip("openai", minversion="2.0")

from openai.types.responses import Response

CORPUS = Path(__file__).parents[2] / "corpus" / "openai_responses"
ASKED: dict[str, Any] = {"model": "gpt-5.5", "input": "Hi"}
ENCRYPTED: dict[str, Any] = {**ASKED, "include": ["reasoning.encrypted_content"]}
Read = Callable[..., Response]


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running: ProviderServer) -> ProviderServer:
    running.forget()
    return running


def client(server: ProviderServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url("openai"), api_key="sk-secret", max_retries=0)


def whole(server: ProviderServer, **asked: Any) -> Response:
    with client(server) as sdk:
        return sdk.responses.create(**{**ASKED, **asked})


def streamed(server: ProviderServer, **asked: Any) -> Response:
    """Return what the SDK's accumulator makes of the stream."""
    with client(server) as sdk, sdk.responses.stream(**{**ASKED, **asked}) as stream:
        return stream.get_final_response()


def async_whole(server: ProviderServer, **asked: Any) -> Response:
    async def run() -> Response:
        async with openai.AsyncOpenAI(base_url=server.base_url("openai"), api_key="x", max_retries=0) as sdk:
            return await sdk.responses.create(**{**ASKED, **asked})

    return asyncio.run(run())


def async_streamed(server: ProviderServer, **asked: Any) -> Response:
    async def run() -> Response:
        sdk = openai.AsyncOpenAI(base_url=server.base_url("openai"), api_key="x", max_retries=0)
        async with sdk, sdk.responses.stream(**{**ASKED, **asked}) as stream:
            return await stream.get_final_response()

    return asyncio.run(run())


def last_event(server: ProviderServer, **asked: Any) -> Response:
    """Return the response of the last event; the accumulator knows no other ending than `completed`."""
    with client(server) as sdk:
        *_, last = sdk.responses.create(**{**ASKED, **asked}, stream=True)
    response: Response = last.response  # type: ignore[union-attr]
    return response


READ = pytest.mark.parametrize("read", [whole, streamed, async_whole, async_streamed])


def raw_stream(server: ProviderServer, **asked: Any) -> bytes:
    with client(server) as sdk:
        stream = sdk.responses.create(**{**ASKED, **asked}, stream=True)
        return b"".join(stream.response.iter_bytes())


def events(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


def output(response: Response) -> list[dict[str, Any]]:
    dumped: list[dict[str, Any]] = response.to_dict(mode="json")["output"]  # type: ignore[assignment]
    for item in dumped:
        item.pop("parsed_arguments", None)
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return dumped


EVERYTHING = Answer(
    Reasoning("Hm. Yes.", signature="c2ln"),
    Text("It is Oslo, yes.", chunks=["It is ", "Oslo, yes."]),
    Citation("Oslo", "https://a.example/", "A"),
    EncryptedReasoning("ZW5j"),
    ToolCalls(ToolCall("weather", {"city": "Oslo"}, chunks=2), ToolCall("now", None, id="n1")),
    Media(b"png"),
    usage=Usage(100, 30, cached=40, reasoning=9),
)


def items() -> list[dict[str, Any]]:
    cited = {
        "type": "url_citation",
        "start_index": 6,
        "end_index": 10,
        "url": "https://a.example/",
        "title": "A",
    }
    call = {"type": "function_call", "status": "completed"}
    return [
        {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm. Yes."}],
            "encrypted_content": "c2ln",
        },
        {
            "id": "msg_2",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "annotations": [cited], "logprobs": [], "text": "It is Oslo, yes."}],
        },
        {"id": "rs_3", "type": "reasoning", "summary": [], "encrypted_content": "ZW5j"},
        {**call, "id": "fc_4", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Oslo"}'},
        {**call, "id": "fc_5", "call_id": "n1", "name": "now", "arguments": ""},
        {"id": "ig_6", "type": "image_generation_call", "status": "completed", "result": "cG5n"},
    ]


@READ
def test_an_answer_in_full(server: ProviderServer, read: Read) -> None:
    server.reply(EVERYTHING)
    response = read(server, include=["reasoning.encrypted_content"])
    number = server.requests[-1].number
    assert response.id == f"resp_{number}"
    assert (response.status, response.model, response.error) == ("completed", "gpt-5.5", None)
    assert output(response) == items()
    assert response.usage is not None
    assert response.usage.to_dict() == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 0},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 9},
        "total_tokens": 130,
    }


@READ
def test_reasoning_is_encrypted_only_for_those_who_ask(server: ProviderServer, read: Read) -> None:
    server.reply(EVERYTHING)
    assert all("encrypted_content" not in item for item in output(read(server)))


def test_a_stream_event_by_event(server: ProviderServer) -> None:
    server.reply(Answer(Text("Hi, you", chunks=["Hi, ", "you"]), usage=None))
    found = events(raw_stream(server))
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    at = {"item_id": "msg_1", "output_index": 0}
    in_part = {**at, "content_index": 0}
    response, item, part = found[0]["response"], found[2]["item"], found[3]["part"]
    message = {**item, "status": "completed", "content": [{**part, "text": "Hi, you"}]}
    assert response["output"] == []
    assert (item["id"], item["status"], item["content"]) == (at["item_id"], "in_progress", [])
    expected: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.in_progress", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **in_part, "part": part},
        {"type": "response.output_text.delta", **in_part, "delta": "Hi, ", "logprobs": []},
        {"type": "response.output_text.delta", **in_part, "delta": "you", "logprobs": []},
        {"type": "response.output_text.done", **in_part, "text": "Hi, you", "logprobs": []},
        {"type": "response.content_part.done", **in_part, "part": {**part, "text": "Hi, you"}},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": {**response, "status": "completed", "output": [message]}},
    ]
    for event in found:
        event.pop("obfuscation", None)
    assert found == [{**event, "sequence_number": number} for number, event in enumerate(expected)]


def test_deltas_are_padded_unless_the_client_asks_otherwise(server: ProviderServer) -> None:
    server.reply("Hello there", "Hello there")
    assert raw_stream(server).count(b'"obfuscation":"') == 2
    assert b"obfuscation" not in raw_stream(server, stream_options={"include_obfuscation": False})


SHAPES: list[ToolCallShape] = ["sequential", "interleaved", "together", "whole"]


@pytest.mark.parametrize("shape", SHAPES)
@READ
def test_parallel_calls_in_every_shape_are_the_same_calls(
    server: ProviderServer, read: Read, shape: ToolCallShape
) -> None:
    server.reply(Answer(ToolCalls(ToolCall("foo", {"a": 1}), ToolCall("foo", {"a": 2}), shape=shape)))
    found = [(item["call_id"], item["name"], item["arguments"]) for item in output(read(server))]
    assert found == [("call_1", "foo", '{"a": 1}'), ("call_2", "foo", '{"a": 2}')]


def test_interleaved_calls_take_turns(server: ProviderServer) -> None:
    calls = [ToolCall("foo", {"a": 1}, chunks=2), ToolCall("foo", {"a": 2}, chunks=2)]
    server.reply(Answer(ToolCalls(*calls, shape="interleaved")))
    deltas = [event for event in events(raw_stream(server)) if event["type"].endswith("arguments.delta")]
    assert [event["output_index"] for event in deltas] == [0, 1, 0, 1]


@pytest.mark.parametrize("read", [whole, last_event])
@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (Answer("Hel", finish="length"), "incomplete", "max_output_tokens"),
        (Answer("Hel", finish="content_filter"), "incomplete", "content_filter"),
        (Answer(ToolCall("foo", '{"a":'), finish="length"), "incomplete", "max_output_tokens"),
        (Answer(Refusal("I cannot.")), "completed", None),
        (Answer(Json({"a": [1]})), "completed", None),
        (Answer("Hel", finish="failed"), "failed", None),
    ],
)
def test_endings(server: ProviderServer, read: Read, answer: Answer, status: str, reason: str | None) -> None:
    server.reply(answer)
    response = read(server)
    assert response.status == status
    assert (response.incomplete_details and response.incomplete_details.reason) == reason
    assert output(response)[-1]["status"] == ("completed" if status == "failed" else status)
    assert (response.error is not None) is (status == "failed")


@READ
def test_an_error_status_is_the_sdks_exception(server: ProviderServer, read: Read) -> None:
    server.reply(Status(429, "Slow down."))
    with pytest.raises(openai.RateLimitError, match=r"Slow down\.") as caught:
        read(server)
    assert caught.value.code == "rate_limit_exceeded"


@READ
def test_a_blocked_prompt_is_a_bad_request(server: ProviderServer, read: Read) -> None:
    server.reply(Answer(Blocked()))
    with pytest.raises(openai.BadRequestError, match="blocked"):
        read(server)


@pytest.mark.parametrize("read", [streamed, async_streamed])
def test_an_error_inside_a_stream_is_the_sdks_exception(server: ProviderServer, read: Read) -> None:
    server.reply(StreamError("Hello there", after=4, message="Broken."))
    with pytest.raises(openai.APIError, match=r"Broken\."):
        read(server)
    server.reply(StreamError("Hello there", after=4, message="Broken.", code="c"))
    *_, last = events(raw_stream(server))
    assert last == {
        "type": "error",
        "sequence_number": 4,
        "error": {"message": "Broken.", "type": "server_error", "param": None, "code": "c"},
    }


def test_garbage_and_a_cut_reach_the_client(server: ProviderServer) -> None:
    server.reply(Garbage(script="Hello", after=2))
    with pytest.raises(ValueError):
        streamed(server)
    server.reply(Cut("Hello there, you", at=900, how="close"))
    with pytest.raises(openai.APIError):
        streamed(server)


def test_what_the_response_repeats_of_the_request(server: ProviderServer) -> None:
    server.reply("Hi", "Hi")
    asked: dict[str, Any] = {"instructions": "Be short.", "metadata": {"a": "b"}, "store": False}
    response = whole(server, **asked, previous_response_id="resp_0", reasoning={"effort": "low"})
    assert (response.instructions, response.metadata, response.store) == ("Be short.", {"a": "b"}, False)
    assert response.previous_response_id == "resp_0"
    assert response.reasoning is not None and response.reasoning.effort == "low"
    assert whole(server).tool_choice == "auto"


def test_a_background_run_is_polled_and_resumed(server: ProviderServer) -> None:
    answer = Answer("one two three four")
    server.reply(Answer(finish="queued"), answer, answer, answer)
    with client(server) as sdk:
        started = sdk.responses.create(**ASKED, background=True)
        assert (started.status, started.output, started.background) == ("queued", [], True)
        polled = sdk.responses.retrieve("resp_7")
        assert (polled.id, polled.status, polled.output_text) == ("resp_7", "completed", "one two three four")
        all_of_it = list(sdk.responses.retrieve("resp_7", stream=True))
        rest = list(sdk.responses.retrieve("resp_7", stream=True, starting_after=5))
    assert [event.sequence_number for event in all_of_it] == list(range(len(all_of_it)))
    assert [event.to_dict() for event in rest] == [event.to_dict() for event in all_of_it[6:]]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.sse")), ids=lambda path: path.stem)
def test_recordings_are_replayed_byte_for_byte(server: ProviderServer, path: Path) -> None:
    server.reply(
        Replay(path, body=path.with_suffix(".json")), Body(path.read_bytes(), content_type="text/event-stream")
    )
    assert raw_stream(server) == path.read_bytes()
    assert raw_stream(server) == path.read_bytes()


@pytest.mark.parametrize("answer", [EVERYTHING, Answer("Hi", finish="length"), Answer(Refusal("No."))])
def test_our_decoder_folds_a_stream_into_its_body(server: ProviderServer, answer: Answer) -> None:
    server.reply(answer, answer)
    decoder = StreamDecoder("openai_responses")
    decoder.feed(raw_stream(server, **ENCRYPTED))
    decoder.finish()
    decoder.fold()
    streamed_id = f"resp_{server.requests[-1].number}"
    body = json.loads(json.dumps(whole(server, **ENCRYPTED).to_dict(mode="json")))
    assert json.loads(decoder.response()) == {**body, "id": streamed_id}


@pytest.mark.parametrize(
    "path",
    ["/azure/openai/v1/responses", "/azure/openai/responses", "/openai/v1/responses", "/openai/v1/responses/r/cancel"],
)
def test_the_paths_of_the_api(server: ProviderServer, path: str) -> None:
    server.reply("Hi")
    base = server.url + path.removesuffix("/responses").removesuffix("/responses/r/cancel")
    with openai.OpenAI(base_url=base, api_key="x", max_retries=0) as sdk:
        response = sdk.responses.cancel("r") if path.endswith("cancel") else sdk.responses.create(**ASKED)
    assert server.requests[-1].path == path
    assert response.output_text == "Hi"
