"""The stream of a call to the Gemini API."""

from __future__ import annotations

from ..._dialects.gemini.stream import ContentStream
from .call_params import GeminiCallParams
from .call_response import GeminiCallResponse
from .call_response_chunk import GeminiCallResponseChunk
from .dynamic_config import GeminiDynamicConfig
from .tool import GeminiTool


class GeminiStream(
    ContentStream[GeminiCallResponse, GeminiCallResponseChunk, GeminiTool, GeminiDynamicConfig, GeminiCallParams]
):
    """The stream of a call to the Gemini API."""
