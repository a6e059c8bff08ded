"""A chunk of a stream of Anthropic's Messages API."""

from __future__ import annotations

from ..._dialects.anthropic.call_response_chunk import FinishReason as FinishReason  # v1 exports the name here
from ..._dialects.anthropic.call_response_chunk import MessagesCallResponseChunk


class AnthropicCallResponseChunk(MessagesCallResponseChunk):
    """A chunk of a streamed response; `chunk` is the SDK's event object, created on first access.

    Example:
        ```python
        from ferroscope.core import anthropic


        @anthropic.call("claude-haiku-4-5", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()
