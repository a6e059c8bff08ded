"""The response of Anthropic's Messages API."""

from __future__ import annotations

from ..._dialects.anthropic.call_response import MessagesCallResponse
from .call_params import AnthropicCallParams
from .dynamic_config import AnyConfig
from .tool import AnthropicTool


class AnthropicCallResponse(MessagesCallResponse[AnthropicTool, AnyConfig, AnthropicCallParams]):
    """The response of a call to Anthropic; `response` is the SDK's `Message`.

    Example:
        ```python
        from ferroscope.core import anthropic


        @anthropic.call("claude-haiku-4-5")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
