"""Streams whose run is replaced by another one when it fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Final, Protocol

from .drive import Flow, adrive, drive

if TYPE_CHECKING:
    from ..core.base.call_response import AnyCallResponse

# Any: runs of whichever kind, and what a way of iterating over them yields.
_END: Final = object()


class Runs(Protocol):
    """The runs of one stream, one after the other.

    Attributes:
        run: The current run. Its `ended` is whether it is over, its `has_output` whether any of the answer came.
    """

    run: Any

    def following(self, error: Exception, handed_out: bool) -> Flow:
        """Return the steps that put the next run in place of one that failed.

        Args:
            error: The failure, which the steps raise if there is no next run.
            handed_out: Whether the program has received any of the answer.
        """
        ...


def iterate(runs: Runs, begin: Callable[[Any], Generator[Any, None, None]]) -> Generator[Any, None, None]:
    """Yield the items of the current run, and of those that replace it."""
    while True:
        handed_out, is_repeated = False, runs.run.ended
        with closing(begin(runs.run)) as items:
            while True:
                try:
                    item = next(items, _END)
                except Exception as error:
                    if is_repeated:  # what was kept of it fails in the same way
                        raise
                    failure = error
                    break
                if item is _END:
                    return
                handed_out = True
                yield item
        drive(runs.following(failure, handed_out and runs.run.has_output))


async def aiterate(runs: Runs, begin: Callable[[Any], AsyncGenerator[Any, None]]) -> AsyncGenerator[Any, None]:
    """Yield the items of the current run, and of those that replace it, of an async stream."""
    while True:
        handed_out, is_repeated = False, runs.run.ended
        async with aclosing(begin(runs.run)) as items:
            while True:
                try:
                    item = await anext(items, _END)
                except Exception as error:
                    if is_repeated:
                        raise
                    failure = error
                    break
                if item is _END:
                    return
                handed_out = True
                yield item
        await adrive(runs.following(failure, handed_out and runs.run.has_output))


class SuccessiveRun:
    """Runs, one after the other, as one run of a stream."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "runs":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.runs.run, name)

    def iterate(self, *view: Any) -> Generator[Any, None, None]:
        return iterate(self.runs, lambda run: run.iterate(*view))

    def aiterate(self, *view: Any) -> AsyncGenerator[Any, None]:
        return aiterate(self.runs, lambda run: run.aiterate(*view))

    def texts(self) -> Generator[str, None, None]:
        return iterate(self.runs, lambda run: run.texts())

    def atexts(self) -> AsyncGenerator[str, None]:
        return aiterate(self.runs, lambda run: run.atexts())

    def events(self) -> Generator[Any, None, None]:
        return iterate(self.runs, lambda run: run.events())

    def aevents(self) -> AsyncGenerator[Any, None]:
        return aiterate(self.runs, lambda run: run.aevents())

    def collect(self) -> AnyCallResponse:
        """Read a sync stream to its end; nothing is handed out before."""
        while True:
            try:
                response: AnyCallResponse = self.runs.run.collect()
                return response
            except Exception as error:
                failure = error
            drive(self.runs.following(failure, False))

    async def acollect(self) -> AnyCallResponse:
        """Read an async stream to its end."""
        while True:
            try:
                response: AnyCallResponse = await self.runs.run.acollect()
                return response
            except Exception as error:
                failure = error
            await adrive(self.runs.following(failure, False))
