"""Errors that a server reports with a status of success, and bodies that are no response at all."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.testing import Body, Replay

from .bodies import BODIES, SENT_EVENTS
from .conftest import ROWS, Caller, Row, for_rows
from .wires import OpenAIChat, OpenAIResponses

REPORTED: dict[str, Any] = {
    "an error": {"error": {"message": "Rate limit exceeded", "code": 429}, "user_id": "u"},
    "a text": {"error": "Rate limit exceeded"},
    "an error object": {"object": "error", "message": "Rate limit exceeded", "type": "TooMany", "code": 429},
    "a detail": {"detail": "Rate limit exceeded"},
    "details": {"detail": [{"loc": ["body"], "msg": "Rate limit exceeded"}]},
}
# In place of a response only.
WHOLE: dict[str, Any] = REPORTED | {
    "a list": [{"error": {"message": "Rate limit exceeded", "code": 429}}],
    "a message": {"message": "Rate limit exceeded", "code": 1302},
    "no success": {"success": False, "msg": "Rate limit exceeded"},
}


class Book(BaseModel):
    title: str


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Keep the garbage of other tests until the test has ended.

    An SDK that parses a deep body allocates up to the recursion limit. A finalizer that the collector ran there would
    fail with a `RecursionError`.
    """
    gc.disable()
    yield
    gc.enable()


def opening(caller: Caller) -> bytes:
    """The events of a stream up to the text `Hello`."""
    return bytes(BODIES[caller.wire.format].opening())


def place(caller: Caller) -> str:
    return f"provider '{caller.row.name}', model '{caller.row.model}'"


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("options", [{}, {"response_model": Book}, {"response_model": Book, "json_mode": True}])
def test_an_error_in_place_of_a_response_is_raised(caller: Caller, name: str, options: dict[str, Any]) -> None:
    caller.server.reply(Body(WHOLE[name]))
    says = "Rate limit exceeded"
    if not caller.wire.shows_bodies:
        says += "|whose text .* dropped|no 'choices'"
    with pytest.raises(errors.APIError, match=says) as caught:
        caller.call(**options)
    assert place(caller) in "".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


def may_come_in_place_of_an_event(row: Row, name: str) -> bool:
    """Return whether the wire has this form of errors, and the SDK passes it on."""
    if row.wire.format not in SENT_EVENTS:  # AWS's event stream has one form
        return name == "an error"
    return row.wire.keeps_members or "error" in REPORTED[name]


@pytest.mark.parametrize(
    ("row", "name"),
    [(row, name) for row in ROWS for name in REPORTED if may_come_in_place_of_an_event(row, name)],
    indirect=["row"],
)
def test_an_error_in_place_of_an_event_is_raised_with_what_came_before(caller: Caller, name: str) -> None:
    event = BODIES[caller.wire.format].error(REPORTED[name])
    caller.server.reply(Replay(opening(caller) + event, content_type=caller.wire.stream_type))
    stream = caller.call(stream=True)
    with pytest.raises(errors.ProviderStreamError, match="Rate limit exceeded") as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.content == stream.content == "Hello"


@pytest.mark.parametrize("name", REPORTED)
def test_an_error_in_place_of_a_stream_is_raised(caller: Caller, name: str) -> None:
    caller.server.reply(Body(REPORTED[name]))
    with pytest.raises(errors.FerroscopeError, match="Rate limit exceeded") as caught:
        caller.consume(caller.call(stream=True))
    assert place(caller) in str(caught.value)


@for_rows(lambda row: row.wire.makes_errors)
def test_the_error_is_the_sdks_own_too(caller: Caller) -> None:
    caller.server.reply(Body({"error": {"message": "Rate limit exceeded", "code": "too_many"}}))
    with pytest.raises(errors.APIError) as caught:
        caller.call()
    kinds = {base.__module__.partition(".")[0] for base in type(caught.value).__mro__}
    assert caller.wire.sdk.partition(".")[0] in kinds or "azure" in kinds


@pytest.mark.parametrize("body", [{}, {"id": "c1", "choices": None, "content": None, "usage": None}])
def test_a_body_without_an_answer_is_shown(caller: Caller, body: dict[str, Any]) -> None:
    caller.server.reply(Body(body))
    says = "the body is not a response" if caller.wire.shows_bodies else "'choices'"
    with pytest.raises(errors.APIError, match=says) as caught:
        caller.call()
    assert place(caller) in "".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"id":"\xff"}', b"", b'{"id": "c1", ', b"5", b'"busy"', b"[7]", b"<html>"],
    ids=["arrays", "objects", "no UTF-8", "empty", "cut", "a number", "a text", "a list", "a page"],
)
def test_a_body_that_cannot_be_read_is_an_api_error(caller: Caller, body: bytes) -> None:
    caller.server.reply(Body(body))
    with pytest.raises(errors.APIError):
        caller.call()


# The other SDKs read bodies in the same way, or in one of their own.
@pytest.mark.usefixtures("no_collection")
@for_rows(lambda row: row.wire in (OpenAIChat, OpenAIResponses))
def test_the_place_of_what_cannot_be_read_is_shown(caller: Caller) -> None:
    for body, expected in (
        (b'{"id":"\xff"}', "invalid UTF-8 at byte 7"),
        (b'{"id": "c1", ', "at character 13"),
        (b"[" * 100_000, "nested too deeply"),
    ):
        caller.server.reply(Body(body))
        with pytest.raises(errors.APIError, match=expected):
            caller.call()


chat_only = for_rows(lambda row: row.wire.format == "openai_chat" and not row.wire.validates)


@chat_only
def test_an_error_on_the_choice_is_raised_with_the_text(caller: Caller) -> None:
    if not caller.wire.keeps_members:
        pytest.skip("the SDK drops errors on a choice")
    bad = {"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "upstream lost"}}
    head = {"id": "c1", "created": 1, "model": "m"}
    whole = {
        **head,
        "object": "chat.completion",
        "choices": [{**bad, "message": {"role": "assistant", "content": "Hello"}}],
    }
    event = {**head, "object": "chat.completion.chunk", "choices": [{**bad, "delta": {"content": ""}}]}
    caller.server.reply(Body(whole))
    with pytest.raises(errors.APIError, match="upstream lost") as caught:
        caller.call()
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hello"
    caller.server.reply(Replay(opening(caller) + b"data: " + json.dumps(event).encode() + b"\n\n"))
    with pytest.raises(errors.ProviderStreamError, match="upstream lost") as streamed:
        caller.consume(caller.call(stream=True))
    assert streamed.value.partial is not None
    assert streamed.value.partial.content == "Hello"


@chat_only
def test_no_choice_with_usage_is_an_empty_answer(caller: Caller) -> None:
    """A filter leaves nothing of an answer that has been paid for."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
    caller.server.reply(
        Body({"id": "g", "object": "chat.completion", "created": 1, "model": "m", "choices": [], "usage": usage})
    )
    response = caller.call()
    assert (response.content, response.tools, response.input_tokens) == ("", None, 1000)


@pytest.mark.parametrize(
    ("row", "body"),
    [(row, b"") for row in ROWS] + [(row, b": keep-alive\n\n") for row in ROWS if row.wire.format in SENT_EVENTS],
    indirect=["row"],
)
def test_a_stream_without_events_is_interrupted(caller: Caller, body: bytes) -> None:
    caller.server.reply(Body(body, content_type=caller.wire.stream_type))
    stream = caller.call(stream=True)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert place(caller) in str(caught.value)


def test_a_stream_that_reports_no_end_is_interrupted(caller: Caller) -> None:
    caller.server.reply(Replay(opening(caller), content_type=caller.wire.stream_type))
    stream = caller.call(stream=True)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.content == stream.content == "Hello"


@chat_only
def test_a_stream_may_end_with_the_terminator_alone(caller: Caller) -> None:
    if not caller.wire.needs_no_finish:
        pytest.skip("the SDK itself refuses a stream without a finish reason")
    caller.server.reply(Replay(opening(caller) + b"data: [DONE]\n\n"))
    assert caller.stream().content == "Hello"
