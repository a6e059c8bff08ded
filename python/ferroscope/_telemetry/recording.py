"""Turning telemetry on: for all calls, or for the calls of one function."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from inspect import iscoroutinefunction, unwrap
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from .._coroutine_function import coroutine_function
from .._engine.observing import set_observer
from .._scopes import Scopes
from .._version import __version__
from . import names
from .foreign import FOREIGN_SPANS
from .metrics import Metrics
from .observation import Finished as Finished
from .observation import Recorder as Recorder
from .observation import RequestObservation

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from .._engine.plan import CallPlan

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SCOPES: Scopes[Recorder] = Scopes("ferroscope_recorders")
_everywhere: Recorder | None = None


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    capture_content: bool | None = None,
    extra_attributes: Callable[[Finished], Mapping[str, AttributeValue]] | None = None,
) -> None:
    """Record an OpenTelemetry span and metrics for every request, from now on.

    The span of a request is a child of the span that is current where the call is made. It ends with the response,
    or when the stream ends, is left, is cancelled, fails or is collected. A second call replaces the first.

    Args:
        tracer_provider: The provider of the tracer; by default the global one.
        meter_provider: The provider of the meter; by default the global one.
        capture_content: Whether prompts, answers and tool arguments are recorded. By default the environment variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` decides, and they are not if it is not set.
        extra_attributes: Returns further attributes for the span of a request that has ended.
    """
    global _everywhere
    _everywhere = Recorder(
        start_span=span_starter(tracer_provider),
        metrics=Metrics(meter_provider) if meter_provider is not None else default_metrics(),
        captures_content=content_switch(capture_content),
        extra_attributes=(extra_attributes,) if extra_attributes is not None else (),
    )
    set_observer(_observe)


def uninstrument() -> None:
    """Undo `instrument`. Calls under way are still recorded, and so are functions with a decorator of their own."""
    global _everywhere
    _everywhere = None


def _observe(plan: CallPlan) -> RequestObservation | None:
    active = _SCOPES.active()
    if not active:
        return RequestObservation(_everywhere, "") if _everywhere is not None else None
    # The decorator closest to the call records; each decorator's attributes are on the one span.
    innermost = active[-1]
    fn = unwrap(plan.prompt.fn)
    name = next((recorder.name for recorder in reversed(active) if recorder.fn is fn), "")
    if len(active) > 1:
        innermost = Recorder(
            start_span=innermost.start_span,
            metrics=innermost.metrics,
            captures_content=lambda: any(recorder.captures_content() for recorder in active),
            extra_attributes=tuple({extra: None for recorder in active for extra in recorder.extra_attributes}),
        )
    return RequestObservation(innermost, name)


def recorded(
    start_span: Callable[[str, Context, dict[str, AttributeValue]], Span],
    captures_content: Callable[[], bool],
    extra_attributes: Callable[[Finished], Mapping[str, AttributeValue]],
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that records the calls that a function makes; see `Recorder` for the arguments."""

    def decorate(fn: Any) -> Any:  # Any: a function, or the callable object of a call
        recorder = Recorder(
            start_span=start_span,
            metrics=default_metrics(),
            captures_content=captures_content,
            extra_attributes=(extra_attributes,),
            fn=unwrap(fn),
            name=getattr(fn, "__name__", type(fn).__name__),
        )
        set_observer(_observe)
        if iscoroutinefunction(fn):

            async def run(call: Awaitable[Any]) -> Any:
                with _active(recorder):
                    return await call

            # The call itself is made at once: it may take note of where it was made.
            return coroutine_function(lambda *args, **kwargs: run(fn(*args, **kwargs)), fn)

        @wraps(fn)
        def inner_sync(*args: Any, **kwargs: Any) -> Any:
            with _active(recorder):
                return fn(*args, **kwargs)

        return inner_sync

    return decorate


@contextmanager
def _active(recorder: Recorder) -> Iterator[None]:
    entry = _SCOPES.enter(recorder)
    try:
        yield
    finally:
        _SCOPES.exit(entry)


@cache
def default_metrics() -> Metrics:
    """Return the instruments of the global meter provider."""
    return Metrics()


def span_starter(
    provider: TracerProvider | None = None, scope: str = names.SCOPE
) -> Callable[[str, Context, dict[str, AttributeValue]], Span]:
    """Return a function that starts spans of a tracer provider, by default the global one at that time."""
    tracer: Tracer | None = None
    known: TracerProvider | None = None

    def start(name: str, context: Context, attributes: dict[str, AttributeValue]) -> Span:
        nonlocal tracer, known
        current = provider if provider is not None else trace.get_tracer_provider()
        if tracer is None or current is not known:
            tracer, known = trace.get_tracer(scope, __version__, current), current
            FOREIGN_SPANS.register(current)
        return tracer.start_span(name, context, SpanKind.CLIENT, attributes)

    return start


def watch_provider(provider: object) -> None:
    """Notice the spans that instrumentations of the SDKs record with a tracer provider."""
    FOREIGN_SPANS.register(provider)


def content_switch(explicit: bool | None) -> Callable[[], bool]:
    """Return a function that returns whether content is recorded: by the environment, unless that is given."""
    return captures_content if explicit is None else lambda: explicit


def captures_content(default: bool = False) -> bool:
    """Whether the environment allows content in spans; the default if it does not decide."""
    value = os.environ.get(names.CAPTURE_CONTENT)
    return default if not value else value.strip().lower() in names.ALLOWS_CONTENT
