"""The messages that calls of Vertex AI accept."""

from __future__ import annotations

from ..google._message_param import GoogleMessageParam as VertexMessageParam

__all__ = ["VertexMessageParam"]
