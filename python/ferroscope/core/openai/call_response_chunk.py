"""A chunk of a stream of OpenAI's chat completions."""

from __future__ import annotations

from openai.types.chat import ChatCompletionChunk

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..._dialects.sdk_model import read_model
from ..base.types import FinishReason


class OpenAICallResponseChunk(ChatCallResponseChunk[ChatCompletionChunk, FinishReason]):
    """A piece of a streamed answer; `chunk` is the SDK's `ChatCompletionChunk`, made when it is asked for.

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

    @classmethod
    def _read(cls, data: bytes) -> ChatCompletionChunk:
        chunk: ChatCompletionChunk = read_model(ChatCompletionChunk, data)
        return chunk
