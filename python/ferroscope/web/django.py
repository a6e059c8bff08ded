"""Responses with server-sent events for Django, under ASGI and WSGI."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import Unpack

from .._engine.extras import require_package
from ..core.base.stream_events import WebFormat
from ._delivery import DEFAULT_LIMITS, DeliveryLimits
from ._events import Answer, AnswerEvents, EventOptions
from ._headers import MEDIA_TYPE
from ._pull import pulled_events
from ._reader import StreamReader
from ._source import source_and_headers
from ._wsgi import wsgi_events

require_package("django", extra="django", user="`ferroscope.web.django`")

from django.core.handlers.asgi import ASGIRequest  # noqa: E402  # checked above
from django.http import HttpRequest, StreamingHttpResponse  # noqa: E402


def event_response(
    request: HttpRequest,
    answer: Answer | StreamReader,
    format: WebFormat = "vercel",
    *,
    headers: Mapping[str, str] | None = None,
    limits: DeliveryLimits = DEFAULT_LIMITS,
    **options: Unpack[EventOptions],
) -> StreamingHttpResponse:
    """Return a response with the server-sent events of an answer.

    A client that leaves closes the connection to the provider.

    Args:
        request: The request to answer.
        answer: A stream, a generator of steps, or a reader of a resumable stream. Under WSGI it must be sync.
        format: As of `stream.sse`.
        headers: Further headers.
        limits: Heartbeats, and the limit of a slow client.
        options: The options of `ferroscope.web.sse`.

    Raises:
        TypeError: The answer is async, and the server is a WSGI server.

    Example:
        ```python
        async def chat(request: HttpRequest) -> StreamingHttpResponse:
            return event_response(request, await assistant(request.GET["question"]), "vercel")
        ```
    """
    source, own_headers = source_and_headers(answer, format, options)
    # The encoding keeps Django's middleware from compressing the events.
    own_headers = {"content-encoding": "identity", **own_headers, **(headers or {})}
    if isinstance(request, ASGIRequest):
        events = pulled_events(source, limits)
        status = answer.status_code if isinstance(answer, StreamReader) else 200
        return StreamingHttpResponse(events, content_type=MEDIA_TYPE, headers=own_headers, status=status)
    if not isinstance(source, AnswerEvents):
        raise TypeError("a WSGI server cannot follow a resumable stream: use an ASGI server")
    read = wsgi_events(source, request.META, limits)
    return StreamingHttpResponse(read, content_type=MEDIA_TYPE, headers=own_headers)
