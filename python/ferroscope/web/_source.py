"""What a response of a framework sends: an answer, or a reader of a resumable stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol, runtime_checkable

from ..core.base.stream_events import WebFormat
from ._delivery import EventSource
from ._events import Answer, AnswerEvents, EventOptions
from ._headers import headers_of


@runtime_checkable
class Deliverable(Protocol):
    """A source of events that has a format and headers of its own."""

    @property
    def headers(self) -> dict[str, str]: ...
    def aiterate_any(self) -> AsyncGenerator[bytes, None]: ...
    def abort(self) -> bytes: ...


def source_and_headers(
    answer: Answer | Deliverable, format: WebFormat, options: EventOptions
) -> tuple[EventSource, dict[str, str]]:
    """Return the source of the events, and the headers of the response."""
    if isinstance(answer, Deliverable):
        return answer, answer.headers
    return AnswerEvents(answer, format, **options), headers_of(format)
