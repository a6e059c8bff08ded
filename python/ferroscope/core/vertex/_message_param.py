"""The messages that a call of Vertex AI takes."""

from __future__ import annotations

from ..google._message_param import GoogleMessageParam as VertexMessageParam

__all__ = ["VertexMessageParam"]
