"""The response of Mistral's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.call_response import ChatCallResponse
from .call_params import MistralCallParams
from .dynamic_config import MistralDynamicConfig
from .tool import MistralTool

if TYPE_CHECKING:
    from mistralai.client.models import ChatCompletionResponse


class MistralCallResponse(
    ChatCallResponse["ChatCompletionResponse", MistralTool, MistralDynamicConfig, MistralCallParams]
):
    """The response of a call to Mistral; `response` is the SDK's `ChatCompletionResponse`.

    Example:
        ```python
        from ferroscope.core import mistral


        @mistral.call("mistral-small-latest")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
