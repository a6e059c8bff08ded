"""Responses with server-sent events for Flask."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import Unpack

from .._engine.extras import require_package
from ..core.base.stream_events import WebFormat
from ._delivery import DEFAULT_LIMITS, DeliveryLimits
from ._events import Answer, AnswerEvents, EventOptions
from ._headers import MEDIA_TYPE, headers_of
from ._wsgi import wsgi_events

require_package("flask", extra="flask", user="`ferroscope.web.flask`")

from flask import Response, request  # noqa: E402  # checked above


def event_response(
    answer: Answer,
    format: WebFormat = "vercel",
    *,
    headers: Mapping[str, str] | None = None,
    limits: DeliveryLimits = DEFAULT_LIMITS,
    **options: Unpack[EventOptions],
) -> Response:
    """Return a response with the server-sent events of a sync answer.

    A client that leaves closes the connection to the provider: at once where the server shows the client's socket
    (Werkzeug, Gunicorn), else with the next event or heartbeat.

    Args:
        answer: A stream, or a generator of steps.
        format: As of `stream.sse`.
        headers: Further headers.
        limits: Heartbeats, and the limit of a slow client.
        options: The options of `ferroscope.web.sse`.

    Raises:
        TypeError: The answer is async.

    Example:
        ```python
        @app.post("/chat")
        def chat() -> Response:
            return event_response(assistant(request.form["question"]), "vercel")
        ```
    """
    events = wsgi_events(AnswerEvents(answer, format, **options), request.environ, limits)
    return Response(events, mimetype=MEDIA_TYPE, headers={**headers_of(format), **(headers or {})})
