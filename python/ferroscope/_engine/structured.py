"""A structured answer under way: partial instances of its response model, and the whole one at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from typing import Any

from .._core import Event, JsonError
from ..core.base.structured_stream import BaseStructuredStream
from .call import Call
from .extraction import Extraction
from .stream import StreamRun, dress


def start_structured_stream(call: Call) -> BaseStructuredStream[Any]:
    """The structured stream of a call; nothing is sent before it is iterated over."""
    extraction = call.extraction
    assert extraction is not None
    run = StreamRun(call)
    return BaseStructuredStream(
        stream=dress(run, call),
        response_model=extraction.target,
        fields_from_call_args=extraction.given(call.fn_args),
        run=StructuredRun(run, call, extraction),
    )


class StructuredRun:
    """Reads the answer of one stream as its response model."""

    def __init__(self, run: StreamRun, call: Call, extraction: Extraction) -> None:
        self._run = run
        self._call = call
        self._extraction = extraction
        self._reader = extraction.reader(call.fn_args)
        self._pieces: list[str] = []
        self._error: JsonError | None = None

    def iterate(self) -> Generator[Any, None, None]:
        """Partial instances, then the whole one, of a sync stream."""
        yield from self._run.iterate(self._view)
        yield from self._whole()

    async def aiterate(self) -> AsyncGenerator[Any, None]:
        """The same of an async stream."""
        async for partial in self._run.aiterate(self._view):
            yield partial
        for whole in self._whole():
            yield whole

    def _view(self, events: Iterable[Event]) -> Iterator[Any]:
        text = _arguments if self._extraction.way == "tool" else _content
        every, reader, shown = self._call.plan.every, self._reader, self._extraction.shown
        for event in events:
            piece = text(event)
            if not piece or self._error is not None:
                continue
            self._pieces.append(piece)
            try:
                changed = reader.feed(piece)
            except JsonError as error:
                # Told at the end, when all of the answer is there to be told with it.
                self._error = error
                continue
            if reader.value is not None and reader.wants(every, changed):
                yield shown(reader.value)

    def _whole(self) -> Iterator[Any]:
        """The whole instance; none if the model preferred to call a tool."""
        response: Any = self._run.response()
        if not self._pieces and self._call.tools and response.tools:
            return
        if self._error is not None or not self._pieces:
            # Says what the model did instead, or reads the answer from where it should not have come.
            text = self._call.plan.provider.dialect.answer_text(response, self._extraction.way)
            yield self._extraction.read(text, self._call.fn_args, response)
        else:
            yield self._extraction.finish(self._reader, "".join(self._pieces), response)


def _arguments(event: Event) -> str:
    """What the event adds to the arguments of the first tool call."""
    if event.fragments is None:
        return ""
    return "".join(fragment for position, _, _, fragment in event.fragments if position == 0)


def _content(event: Event) -> str:
    return event.content
