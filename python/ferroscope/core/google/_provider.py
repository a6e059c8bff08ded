"""The record of the provider Google: the Gemini API, and Vertex AI for its clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..._dialects.gemini.apis import ADAPTER, clients, contents, is_vertex_client, send_once, vertex_is_configured
from ..._engine.provider import Provider
from .call_response import GoogleCallResponse
from .call_response_chunk import GoogleCallResponseChunk
from .stream import GoogleStream
from .tool import GoogleTool

_GEMINI: Final = Provider(
    name="google",
    dialect=contents("Google", is_vertex=False),
    sdk="google.genai",
    response=GoogleCallResponse,
    chunk=GoogleCallResponseChunk,
    stream=GoogleStream,
    tool=GoogleTool,
    clients=clients(vertex_is_configured),
    telemetry_name="gcp.gemini",
    operation="generate_content",
    adapter_module=ADAPTER,
    once=send_once,
    json_framing="json_lines",
    batch_api="ferroscope._dialects.gemini.batch_api:INLINED",
)

GOOGLE: Final = replace(
    _GEMINI,
    alternatives=(
        replace(
            _GEMINI,
            dialect=contents("Google", is_vertex=True),
            telemetry_name="gcp.vertex_ai",
            accepts_client=is_vertex_client,
            batch_api="",
        ),
    ),
)
