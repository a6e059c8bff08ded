"""The response of OpenAI's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.call_response import ChatCallResponse
from .tool import OpenAITool

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletion,
        ChatCompletionMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )

    from .call_params import OpenAICallParams
    from .dynamic_config import OpenAIDynamicConfig

    _Base = ChatCallResponse[
        ChatCompletion,
        OpenAITool,
        ChatCompletionToolParam,
        OpenAIDynamicConfig,
        ChatCompletionMessageParam,
        OpenAICallParams,
        ChatCompletionUserMessageParam,
    ]
else:
    # pydantic need not build a schema of the SDK's types: nothing of them is validated.
    _Base = ChatCallResponse[Any, OpenAITool, Any, Any, Any, Any, Any]


class OpenAICallResponse(_Base):
    """What a call of OpenAI returns; `response` is the SDK's `ChatCompletion`.

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
