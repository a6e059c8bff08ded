"""The stream of Mistral's chat completions."""

from __future__ import annotations

from ..._dialects.openai_chat.stream import ChatStream
from ..._dialects.openai_chat.stream import FinishReason as FinishReason  # v1 exports the name here
from .call_params import MistralCallParams
from .call_response import MistralCallResponse
from .call_response_chunk import MistralCallResponseChunk
from .dynamic_config import MistralDynamicConfig
from .tool import MistralTool


class MistralStream(
    ChatStream[MistralCallResponse, MistralCallResponseChunk, MistralTool, MistralDynamicConfig, MistralCallParams]
):
    """The stream of a call to Mistral.

    Example:
        ```python
        from ferroscope.core import mistral


        @mistral.call("mistral-small-latest", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
