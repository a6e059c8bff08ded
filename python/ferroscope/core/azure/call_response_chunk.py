"""A chunk of a stream of a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.filtered import FilteredChunk

if TYPE_CHECKING:
    from azure.ai.inference.models import StreamingChatCompletionsUpdate
    from openai.types.chat import ChatCompletionChunk


class AzureCallResponseChunk(FilteredChunk["ChatCompletionChunk | StreamingChatCompletionsUpdate"]):
    """A chunk of a streamed response; `chunk` is the SDK's object, created on first access.

    Example:
        ```python
        from ferroscope.core import azure


        @azure.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()
