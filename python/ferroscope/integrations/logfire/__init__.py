"""Spans of calls for Logfire: `with_logfire`."""

from ._with_logfire import with_logfire

__all__ = ["with_logfire"]
