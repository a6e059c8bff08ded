"""Responses with server-sent events for aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from typing_extensions import Unpack

from .._engine.extras import require_package
from ..core.base.stream_events import WebFormat
from ._delivery import DEFAULT_LIMITS, Delivery, DeliveryLimits
from ._events import Answer, EventOptions
from ._headers import MEDIA_TYPE
from ._reader import StreamReader
from ._source import source_and_headers

require_package("aiohttp", extra="aiohttp", user="`ferroscope.web.aiohttp`")

from aiohttp import web  # noqa: E402  # checked above

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, BaseTransport

# aiohttp does not report that a client has left, so one timer per event loop looks at all transports.
_CHECK_SECONDS = 0.02


async def send_events(
    request: web.Request,
    answer: Answer | StreamReader,
    format: WebFormat = "vercel",
    *,
    headers: Mapping[str, str] | None = None,
    limits: DeliveryLimits = DEFAULT_LIMITS,
    **options: Unpack[EventOptions],
) -> web.StreamResponse:
    """Send the server-sent events of an answer, and return the response.

    A client that leaves closes the connection to the provider.

    Args:
        request: The request to answer.
        answer: A stream, a generator of steps, or a reader of a resumable stream.
        format: As of `stream.sse`.
        headers: Further headers.
        limits: Heartbeats, and the limit of a slow client.
        options: The options of `ferroscope.web.sse`.

    Example:
        ```python
        async def chat(request: web.Request) -> web.StreamResponse:
            return await send_events(request, await assistant(request.query["question"]), "vercel")
        ```
    """
    source, own_headers = source_and_headers(answer, format, options)
    status = answer.status_code if isinstance(answer, StreamReader) else 200
    response = web.StreamResponse(status=status, headers={"content-type": MEDIA_TYPE, **own_headers, **(headers or {})})
    await response.prepare(request)
    delivery = Delivery(source, response.write, limits)
    transport = request.transport
    if transport is None:
        return response
    departures = _departures_of(asyncio.get_running_loop())
    departures.add(transport, delivery)
    try:
        is_whole = await delivery.run()
    except ConnectionResetError:  # it has left during a write
        is_whole = False
    finally:
        departures.remove(transport)
    if is_whole:
        await response.write_eof()
    else:
        transport.close()
    return response


class _Departures:
    """Cuts the deliveries of clients that have left."""

    def __init__(self) -> None:
        self._watched: dict[BaseTransport, Delivery] = {}
        self._is_scheduled = False

    def add(self, transport: BaseTransport, delivery: Delivery) -> None:
        self._watched[transport] = delivery
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check)

    def remove(self, transport: BaseTransport) -> None:
        self._watched.pop(transport, None)

    def _check(self) -> None:
        for transport, delivery in tuple(self._watched.items()):
            if transport.is_closing():
                del self._watched[transport]
                delivery.cut()
        self._is_scheduled = bool(self._watched)
        if self._is_scheduled:
            asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check)


_loops: WeakKeyDictionary[AbstractEventLoop, _Departures] = WeakKeyDictionary()


def _departures_of(loop: AbstractEventLoop) -> _Departures:
    known = _loops.get(loop)
    if known is None:
        known = _loops[loop] = _Departures()
    return known
