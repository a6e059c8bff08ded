"""A structured answer under way: partial instances of its response model, and the whole one at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing
from typing import Any, Protocol

from .._core import Event, JsonError
from ..core.base.stream_config import Every
from ..core.base.structured_stream import BaseStructuredStream
from .answer import extract
from .call import Call
from .extraction import Extraction
from .partial import PartialReader
from .stream import StreamRun, dress
from .value_reader import ValueReader

# Any: instances of whatever the response model is.


class Reader(Protocol):
    """Reads an answer while it is written."""

    @property
    def value(self) -> Any: ...
    def feed(self, delta: str) -> bool: ...
    def wants(self, every: Every, changed: bool) -> bool: ...
    def is_done(self, *path: str | int) -> bool: ...


def start_structured_stream(call: Call) -> BaseStructuredStream[Any]:
    """The structured stream of a call; nothing is sent before it is iterated over."""
    extraction = call.extraction
    assert extraction is not None
    run = StreamRun(call)
    return BaseStructuredStream(
        stream=dress(run, call),
        response_model=extraction.target,
        fields_from_call_args=call.given,
        run=StructuredRun(run, call, extraction),
    )


class StructuredRun:
    """Reads the answer of one stream as its response model."""

    __slots__ = ("_broken", "_call", "_is_whole", "_reader", "_run", "_text")

    def __init__(self, run: StreamRun, call: Call, extraction: Extraction) -> None:
        self._run = run
        self._call = call
        self._text = _arguments if extraction.way == "tool" else _content
        self._reader: Reader = (
            ValueReader(extraction) if extraction.is_wrapped else PartialReader(extraction.model, given=call.given)
        )
        self._broken = False
        self._is_whole = False

    def iterate(self, keep: Callable[[Any], None]) -> Generator[Any, None, None]:
        """Partial instances, then the whole one, of a sync stream."""
        yield from self._run.iterate(self._partials)
        yield from self._whole(keep)

    async def aiterate(self, keep: Callable[[Any], None]) -> AsyncGenerator[Any, None]:
        """The same of an async stream."""
        # Closed here: left alone, it would be closed, and its connection with it, some turns of the loop later.
        async with aclosing(self._run.aiterate(self._partials)) as partials:
            async for partial in partials:
                yield partial
        for whole in self._whole(keep):
            yield whole

    def is_done(self, *path: str | int) -> bool:
        return self._is_whole or self._reader.is_done(*path)

    def _partials(self, events: Iterable[Event]) -> Iterator[Any]:
        text, every, reader = self._text, self._call.plan.every, self._reader
        for event in events:
            piece = text(event)
            if not piece or self._broken:
                continue
            try:
                changed = reader.feed(piece)
            except JsonError:
                # Told at the end, when all of the answer is there to be told with it.
                self._broken = True
                continue
            if reader.wants(every, changed) and (value := reader.value) is not None:
                yield value

    def _whole(self, keep: Callable[[Any], None]) -> Iterator[Any]:
        """The whole instance; the response if the model called a tool instead."""
        if not self._run.complete or self._is_whole:  # closed before, or iterated over once more
            return
        self._is_whole = True
        response = self._run.response()
        result = extract(self._call, response)
        if result is not response:
            keep(result)
        yield result


def _arguments(event: Event) -> str:
    """What the event adds to the arguments of the first tool call."""
    if event.fragments is None:
        return ""
    return "".join(fragment for position, _, _, fragment in event.fragments if position == 0)


def _content(event: Event) -> str:
    content: str = event.content
    return content
