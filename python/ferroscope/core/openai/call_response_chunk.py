"""A chunk of a stream of OpenAI's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..base.types import FinishReason

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk


class OpenAICallResponseChunk(ChatCallResponseChunk["ChatCompletionChunk", FinishReason]):
    """A chunk of a streamed response; `chunk` is the SDK's `ChatCompletionChunk`, created on first access.

    Example:
        ```python
        from ferroscope.core import openai


        @openai.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()
