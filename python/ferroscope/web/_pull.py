"""Events for servers that ask for the next bytes, and do not offer to write them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from ._delivery import DEFAULT_LIMITS, Delivery, DeliveryLimits, EventSource


async def pulled_events(source: EventSource, limits: DeliveryLimits = DEFAULT_LIMITS) -> AsyncGenerator[bytes, None]:
    """Yield the events and heartbeats of a delivery. Leaving the loop closes the connection to the provider."""
    slot: asyncio.Queue[bytes | None] = asyncio.Queue(1)
    delivery = Delivery(source, slot.put, limits)

    async def deliver() -> None:
        await delivery.run()
        await slot.put(None)

    task = asyncio.get_running_loop().create_task(deliver())
    # A delivery that fails has no last item, so its end wakes the reader too.
    task.add_done_callback(lambda _: slot.put_nowait(None) if slot.empty() else None)
    try:
        while (data := await slot.get()) is not None:
            yield data
    finally:
        task.cancel()
        await asyncio.wait((task,))
    if not task.cancelled():
        task.result()
