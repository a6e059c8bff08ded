"""A chunk of a stream of Amazon Bedrock."""

from __future__ import annotations

from ..._dialects.bedrock_converse.call_response_chunk import ConverseCallResponseChunk
from ._types import StreamOutputChunk


class BedrockCallResponseChunk(ConverseCallResponseChunk[StreamOutputChunk]):
    """A chunk of a streamed response; `chunk` is the event of `converse_stream`, created on first access.

    Example:
        ```python
        from ferroscope.core import bedrock


        @bedrock.call("us.anthropic.claude-haiku-4-5-20251001-v1:0", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()
