"""A chunk of a stream of a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.call_response_chunk import ChatCallResponseChunk
from ..._dialects.sdk_model import read_model
from ..base.types import FinishReason
from ._filters import ContentFilterResults, filter_results_of_choices, filter_results_of_prompts

if TYPE_CHECKING:
    from azure.ai.inference.models import StreamingChatCompletionsUpdate
    from openai.types.chat import ChatCompletionChunk

    _Base = ChatCallResponseChunk[ChatCompletionChunk | StreamingChatCompletionsUpdate, FinishReason]
else:
    _Base = ChatCallResponseChunk


class AzureCallResponseChunk(_Base):
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

    @classmethod
    def _read(cls, data: bytes) -> ChatCompletionChunk | StreamingChatCompletionsUpdate:
        from openai.types.chat import ChatCompletionChunk

        chunk: ChatCompletionChunk = read_model(ChatCompletionChunk, data)
        return chunk

    @property
    def content_filter_results(self) -> ContentFilterResults | None:
        """The results of the content filter for the text so far, in the chunks that report them."""
        return filter_results_of_choices(self.chunk)

    @property
    def prompt_filter_results(self) -> list[dict[str, Any]] | None:
        """The results of the content filter for each prompt, in the first chunk, which has no text."""
        return filter_results_of_prompts(self.chunk)
