"""The interface between calls and telemetry: an observer sees each request, its first chunk and its end.

No observer is set until `ferroscope._telemetry` sets one. Until then a call costs one comparison more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from .._core import Event

if TYPE_CHECKING:
    from ..core.base.call_response import AnyCallResponse
    from .call import Call
    from .plan import CallPlan
    from .source import Source
    from .stream import StreamRun


class Observation(Protocol):
    """One call, observed: it may send several requests, one after the other."""

    def fork(self) -> Observation:
        """Return another observation of the same call, for a request at the same time."""
        ...

    def send(self, call: Call, client: object, send: Callable[[object], Any]) -> Any:
        """Call `send` with a client, and return its result, which is an awaitable for async calls."""
        ...

    def first_chunk(self) -> None:
        """Note that the first chunk of a stream has arrived."""
        ...

    def end(self, response: AnyCallResponse | None, error: BaseException | None) -> None:
        """Note the end of a request that is not streamed; without effect if the request has ended."""
        ...

    def end_stream(self, run: StreamRun, error: BaseException | None) -> None:
        """Note the end of a stream, whole or not; without effect if the request has ended."""
        ...


Observer: TypeAlias = "Callable[[CallPlan], Observation | None]"

_observer: Observer | None = None


def set_observer(observer: Observer | None) -> None:
    """Set what is asked, at each call, for an observation."""
    global _observer
    _observer = observer


def observe(plan: CallPlan) -> Observation | None:
    """Return the observation of a call that starts here; None if nothing observes it."""
    return None if _observer is None else _observer(plan)


class FirstChunkSource:
    """A source that reports its first event; after that it costs nothing."""

    def __init__(self, source: Source, first_chunk: Callable[[], None]) -> None:
        self._source = source
        self._first_chunk = first_chunk
        self.reads = source.reads
        self.areads = source.areads
        self.drain = source.drain
        self.adrain = source.adrain
        self.cut = source.cut
        self.close = source.close
        self.aclose = source.aclose
        self.events: Callable[[Any], Iterable[Event]] = self._events

    @property
    def response(self) -> object | None:
        return self._source.response

    def _events(self, read: Any) -> Iterable[Event]:
        return self._until_first(self._source.events(read))

    def _until_first(self, events: Iterable[Event]) -> Iterator[Event]:
        rest = iter(events)
        for first in rest:
            self._first_chunk()
            self.events = self._source.events
            yield first
            break
        # A read may have hundreds of events.
        yield from rest
