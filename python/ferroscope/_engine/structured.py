"""Structured streams: partial instances of a response model, and the complete instance at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from .._core import Event, JsonError
from ..core.base.stream_config import Every
from ..core.base.structured_stream import BaseStructuredStream
from .answer import extract
from .call import Call
from .extraction import Extraction
from .partial import PartialReader
from .stream import StreamRun, wrap_run
from .stream_retries import start_run
from .stream_views import View
from .succession import SuccessiveRun
from .thinking import ThoughtFilter
from .value_reader import ValueReader

# Any: instances of the response model.


class Reader(Protocol):
    """An incremental reader of a structured answer."""

    @property
    def value(self) -> Any: ...
    def feed(self, delta: str) -> bool: ...
    def wants(self, every: Every, changed: bool) -> bool: ...
    def is_done(self, *path: str | int) -> bool: ...


def start_structured_stream(call: Call) -> BaseStructuredStream[Any]:
    """Return the structured stream of a call. The request is sent when the iteration begins."""
    extraction = call.extraction
    assert extraction is not None
    run = start_run(call)
    return BaseStructuredStream(
        stream=wrap_run(run, call),
        response_model=extraction.target,
        fields_from_call_args=call.prefilled_fields,
        run=StructuredRun(run, call, extraction),
    )


class StructuredRun:
    """The iteration over one stream as its response model."""

    __slots__ = ("_call", "_extraction", "_reading", "_run")

    def __init__(self, run: StreamRun | SuccessiveRun, call: Call, extraction: Extraction) -> None:
        self._run = run
        self._call = call
        self._extraction = extraction
        self._new_reading()

    def iterate(self, keep: Callable[[Any], None]) -> Generator[Any, None, None]:
        """Yield partial instances, then the complete one, of a sync stream."""
        yield from self._run.viewed(self._new_view)
        yield from self._whole(self._reading, keep)
        self._run.store()

    async def aiterate(self, keep: Callable[[Any], None]) -> AsyncGenerator[Any, None]:
        """Yield partial instances, then the complete one, of an async stream."""
        # Close the iterator here. Otherwise the event loop would close it, and its connection, some iterations later.
        async with aclosing(self._run.aviewed(self._new_view)) as partials:
            async for partial in partials:
                yield partial
        for whole in self._whole(self._reading, keep):
            yield whole
        await self._run.astore()

    def _new_view(self) -> View:
        return self._new_reading().partials

    def _new_reading(self) -> Reading:
        call = self._call
        self._reading = Reading(self._extraction, call.prefilled_fields, call.plan.every)
        return self._reading

    def close(self) -> None:
        self._run.close()

    async def aclose(self) -> None:
        await self._run.aclose()

    @property
    def ended(self) -> bool:
        """Whether the stream below is over."""
        return self._run.ended

    @property
    def has_output(self) -> bool:
        """Whether any of the answer was received."""
        return self._run.has_output

    def is_done(self, *path: str | int) -> bool:
        return self._reading.is_whole or self._reading.reader.is_done(*path)

    def _whole(self, reading: Reading, keep: Callable[[Any], None]) -> Iterator[Any]:
        """Yield the complete instance, or the response if the model called a tool instead."""
        if not (reading.begun and self._run.complete):  # iterated over again, or closed early
            return
        reading.is_whole = True
        response = self._run.response()
        # Some SDKs parse arguments into objects, which fails for malformed ones.
        result = extract(self._call, response, self._run.arguments if self._extraction.mode == "tool" else "")
        if result is not response:
            keep(result)
        yield result


class Reading:
    """One iteration over a structured stream.

    Args:
        extraction: The plan for the answer.
        prefilled: The fields that the call's arguments fill.
        every: When to yield an instance.
        text: A function that returns the part of the answer in an event; by default for events of the core.
    """

    __slots__ = ("_broken", "_every", "_extraction", "_prefilled", "_text", "_thoughts", "begun", "is_whole", "reader")

    def __init__(
        self,
        extraction: Extraction,
        prefilled: Mapping[str, Any],
        every: Every = "delta",
        text: Callable[[Any], str] | None = None,
    ) -> None:
        self._extraction = extraction
        self._prefilled = prefilled
        self.reader = self._new_reader()
        self._text = text or (_arguments if extraction.mode == "tool" else _content)
        # Arguments contain only JSON, without thoughts.
        self._thoughts = None if extraction.mode == "tool" else ThoughtFilter()
        self._every: Every = every
        self._broken = False
        self.begun = False
        self.is_whole = False

    def _new_reader(self) -> Reader:
        if self._extraction.is_wrapped:
            return ValueReader(self._extraction)
        return PartialReader(self._extraction.model, prefilled=self._prefilled)

    def partials(self, events: Iterable[Any]) -> Iterator[Any]:
        """Yield the instances after each event."""
        self.begun = True
        text, thoughts = self._text, self._thoughts
        for event in events:
            piece = text(event)
            if piece and thoughts is not None:
                piece, restarts = thoughts.feed(piece)
                if restarts:
                    self.reader, self._broken = self._new_reader(), False
            if not piece or self._broken:
                continue
            reader = self.reader
            try:
                changed = reader.feed(piece)
            except JsonError:
                # The end of the stream raises the error, with the complete answer.
                self._broken = True
                continue
            if reader.wants(self._every, changed) and (value := reader.value) is not None:
                yield value


def _arguments(event: Event) -> str:
    """Return the event's addition to the arguments of the first tool call."""
    if event.fragments is None:
        return ""
    return "".join(call.arguments for call in event.fragments if call.position == 0)


def _content(event: Event) -> str:
    content: str = event.content
    return content
