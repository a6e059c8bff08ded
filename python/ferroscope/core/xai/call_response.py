"""The response of xAI's chat completions."""

from __future__ import annotations

from ..openai.call_response import OpenAICallResponse


class XAICallResponse(OpenAICallResponse):
    """The response of a call to xAI; `response` is the SDK's `ChatCompletion`.

    Example:
        ```python
        from ferroscope.core import xai


        @xai.call("grok-4")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """

    @property
    def citations(self) -> list[str]:
        """The URLs of the sources that the model searched; empty if it searched none."""
        return list(getattr(self.response, "citations", None) or ())
