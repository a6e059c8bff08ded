"""The properties of streams on structured streams, of every provider."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from ferroscope.core.base.stream_events import FinishEvent, TextEvent, ToolArgumentsEvent, ToolEvent, UsageEvent
from ferroscope.testing import Answer, Text, Usage

from .conftest import Caller


class Book(BaseModel):
    """A book."""

    title: str


@pytest.fixture
def stream(caller: Caller) -> object:
    caller.server.reply(Answer(Text('{"title": "Emma"}', 3), usage=Usage(10, 20)))
    return caller.call("Recommend a book.", stream=True, response_model=Book, json_mode=True)


def test_collect_is_the_complete_instance(caller: Caller, stream: object) -> None:
    assert caller.run(stream.collect, stream.acollect) == Book(title="Emma")
    # A second reading is the same instance, and no second request.
    assert caller.run(stream.collect, stream.acollect) == Book(title="Emma")
    assert len(caller.server.requests) == 1


def test_counts_cost_and_identity_are_those_of_the_stream(caller: Caller, stream: object) -> None:
    caller.run(stream.collect, stream.acollect)
    response = stream.construct_call_response()
    assert stream.content == response.content == '{"title": "Emma"}'
    assert (stream.input_tokens, stream.output_tokens) == (response.input_tokens, response.output_tokens)
    assert stream.cost == response.cost
    assert stream.cost_details == response.cost_details
    assert (stream.provider, stream.model, stream.id) == (response.provider, response.model, response.id)
    assert stream.finish_reasons == response.finish_reasons
    assert stream.message_param == response.message_param
    assert stream.usage == response.usage
    assert 0 < stream.start_time <= stream.end_time


def test_events_and_text_read_the_same_stream(caller: Caller, stream: object) -> None:
    async def events() -> list[object]:
        return [event async for event in stream.events()]

    found = caller.run(lambda: list(stream.events()), events)
    assert "".join(event.text for event in found if isinstance(event, TextEvent)) == '{"title": "Emma"}'
    assert {type(event) for event in found} <= {TextEvent, UsageEvent, FinishEvent, ToolArgumentsEvent, ToolEvent}


def test_collect_of_a_closed_stream_is_an_error(caller: Caller, stream: object) -> None:
    caller.run(stream.close, stream.aclose)
    with pytest.raises(ValueError, match="No stream response"):
        caller.run(stream.collect, stream.acollect)
