"""The source of a framework's response: an answer, or a reader of a resumable stream."""

from __future__ import annotations

from ..core.base.stream_events import WebFormat
from ._delivery import EventSource
from ._events import Answer, AnswerEvents, EventOptions
from ._headers import headers_of
from ._reader import StreamReader


def source_and_headers(
    answer: Answer | StreamReader, format: WebFormat, options: EventOptions
) -> tuple[EventSource, dict[str, str]]:
    """Return the source of the events, and the headers of the response."""
    if isinstance(answer, StreamReader):
        return answer, answer.headers
    return AnswerEvents(answer, format, **options), headers_of(format)
