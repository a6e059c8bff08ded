"""The response of a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.call_response import ChatCallResponse
from ._filters import ContentFilterResults, filter_results_of_choices, filter_results_of_prompts
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
    # Without type parameters, pydantic builds no schema of the SDK's types: no field of theirs is validated.
    _Base = ChatCallResponse[Any, AzureTool, Any, Any, Any, Any, Any]


class AzureCallResponse(_Base):
    """The response of a call to a model on Azure.

    `response` is an object of the SDK that made the call: `ChatCompletion` of openai, or `ChatCompletions` of
    azure-ai-inference.

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

    # Azure serves models of many vendors, and some responses have fields that requests reject.
    _sent_back = frozenset({"role", "content", "name", "refusal", "tool_calls"})

    @property
    def content_filter_results(self) -> ContentFilterResults | None:
        """The results of the content filter for the response, by category; None if there are none."""
        return filter_results_of_choices(self.response)

    @property
    def prompt_filter_results(self) -> list[dict[str, Any]] | None:
        """The results of the content filter for each prompt; None if there are none."""
        return filter_results_of_prompts(self.response)
