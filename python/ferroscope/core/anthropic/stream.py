"""The stream of Anthropic's Messages API."""

from __future__ import annotations

from ..._dialects.anthropic.stream import MessagesStream
from .call_params import AnthropicCallParams
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk
from .call_response_chunk import FinishReason as FinishReason  # v1 exports the name here
from .dynamic_config import AnyConfig
from .tool import AnthropicTool


class AnthropicStream(
    MessagesStream[AnthropicCallResponse, AnthropicCallResponseChunk, AnthropicTool, AnyConfig, AnthropicCallParams]
):
    """The stream of a call to Anthropic.

    Example:
        ```python
        from ferroscope.core import anthropic


        @anthropic.call("claude-haiku-4-5", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
