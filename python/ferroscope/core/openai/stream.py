"""The stream of OpenAI's chat completions."""

from __future__ import annotations

from ..._dialects.openai_chat.stream import ChatStream
from ..._dialects.openai_chat.stream import FinishReason as FinishReason  # v1 exports the name here
from .call_params import OpenAICallParams
from .call_response import OpenAICallResponse
from .call_response_chunk import OpenAICallResponseChunk
from .dynamic_config import OpenAIDynamicConfig
from .tool import OpenAITool


class OpenAIStream(
    ChatStream[OpenAICallResponse, OpenAICallResponseChunk, OpenAITool, OpenAIDynamicConfig, OpenAICallParams]
):
    """The stream of a call to OpenAI.

    Example:
        ```python
        from ferroscope.core import openai


        @openai.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
