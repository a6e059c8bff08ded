"""Integrations: middleware around calls, and spans of calls for OpenTelemetry, Logfire and Langfuse."""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from . import langfuse as langfuse
    from . import logfire as logfire
    from . import otel as otel
    from ._middleware_factory import middleware_factory

__all__ = ["langfuse", "logfire", "middleware_factory", "otel"]

__getattr__, __dir__ = lazy_names(
    __name__, {"langfuse": None, "logfire": None, "middleware_factory": "._middleware_factory", "otel": None}
)
