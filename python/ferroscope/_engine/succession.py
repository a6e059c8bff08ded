"""Streams whose run is replaced by another run when it fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Final, Protocol

from .drive import Flow, adrive, drive

if TYPE_CHECKING:
    from .._core import StreamDecoder
    from ..core.base._responses.stream_view import StreamView
    from ..core.base.call_response import AnyCallResponse
    from ..core.base.retry import Attempt
    from ..core.base.stream_events import WebFormat
    from ..prices import Cost

# Any: runs of any kind, and the items of a way to iterate over them.
_END: Final = object()
_NOTHING: Final[tuple[Any, ...]] = ()


class Runs(Protocol):
    """The runs of one stream, one after the other.

    Attributes:
        run: The current run. `run.ended` is true after its end, `run.has_output` once any of the answer has arrived.
    """

    run: Any

    def admission(self) -> Flow:
        """Yield the steps before the first run."""
        ...

    def following(self, error: Exception, handed_out: bool) -> Flow:
        """Yield the steps that replace a failed run by the next one.

        Args:
            error: The failure, which the steps raise if there is no next run.
            handed_out: Whether the program has received any of the answer.
        """
        ...

    def finish(self) -> None:
        """Record that there is no further run."""
        ...

    def attempts(self) -> tuple[Attempt, ...]:
        """Return the records of the runs so far."""
        ...


class SuccessiveRun:
    """A sequence of runs with the interface of one run.

    Everything except iterating is delegated to the current run.
    """

    if TYPE_CHECKING:
        decoder: StreamDecoder
        provider_name: str
        ended: bool
        complete: bool
        has_output: bool
        continues: bool
        is_cached: bool
        content: str
        reasoning: str
        arguments: str
        id: str | None
        model: str | None
        finish_reasons: list[str]
        start_time: float
        end_time: float

        def check_kind(self, *, asynchronous: bool, write: str) -> None: ...
        def cost_details(self) -> Cost: ...
        def store(self) -> None: ...
        async def astore(self) -> None: ...
        def token_counts(self) -> Mapping[str, int | None]: ...

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._begun = False
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "runs":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.runs.run, name)

    # ---- the two drivers

    def _iterate(self, begin: Callable[[Any], Generator[Any, None, None]]) -> Generator[Any, None, None]:
        runs = self.runs
        if self._begun or self._closed:  # what was kept of it, or nothing
            yield from begin(runs.run)
            return
        self._begun = True
        try:
            drive(runs.admission())
            while not self._closed:
                handed_out = False
                with closing(begin(runs.run)) as items:
                    while True:
                        try:
                            item = next(items, _END)
                        except Exception as error:
                            failure = error
                            break
                        if item is _END:
                            return
                        handed_out = True
                        yield item
                drive(runs.following(failure, handed_out and runs.run.has_output))
        finally:
            if not runs.run.ended:  # a failure before its request
                self.close()
            runs.finish()

    async def _aiterate(self, begin: Callable[[Any], AsyncGenerator[Any, None]]) -> AsyncGenerator[Any, None]:
        runs = self.runs
        if self._begun or self._closed:
            async with aclosing(begin(runs.run)) as items:
                async for item in items:
                    yield item
            return
        self._begun = True
        try:
            await adrive(runs.admission())
            while not self._closed:
                handed_out = False
                async with aclosing(begin(runs.run)) as items:
                    while True:
                        try:
                            item = await anext(items, _END)
                        except Exception as error:
                            failure = error
                            break
                        if item is _END:
                            return
                        handed_out = True
                        yield item
                await adrive(runs.following(failure, handed_out and runs.run.has_output))
        finally:
            if not runs.run.ended:
                await self.aclose()
            runs.finish()

    # ---- ways to iterate

    def iterate(self, *view: Any) -> Generator[Any, None, None]:
        return self._iterate(lambda run: run.iterate(*view))

    def aiterate(self, *view: Any) -> AsyncGenerator[Any, None]:
        return self._aiterate(lambda run: run.aiterate(*view))

    def viewed(self, new_view: Callable[[], Any]) -> Generator[Any, None, None]:
        return self._iterate(lambda run: run.viewed(new_view))

    def aviewed(self, new_view: Callable[[], Any]) -> AsyncGenerator[Any, None]:
        return self._aiterate(lambda run: run.aviewed(new_view))

    def texts(self) -> Generator[str, None, None]:
        return self._iterate(lambda run: run.texts())

    def atexts(self) -> AsyncGenerator[str, None]:
        return self._aiterate(lambda run: run.atexts())

    def events(self) -> Generator[Any, None, None]:
        return self._iterate(lambda run: run.events())

    def aevents(self) -> AsyncGenerator[Any, None]:
        return self._aiterate(lambda run: run.aevents())

    def sse(self, format: WebFormat, **options: Any) -> StreamView[bytes]:  # Any: those of `BaseStream.sse`
        from .web_answer import sse_of

        return sse_of(self, format, **options)

    @property
    def replayed(self) -> SuccessiveRun:
        return self

    def raw(self) -> Generator[bytes, None, None]:
        return self._iterate(lambda run: run.raw())

    def araw(self) -> AsyncGenerator[bytes, None]:
        return self._aiterate(lambda run: run.araw())

    def collect(self) -> AnyCallResponse:
        """Read a sync stream to its end. Nothing is yielded before."""
        for _ in self._iterate(_collected):
            pass
        return self.response()

    async def acollect(self) -> AnyCallResponse:
        """Read an async stream to its end."""
        async for _ in self._aiterate(_acollected):
            pass
        return self.response()

    # ---- the end, and the answer

    def close(self) -> None:
        self._closed = True
        self.runs.run.close()

    async def aclose(self) -> None:
        self._closed = True
        await self.runs.run.aclose()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The records of the runs so far."""
        return self.runs.attempts()

    def response(self) -> AnyCallResponse:
        """Return the answer so far, as a response."""
        response: AnyCallResponse = self.runs.run.response()
        response._set_attempts(self.attempts)
        return response


def _collected(run: Any) -> Generator[Any, None, None]:
    run.collect()
    yield from _NOTHING


async def _acollected(run: Any) -> AsyncGenerator[Any, None]:
    await run.acollect()
    for item in _NOTHING:
        yield item
