"""Responses with server-sent events for Starlette and FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from .._engine.extras import require_package
from ..core.base.stream_events import WebFormat
from ._delivery import DEFAULT_LIMITS, Delivery, DeliveryLimits
from ._events import Answer, EventOptions
from ._headers import MEDIA_TYPE
from ._reader import StreamReader
from ._source import source_and_headers

require_package("starlette", extra="starlette", user="`ferroscope.web.starlette`")

from starlette.responses import Response  # noqa: E402  # checked above

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class EventResponse(Response):
    """A response with the server-sent events of an answer.

    A client that leaves closes the connection to the provider.

    Args:
        answer: A stream, a generator of steps, or a reader of a resumable stream.
        format: As of `stream.sse`.
        headers: Further headers.
        limits: Heartbeats, and the limit of a slow client.
        options: The options of `ferroscope.web.sse`.

    Example:
        ```python
        @app.post("/chat")
        async def chat(question: str) -> EventResponse:
            return EventResponse(await assistant(question), "vercel")
        ```
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        answer: Answer | StreamReader,
        format: WebFormat = "vercel",
        *,
        headers: Mapping[str, str] | None = None,
        limits: DeliveryLimits = DEFAULT_LIMITS,
        **options: Unpack[EventOptions],
    ) -> None:
        self._source, own_headers = source_and_headers(answer, format, options)
        self._limits = limits
        self.status_code = answer.status_code if isinstance(answer, StreamReader) else 200
        self.background = None
        self.init_headers({**own_headers, **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""

        async def write(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        delivery = Delivery(self._source, write, self._limits)
        departure = asyncio.get_running_loop().create_task(_cut_on_disconnect(receive, delivery))
        try:
            is_whole = await delivery.run()
        finally:
            departure.cancel()
        if is_whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _cut_on_disconnect(receive: Receive, delivery: Delivery) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    delivery.cut()
