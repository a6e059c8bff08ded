"""Spans that instrumentations of the SDKs record below a span of this library.

Such a span has the tokens of the same request. A backend that adds up tokens would count them twice, so the span
above it gets none. The tracer provider of OpenTelemetry's SDK calls its span processors for each span. Other tracer
providers have no span processors, and with them each span keeps its tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol
from weakref import ref

from . import names


class _Observation(Protocol):
    foreign: bool


class ForeignSpans:
    """A span processor that marks the observations with a child that is another span of the same request."""

    def __init__(self) -> None:
        self._open: dict[int, _Observation] = {}
        self._providers: dict[int, ref[Any]] = {}

    def register(self, provider: Any) -> None:  # Any: a tracer provider of any SDK
        """Add this processor to a tracer provider, once."""
        add = getattr(provider, "add_span_processor", None)
        known = self._providers.get(id(provider))
        if add is None or (known is not None and known() is provider):
            return
        self._providers[id(provider)] = ref(provider)  # some providers have no hash
        add(self)

    def watch(self, span: Any, observation: _Observation) -> None:
        """Watch for children of a span."""
        self._open[span.get_span_context().span_id] = observation

    def forget(self, span: Any) -> None:
        """Stop watching a span."""
        self._open.pop(span.get_span_context().span_id, None)

    # ---- the methods of a span processor

    def on_start(self, span: Any, parent_context: object = None) -> None:
        self._mark_parent(span)

    def on_end(self, span: Any) -> None:
        self._mark_parent(span)

    def _on_ending(self, span: Any) -> None:
        """Do nothing: only the start and the end of a span matter."""

    def _mark_parent(self, span: Any) -> None:
        parent = getattr(span, "parent", None)
        if parent is None:
            return
        observation = self._open.get(parent.span_id)
        if observation is None or observation.foreign:
            return
        attributes: Mapping[str, object] = span.attributes or {}
        observation.foreign = any(name.startswith(names.FOREIGN_PREFIXES) for name in attributes)

    def shutdown(self) -> None:
        """There is nothing to release."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: nothing is kept."""
        return True


FOREIGN_SPANS: Final = ForeignSpans()
