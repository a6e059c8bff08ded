"""The span and the measurements of each request of a call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from . import names
from .content import output_messages, request_content
from .foreign import FOREIGN_SPANS
from .metrics import Measurements, Metrics
from .request import request_parameters, shared_attributes

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    from .._engine.call import Call
    from .._engine.stream import StreamRun
    from ..core.base.call_response import AnyCallResponse

_log = logging.getLogger("ferroscope.telemetry")

_TOKENS = (
    (names.CACHE_READ_TOKENS, "cached"),
    (names.CACHE_WRITE_TOKENS, "cache_write"),
    (names.REASONING_TOKENS, "reasoning"),
)


@dataclass(slots=True)
class Finished:
    """A request that has ended, for the attributes of a backend.

    Attributes:
        call: The call.
        span: Its span.
        name: The name of the function, if its decorator asked for the span; else empty.
        response: The response, as far as it arrived; None if there is none.
        error: The error; None if there is none.
        is_whole: Whether the response arrived in full.
        captures_content: Whether content may be recorded.
        first_chunk_time: When the first chunk arrived, in nanoseconds since the epoch; None if the response is not
            streamed.
        usage: Token counts and the cost, by the names of their attributes.
        finish_reasons: Why each choice ended.
    """

    call: Call
    span: Span
    name: str
    response: AnyCallResponse | None
    error: BaseException | None
    is_whole: bool
    captures_content: bool
    first_chunk_time: int | None
    usage: dict[str, float]
    finish_reasons: Sequence[str]

    @property
    def cost(self) -> float | None:
        """The cost in USD; None if it is not known."""
        return self.usage.get(names.COST)


@dataclass(frozen=True, slots=True, eq=False)
class Recorder:
    """The settings for recording the requests of some calls.

    Attributes:
        start_span: Starts a span, from its name, the parent's context and the first attributes.
        metrics: The instruments.
        captures_content: Returns whether content is recorded.
        extra_attributes: Returns attributes of a backend for a request that has ended.
        fn: The function whose calls the span is named after; None for all calls.
        name: The name of that span.
    """

    start_span: Callable[[str, Context, dict[str, AttributeValue]], Span]
    metrics: Metrics
    captures_content: Callable[[], bool]
    extra_attributes: tuple[Callable[[Finished], Mapping[str, AttributeValue]], ...] = ()
    fn: Callable[..., Any] | None = None
    name: str = ""


class RequestObservation:
    """Observes the requests of one call, one after the other. Implements `ferroscope._engine.observing.Observation`."""

    __slots__ = (
        "_call",
        "_context",
        "_first_chunk",
        "_is_open",
        "_name",
        "_parent",
        "_recorder",
        "_shared",
        "_span",
        "_started",
        "foreign",
    )

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder = recorder
        self._name = name
        # The context of the call, also for a stream that is read elsewhere.
        self._parent = otel_context.get_current()
        self._is_open = False
        self.foreign = False

    def fork(self) -> RequestObservation:
        """Return another observation of the same call, with the same parent."""
        other = RequestObservation(self._recorder, self._name)
        other._parent = self._parent
        return other

    # ---- the request

    def send(self, call: Call, client: object, send: Callable[[object], Any]) -> Any:
        client = call.provider.clients.untraced(client)
        self._start(call, client)
        if call.plan.prompt.is_async:
            return self._asend(client, send)
        token = otel_context.attach(self._context)
        try:
            return send(client)
        except BaseException as error:
            self.end(None, error)
            raise
        finally:
            otel_context.detach(token)

    async def _asend(self, client: object, send: Callable[[object], Any]) -> Any:
        token = otel_context.attach(self._context)
        try:
            sent = await send(client)
        except GeneratorExit:
            # The task was collected. Its context is gone, and there is nothing to detach from.
            self.end(None, None)
            raise
        except BaseException as error:
            otel_context.detach(token)
            self.end(None, error)
            raise
        otel_context.detach(token)
        return sent

    def _start(self, call: Call, client: object) -> None:
        recorder = self._recorder
        self._call = call
        self._first_chunk: tuple[float, int] | None = None
        self._shared = shared = shared_attributes(call, client)
        name = self._name or f"{call.provider.operation} {call.plan.model}"
        try:
            span = recorder.start_span(name, self._parent, {**shared, **request_parameters(call)})
        except Exception:  # the call goes on without a span
            _log.warning("could not start the span %r", name, exc_info=True)
            span = trace.INVALID_SPAN
        self._span = span
        valid = span.get_span_context().is_valid
        context = trace.set_span_in_context(span, self._parent) if valid else self._parent
        self._context = otel_context.set_value(names.SUPPRESS_SDK_SPANS, True, context)
        self.foreign = False
        self._is_open = True
        if span.is_recording():
            FOREIGN_SPANS.watch(span, self)
        self._started = time.perf_counter()

    def first_chunk(self) -> None:
        self._first_chunk = time.perf_counter(), time.time_ns()

    # ---- its end

    def end(self, response: AnyCallResponse | None, error: BaseException | None) -> None:
        if self._is_open:
            counts = dict if response is None else (lambda: response._token_counts)
            self._end(response, error, counts, 0, response is not None, lambda: _usd(response))

    def end_stream(self, run: StreamRun, error: BaseException | None) -> None:
        if self._is_open:
            response = run.response() if run.has_response else None
            # Without its items, a cost takes a tenth of the time. An answer that was cut off has an estimate.
            usd = partial(_usd, response) if run.complete else lambda: run.cost_details().usd
            self._end(response, error, run.token_counts, run.chunk_count, run.complete, usd)

    def _end(
        self,
        response: AnyCallResponse | None,
        error: BaseException | None,
        counts: Callable[[], Mapping[str, int | None]],
        chunks: int,
        is_whole: bool,
        usd: Callable[[], float | None],
    ) -> None:
        self._is_open = False
        ended = time.perf_counter()
        span, recorder = self._span, self._recorder
        is_recording, is_measured = span.is_recording(), recorder.metrics.is_active
        try:
            if not (is_recording or is_measured):
                return
            usage: dict[str, float] = {}
            if response is not None:
                usage = _usage(counts())
                if (cost := usd()) is not None:
                    usage[names.COST] = cost
                if model := response.model:
                    self._shared[names.RESPONSE_MODEL] = model
            error_type = type(error).__qualname__ if error is not None else None
            if is_recording:
                self._record(span, response, error, error_type, is_whole, {} if self.foreign else usage)
            if is_measured:
                self._measure(ended, chunks, usage, error_type)
        except Exception:  # the answer matters more than its span
            _log.warning("could not record all of the span %r", self._name or self._call.plan.model, exc_info=True)
        finally:
            FOREIGN_SPANS.forget(span)
            span.end()

    def _record(
        self,
        span: Span,
        response: AnyCallResponse | None,
        error: BaseException | None,
        error_type: str | None,
        is_whole: bool,
        usage: dict[str, float],
    ) -> None:
        """Set what is known at the end on the span, in one call of the SDK unless a backend wants more."""
        recorder, first_chunk = self._recorder, self._first_chunk
        finish_reasons = _finish_reasons(response, is_whole)
        captures_content = recorder.captures_content()
        attributes: dict[str, AttributeValue] = {**usage}
        if finish_reasons:
            attributes[names.FINISH_REASONS] = finish_reasons
        if first_chunk is not None:
            attributes[names.TIME_TO_FIRST_CHUNK] = first_chunk[0] - self._started
        if error_type is not None:
            attributes[names.ERROR_TYPE] = error_type
        if response is not None:
            if identifier := response.id:
                attributes[names.RESPONSE_ID] = identifier
            if (model := self._shared.get(names.RESPONSE_MODEL)) is not None:
                attributes[names.RESPONSE_MODEL] = model
        if captures_content and not self.foreign:
            attributes |= request_content(self._call)
            if response is not None:
                attributes[names.OUTPUT_MESSAGES] = output_messages(response, finish_reasons)
        span.set_attributes(attributes)
        if recorder.extra_attributes:
            finished = Finished(
                call=self._call,
                span=span,
                name=self._name,
                response=response,
                error=error,
                is_whole=is_whole,
                captures_content=captures_content,
                first_chunk_time=first_chunk[1] if first_chunk is not None else None,
                usage=usage,
                finish_reasons=finish_reasons,
            )
            for extra in recorder.extra_attributes:
                span.set_attributes(extra(finished))
        if error is not None:
            # The text of an error may quote the answer.
            span.set_status(Status(StatusCode.ERROR, str(error) if captures_content else None))

    def _measure(self, ended: float, chunks: int, usage: Mapping[str, float], error_type: str | None) -> None:
        first = self._first_chunk[0] if self._first_chunk is not None else None
        per_chunk = (ended - first) / (chunks - 1) if first is not None and chunks > 1 else None
        self._recorder.metrics.add(
            Measurements(
                attributes=self._shared,
                context=self._context,
                error=error_type,
                duration=ended - self._started,
                first_chunk=first - self._started if first is not None else None,
                per_chunk=per_chunk,
                usage=usage,
            )
        )


def _finish_reasons(response: AnyCallResponse | None, is_whole: bool) -> Sequence[str]:
    reasons = [str(reason) for reason in (response.finish_reasons or ())] if response is not None else []
    return reasons if reasons or is_whole else ["error"]


def _usd(response: AnyCallResponse | None) -> float | None:
    return None if response is None else response.cost


def _usage(counts: Mapping[str, int | None]) -> dict[str, float]:
    """Return the token counts, by the names of their attributes."""
    usage: dict[str, float] = {}
    prompt, output = counts["prompt"], counts["output"]
    if prompt is not None:
        usage[names.INPUT_TOKENS] = prompt
    if output is not None:
        reasoning, total = counts["reasoning"], counts["total"]
        # Some providers count reasoning beside the text; the total shows it.
        beside = reasoning is not None and prompt is not None and total == prompt + output + reasoning
        usage[names.OUTPUT_TOKENS] = output + reasoning if beside and reasoning is not None else output
    for name, count in _TOKENS:
        if (amount := counts[count]) is not None:
            usage[name] = amount
    return usage
