"""A chunk of a stream of Vertex AI."""

from __future__ import annotations

from ..._dialects.gemini.call_response_chunk import ContentCallResponseChunk


class VertexCallResponseChunk(ContentCallResponseChunk):
    """A chunk of a streamed response; `chunk` is google-genai's `GenerateContentResponse`."""

    __slots__ = ()
