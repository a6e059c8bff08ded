"""The response of OpenAI's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.call_response import ChatCallResponse
from .call_params import OpenAICallParams
from .dynamic_config import OpenAIDynamicConfig
from .tool import OpenAITool

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


class OpenAICallResponse(ChatCallResponse["ChatCompletion", OpenAITool, OpenAIDynamicConfig, OpenAICallParams]):
    """The response of a call to OpenAI; `response` is the SDK's `ChatCompletion`.

    Example:
        ```python
        from ferroscope.core import openai


        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
