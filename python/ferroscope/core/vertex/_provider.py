"""The record of Vertex AI under v1's old name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..._dialects.gemini.apis import clients, contents
from ..google._provider import GOOGLE
from .call_response import VertexCallResponse
from .call_response_chunk import VertexCallResponseChunk
from .stream import VertexStream
from .tool import VertexTool

VERTEX: Final = replace(
    GOOGLE,
    name="vertex",
    dialect=contents("Vertex", is_vertex=True),
    response=VertexCallResponse,
    chunk=VertexCallResponseChunk,
    stream=VertexStream,
    tool=VertexTool,
    clients=clients(lambda: True),
    telemetry_name="gcp.vertex_ai",
    alternatives=(),
)
