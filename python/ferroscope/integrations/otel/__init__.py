"""Spans of calls by OpenTelemetry: `configure`, `with_otel` and `with_hyperdx`."""

from ..._telemetry.observation import Finished
from ._utils import configure
from ._with_hyperdx import with_hyperdx
from ._with_otel import with_otel

__all__ = ["Finished", "configure", "with_hyperdx", "with_otel"]
