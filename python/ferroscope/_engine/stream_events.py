"""The events of the core as the typed events of `stream.events()`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._core import Event, StreamDecoder, ToolCallDelta
from ..core.base._responses.token_counts import common_usage
from ..core.base.call_response import AnyCallResponse
from ..core.base.stream_events import (
    FinishEvent,
    StreamEvent,
    TextEvent,
    ThinkingEvent,
    ToolArgumentsEvent,
    ToolEvent,
    UsageEvent,
)
from ..core.base.tool import BaseTool


class TypedEvents:
    """A converter that finds what each event added by comparing it with the state before."""

    def __init__(
        self,
        decoder: StreamDecoder,
        response: Callable[[], AnyCallResponse],
        tool: Callable[[ToolCallDelta], Iterable[BaseTool]],
    ) -> None:
        self._decoder = decoder
        self._response = response
        self._tool = tool
        self._thought = 0
        self._finished = 0
        self._usage: bytes | None = None

    def convert(self, events: Iterable[Event]) -> Iterator[StreamEvent[Any]]:
        """Yield the typed events for events of the core."""
        decoder = self._decoder
        for event in events:
            thinking, self._thought = decoder.reasoning_since(self._thought)
            if thinking:
                yield ThinkingEvent(thinking)
            if event.content:
                yield TextEvent(event.content)
            for call in event.fragments or ():
                yield ToolArgumentsEvent(call.position, call.id, call.name, call.arguments)
            for call in event.tool_calls or ():
                for tool in self._tool(call):
                    yield ToolEvent(tool)
            yield from self._ends()

    def _ends(self) -> Iterator[FinishEvent | UsageEvent]:
        finished = len(self._decoder.finish_reasons)
        if finished > self._finished:
            self._finished = finished
            if reasons := self._response().common_finish_reasons:
                yield FinishEvent(reasons)
        usage = self._decoder.usage
        if usage != self._usage:
            self._usage = usage
            if counted := common_usage(self._decoder.token_counts()):
                yield UsageEvent(counted)
