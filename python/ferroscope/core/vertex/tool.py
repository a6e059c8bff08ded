"""The tools of a call to Vertex AI."""

from __future__ import annotations

from ..._dialects.gemini.tool import ContentTool


class VertexTool(ContentTool):
    """A tool in a call to Vertex AI."""
