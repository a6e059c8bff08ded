"""The metrics of requests, recorded when they are collected.

To record one measurement takes an SDK several microseconds, and a request has up to ten of them. A request only
appends its measurements to a queue. The SDK asks the callbacks of observable instruments first when it collects, and
such a callback records the queue. A long queue is recorded at once, so it is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry import metrics

from .._version import __version__
from . import names

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, MeterProvider, Observation
    from opentelemetry.util.types import AttributeValue

_MAX_QUEUED: Final = 1000


class Measurements(NamedTuple):
    """The measurements of one request.

    Attributes:
        attributes: The attributes of its metrics.
        context: The context with its span, for exemplars.
        error: The type of its error; None if it has none.
        duration: How long it took, in seconds.
        first_chunk: The time to its first chunk, in seconds; None if it is not streamed.
        per_chunk: The mean time between chunks, in seconds; None if there are fewer than two.
        usage: Token counts and the cost, by the names of their attributes.
    """

    attributes: Mapping[str, AttributeValue]
    context: Context
    error: str | None
    duration: float
    first_chunk: float | None
    per_chunk: float | None
    usage: Mapping[str, float]


class Metrics:
    """The instruments of one meter provider."""

    def __init__(self, provider: MeterProvider | None = None) -> None:
        self._provider = provider
        self._is_active = False
        meter = metrics.get_meter(names.SCOPE, __version__, provider)
        self._duration = _histogram(meter, names.DURATION)
        self._first_chunk = _histogram(meter, names.FIRST_CHUNK)
        self._per_chunk = _histogram(meter, names.PER_CHUNK)
        self._tokens = {name: _histogram(meter, known) for name, known in names.OPERATION_TOKENS.items()}
        self._counters = {name: _counter(meter, known) for name, known in names.COUNTERS.items()}
        self._queue: deque[Measurements] = deque()
        # It never has a value; its callback is the notice that metrics are collected.
        meter.create_observable_gauge(
            "ferroscope.telemetry.pending", callbacks=[self._on_collection], description="Never has a value"
        )

    @property
    def is_active(self) -> bool:
        """Whether a meter provider other than those of the API, which record nothing, receives the measurements."""
        if not self._is_active:  # a global provider is set once, possibly later
            provider = self._provider if self._provider is not None else metrics.get_meter_provider()
            self._is_active = not type(provider).__module__.startswith("opentelemetry.metrics")
        return self._is_active

    def add(self, measurements: Measurements) -> None:
        """Add the measurements of a request."""
        self._queue.append(measurements)
        if len(self._queue) >= _MAX_QUEUED:
            self.record()

    def record(self) -> None:
        """Record what is queued."""
        while True:
            try:
                measurements = self._queue.popleft()
            except IndexError:
                return
            self._record(measurements)

    def _on_collection(self, options: CallbackOptions) -> Iterable[Observation]:
        self.record()
        return ()

    def _record(self, measured: Measurements) -> None:
        attributes, context = measured.attributes, measured.context
        if measured.first_chunk is not None:
            self._first_chunk.record(measured.first_chunk, attributes, context)
        if measured.per_chunk is not None:
            self._per_chunk.record(measured.per_chunk, attributes, context)
        for name, amount in measured.usage.items():
            self._counters[name].add(amount, attributes, context)
            if name in self._tokens:
                self._tokens[name].record(amount, attributes, context)
        if measured.error is not None:
            attributes = {**attributes, names.ERROR_TYPE: measured.error}
        self._duration.record(measured.duration, attributes, context)


def _histogram(meter: Meter, known: names.Instrument) -> Histogram:
    return meter.create_histogram(
        known.name, known.unit, known.description, explicit_bucket_boundaries_advisory=known.boundaries
    )


def _counter(meter: Meter, known: names.Instrument) -> Counter:
    return meter.create_counter(known.name, known.unit, known.description)
