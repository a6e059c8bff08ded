"""Two requests of one call at the same time: the second one is sent if the first is not answered in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from ..transport import Interruptible
from .drive import Outcome

if TYPE_CHECKING:
    from .call import Call
    from .stream import StreamRun

# Any: what an SDK's method returns.


class Request(Protocol):
    """A request whose answer may not be needed."""

    def send(self) -> Any:
        """Send the request and wait for the answer to begin. Async requests return an awaitable."""
        ...

    def abandon(self) -> None:
        """End a sync request, which another thread sends."""
        ...

    async def aabandon(self) -> None:
        """Close the answer of an async request. Its task has ended."""
        ...


@dataclass(slots=True, eq=False)
class Racer:
    """One of the requests.

    Attributes:
        call: The call.
        request: The request.
        start_time: The time at which it was sent, in milliseconds since the epoch.
        entry: Its entry in the rate limit.
        is_hedge: Whether it is the second request.
        outcome: The answer or the failure; None if it was abandoned.
    """

    call: Call
    request: Request
    start_time: float
    entry: Any
    is_hedge: bool = False
    outcome: Outcome | None = None

    @property
    def has_answered(self) -> bool:
        """Whether the answer began."""
        return self.outcome is not None and self.outcome.error is None


@dataclass(slots=True)
class Race:
    """The requests of one race.

    Attributes:
        racers: The requests, in the order in which they were sent.
        ended: Those that have ended, in that order; the last one decides.
    """

    racers: list[Racer]
    ended: list[Racer] = field(default_factory=list)

    @property
    def is_decided(self) -> bool:
        """Whether a request was answered, or all have failed."""
        return bool(self.ended) and (self.ended[-1].has_answered or len(self.ended) == len(self.racers))

    @property
    def decisive(self) -> Racer:
        """The first request that was answered, or the last one that failed."""
        return next((racer for racer in self.ended if racer.has_answered), self.ended[-1])


def race(first: Racer, another: Callable[[], Racer | None], seconds: float) -> Race:
    """Send a request, and another one after some seconds without an answer. Return when one is answered.

    Each request has a thread of its own. The other request is ended.

    Args:
        first: The first request.
        another: Returns the second request; None if there must be none.
        seconds: The time until the second request.
    """
    found = Race([first])
    news: SimpleQueue[tuple[Racer, Outcome]] = SimpleQueue()

    def start(racer: Racer) -> None:
        def run() -> None:
            try:
                outcome = Outcome(racer.request.send())
            except BaseException as error:  # raised again in the waiting thread
                outcome = Outcome(error=error if isinstance(error, Exception) else RuntimeError(repr(error)))
            news.put((racer, outcome))

        context = copy_context()
        threading.Thread(target=context.run, args=(run,), name="ferroscope-hedge", daemon=True).start()

    def wait(timeout: float | None) -> None:
        racer, outcome = news.get(timeout=timeout)
        racer.outcome = outcome
        found.ended.append(racer)

    start(first)
    try:
        try:
            wait(seconds)
        except Empty:
            second = another()
            if second is not None:
                found.racers.append(second)
                start(second)
        while not found.is_decided:
            wait(None)
    finally:
        winner = found.decisive if found.ended else None
        for racer in found.racers:
            if racer is not winner:
                racer.request.abandon()
    return found


async def arace(first: Racer, another: Callable[[], Racer | None], seconds: float) -> Race:
    """Send an async request, and another one after some seconds; see `race`."""
    import anyio

    found = Race([first])
    news = anyio.Event()

    async def run(racer: Racer) -> None:
        try:
            outcome = Outcome(await racer.request.send())
        except Exception as error:
            outcome = Outcome(error=error)
        racer.outcome = outcome
        found.ended.append(racer)
        news.set()

    winner: Racer | None = None  # also if this call is cancelled, perhaps just after an answer
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(run, first)
            with anyio.move_on_after(seconds):
                await news.wait()
            if not found.ended and (second := another()) is not None:
                found.racers.append(second)
                group.start_soon(run, second)
            while not found.is_decided:
                news = anyio.Event()
                await news.wait()
            group.cancel_scope.cancel()
        winner = found.decisive
    finally:
        with anyio.CancelScope(shield=True):
            for racer in found.racers:
                if racer is not winner:
                    await racer.request.aabandon()
    return found


class CallRequest:
    """The request of a call that is not streamed.

    Args:
        send: Sends the request; an awaitable if the call is async.
        call: The call.
    """

    def __init__(self, send: Callable[[], Any], call: Call) -> None:
        self._send = send
        self._call = call
        self._thread = None if call.plan.prompt.is_async else Interruptible()

    def send(self) -> Any:
        return self._send() if self._thread is None else self._thread.run(self._send)

    def abandon(self) -> None:
        if self._thread is not None:
            self._thread.cut()

    async def aabandon(self) -> None:
        """Do nothing, because the task was cancelled."""


class StreamRequest:
    """The request of a stream."""

    def __init__(self, run: StreamRun, call: Call) -> None:
        self.run = run
        self._call = call

    def send(self) -> Any:
        return self.run.aopen() if self._call.plan.prompt.is_async else self.run.open()

    def abandon(self) -> None:
        self.run.abandon()

    async def aabandon(self) -> None:
        await self.run.aabandon()
