"""The delivery of one answer's events to one client of an asyncio server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

PING: Final = b": ping\n\n"
"""A comment, which clients ignore. It keeps proxies from closing a silent connection."""


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """The limits of a delivery, in seconds.

    Attributes:
        heartbeat: The time without data after which a comment is sent.
        send: The time limit for the client to read a send. After it, the connection to the provider is closed.
    """

    heartbeat: float = 15.0
    send: float = 30.0


DEFAULT_LIMITS: Final = DeliveryLimits()


class EventSource(Protocol):
    """The events of one answer."""

    def aiterate_any(self) -> AsyncGenerator[bytes, None]: ...
    def abort(self) -> bytes: ...


class Delivery:
    """Sends the events of one answer. One timer per delivery watches over heartbeats and slow clients.

    Args:
        source: The events.
        write: Sends bytes, and returns when the client is ready for more.
        limits: The limits of the delivery.
    """

    __slots__ = (
        "_is_cut",
        "_is_finishing",
        "_last_sent",
        "_limits",
        "_loop",
        "_ping",
        "_pump",
        "_sending_since",
        "_source",
        "_timer",
        "_write",
    )

    def __init__(
        self, source: EventSource, write: Callable[[bytes], Awaitable[None]], limits: DeliveryLimits = DEFAULT_LIMITS
    ) -> None:
        self._source = source
        self._write = write
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._pump: asyncio.Task[None] | None = None
        self._ping: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending_since: float | None = None
        self._last_sent = self._loop.time()
        self._is_cut = False
        self._is_finishing = False

    async def run(self) -> bool:
        """Send all events. Return whether they were sent, and not cut off."""
        pump = self._pump = self._loop.create_task(self._send_all())
        self._timer = self._loop.call_later(min(self._limits.heartbeat, self._limits.send), self._tick)
        _running.add(self)
        try:
            await asyncio.wait((pump,))
        finally:
            _running.discard(self)
            self._timer.cancel()
            if self._ping is not None:
                self._ping.cancel()
            if not pump.done():
                pump.cancel()
                await asyncio.wait((pump,))
        if pump.cancelled() or (self._is_cut and pump.exception() is not None):
            return False
        pump.result()
        return not self._is_cut

    def cut(self) -> None:
        """Stop sending, and close the connection to the provider."""
        self._is_cut = True
        if self._pump is not None:
            self._pump.cancel()

    def finish(self) -> None:
        """Close the connection to the provider, and send the format's abort event."""
        if not self._is_finishing and self._pump is not None:
            self._is_finishing = True
            self._pump.cancel()

    async def _send_all(self) -> None:
        events = self._source.aiterate_any()
        try:
            async for data in events:
                if data:
                    await self._send(data)
        except asyncio.CancelledError:
            if self._is_cut or not self._is_finishing:
                raise
        finally:
            await events.aclose()
        if self._is_finishing and (last := self._source.abort()):
            await self._send(last)

    async def _send(self, data: bytes) -> None:
        self._sending_since = self._loop.time()
        await self._write(data)
        self._sending_since = None
        self._last_sent = self._loop.time()

    def _tick(self) -> None:
        now, limits = self._loop.time(), self._limits
        if self._sending_since is not None:
            due = self._sending_since + limits.send
            if now >= due:
                self.cut()
                return
        else:
            due = self._last_sent + limits.heartbeat
            if now >= due:
                due = now + limits.heartbeat
                self._ping = self._loop.create_task(self._send(PING))
        self._timer = self._loop.call_at(min(due, now + limits.send), self._tick)


_running: set[Delivery] = set()


async def finish_streams(timeout: float = 10.0) -> None:
    """Wait until all answers of this event loop are delivered, for a graceful shutdown.

    Args:
        timeout: The time to wait, in seconds. After that the rest of the answers end with the abort event of their
            format, and the connections to the providers are closed.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while pumps := _pumps(loop):
        left = end - loop.time()
        if left <= 0:
            break
        await asyncio.wait(pumps, timeout=left)
    for delivery in tuple(_running):
        if delivery._loop is loop:
            delivery.finish()
    if pumps := _pumps(loop):
        await asyncio.wait(pumps, timeout=1.0)


def _pumps(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[None]]:
    return [running._pump for running in tuple(_running) if running._loop is loop and running._pump is not None]
