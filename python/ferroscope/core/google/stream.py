"""The stream of Google's Gemini models."""

from __future__ import annotations

from ..._dialects.gemini.stream import ContentStream
from .call_params import GoogleCallParams
from .call_response import GoogleCallResponse
from .call_response_chunk import GoogleCallResponseChunk
from .dynamic_config import GoogleDynamicConfig
from .tool import GoogleTool


class GoogleStream(
    ContentStream[GoogleCallResponse, GoogleCallResponseChunk, GoogleTool, GoogleDynamicConfig, GoogleCallParams]
):
    """The stream of a call to Google.

    Example:
        ```python
        from ferroscope.core import google


        @google.call("gemini-2.5-flash", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
