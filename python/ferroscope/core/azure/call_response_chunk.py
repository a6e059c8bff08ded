"""A chunk of a stream of a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..._dialects.openai_chat.content_filters import FilteredContent
from ..base.types import FinishReason

if TYPE_CHECKING:
    from azure.ai.inference.models import StreamingChatCompletionsUpdate
    from openai.types.chat import ChatCompletionChunk as Chunk


class AzureCallResponseChunk(
    FilteredContent, ChatCallResponseChunk["Chunk | StreamingChatCompletionsUpdate", FinishReason]
):
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

    def _filtered(self) -> Any:  # Any: the SDK's chunk
        return self.chunk
