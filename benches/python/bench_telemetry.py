"""The overhead of `ferroscope.instrument()` over the least that OpenTelemetry's SDK costs.

    python benches/python/bench_telemetry.py [--rounds N]

The same decorated call runs in three ways, in alternation: untraced, in a span with metrics written by hand against
OpenTelemetry's API, and recorded by `ferroscope.instrument()`. The span by hand has the same attributes, and its
metrics are the same measurements; both are checked first. The client is a real client of the SDK whose transport
answers in this process. CPU time, medians of the rounds. Metrics are collected in every round.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx2
from openai import OpenAI
from opentelemetry import context, trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import ferroscope
from ferroscope._telemetry import names
from ferroscope.core import openai

CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini",
}
USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
ANSWER = {
    **CHUNK,
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Emma"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
TIMES = frozenset({names.TIME_TO_FIRST_CHUNK})


class Ending(SpanProcessor):
    """A processor that drops each span, so that no exporter is measured."""

    def on_end(self, span: ReadableSpan) -> None:
        return


def events(chunks: int) -> bytes:
    parts: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}
    ] * chunks
    end: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGE},
    ]
    bodies = [json.dumps({**CHUNK, **part}) for part in parts + end]
    return "".join(f"data: {body}\n\n" for body in [*bodies, "[DONE]"]).encode()


def client_for(content_type: str, body: bytes) -> OpenAI:
    def respond(request: httpx2.Request) -> httpx2.Response:
        # A body that is not yet read, as from a connection.
        return httpx2.Response(200, headers={"content-type": content_type}, stream=httpx2.ByteStream(body))

    return OpenAI(
        api_key="test", base_url="http://test/v1", http_client=httpx2.Client(transport=httpx2.MockTransport(respond))
    )


class Backend:
    """OpenTelemetry's SDK, with the instruments that an instrumentation by hand needs."""

    def __init__(self, processor: SpanProcessor, *, measures: bool) -> None:
        self.spans = TracerProvider()
        self.spans.add_span_processor(processor)
        self.tracer = self.spans.get_tracer(names.SCOPE)
        self.reader = InMemoryMetricReader()
        self.measures = measures
        self.metrics = MeterProvider([self.reader]) if measures else NoOpMeterProvider()
        meter = self.metrics.get_meter(names.SCOPE)
        known = [names.DURATION, names.FIRST_CHUNK, names.PER_CHUNK]
        self.duration, self.first_chunk, self.per_chunk = (self.histogram(meter, one) for one in known)
        self.tokens = {name: self.histogram(meter, one) for name, one in names.OPERATION_TOKENS.items()}
        self.counters = {name: meter.create_counter(one.name, one.unit) for name, one in names.COUNTERS.items()}

    @staticmethod
    def histogram(meter: Any, known: names.Instrument) -> Any:
        return meter.create_histogram(
            known.name, known.unit, explicit_bucket_boundaries_advisory=list(known.boundaries)
        )

    def instrument(self) -> None:
        ferroscope.instrument(tracer_provider=self.spans, meter_provider=self.metrics)

    def collect(self) -> None:
        if self.measures:
            self.reader.collect()

    def by_hand(self, run: Callable[[Callable[[], None]], Any], *, is_stream: bool) -> None:
        """Record a call as the conventions ask for, with as few calls of the API as possible."""
        shared: dict[str, Any] = {
            names.OPERATION: "chat",
            names.PROVIDER: "openai",
            names.REQUEST_MODEL: "gpt-4o-mini",
            names.SERVER_ADDRESS: "test",
            names.SERVER_PORT: 80,
        }
        attributes = {**shared, names.REQUEST_STREAM: True} if is_stream else shared
        span = self.tracer.start_span("chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes=attributes)
        inside = trace.set_span_in_context(span)
        token = context.attach(inside)
        began = time.perf_counter()
        first = 0.0

        def on_first() -> None:
            nonlocal first
            first = time.perf_counter()

        try:
            answer = run(on_first)
        finally:
            context.detach(token)
        ended = time.perf_counter()
        usage = answer.usage
        counts = {
            names.INPUT_TOKENS: usage.prompt_tokens,
            names.OUTPUT_TOKENS: usage.completion_tokens,
            names.COST: answer.cost,
        }
        found: dict[str, Any] = {
            **counts,
            names.FINISH_REASONS: answer.finish_reasons if not is_stream else ["stop"],
            names.RESPONSE_ID: answer.id,
            names.RESPONSE_MODEL: answer.model,
        }
        if is_stream:
            found[names.TIME_TO_FIRST_CHUNK] = first - began
        span.set_attributes(found)
        if self.measures:
            shared[names.RESPONSE_MODEL] = answer.model
            if is_stream:
                self.first_chunk.record(first - began, shared, inside)
                self.per_chunk.record(ended - first, shared, inside)
            for name, amount in counts.items():
                self.counters[name].add(amount, shared, inside)
                if name in self.tokens:
                    self.tokens[name].record(amount, shared, inside)
            self.duration.record(ended - began, shared, inside)
        span.end()

    def points(self) -> dict[str, object]:
        """Return the attributes of the data points of each metric."""
        found = self.reader.get_metrics_data()
        assert found is not None
        return {
            metric.name: [dict(point.attributes or {}) for point in metric.data.data_points]
            for resource in found.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


Run = Callable[[Callable[[], None]], Any]


def cases(chunks: int) -> dict[str, tuple[Run, bool]]:
    """Return the calls: each takes a callback for its first chunk, and returns the response or the stream."""
    whole = client_for("application/json", json.dumps(ANSWER).encode())

    @openai.call("gpt-4o-mini", client=whole)
    def call(genre: str) -> str:
        return f"Recommend a {genre} book"

    def streamed(count: int) -> Run:
        @openai.call("gpt-4o-mini", client=client_for("text/event-stream", events(count)), stream=True)
        def stream(genre: str) -> str:
            return f"Recommend a {genre} book"

        def run(on_first: Callable[[], None]) -> Any:
            read = stream("fantasy")
            chunks = iter(read)
            next(chunks)
            on_first()
            for _ in chunks:
                pass
            return read

        return run

    return {
        "call": (lambda on_first: call("fantasy"), False),
        "stream of 4 chunks": (streamed(2), True),
        f"stream of {chunks + 2} chunks": (streamed(chunks), True),
    }


def nothing() -> None:
    return


def check(run: Run, *, is_stream: bool) -> None:
    """Raise an AssertionError unless the span and the metrics by hand equal those of the library."""
    spans: list[dict[str, object]] = []
    points: list[dict[str, object]] = []
    for is_ours in (False, True):
        exporter = InMemorySpanExporter()
        backend = Backend(SimpleSpanProcessor(exporter), measures=True)
        if is_ours:
            backend.instrument()
            run(nothing)
            ferroscope.uninstrument()
        else:
            backend.by_hand(run, is_stream=is_stream)
        (span,) = exporter.get_finished_spans()
        attributes = {name: value for name, value in (span.attributes or {}).items() if name not in TIMES}
        spans.append({"name": span.name, "kind": span.kind, "parent": span.parent, **attributes})
        points.append(backend.points())
    assert spans[0] == spans[1], spans
    assert points[0] == points[1], points


def spent(run: Callable[[], object], calls: int, after: Callable[[], object] = nothing) -> float:
    began = time.process_time()
    for _ in range(calls):
        run()
    after()
    return (time.process_time() - began) / calls * 1e6


class Added(NamedTuple):
    """The CPU time of a call in µs, and what recording adds to it. Medians of the rounds."""

    untraced: float
    by_hand: float
    ours: float
    beside: float


def measure(run: Run, backend: Backend, *, is_stream: bool, rounds: int, calls: int) -> Added:
    times: list[tuple[float, float, float]] = []
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        untraced = spent(lambda: run(nothing), calls)
        by_hand = spent(lambda: backend.by_hand(run, is_stream=is_stream), calls, backend.collect)
        backend.instrument()
        ours = spent(lambda: run(nothing), calls, backend.collect)
        ferroscope.uninstrument()
        times.append((untraced, by_hand, ours))
    gc.enable()
    return Added(
        untraced=statistics.median(untraced for untraced, _, _ in times),
        by_hand=statistics.median(by_hand - untraced for untraced, by_hand, _ in times),
        ours=statistics.median(ours - untraced for untraced, _, ours in times),
        beside=statistics.median(ours - by_hand for _, by_hand, ours in times),
    )


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--chunks", type=int, default=400)
    arguments = parser.parse_args(given)
    print("CPU µs per call, medians; what each way adds is the median of the differences of neighbours")
    for measures in (False, True):
        added: list[Added] = []
        for case, (run, is_stream) in cases(arguments.chunks).items():
            check(run, is_stream=is_stream)
            backend = Backend(Ending(), measures=measures)
            found = measure(run, backend, is_stream=is_stream, rounds=arguments.rounds, calls=arguments.calls)
            added.append(found)
            title = f"{case}, spans and metrics" if measures else f"{case}, spans"
            print(
                f"{title:<44}{found.untraced:8.1f} untraced, by hand adds{found.by_hand:7.1f},"
                f" ours adds{found.ours:7.1f}, ours over by hand{found.beside:7.1f}"
            )
        _, short, long = added
        print(f"per chunk, over untraced: {(long.ours - short.ours) / (arguments.chunks - 2):.3f} µs")


if __name__ == "__main__":
    main()
