"""The stream of a call to Amazon Bedrock."""

from __future__ import annotations

from ..._dialects.bedrock_converse.stream import ConverseStream
from .call_params import BedrockCallParams
from .call_response import BedrockCallResponse
from .call_response_chunk import BedrockCallResponseChunk
from .dynamic_config import BedrockDynamicConfig
from .tool import BedrockTool


class BedrockStream(
    ConverseStream[BedrockCallResponse, BedrockCallResponseChunk, BedrockTool, BedrockDynamicConfig, BedrockCallParams]
):
    """The stream of a call to Amazon Bedrock.

    Example:
        ```python
        from ferroscope.core import bedrock


        @bedrock.call("us.anthropic.claude-haiku-4-5-20251001-v1:0", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
