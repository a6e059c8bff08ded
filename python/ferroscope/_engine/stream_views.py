"""Conversions of the events of a stream into the items of a way to iterate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .._core import Event, StreamDecoder

if TYPE_CHECKING:
    from .call import Call
    from .source import ResponseHead
    from .stream import StreamRun

# Any: chunk and tool are the provider's own classes.
Pair = tuple[Any, Any]
# A function that converts events into the items of one way to iterate.
View = Callable[[Iterable[Event]], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class _BlankEvent:
    """The chunk of a tool without an event of its own."""

    data: bytes
    content: str = ""


class Pairs:
    """Converts the events of a run into pairs of a chunk and a tool."""

    __slots__ = ("_call", "_chunk", "_run", "_tools")

    def __init__(self, run: StreamRun, call: Call, head: ResponseHead | None) -> None:
        self._run = run
        self._call = call
        self._tools = run.open_tools()
        kind: Any = call.provider.chunk
        # The head is None unless the SDK delivers it apart from the events.
        self._chunk: Callable[[Any], Any] = kind if head is None else partial(kind, head=head)

    def convert(self, events: Iterable[Event]) -> Iterator[Pair]:
        """Yield a pair for each event: its chunk, and a tool that it completes."""
        run, chunk = self._run, self._chunk
        partial_tools = self._call.plan.partial_tools
        for event in events:
            if event.tool_calls is None and (not partial_tools or event.fragments is None):
                yield chunk(event), None
            else:
                yield from self._tool_pairs(event)
            if run.closed:
                return

    def _tool_pairs(self, event: Event) -> Iterator[Pair]:
        """Yield an event's chunk with its first tool, and each further tool with a chunk without content."""
        chunk = self._chunk(event) if event.data else self._blank_chunk()
        tools = list(self._tools.of_event(event))
        yield chunk, tools[0] if tools else None
        for tool in tools[1:]:
            yield self._blank_chunk(), tool

    def _blank_chunk(self) -> Any:
        run = self._run
        return self._chunk(_BlankEvent(self._call.provider.dialect.blank_event(run.id or "", run.model or "")))


def texts(events: Iterable[Event]) -> Iterator[str]:
    """Yield the text of each event that has one."""
    for event in events:
        if text := event.content:
            yield text


def folded(events: Iterable[Event]) -> Iterator[Any]:
    """Fold the events into the answer. Yield nothing."""
    if isinstance(events, StreamDecoder):
        events.fold()
    else:
        for _ in events:
            pass
    return iter(())


def received_by(decoder: StreamDecoder) -> View:
    """Return the view that yields the reads from which the events were decoded."""

    def received(events: Iterable[Event]) -> Iterator[bytes]:
        if not decoder.framed:
            for event in events:
                yield b"data: " + event.data + b"\n\n"
            return
        read = decoder.read  # None once the body has ended
        folded(events)
        if read:
            yield read

    return received
