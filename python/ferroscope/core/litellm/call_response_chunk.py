"""A chunk of a stream of LiteLLM's chat completions."""

from __future__ import annotations

from ..openai.call_response_chunk import OpenAICallResponseChunk


class LiteLLMCallResponseChunk(OpenAICallResponseChunk):
    """A chunk of a streamed response; `chunk` is LiteLLM's `ModelResponseStream`, created on first access.

    Example:
        ```python
        from ferroscope.core import litellm


        @litellm.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()

    _sdk_type = "litellm.types.utils:ModelResponseStream"
