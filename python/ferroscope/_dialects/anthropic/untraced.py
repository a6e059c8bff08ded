"""Clients of Anthropic's SDK without the spans that the SDK records itself (from version 2)."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from ..._sdk_internals import tracer

_UNTRACED: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def untraced(client: Any) -> Any:  # Any: a client of any class, of any version of the SDK
    """Return a copy of a client that records no spans; both share one HTTP client.

    A client that the program has patched, or whose spans it has configured, is returned itself.
    """
    try:
        known = _UNTRACED.get(client)
    except TypeError:  # an object that stands in for a client
        return client
    if known is not None:
        return known
    copied = client.with_options(open_telemetry=False) if _records_spans(client) else None
    if copied is None:
        return client
    _UNTRACED[client] = copied
    return copied


def reason_of_spans(client: Any) -> str | None:
    """Return the reason if the SDK records or propagates spans for a client, or None."""
    if tracer(client) is None:
        return None
    from opentelemetry import trace

    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return "the SDK records spans"
    # Without a provider, a span that the program made itself is still sent in the headers.
    return "a span is active" if trace.get_current_span().get_span_context().is_valid else None


def _records_spans(client: Any) -> bool:
    options = getattr(client, "open_telemetry", None)
    if not isinstance(options, dict) or not options["traces"]["enabled"]:
        return False
    if "tracer_provider" in options or "conversation_id" in options:
        return False
    return "create" not in vars(vars(client).get("messages", object))
