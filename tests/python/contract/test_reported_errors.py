"""Errors that a server reports with a status of success, and bodies that are no response at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.testing import Body, Replay

from .conftest import Caller


@pytest.fixture(autouse=True)
def _only_json_of_these_forms(request: pytest.FixtureRequest) -> None:
    if "caller" in request.fixturenames and request.getfixturevalue("caller").row.name in ("cohere", "bedrock"):
        pytest.skip("its errors and the ends of its streams have forms of their own: see the tests of its dialect")


REPORTED: dict[str, Any] = {
    "an error": {"error": {"message": "Rate limit exceeded", "code": 429}, "user_id": "u"},
    "a text": {"error": "Rate limit exceeded"},
    "an error object": {"object": "error", "message": "Rate limit exceeded", "type": "TooMany", "code": 429},
    "a detail": {"detail": "Rate limit exceeded"},
    "details": {"detail": [{"loc": ["body"], "msg": "Rate limit exceeded"}]},
}


class Book(BaseModel):
    title: str


def opening(caller: Caller) -> bytes:
    """The events of a stream up to some text, as the server itself sends them."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunk = {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": None}]}
    if caller.row.label == "openai-responses":
        response = {
            "id": "c1",
            "object": "response",
            "created_at": 1,
            "model": "m",
            "status": "in_progress",
            "output": [],
        }
        delta = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0}
        made = ({"type": "response.created", "response": response}, {**delta, "delta": "Hel"})
        return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in made)
    if "google" in caller.wire.sdk:
        part = {"candidates": [{"content": {"parts": [{"text": "Hel"}], "role": "model"}}]}
        return b"data: " + json.dumps(part).encode() + b"\n\n"
    if caller.wire.sdk != "anthropic":
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    events = (
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hel"}},
    )
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def place(caller: Caller) -> str:
    return f"provider '{caller.row.name}', model '{caller.row.model}'"


@pytest.mark.parametrize("name", REPORTED)
@pytest.mark.parametrize("options", [{}, {"response_model": Book}, {"response_model": Book, "json_mode": True}])
def test_an_error_in_place_of_a_response_is_raised(caller: Caller, name: str, options: dict[str, Any]) -> None:
    caller.server.reply(Body(REPORTED[name]))
    with pytest.raises(errors.APIError, match="Rate limit exceeded") as caught:
        caller.call(**options)
    assert place(caller) in str(caught.value)


@pytest.mark.parametrize("name", REPORTED)
def test_an_error_in_place_of_an_event_is_raised_with_what_came_before(caller: Caller, name: str) -> None:
    event = b"data: " + json.dumps(REPORTED[name]).encode() + b"\n\n"
    caller.server.reply(Replay(opening(caller) + event))
    stream = caller.call(stream=True)
    with pytest.raises(errors.ProviderStreamError, match="Rate limit exceeded") as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.content == stream.content == "Hel"


@pytest.mark.parametrize("name", REPORTED)
def test_an_error_in_place_of_a_stream_is_raised(caller: Caller, name: str) -> None:
    caller.server.reply(Body(REPORTED[name]))
    with pytest.raises(errors.FerroscopeError, match="Rate limit exceeded") as caught:
        caller.consume(caller.call(stream=True))
    assert place(caller) in str(caught.value)


def test_the_error_is_the_sdks_own_too(caller: Caller) -> None:
    if caller.wire.sdk == "google":
        pytest.skip("the SDK makes its exceptions of HTTP responses alone")
    caller.server.reply(Body({"error": {"message": "Rate limit exceeded", "code": "too_many"}}))
    with pytest.raises(errors.APIError) as caught:
        caller.call()
    kinds = {base.__module__.partition(".")[0] for base in type(caught.value).__mro__}
    assert caller.wire.sdk.partition(".")[0] in kinds or "azure" in kinds


@pytest.mark.parametrize("body", [{}, {"id": "c1", "choices": None, "content": None, "usage": None}])
def test_a_body_without_an_answer_is_shown(caller: Caller, body: dict[str, Any]) -> None:
    caller.server.reply(Body(body))
    with pytest.raises(errors.APIError, match="the body is not a response") as caught:
        caller.call()
    assert place(caller) in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"id":"\xff"}', b"", b'{"id": "c1", ', b"5", b"<html>"],
    ids=["arrays", "objects", "no UTF-8", "empty", "cut", "a number", "a page"],
)
def test_a_body_that_cannot_be_read_is_an_api_error(caller: Caller, body: bytes) -> None:
    if caller.wire.sdk == "google" and body == b"5":
        pytest.skip("the SDK itself raises a TypeError")
    caller.server.reply(Body(body))
    with pytest.raises(errors.APIError):
        caller.call()


def test_the_place_of_what_cannot_be_read_is_shown(caller: Caller) -> None:
    if caller.row.name != "openai":
        pytest.skip("the SDKs read bodies in the same way, or in one of their own")
    for body, expected in (
        (b'{"id":"\xff"}', "invalid UTF-8 at byte 7"),
        (b'{"id": "c1", ', "at character 13"),
        (b"[" * 100_000, "nested too deeply"),
    ):
        caller.server.reply(Body(body))
        with pytest.raises(errors.APIError, match=expected):
            caller.call()


def chat_only(caller: Caller) -> None:
    other = caller.row.label == "openai-responses" or "google" in caller.wire.sdk
    if other or caller.wire.sdk in ("anthropic", "mistralai"):
        pytest.skip("the body is of chat completions, as most of their SDKs read it")


def test_an_error_on_the_choice_is_raised_with_the_text(caller: Caller) -> None:
    chat_only(caller)
    bad = {"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "upstream lost"}}
    head = {"id": "c1", "created": 1, "model": "m"}
    whole = {
        **head,
        "object": "chat.completion",
        "choices": [{**bad, "message": {"role": "assistant", "content": "Hel"}}],
    }
    event = {**head, "object": "chat.completion.chunk", "choices": [{**bad, "delta": {"content": ""}}]}
    caller.server.reply(Body(whole))
    with pytest.raises(errors.APIError, match="upstream lost") as caught:
        caller.call()
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"
    caller.server.reply(Replay(opening(caller) + b"data: " + json.dumps(event).encode() + b"\n\n"))
    with pytest.raises(errors.ProviderStreamError, match="upstream lost") as streamed:
        caller.consume(caller.call(stream=True))
    assert streamed.value.partial is not None
    assert streamed.value.partial.content == "Hel"


def test_no_choice_with_usage_is_an_empty_answer(caller: Caller) -> None:
    """A filter leaves nothing of an answer that has been paid for."""
    chat_only(caller)
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
    caller.server.reply(
        Body({"id": "g", "object": "chat.completion", "created": 1, "model": "m", "choices": [], "usage": usage})
    )
    response = caller.call()
    assert (response.content, response.tools, response.input_tokens) == ("", None, 1000)


@pytest.mark.parametrize("body", [b"", b": keep-alive\n\n"], ids=["empty", "a comment"])
def test_a_stream_without_events_is_interrupted(caller: Caller, body: bytes) -> None:
    caller.server.reply(Body(body, content_type="text/event-stream"))
    stream = caller.call(stream=True)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert place(caller) in str(caught.value)


def test_a_stream_that_reports_no_end_is_interrupted(caller: Caller) -> None:
    caller.server.reply(Replay(opening(caller)))
    stream = caller.call(stream=True)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.content == stream.content == "Hel"


def test_a_stream_may_end_with_the_terminator_alone(caller: Caller) -> None:
    chat_only(caller)
    caller.server.reply(Replay(opening(caller) + b"data: [DONE]\n\n"))
    assert caller.stream().content == "Hel"
