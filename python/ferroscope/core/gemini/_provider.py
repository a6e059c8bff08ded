"""The record of the Gemini API under v1's old name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..._dialects.gemini.apis import clients, contents
from ..google._provider import GOOGLE
from .call_response import GeminiCallResponse
from .call_response_chunk import GeminiCallResponseChunk
from .stream import GeminiStream
from .tool import GeminiTool

GEMINI: Final = replace(
    GOOGLE,
    name="gemini",
    prices="google",
    dialect=contents("Gemini", is_vertex=False),
    response=GeminiCallResponse,
    chunk=GeminiCallResponseChunk,
    stream=GeminiStream,
    tool=GeminiTool,
    clients=clients(lambda: False),
    alternatives=(),
)
