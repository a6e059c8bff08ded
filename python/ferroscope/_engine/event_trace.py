"""A line of text for each event of a stream, for the command `decode` and the logger `ferroscope.stream`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from .._core import Event, StreamDecoder, ToolCallDelta

logger: Final = logging.getLogger("ferroscope.stream")

_View = Callable[[Iterable[Event]], Iterator[Any]]  # Any: a chunk, a text or a typed event


class EventTrace:
    """Text descriptions of the events of a stream: the change by each event, and the tool call of each fragment.

    Args:
        decoder: The decoder that emits the events.
        with_content: Whether to show texts and arguments. Otherwise only their lengths are shown.
    """

    def __init__(self, decoder: StreamDecoder, *, with_content: bool) -> None:
        self._decoder = decoder
        self._with_content = with_content
        self._thought = 0
        self._calls = 0
        self._finish_reasons: list[str] = []
        self._usage: bytes | None = None

    def describe(self, event: Event) -> str:
        """Return the line for the event that the decoder emitted last."""
        place = f"event {self._decoder.events}" if event.data else "end of the stream"
        return f"{place}: {'; '.join(self._changes(event)) or 'no change'}"

    def _changes(self, event: Event) -> Iterator[str]:
        decoder = self._decoder
        reasoning, self._thought = decoder.reasoning_since(self._thought)
        if reasoning:
            yield f"reasoning {self._shown(reasoning)}"
        if event.content:
            yield f"text {self._shown(event.content)}"
        calls = decoder.tool_calls if len(decoder.tool_calls) != self._calls else []
        for call in calls[self._calls :]:
            yield f"{call_label(call)} begins"
        self._calls = max(self._calls, len(calls))
        for call in event.fragments or ():
            yield f"{call_label(call)} gets arguments {self._shown(call.arguments)}"
        for call in event.tool_calls or ():
            yield f"{call_label(call)} is complete"
        if decoder.finish_reasons != self._finish_reasons:
            self._finish_reasons = decoder.finish_reasons
            yield f"finish reasons {', '.join(map(repr, self._finish_reasons))}"
        if decoder.usage != self._usage:
            self._usage = decoder.usage
            yield f"usage {counts_label(decoder)}"

    def _shown(self, text: str) -> str:
        return repr(text) if self._with_content else f"+{len(text)} characters"


def call_label(call: ToolCallDelta) -> str:
    """Return the position, id and name of a tool call."""
    return f"tool call {call.position} (id {call.id!r}, name {call.name!r})"


def counts_label(decoder: StreamDecoder) -> str:
    """Return the token counts so far."""
    counts = decoder.token_counts()
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count is not None) or "without counts"


def logged(view: _View, decoder: StreamDecoder, source: str) -> _View:
    """Return a view that logs each event before it passes the event on.

    Args:
        view: Converts events into the items of the stream.
        decoder: The decoder of the stream.
        source: The provider and the model, for the beginning of each line.
    """
    trace = EventTrace(decoder, with_content=os.environ.get("FERROSCOPE_LOG_CONTENT") == "1")

    def log(events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            logger.debug("%s: %s", source, trace.describe(event))
            yield event

    return lambda events: view(log(events))
