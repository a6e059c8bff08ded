"""The stream of LiteLLM's chat completions."""

from __future__ import annotations

from ..openai.stream import OpenAIStream


class LiteLLMStream(OpenAIStream):
    """The stream of a call to LiteLLM.

    Example:
        ```python
        from ferroscope.core import litellm


        @litellm.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
