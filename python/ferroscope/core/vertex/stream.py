"""The stream of a call to Vertex AI."""

from __future__ import annotations

from ..._dialects.gemini.stream import ContentStream
from .call_params import VertexCallParams
from .call_response import VertexCallResponse
from .call_response_chunk import VertexCallResponseChunk
from .dynamic_config import VertexDynamicConfig
from .tool import VertexTool


class VertexStream(
    ContentStream[VertexCallResponse, VertexCallResponseChunk, VertexTool, VertexDynamicConfig, VertexCallParams]
):
    """The stream of a call to Vertex AI."""
