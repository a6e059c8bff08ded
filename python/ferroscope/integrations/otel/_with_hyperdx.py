"""Spans of calls for HyperDX."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

from ..._engine.extras import require_package
from ...errors import MissingApiKeyError
from ._utils import configure
from ._with_otel import with_otel

_P = ParamSpec("_P")
_R = TypeVar("_R")

# https://www.hyperdx.io/docs/install/opentelemetry
_ENDPOINT = "https://in-otel.hyperdx.io/v1/traces"
_OTHER_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def with_hyperdx(*, capture_content: bool | None = None) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return the decorator of `with_otel`, with spans sent to HyperDX.

    The environment variable `HYPERDX_API_KEY` has the key. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or
    `OTEL_EXPORTER_OTLP_ENDPOINT` names another server.

    Args:
        capture_content: Whether prompts, answers and tool arguments are recorded, as of `with_otel`.

    Raises:
        ferroscope.errors.MissingApiKeyError: There is no key.
        ferroscope.errors.MissingExtraError: The exporter is not installed.
    """
    key = os.environ.get("HYPERDX_API_KEY")
    if not key:
        raise MissingApiKeyError("HYPERDX_API_KEY is not set: put the API key for HyperDX there")
    require_package("opentelemetry.exporter.otlp.proto.http", extra="hyperdx", user="with_hyperdx")
    _export(key)
    return with_otel(capture_content=capture_content)


@cache
def _export(key: str) -> None:
    """Export spans to HyperDX: once for a key, however many functions are decorated."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    elsewhere = any(os.environ.get(name) for name in _OTHER_ENDPOINTS)
    exporter = OTLPSpanExporter(endpoint=None if elsewhere else _ENDPOINT, headers={"authorization": key})
    configure(processors=[BatchSpanProcessor(exporter)])
