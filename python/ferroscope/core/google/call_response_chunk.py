"""A chunk of a stream of Google's Gemini models."""

from __future__ import annotations

from ..._dialects.gemini.call_response_chunk import ContentCallResponseChunk


class GoogleCallResponseChunk(ContentCallResponseChunk):
    """A chunk of a streamed response; `chunk` is the SDK's `GenerateContentResponse`, created on first access.

    Example:
        ```python
        from ferroscope.core import google


        @google.call("gemini-2.5-flash", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()
