"""The run of a stream that was pickled or copied after its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .stream_view import StreamView

if TYPE_CHECKING:
    from ....prices import Cost
    from ..call_response import AnyCallResponse
    from ..retry import Attempt
    from ..stream import StreamDriver
    from ..stream_events import WebFormat


_NOTHING: tuple[Any, ...] = ()  # Any: items of every kind


@dataclass(frozen=True)
class FinishedRun:
    """The response and the counts of a run that has ended. Iterating over it yields nothing."""

    kept: AnyCallResponse
    content: str
    reasoning: str
    id: str | None
    model: str | None
    finish_reasons: list[str]
    start_time: float
    end_time: float
    attempts: tuple[Attempt, ...]
    cost: Cost
    counts: Mapping[str, int | None]
    is_cached: bool = False
    ended: bool = True

    @classmethod
    def of(cls, run: StreamDriver) -> FinishedRun:
        """Return what remains of a run that has ended."""
        return cls(
            kept=run.response(),
            content=run.content,
            reasoning=run.reasoning,
            id=run.id,
            model=run.model,
            finish_reasons=run.finish_reasons,
            start_time=run.start_time,
            end_time=run.end_time,
            attempts=run.attempts,
            cost=run.cost_details(),
            counts=run.token_counts(),
            is_cached=run.is_cached,
        )

    def response(self) -> AnyCallResponse:
        return self.kept

    def cost_details(self) -> Cost:
        return self.cost

    def token_counts(self) -> Mapping[str, int | None]:
        return self.counts

    def check_kind(self, *, asynchronous: bool, write: str) -> None: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...

    def collect(self) -> AnyCallResponse:
        return self.kept

    async def acollect(self) -> AnyCallResponse:
        return self.kept

    # Any: items of every kind, of which there are none.
    def iterate(self) -> Generator[Any, None, None]:
        yield from ()

    async def aiterate(self) -> AsyncGenerator[Any, None]:
        for item in _NOTHING:
            yield item

    texts = events = raw = iterate
    atexts = aevents = araw = aiterate

    def sse(self, format: WebFormat, **options: Any) -> StreamView[bytes]:
        raise ValueError("a copy of a stream has no events to encode: use the stream that was read")
