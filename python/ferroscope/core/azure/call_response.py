"""The response of a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.call_response import ChatCallResponse
from ._filters import ContentFilterResults, of_choices, of_prompt
from .tool import AzureTool

if TYPE_CHECKING:
    from azure.ai.inference.models import ChatCompletions
    from openai.types.chat import (
        ChatCompletion,
        ChatCompletionMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )

    from .call_params import AzureCallParams
    from .dynamic_config import AzureDynamicConfig

    _Base = ChatCallResponse[
        ChatCompletion | ChatCompletions,
        AzureTool,
        ChatCompletionToolParam,
        AzureDynamicConfig,
        ChatCompletionMessageParam,
        AzureCallParams,
        ChatCompletionUserMessageParam,
    ]
else:
    # pydantic need not build a schema of the SDK's types: nothing of them is validated.
    _Base = ChatCallResponse[Any, AzureTool, Any, Any, Any, Any, Any]


class AzureCallResponse(_Base):
    """What a call of a model on Azure returns.

    `response` is the object of the SDK that made the call: a `ChatCompletion` of openai's, a `ChatCompletions`
    of azure-ai-inference's.

    Example:
        ```python
        from ferroscope.core import azure


        @azure.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """

    # Models of many makers are there, which say more in an answer than they take back.
    _sent_back = frozenset({"role", "content", "name", "refusal", "tool_calls"})

    @property
    def content_filter_results(self) -> ContentFilterResults | None:
        """What the content filter found in the answer, by category; None if it says nothing."""
        return of_choices(self.response)

    @property
    def prompt_filter_results(self) -> list[dict[str, Any]] | None:
        """What the content filter found in each prompt; None if it says nothing."""
        return of_prompt(self.response)
