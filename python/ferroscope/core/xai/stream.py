"""The stream of xAI's chat completions."""

from __future__ import annotations

from typing import cast

from ..openai.stream import OpenAIStream
from .call_response import XAICallResponse


class XAIStream(OpenAIStream):
    """The stream of a call to xAI.

    Example:
        ```python
        from ferroscope.core import xai


        @xai.call("grok-4", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """

    @property
    def citations(self) -> list[str]:
        """The URLs of the sources that the model has searched so far; empty if it searched none."""
        return cast("XAICallResponse", self._run.response()).citations
