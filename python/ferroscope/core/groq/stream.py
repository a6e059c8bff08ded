"""The stream of Groq's chat completions."""

from __future__ import annotations

from ..._dialects.openai_chat.stream import ChatStream
from ..._dialects.openai_chat.stream import FinishReason as FinishReason  # v1 exports the name here
from .call_params import GroqCallParams
from .call_response import GroqCallResponse
from .call_response_chunk import GroqCallResponseChunk
from .dynamic_config import GroqDynamicConfig
from .tool import GroqTool


class GroqStream(ChatStream[GroqCallResponse, GroqCallResponseChunk, GroqTool, GroqDynamicConfig, GroqCallParams]):
    """The stream of a call to Groq.

    Example:
        ```python
        from ferroscope.core import groq


        @groq.call("llama-3.1-8b-instant", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
