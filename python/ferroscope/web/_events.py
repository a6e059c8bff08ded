"""Server-sent events of an answer of one or several steps."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, cast

from typing_extensions import Unpack

from .._engine.web_answer import WebAnswer
from ..core.base._responses.stream_view import StreamView
from ..core.base.stream import AnyStream, BaseStream
from ..core.base.stream_events import WebFormat
from ._steps import Data, File, Source, Step, ToolOutput

if TYPE_CHECKING:
    from .._engine.web_answer import WebPart, WebRun

Answer: TypeAlias = Step | Iterable[Step] | AsyncIterable[Step]
"""A stream, or a generator (sync or async) of streams and what comes between them."""


class EventOptions(TypedDict, total=False):
    """The options of the events: see `sse`."""

    id: str | None
    model: str
    thread_id: str | None
    include_usage: bool
    first_event: int


class AnswerEvents:
    """The server-sent events of one answer, which can be stopped while they are read.

    Args:
        answer: A stream, or a generator (sync or async) of steps.
        format: As of `stream.sse`.
        options: The options of `sse`.

    Attributes:
        is_async: Whether the answer is read with `async for`.
    """

    def __init__(self, answer: Answer, format: WebFormat = "vercel", **options: Unpack[EventOptions]) -> None:
        is_stream = isinstance(answer, BaseStream)
        if isinstance(answer, BaseStream) and not options.get("model"):
            options["model"] = answer._model
        self.answer = WebAnswer(format, runs_tools=not is_stream, **options)
        # Any: a step of either kind
        self._steps: Any = [answer] if isinstance(answer, (BaseStream, ToolOutput, Data, Source, File)) else answer
        self._stream: AnyStream | None = None  # the stream that is being read
        self._is_stopped = False
        self.is_async = _is_async(answer)

    def iterate(self) -> Generator[bytes, None, None]:
        """Yield the events of a sync answer."""
        return self.answer.iterate(self._parts(), lambda: self._is_stopped)

    def aiterate(self) -> AsyncGenerator[bytes, None]:
        """Yield the events of an async answer."""
        return self.answer.aiterate(self._aparts())

    def _parts(self) -> Generator[WebPart, None, None]:
        steps = self._steps
        try:
            for step in steps:
                if isinstance(step, BaseStream):
                    self._stream = step
                yield self._part(step)
        finally:
            if isinstance(steps, Generator):
                steps.close()

    async def _aparts(self) -> AsyncGenerator[WebPart, None]:
        steps = self._steps
        try:
            async for step in _each(steps):
                yield self._part(step)
        finally:
            if isinstance(steps, AsyncGenerator):
                await steps.aclose()

    def _part(self, step: Step) -> WebPart:
        if not isinstance(step, BaseStream):
            return partial(_step, step, self.answer)
        return cast("WebRun", step._run).replayed

    async def aiterate_any(self) -> AsyncGenerator[bytes, None]:
        """Yield the events of an answer of either kind. A sync answer is read in threads."""
        if self.is_async:
            events = self.aiterate()
            try:
                async for data in events:
                    yield data
            finally:
                await events.aclose()
            return
        iterator, context, loop = self.iterate(), contextvars.copy_context(), asyncio.get_running_loop()

        def read() -> bytes | None:
            return context.run(lambda: next(iterator, None))

        reading: asyncio.Future[bytes | None] | None = None
        try:
            while True:
                reading = loop.run_in_executor(None, read)
                item = await asyncio.shield(reading)
                if item is None:
                    return
                yield item
        finally:
            self.stop()
            if reading is not None and not reading.done():
                await asyncio.wait((reading,), timeout=1.0)
            if reading is None or reading.done():
                iterator.close()

    def stop(self) -> None:
        """Close the connection of a sync answer, also while another thread reads its events."""
        self._is_stopped = True
        if self._stream is not None:
            self._stream.close()

    async def aclose(self) -> None:
        """Close an answer whose events are not read."""
        for step in self._steps[:1] if isinstance(self._steps, list) else (self._steps,):
            if self.is_async and (aclose := getattr(step, "aclose", None)) is not None:
                await aclose()
            elif not self.is_async and (close := getattr(step, "close", None)) is not None:
                close()

    def abort(self) -> bytes:
        """Return the last events of an answer that was stopped on request; nothing if it has ended."""
        return self.answer.abort()


def sse(
    answer: Answer,
    format: WebFormat = "vercel",
    *,
    id: str | None = None,
    model: str = "",
    thread_id: str | None = None,
    include_usage: bool = True,
    first_event: int = 1,
) -> StreamView[bytes]:
    """Return the server-sent events of an answer of one or several calls, one item of bytes per read of a body.

    Usage and cost of all calls come with the last events. In the format `openai`, the tool calls are left out: the
    server runs the tools itself, and a client would run them again.

    Args:
        answer: A stream, or a generator (sync or async) of streams and what comes between them.
        format: As of `stream.sse`.
        id: The id of the answer; a random one by default.
        model: The name of the model in the events; by default that of a single stream, and empty for a generator.
        thread_id: The thread of AG-UI; a random one by default.
        include_usage: Whether the last events have usage and cost.
        first_event: The number of the first event.
    """

    def new() -> AnswerEvents:
        return AnswerEvents(
            answer,
            format,
            id=id,
            model=model,
            thread_id=thread_id,
            include_usage=include_usage,
            first_event=first_event,
        )

    return StreamView(lambda: new().iterate(), lambda: new().aiterate())


def _is_async(answer: Answer) -> bool:
    if not isinstance(answer, BaseStream):
        return isinstance(answer, AsyncIterable)
    try:
        answer._run.check_kind(asynchronous=True, write="")
    except AssertionError:
        return False
    return True


async def _each(steps: Iterable[Step] | AsyncIterable[Step]) -> AsyncGenerator[Step, None]:
    if isinstance(steps, AsyncIterable):
        async for step in steps:
            yield step
    else:
        for step in steps:
            yield step


def _step(step: ToolOutput | Data | Source | File, answer: WebAnswer) -> bytes:
    match step:
        case ToolOutput(tool, output):
            return answer.tool_output(tool.id, tool._name(), output, is_error=isinstance(output, BaseException))
        case Data(name, value):
            return answer.data(name, value)
        case Source(url, title):
            return answer.source(url, title)
        case File(url, media_type):
            return answer.file(url, media_type)
        case _:
            raise TypeError(f"an answer yields streams, ToolOutput, Data, Source and File, not {type(step).__name__}")
