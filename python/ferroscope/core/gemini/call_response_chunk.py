"""A chunk of a stream of the Gemini API."""

from __future__ import annotations

from ..._dialects.gemini.call_response_chunk import ContentCallResponseChunk


class GeminiCallResponseChunk(ContentCallResponseChunk):
    """A chunk of a streamed response; `chunk` is google-genai's `GenerateContentResponse`."""

    __slots__ = ()
