"""The tracer provider that spans go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..._engine.extras import require_package

require_package("opentelemetry", extra="opentelemetry", user="ferroscope.integrations.otel")

from opentelemetry import trace  # noqa: E402  # after the check that it is installed

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

TRACER = "otel"


def configure(processors: Sequence[SpanProcessor] | None = None) -> Tracer:
    """Send spans to span processors, by the global tracer provider.

    If the program has set a tracer provider of OpenTelemetry's SDK, the processors are added to that one.

    Args:
        processors: The span processors; by default one that prints each span to the console.

    Returns:
        The tracer.

    Raises:
        ferroscope.errors.MissingExtraError: OpenTelemetry's SDK is not installed.

    Example:
        ```python
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from ferroscope.integrations.otel import configure

        configure(processors=[BatchSpanProcessor(OTLPSpanExporter(endpoint="https://collector.example/v1/traces"))])
        ```
    """
    require_package("opentelemetry.sdk", extra="opentelemetry", user="ferroscope.integrations.otel.configure")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    current = trace.get_tracer_provider()
    provider = current if isinstance(current, TracerProvider) else TracerProvider()
    for processor in processors if processors is not None else [SimpleSpanProcessor(ConsoleSpanExporter())]:
        provider.add_span_processor(processor)
    if provider is not current:
        trace.set_tracer_provider(provider)
    return trace.get_tracer(TRACER)
