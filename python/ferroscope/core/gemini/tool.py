"""The tools of a call to the Gemini API."""

from __future__ import annotations

from ..._dialects.gemini.tool import ContentTool


class GeminiTool(ContentTool):
    """A tool in a call to the Gemini API."""
