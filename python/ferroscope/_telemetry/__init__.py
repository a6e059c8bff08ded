"""OpenTelemetry spans and metrics of every request, on `opentelemetry-api` alone.

The engine asks an observer for an observation of each call (see `ferroscope._engine.observing`). `instrument` turns
that on for all calls, a decorator of `ferroscope.integrations` for the calls of one function.
"""

from __future__ import annotations

from .._engine.extras import require_package

require_package("opentelemetry", extra="opentelemetry", user="telemetry")

from .recording import instrument, uninstrument  # noqa: E402  # after the check that it is installed

__all__ = ["instrument", "uninstrument"]
