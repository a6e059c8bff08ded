"""The messages that calls to Vertex AI accept."""

from __future__ import annotations

from ..google._message_param import GoogleMessageParam as VertexMessageParam

__all__ = ["VertexMessageParam"]
