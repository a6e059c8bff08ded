"""A chunk of a stream of Groq's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..._dialects.openai_chat.stream import FinishReason as FinishReason  # v1 exports the name here

if TYPE_CHECKING:
    from groq.types.chat import ChatCompletionChunk


class GroqCallResponseChunk(ChatCallResponseChunk["ChatCompletionChunk", FinishReason]):
    """A chunk of a streamed response; `chunk` is the SDK's `ChatCompletionChunk`, created on first access.

    Example:
        ```python
        from ferroscope.core import groq


        @groq.call("llama-3.1-8b-instant", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()

    _sdk_type = "groq.types.chat:ChatCompletionChunk"
