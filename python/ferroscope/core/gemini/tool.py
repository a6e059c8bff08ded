"""The tools of a call of the Gemini API."""

from __future__ import annotations

from ..._dialects.gemini.tool import ContentTool


class GeminiTool(ContentTool):
    """A tool of a call of the Gemini API."""
