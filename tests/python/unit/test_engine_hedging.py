"""A hedged async call that is cancelled in the moment of its answer leaves no open connection."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from ferroscope._engine.hedging import Racer, arace


class Answered:
    """A request whose answer begins while the call is cancelled."""

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.abandoned = 0

    async def send(self) -> str:
        assert self.task is not None
        self.task.cancel()
        return "an open stream"

    def abandon(self) -> None:
        raise AssertionError("a sync request")

    async def aabandon(self) -> None:
        await asyncio.sleep(0)  # closing a connection waits for the event loop
        self.abandoned += 1


async def test_an_answer_of_a_cancelled_call_is_closed() -> None:
    request = Answered()
    racer = Racer(cast("Any", None), request, 0.0, None)
    request.task = asyncio.ensure_future(arace(racer, lambda: None, 5.0))
    with pytest.raises(asyncio.CancelledError):
        await request.task
    assert request.abandoned == 1
