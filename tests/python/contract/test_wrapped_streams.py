"""Streams that somebody has wrapped, as tracing does: read by their objects, and failing as all others do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from ferroscope.core._registry import provider_record
from ferroscope.errors import ProviderStreamError, StreamInterruptedError
from ferroscope.testing import Answer, Cut, StreamError, Text, ToolCall

from .conftest import Caller, for_rows


class Wrapped:
    """An SDK's stream in the hands of a tracer, which counts what passes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.seen = 0

    def __iter__(self) -> Iterator[Any]:
        for item in self._stream:
            self.seen += 1
            yield item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


# The streams of the others are traced in another way: see test_azure_calls and test_google.
pytestmark = for_rows(lambda row: row.wire.returns_streams)


class AsyncWrapped(Wrapped):
    async def __aiter__(self) -> AsyncIterator[Any]:
        async for item in self._stream:
            self.seen += 1
            yield item


@pytest.fixture
def traced(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> list[Wrapped]:
    """Has the provider's SDK wrap its streams, and gives them."""
    made: list[Wrapped] = []
    provider = provider_record(caller.row.name)
    dialect_type = type(provider.for_call(None, caller.row.model, caller.row.options).dialect)
    usual = dialect_type.method

    def method(dialect: Any, client: Any, **options: Any) -> Any:
        create = usual(dialect, client, **options)

        def sync(**kwargs: Any) -> Any:
            made.append(Wrapped(create(**kwargs)))
            return made[-1]

        async def asynchronous(**kwargs: Any) -> Any:
            made.append(AsyncWrapped(await create(**kwargs)))
            return made[-1]

        return sync if caller.kind == "sync" else asynchronous

    monkeypatch.setattr(dialect_type, "method", method)
    return made


def test_the_tracer_sees_everything_and_so_do_we(caller: Caller, traced: list[Wrapped]) -> None:
    caller.server.reply(Answer(Text("Let me see. ", 3), ToolCall("weather", {"city": "Lisbon"})))

    def weather(city: str) -> str:
        """Tells the weather."""
        return city

    stream = caller.stream(tools=[weather])
    assert stream.content == "Let me see. "
    assert [tool.city for tool in stream.construct_call_response().tools] == ["Lisbon"]
    assert traced[0].seen > 3


def test_an_error_inside_the_stream(caller: Caller, traced: list[Wrapped]) -> None:
    if not caller.wire.shows_stream_errors:
        pytest.skip("its SDK raises a validation error in place of an error inside a stream")
    caller.server.reply(StreamError(Answer("one two three"), after=caller.wire.opening + 2, message="Overloaded"))
    with pytest.raises(ProviderStreamError, match="Overloaded" if caller.wire.shows_message else "error") as caught:
        caller.stream()
    assert isinstance(caught.value, caller.wire.error("APIError"))
    assert caught.value.partial is not None
    assert "one two three".startswith(caught.value.partial.content)
    assert caught.value.partial.content


def test_a_cut_connection(caller: Caller, traced: list[Wrapped]) -> None:
    caller.server.reply(Cut(Answer(Text("word " * 100, 100)), at=5000))
    with pytest.raises(StreamInterruptedError) as caught:
        caller.stream()
    assert isinstance(caught.value, caller.wire.error("APIConnectionError"))
    assert caught.value.partial is not None
    assert caught.value.partial.content.startswith("word ")
