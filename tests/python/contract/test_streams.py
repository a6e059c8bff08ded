"""Streamed calls."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.core.base import BaseMessageParam
from ferroscope.testing import Answer, Cut, Garbage, Reasoning, Refusal, Stall, StreamError, Text, Usage

from .conftest import Caller, for_rows, text_of

LONG = Answer(Text("word " * 500), delay=0.001)


def test_a_stream_gives_the_text_piece_by_piece(caller: Caller) -> None:
    caller.server.reply(
        Answer(Text("Hello there", ["Hel", "lo ", "there"]), usage=Usage(9, 3, cached=4), model="the-model-2026")
    )
    stream = caller.call("Say hello", stream=True)
    seen: list[tuple[str, str]] = []
    before = len(caller.server.requests)

    def sync() -> None:
        seen.extend((chunk.content, stream.content) for chunk, tool in stream)

    async def asynchronous() -> None:
        async for chunk, _ in stream:
            seen.append((chunk.content, stream.content))

    caller.run(sync, asynchronous)
    assert len(caller.server.requests) == before + 1  # the request is sent by iterating, not by calling
    assert [pair for pair in seen if pair[0]] == [("Hel", "Hel"), ("lo ", "Hello "), ("there", "Hello there")]
    assert stream.content == "Hello there"
    if caller.wire.keeps_members:
        assert stream.model == ("the-model-2026" if caller.wire.names_model else caller.row.model)
    assert stream.id
    sent = 9 if caller.wire.counts_cached else 5
    cached = 4 if caller.wire.reports_cached else None
    assert (stream.input_tokens, stream.cached_tokens, stream.output_tokens) == (sent, cached, 3)
    assert stream.provider == caller.row.name
    assert 0 < stream.start_time <= stream.end_time  # v1: zero for async streams (D14)


@pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
def test_the_finish_reason_outlives_the_usage_chunk(caller: Caller, finish: str) -> None:
    """v1 lost it to the usage chunk that v1 itself asked for (D4)."""
    caller.server.reply(Answer("Hello", finish=finish, usage=Usage(9, 3)))
    stream = caller.stream()
    assert stream.finish_reasons == [caller.wire.finish(finish)]
    response = stream.construct_call_response()
    assert response.finish_reasons == [caller.wire.finish(finish)]
    known = finish != "content_filter" or caller.wire.filters
    assert response.common_finish_reasons == ([finish] if known else None)


def test_a_stream_ends_as_the_response_without_streaming(caller: Caller) -> None:
    model = "the-model-2026" if caller.wire.keeps_members else caller.row.model.rpartition("/")[2]
    answer = Answer(Text("Hello there."), usage=Usage(9, 3, cached=2, reasoning=1), model=model)
    caller.server.reply(answer, answer)
    whole = caller.call("Say hello")
    built = caller.stream("Say hello").construct_call_response()
    for name in ("content", "finish_reasons", "model", "message_param", "common_message_param"):
        assert getattr(built, name) == getattr(whole, name), name
    assert (built.input_tokens, built.output_tokens) == (whole.input_tokens, whole.output_tokens)
    if caller.wire.uses_price_table:  # other SDKs put their price beside the usage
        assert built.usage == whole.usage
    assert type(built.response) is type(whole.response)


def test_before_it_is_consumed_a_stream_has_no_message(caller: Caller) -> None:
    stream = caller.call("Say hello", stream=True)
    with pytest.raises(ValueError, match=r"No stream response, check if the stream has been consumed\."):
        stream.construct_call_response()
    assert not hasattr(stream, "message_param")
    assert (stream.content, stream.finish_reasons, stream.end_time) == ("", None, 0)


def test_a_stream_of_the_wrong_kind_says_so(caller: Caller) -> None:
    caller.server.reply("Hello")
    stream = caller.call("Say hello", stream=True)
    with pytest.raises(AssertionError, match="Stream must be"):
        caller.run(lambda: caller.runner.run(anext(aiter(stream))), lambda: _next(stream))


async def _next(stream: Any) -> Any:
    return next(iter(stream))


def test_a_chunk_builds_the_sdk_object_when_asked(caller: Caller) -> None:
    caller.server.reply(Answer("Hello", usage=Usage(9, 3)))
    stream = caller.call("Say hello", stream=True)
    chunks = [chunk for chunk, _ in caller.consume(stream)]
    kinds = {type(chunk.chunk).__module__.split(".")[0] for chunk in chunks}
    assert kinds == ({caller.wire.sdk} if caller.wire.has_classes else {"builtins"})
    assert "".join(str(chunk) for chunk in chunks) == "Hello"
    finished = [chunk.finish_reasons for chunk in chunks if chunk.finish_reasons]
    assert finished == [[caller.wire.finish("stop")]]
    assert [chunk.output_tokens for chunk in chunks if chunk.output_tokens][-1] == 3
    if caller.wire.has_own_classes:
        assert all(chunk == type(chunk)(chunk=chunk.chunk) for chunk in chunks)


def test_thoughts_and_refusals_are_readable(caller: Caller) -> None:
    caller.server.reply(Answer(Reasoning("Hm, a greeting."), "Hello"), Answer(Refusal("I will not.")))
    stream = caller.stream()
    assert (stream.thinking, stream.content) == ("Hm, a greeting.", "Hello")
    if not caller.wire.refuses or not caller.wire.keeps_members:
        return
    refused = caller.stream().construct_call_response()
    if caller.wire.refuses_apart:
        with pytest.raises(ValueError, match=r"I will not\."):
            _ = refused.tools
    assert text_of(refused.common_message_param) == "I will not."  # v1: IndexError (D26)


@for_rows(lambda row: row.wire.asks_for_usage)
def test_stream_options_of_the_caller_are_kept(caller: Caller) -> None:
    """v1 sent null instead, and edited the caller's dict (D20)."""
    options = {"include_obfuscation": False}
    caller.server.reply("Hello")
    caller.stream(call_params={"stream_options": options})
    assert caller.server.requests[-1].json["stream_options"] == {
        "include_usage": True,
        "include_obfuscation": False,
    }
    assert options == {"include_obfuscation": False}


@for_rows(lambda row: row.wire.sdk == "openai")  # whose markers they are
@pytest.mark.parametrize("left_out", ["None", "NOT_GIVEN", "omit"])
@pytest.mark.parametrize("where", ["decorator", "dynamic config"])
def test_stream_options_can_be_left_out(caller: Caller, left_out: str, where: str) -> None:
    """Some servers refuse them."""
    import openai

    params = {"stream_options": None if left_out == "None" else getattr(openai, left_out, openai.NOT_GIVEN)}
    caller.server.reply("Hello", "Hello")
    if where == "decorator":
        stream = caller.stream(call_params=params)
        caller.call(call_params=params)
    else:
        stream = caller.stream(lambda: {"messages": [{"role": "user", "content": "Hi"}], "call_params": params})
        caller.call(lambda: {"messages": [{"role": "user", "content": "Hi"}], "call_params": params})
    assert stream.content == "Hello"
    assert all("stream_options" not in request.json for request in caller.server.requests[-2:])


def test_ten_streams_use_one_connection(caller: Caller) -> None:
    if not caller.wire.reads_bytes:
        pytest.skip("the SDK closes the connection of a sync stream")
    caller.server.reply(*(["Hello"] * 11))
    caller.stream()
    opened = caller.server.connections_opened
    for _ in range(10):
        caller.stream()
    assert caller.server.connections_opened == opened


def test_break_closes_the_connection_at_once(caller: Caller) -> None:
    caller.server.reply(LONG)
    stream = caller.call("Say hello", stream=True)

    def sync() -> None:
        for chunk, _ in stream:
            if chunk.content:
                break
        caller.server.wait_closed(timeout=0.05)

    async def asynchronous() -> None:
        import asyncio

        async for chunk, _ in stream:
            if chunk.content:
                break
        await asyncio.to_thread(caller.server.wait_closed, timeout=0.05)

    gc.disable()  # it must not be the collector that closes it
    try:
        caller.run(sync, asynchronous)
    finally:
        gc.enable()
    assert stream.content == "word "
    assert stream.construct_call_response().content == "word "
    assert stream.end_time > 0


def test_close_ends_a_stream_that_is_still_referred_to(caller: Caller) -> None:
    caller.server.reply(LONG, LONG)

    def sync() -> None:
        stream = caller.call("Say hello", stream=True)
        iterator = iter(stream)
        next(iterator)
        stream.close()
        caller.server.wait_closed(timeout=0.05)
        assert list(iterator) == []

    async def asynchronous() -> None:
        import asyncio

        stream = await caller.row.decorator(caller.row.model, stream=True)(_hello)()
        iterator = aiter(stream)
        await anext(iterator)
        await stream.aclose()
        await asyncio.to_thread(caller.server.wait_closed, timeout=0.05)
        assert [pair async for pair in iterator] == []

    caller.run(sync, asynchronous)


async def _hello() -> str:
    return "Say hello"


def test_a_cut_connection_loses_nothing(caller: Caller) -> None:
    caller.server.reply(Cut(Answer(Text("Hello there", ["Hel", "lo ", "there"])), at=caller.wire.halfway, how="close"))
    stream = caller.call("Say hello", stream=True)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(stream)
    error = caught.value
    assert error.partial is not None
    assert error.partial.content == stream.content
    assert "Hello there".startswith(stream.content)
    assert stream.content
    assert f"provider {caller.row.name!r}" in str(error)
    assert isinstance(error, caller.wire.error("APIConnectionError"))
    assert error.__cause__ is not None


def test_an_error_inside_the_stream_is_the_sdks_too(caller: Caller) -> None:
    after = caller.wire.opening + 1
    answer = Answer(Text("Hello", ["Hel", "lo"]))
    caller.server.reply(StreamError(answer, after=after, message="The server is overloaded."))
    stream = caller.call("Say hello", stream=True)
    with pytest.raises(errors.ProviderStreamError) as caught:
        caller.consume(stream)
    assert isinstance(caught.value, caller.wire.error("APIError"))
    assert caught.value.message == "The server is overloaded."
    body = caught.value.body
    reported = body.get("error", body) if isinstance(body, dict) else body
    told = reported if isinstance(reported, str) else reported["message"]
    assert told == "The server is overloaded."
    assert caught.value.event == after + caller.wire.counts_errors
    assert caught.value.partial.content == "Hel"
    assert f"event {after + caller.wire.counts_errors}" in str(caught.value)


def test_garbage_names_its_place(caller: Caller) -> None:
    caller.server.reply(Garbage(after=2))
    stream = caller.call("Say hello", stream=True)
    says = r"event 3 \(byte \d+\): data is not JSON" if caller.wire.reads_bytes else "Expecting property name"
    with pytest.raises(errors.StreamError, match=says) as caught:
        caller.consume(stream)
    assert caught.value.event == (3 if caller.wire.reads_bytes else None)
    assert caught.value.partial.content == stream.content


def test_silence_is_a_timeout_of_the_sdk(caller: Caller) -> None:
    if not caller.wire.takes_timeout:
        pytest.skip("a client has its timeout: see test_bedrock")
    caller.server.reply(Stall(Answer(Text("Hello", ["Hel", "lo"])), after=caller.wire.opening + 1))
    stream = caller.call("Say hello", stream=True, call_params={"timeout": 0.2, "max_tokens": 5})
    with pytest.raises(caller.wire.error("APITimeoutError")) as caught:
        caller.consume(stream)
    assert isinstance(caught.value, errors.StreamInterruptedError)
    assert caught.value.partial.content == "Hel"


def test_a_second_iteration_gives_nothing_and_changes_nothing(caller: Caller) -> None:
    caller.server.reply("Hello")
    stream = caller.stream()
    assert caller.consume(stream) == []
    assert stream.content == "Hello"


def test_the_message_of_a_stream_goes_on(caller: Caller) -> None:
    caller.server.reply("Hello", "Fine")
    history = [BaseMessageParam(role="user", content="Say hello")]
    stream = caller.stream(lambda: history)
    caller.stream(lambda: [*history, stream.message_param, BaseMessageParam(role="user", content="How are you?")])
    sent = caller.wire.messages(caller.server.requests[-1].json)
    assert [(message["role"], caller.wire.text(message)) for message in sent] == [
        ("user", "Say hello"),
        ("assistant", "Hello"),
        ("user", "How are you?"),
    ]


def test_a_limit_ends_a_stream_and_keeps_what_came(caller: Caller) -> None:
    caller.server.reply(Answer(Text("word " * 500)))
    stream = caller.call("Say hello", stream={"limits": {"response_bytes": 2000}})
    with pytest.raises(errors.LimitExceededError, match="the size of the response exceeds the limit of 2000") as caught:
        caller.consume(stream)
    assert caught.value.event is not None
    assert caught.value.partial is not None
    assert caught.value.partial.content == stream.content
    assert stream.content.startswith("word word")
    caller.server.wait_closed(timeout=0.5)
