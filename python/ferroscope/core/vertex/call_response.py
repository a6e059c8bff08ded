"""The response of a call to Vertex AI."""

from __future__ import annotations

from ..._dialects.gemini.call_response import ContentCallResponse
from .call_params import VertexCallParams
from .dynamic_config import VertexDynamicConfig
from .tool import VertexTool


class VertexCallResponse(ContentCallResponse[VertexTool, VertexDynamicConfig, VertexCallParams]):
    """The response of a call to Vertex AI; `response` is google-genai's `GenerateContentResponse`."""
