"""A chunk of a stream of Mistral's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..._dialects.openai_chat.stream import FinishReason as FinishReason  # v1 exports the name here

if TYPE_CHECKING:
    from mistralai.client.models import CompletionChunk


class MistralCallResponseChunk(ChatCallResponseChunk["CompletionChunk", FinishReason]):
    """A chunk of a streamed response; `chunk` is the SDK's `CompletionChunk`, created on first access.

    Example:
        ```python
        from ferroscope.core import mistral


        @mistral.call("mistral-small-latest", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()

    _sdk_type = "ferroscope.core.mistral._sdk:CompletionChunk"
