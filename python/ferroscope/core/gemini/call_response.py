"""The response of a call to the Gemini API."""

from __future__ import annotations

from ..._dialects.gemini.call_response import ContentCallResponse
from .call_params import GeminiCallParams
from .dynamic_config import GeminiDynamicConfig
from .tool import GeminiTool


class GeminiCallResponse(ContentCallResponse[GeminiTool, GeminiDynamicConfig, GeminiCallParams]):
    """The response of a call to the Gemini API; `response` is google-genai's `GenerateContentResponse`."""
