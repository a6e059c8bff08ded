"""Server-sent events of an answer of one or several steps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import TYPE_CHECKING, Any, cast

from .._engine.web_answer import WebAnswer
from ..core.base._responses.stream_view import StreamView
from ..core.base.stream import AnyStream, BaseStream
from ..core.base.stream_events import WebFormat
from ._steps import Data, File, Source, Step, ToolOutput

if TYPE_CHECKING:
    from .._engine.web_answer import WebRun


def sse(
    answer: Step | Iterable[Step] | AsyncIterable[Step],
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
    asked = answer._model if isinstance(answer, BaseStream) else ""

    def new() -> WebAnswer:
        return WebAnswer(
            format,
            id=id,
            model=model or asked,
            thread_id=thread_id,
            include_usage=include_usage,
            runs_tools=not isinstance(answer, BaseStream),
            first_event=first_event,
        )

    # Any: a step of either kind
    steps: Any = [answer] if isinstance(answer, (BaseStream, ToolOutput, Data, Source, File)) else answer
    return StreamView(lambda: _events(steps, new()), lambda: _aevents(steps, new()))


def _events(steps: Iterable[Step], answer: WebAnswer) -> Generator[bytes, None, None]:
    try:
        for step in steps:
            if isinstance(step, BaseStream):
                yield from answer.iterate(_run(step))
            else:
                yield _step(step, answer)
        last = answer.finish()
    except Exception as error:
        last = answer.fail(error)
    finally:
        if isinstance(steps, Generator):
            steps.close()
    yield last


async def _aevents(steps: Iterable[Step] | AsyncIterable[Step], answer: WebAnswer) -> AsyncGenerator[bytes, None]:
    try:
        async for step in _each(steps):
            if isinstance(step, BaseStream):
                events = answer.aiterate(_run(step))
                try:
                    async for data in events:
                        yield data
                finally:
                    await events.aclose()
            else:
                yield _step(step, answer)
        last = answer.finish()
    except Exception as error:
        last = answer.fail(error)
    finally:
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()
    yield last


async def _each(steps: Iterable[Step] | AsyncIterable[Step]) -> AsyncGenerator[Step, None]:
    if isinstance(steps, AsyncIterable):
        async for step in steps:
            yield step
    else:
        for step in steps:
            yield step


def _run(stream: AnyStream) -> WebRun:
    return cast("WebRun", stream._run).replayed


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
