"""An event of a stream of Cohere's v2 chat."""

from __future__ import annotations

from ..._dialects.cohere.call_response_chunk import ChatV2CallResponseChunk


class CohereCallResponseChunk(ChatV2CallResponseChunk):
    """An event of a streamed response; `chunk` is the SDK's event object, created on first access.

    Example:
        ```python
        from ferroscope.core import cohere


        @cohere.call("command-a-03-2025", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()

    _events = "cohere:V2ChatStreamResponse"
