"""The response of Cohere's v2 chat."""

from __future__ import annotations

from ..._dialects.cohere.call_response import ChatV2CallResponse
from .call_params import CohereCallParams
from .dynamic_config import AsyncCohereDynamicConfig, CohereDynamicConfig
from .tool import CohereTool


class CohereCallResponse(
    ChatV2CallResponse[CohereTool, CohereDynamicConfig | AsyncCohereDynamicConfig, CohereCallParams]
):
    """The response of a call to Cohere; `response` is the SDK's `V2ChatResponse`.

    Example:
        ```python
        from ferroscope.core import cohere


        @cohere.call("command-a-03-2025")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
