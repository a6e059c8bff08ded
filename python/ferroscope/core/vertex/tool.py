"""The tools of a call of Vertex AI."""

from __future__ import annotations

from ..._dialects.gemini.tool import ContentTool


class VertexTool(ContentTool):
    """A tool of a call of Vertex AI."""
