"""The stream of Cohere's v2 chat."""

from __future__ import annotations

from ..._dialects.cohere.stream import ChatV2Stream
from .call_params import CohereCallParams
from .call_response import CohereCallResponse
from .call_response_chunk import CohereCallResponseChunk
from .dynamic_config import AsyncCohereDynamicConfig, CohereDynamicConfig
from .tool import CohereTool


class CohereStream(
    ChatV2Stream[
        CohereCallResponse,
        CohereCallResponseChunk,
        CohereTool,
        CohereDynamicConfig | AsyncCohereDynamicConfig,
        CohereCallParams,
    ]
):
    """The stream of a call to Cohere.

    Example:
        ```python
        from ferroscope.core import cohere


        @cohere.call("command-a-03-2025", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
