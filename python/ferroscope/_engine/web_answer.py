"""One answer as server-sent events of a web format: the streams of one or several calls, encoded by the core."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from .._core import DecodeError, Event, EventEmitter, StreamDecoder
from ..core.base._responses.secrets import redact_text
from ..core.base._responses.stream_view import StreamView
from ..core.base._responses.token_counts import common_usage
from ..core.base.stream_events import WebFormat
from ..core.base.types import Usage
from ..errors import APIStatusError, FerroscopeError, ToolArgumentsError

if TYPE_CHECKING:
    from .stream import StreamRun
    from .succession import SuccessiveRun

    WebRun: TypeAlias = StreamRun | SuccessiveRun
    # A stream, or a function that writes an event between two streams.
    WebPart: TypeAlias = WebRun | Callable[[], bytes]

logger: Final = logging.getLogger("ferroscope.web")

# A browser is not shown what an error's text holds: it may name hosts, files, accounts or keys.
_TEXTS: Final = {
    "APIConnectionError": "The provider could not be reached.",
    "APITimeoutError": "The provider did not answer in time.",
    "AuthenticationError": "The service is not set up to use the provider.",
    "BudgetExceededError": "The budget of the call is used up.",
    "MissingApiKeyError": "The service is not set up to use the provider.",
    "PermissionDeniedError": "The service is not set up to use the provider.",
    "RateLimitError": "The provider's rate limit is reached. Try again later.",
    "StreamInterruptedError": "The answer broke off.",
}
_DEFAULT_TEXT: Final = "The answer failed."
_TOOL_TEXT: Final = "The tool failed."


class WebAnswer:
    """Writes the streams of one answer, and what the program adds to them, as server-sent events.

    Every method returns the bytes to send. An exception becomes the error event of the format, which ends the answer.

    Attributes:
        error: The exception that ended the answer; None if none did.
    """

    def __init__(
        self,
        format: WebFormat,
        *,
        id: str | None = None,
        model: str = "",
        thread_id: str | None = None,
        include_usage: bool = True,
        runs_tools: bool = False,
        first_event: int = 1,
    ) -> None:
        prefix = "chatcmpl-" if format == "openai" else "msg-"
        self._emitter = EventEmitter(
            format,
            id=id or prefix + secrets.token_urlsafe(18),
            thread=thread_id or "thread-" + secrets.token_urlsafe(18),
            model=model,
            created=int(time.time()),
            runs_tools=runs_tools,
            first=first_event,
        )
        self._format = format
        self._include_usage = include_usage
        self._usages: list[tuple[str, str, Usage | None]] = []  # provider, model and counts of each call
        self._cost: float | None = 0.0
        self._reason = "stop"
        self.error: BaseException | None = None

    @property
    def is_ended(self) -> bool:
        """Whether the last event has been written."""
        return self._emitter.is_ended

    @property
    def next_event(self) -> int:
        """The number of the next event."""
        return self._emitter.next_number

    def start(self) -> bytes:
        """Return the opening events, if they have not been written."""
        return self._emitter.start_step()

    # ---- all calls

    def iterate(
        self, parts: Iterable[WebPart], is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[bytes, None, None]:
        """Yield the events of an answer of sync streams, for each read of a body at once.

        Args:
            parts: The streams, and the functions that write what comes between them. A generator is closed.
            is_stopped: Returns whether the answer is to end without an event.
        """
        last = b""
        try:
            for part in parts:
                if is_stopped():
                    break
                if callable(part):
                    yield part()
                else:
                    yield from part.viewed(partial(self._view, part))
                    yield self._end_call(part)
            if not is_stopped():
                last = self.finish()
        except Exception as error:
            if not is_stopped():
                last = self.fail(error)
        finally:
            if isinstance(parts, Generator):
                parts.close()
        if last:
            yield last

    async def aiterate(self, parts: AsyncGenerator[WebPart, None]) -> AsyncGenerator[bytes, None]:
        """Yield the events of an answer of async streams; see `iterate`."""
        try:
            async for part in parts:
                if callable(part):
                    yield part()
                else:
                    async with aclosing(part.aviewed(partial(self._view, part))) as events:
                        async for data in events:
                            yield data
                    yield self._end_call(part)
            last = self.finish()
        except Exception as error:
            last = self.fail(error)
        finally:
            await parts.aclose()
        yield last

    # ---- one call

    def _view(self, run: WebRun) -> Callable[[Iterable[Event]], Iterator[bytes]]:
        emitter, decoder, reasoned = self._emitter, run.decoder, 0
        if not run.continues:
            emitter.restart_call()

        def encode(events: Iterable[Event]) -> Iterator[bytes]:
            nonlocal reasoned
            if isinstance(events, StreamDecoder):
                try:
                    data = emitter.fold(events)
                except DecodeError:
                    # The events before the error go out before a retry decides whether anything was handed out.
                    if run.has_output:
                        yield emitter.start_step()
                    raise
                if data:
                    yield data
                return
            for event in events:
                reasoning, reasoned = decoder.reasoning_since(reasoned)
                if data := emitter.add(event, reasoning):
                    yield data

        return encode

    def _end_call(self, run: WebRun) -> bytes:
        response = run.response()
        reasons = response.common_finish_reasons
        self._reason = reasons[0] if reasons else "stop"
        usage = common_usage(run.token_counts())
        self._usages.append((run.provider_name, run.model or "", usage))
        cost = run.cost_details().usd
        self._cost = None if cost is None or self._cost is None else self._cost + cost
        if (tool := self._emitter.incomplete_call) is not None:
            message = f"the answer ended inside the arguments of tool {tool!r}"
            raise ToolArgumentsError(message, name=tool, call_id=None, arguments="")
        return self._emitter.finish_step()

    # ---- between calls

    def tool_output(self, id: str | None, name: str, output: object, *, is_error: bool) -> bytes:
        """Return the event of a tool's output.

        Raises:
            ValueError: The latest call has no such tool call.
        """
        if is_error:
            logger.warning("the tool %r of an answer for the web failed: %s", name, output)
            encoded = _TOOL_TEXT
        elif self._format == "ag-ui" and isinstance(output, str):
            encoded = output  # its results are texts
        else:
            encoded = orjson.dumps(output, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        data = self._emitter.tool_output(id, name, encoded, is_error)
        if data is None:
            raise ValueError(f"the latest stream of the answer has no call of a tool {name!r} that waits for an output")
        return data

    def data(self, name: str, value: object) -> bytes:
        """Return the event of the program's own data."""
        return self._emitter.data(name, orjson.dumps(value, default=str).decode())

    def source(self, url: str, title: str) -> bytes:
        """Return the event of a web page that the answer rests on."""
        return self._emitter.source(url, title)

    def file(self, url: str, media_type: str) -> bytes:
        """Return the event of a file."""
        return self._emitter.file(url, media_type)

    # ---- the end

    def finish(self) -> bytes:
        """Return the last events of an answer that is whole."""
        usage = self._usage() if self._include_usage else None
        return self._emitter.finish(self._reason, usage, None if usage is None else orjson.dumps(self._cost).decode())

    def fail(self, error: Exception) -> bytes:
        """Return the last events of an answer that broke. The log has the exception."""
        self.error = error
        if isinstance(error, FerroscopeError):
            logger.warning("an answer for the web broke: %s", redact_text(str(error)))
        else:
            logger.error("an answer for the web failed", exc_info=error)
        return self._emitter.error(*public_error(error))

    def abort(self) -> bytes:
        """Return the last events of an answer that was stopped on request."""
        return self._emitter.abort()

    def _usage(self) -> str | None:
        """Return the tokens of all calls, JSON text in the form of the format; None if a provider did not count."""
        counted = [usage for _, _, usage in self._usages if usage is not None]
        if not counted or len(counted) < len(self._usages):
            return None
        if self._format == "ag-ui":
            return orjson.dumps(
                [{"provider": p, "model": m, **_web_counts(u)} for p, m, u in self._usages if u is not None]
            ).decode()
        total = Usage(
            input_tokens=sum(usage.input_tokens for usage in counted),
            cached_tokens=sum(usage.cached_tokens for usage in counted),
            output_tokens=sum(usage.output_tokens for usage in counted),
            total_tokens=sum(usage.total_tokens for usage in counted),
        )
        return orjson.dumps(openai_counts(total) if self._format == "openai" else _web_counts(total)).decode()


def sse_of(run: WebRun, format: WebFormat, **options: Any) -> StreamView[bytes]:  # Any: those of `WebAnswer`
    """Return the answer that one stream makes alone."""

    def new() -> tuple[WebAnswer, WebRun]:
        return WebAnswer(format, **options), run.replayed

    async def parts(run: WebRun) -> AsyncGenerator[WebPart, None]:
        yield run

    def iterate() -> Generator[bytes, None, None]:
        answer, replayed = new()
        return answer.iterate([replayed])

    def aiterate() -> AsyncGenerator[bytes, None]:
        answer, replayed = new()
        return answer.aiterate(parts(replayed))

    return StreamView(iterate, aiterate)


def public_error(error: Exception) -> tuple[str, str]:
    """Return the text and the code of an error for a browser: without hosts, files, accounts and keys."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return next((_TEXTS[kind] for kind in kinds if kind in _TEXTS), _DEFAULT_TEXT), _code(error)


def _code(error: Exception) -> str:
    """Return the name of an error for programs: `rate_limit`, `stream_interrupted`, `http_503`."""
    if isinstance(error, DecodeError):
        return "stream"
    ours = next((kind for kind in type(error).__mro__ if kind.__module__ == FerroscopeError.__module__), None)
    if ours is None or ours is FerroscopeError:
        return "internal"
    if ours is APIStatusError:
        return f"http_{getattr(error, 'status_code', 0)}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", ours.__name__.removesuffix("Error")).lower()


def _web_counts(usage: Usage) -> dict[str, int]:
    return {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "cachedInputTokens": usage.cached_tokens,
    }


def openai_counts(usage: Usage) -> dict[str, Any]:  # Any: numbers, and objects of numbers
    """Return counts in the form of OpenAI's chat completions."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
