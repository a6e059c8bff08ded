"""A chunk of a stream of Azure's chat completions."""

from __future__ import annotations

from typing import Any

from openai.types.chat import ChatCompletionChunk

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..._dialects.sdk_model import read_model
from ..base.types import FinishReason


class AzureCallResponseChunk(ChatCallResponseChunk[ChatCompletionChunk, FinishReason]):
    """A piece of a streamed answer; `chunk` is the OpenAI SDK's `ChatCompletionChunk`, made when it is asked for.

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

    @classmethod
    def _read(cls, data: bytes) -> ChatCompletionChunk:
        chunk: ChatCompletionChunk = read_model(ChatCompletionChunk, data)
        return chunk

    @property
    def content_filter_results(self) -> dict[str, Any] | None:
        """What Azure's filters say of the first choice, in a chunk that brings it."""
        choices = self.chunk.choices
        return getattr(choices[0], "content_filter_results", None) if choices else None
