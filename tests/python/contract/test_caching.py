"""Calls with the option `cache=`, counted at the server, over every provider."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors, prices
from ferroscope.cache import MemoryCache
from ferroscope.core.base.stream_events import TextEvent, ToolEvent
from ferroscope.testing import Answer, Cut, Json, Status, StreamError, Text, ToolCall, Usage

from .conftest import Caller

ANSWER = Answer(Text("one two three"), usage=Usage(30, 7))


class Book(BaseModel):
    title: str
    pages: int


def lookup(title: str) -> str:
    """Look up a book."""
    return title


def without_headers(response: Any) -> Any:
    """Return an SDK's response without the headers, which are not recorded."""
    if hasattr(response, "sdk_http_response"):
        return response.model_copy(update={"sdk_http_response": None})
    return response


def twice(caller: Caller, **options: Any) -> tuple[Any, Any]:
    """The same call twice, with one cache."""
    cache = MemoryCache()
    return caller.call(cache=cache, **options), caller.call(cache=cache, **options)


def test_a_response_from_the_cache_is_the_response(caller: Caller) -> None:
    caller.server.reply(ANSWER)
    with prices.meter() as spent:
        first, second = twice(caller)
    assert len(caller.server.requests) == 1
    assert second.content == first.content == "one two three"
    assert (first.cached, second.cached) == (False, True)
    if not caller.wire.has_head:
        assert without_headers(second.response) == without_headers(first.response)
    assert second.message_param == first.message_param
    assert second.finish_reasons == first.finish_reasons
    assert (second.input_tokens, second.output_tokens) == (30, 7)
    assert (second.cost, second.cost_details.total, second.cost_details.status) == (0.0, 0, "free")
    assert (spent.calls, spent.total) == (1, first.cost_details.total)


def test_a_stream_from_the_cache_is_a_stream(caller: Caller) -> None:
    caller.server.reply(ANSWER)
    cache = MemoryCache()
    with prices.meter() as spent:
        streams = [caller.call(stream=True, cache=cache)]
        first = caller.consume(streams[0])
        streams.append(caller.call(stream=True, cache=cache))
        second = caller.consume(streams[1])
    assert len(caller.server.requests) == 1
    assert [chunk.content for chunk, _ in second] == [chunk.content for chunk, _ in first]
    assert [stream.cached for stream in streams] == [False, True]
    assert streams[1].content == "one two three"
    assert (streams[1].input_tokens, streams[1].output_tokens) == (30, 7)
    assert (streams[1].cost, streams[1].construct_call_response().cost) == (0.0, 0.0)
    assert streams[1].construct_call_response().cached
    if not caller.wire.has_head:
        assert [chunk.chunk for chunk, _ in second] == [chunk.chunk for chunk, _ in first]
        responses = [without_headers(stream.construct_call_response().response) for stream in streams]
        assert responses[1] == responses[0]
    assert (spent.calls, spent.total) == (1, streams[0].cost_details.total)


def test_tools_come_from_the_cache(caller: Caller) -> None:
    answer = Answer(ToolCall("lookup", {"title": "Emma"}))
    caller.server.reply(answer, answer)
    first, second = twice(caller, tools=[lookup])
    assert second.tool.call() == first.tool.call() == "Emma"
    cache = MemoryCache()
    pairs = [caller.consume(caller.call(stream=True, tools=[lookup], cache=cache)) for _ in range(2)]
    assert [[tool.call() for _, tool in read if tool] for read in pairs] == [["Emma"], ["Emma"]]
    assert len(caller.server.requests) == 2


@pytest.mark.parametrize("json_mode", [False, True])
def test_a_response_model_comes_from_the_cache(caller: Caller, json_mode: bool) -> None:
    book = {"title": "Emma", "pages": 474}
    answer = Answer(Json(book) if json_mode else ToolCall("Book", book))
    caller.server.reply(answer, answer)
    first, second = twice(caller, response_model=Book, json_mode=json_mode)
    assert first == second == Book(title="Emma", pages=474)
    assert second._response.cached
    cache = MemoryCache()

    def read() -> list[Any]:
        stream = caller.call(stream=True, response_model=Book, json_mode=json_mode, cache=cache)

        async def asynchronous() -> list[Any]:
            return [item async for item in stream]

        return caller.run(lambda: list(stream), asynchronous)  # type: ignore[no-any-return]

    first_items, second_items = read(), read()
    assert first_items[-1] == second_items[-1] == first
    assert len(second_items) == len(first_items)
    assert len(caller.server.requests) == 2


def test_the_other_ways_to_read_a_stream_work_from_the_cache(caller: Caller) -> None:
    answer = Answer(Text("Hi"), ToolCall("lookup", {"title": "Emma"}))
    caller.server.reply(answer)
    cache = MemoryCache()
    options: dict[str, Any] = {"stream": True, "tools": [lookup], "cache": cache}
    caller.consume(caller.call(**options))
    stream = caller.call(**options)
    assert caller.run(stream.collect, stream.acollect).content == "Hi"
    events: list[Any] = []

    def sync() -> None:
        events.extend(caller_stream.events())

    async def asynchronous() -> None:
        events.extend([event async for event in caller_stream.events()])

    caller_stream = caller.call(**options)
    caller.run(sync, asynchronous)
    assert "".join(event.text for event in events if isinstance(event, TextEvent)) == "Hi"
    assert [event.tool.call() for event in events if isinstance(event, ToolEvent)] == ["Emma"]
    assert len(caller.server.requests) == 1


def test_another_request_is_another_answer(caller: Caller) -> None:
    caller.server.reply("a", "b", "c", "d")
    cache = MemoryCache()
    answers = [
        caller.call("Say a", cache=cache).content,
        caller.call("Say b", cache=cache).content,
        caller.call("Say a", cache=cache, call_params={"max_tokens": 77}).content,
        caller.stream("Say a", cache=cache).content,
        caller.call("Say a", cache=cache).content,
    ]
    assert answers == ["a", "b", "c", "d", "a"]


@pytest.mark.parametrize("fault", [Status(400), Cut(ANSWER, at=200), StreamError(ANSWER, after=3, status=503)])
def test_failures_are_not_stored(caller: Caller, fault: Any) -> None:
    cache = MemoryCache()
    caller.server.reply_always(fault)
    stream = caller.call(stream=True, cache=cache)
    with pytest.raises((errors.APIError, errors.StreamError)):
        caller.consume(stream)
    assert len(cache) == 0
    caller.server.reply_always(ANSWER)
    assert caller.stream(cache=cache).content == "one two three"


def test_a_stream_that_was_left_early_is_not_stored(caller: Caller) -> None:
    caller.server.reply(ANSWER, ANSWER)
    cache = MemoryCache()
    stream = caller.call(stream=True, cache=cache)

    def sync() -> None:
        with stream:
            next(iter(stream))

    async def asynchronous() -> None:
        async with stream:
            await anext(aiter(stream))

    caller.run(sync, asynchronous)
    assert len(cache) == 0


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_does_not_fit_its_model_is_not_stored(caller: Caller, streamed: bool) -> None:
    caller.server.reply_always(Answer(Text('{"title": "Emma"}')))
    cache = MemoryCache()
    with pytest.raises(ValueError, match="pages"):
        answer = caller.call(stream=streamed, response_model=Book, json_mode=True, cache=cache)
        if streamed:
            caller.consume(answer)
    assert len(cache) == 0
