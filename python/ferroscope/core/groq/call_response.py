"""The response of Groq's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.call_response import ChatCallResponse
from .call_params import GroqCallParams
from .dynamic_config import GroqDynamicConfig
from .tool import GroqTool

if TYPE_CHECKING:
    from groq.types.chat import ChatCompletion


class GroqCallResponse(ChatCallResponse["ChatCompletion", GroqTool, GroqDynamicConfig, GroqCallParams]):
    """The response of a call to Groq; `response` is the SDK's `ChatCompletion`.

    Example:
        ```python
        from ferroscope.core import groq


        @groq.call("llama-3.1-8b-instant")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
