"""Generations of calls for Langfuse: `with_langfuse`."""

from ._with_langfuse import with_langfuse

__all__ = ["with_langfuse"]
