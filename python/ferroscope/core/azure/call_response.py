"""The response of a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._dialects.openai_chat.filtered import FilteredCallResponse
from .call_params import AzureCallParams
from .dynamic_config import AzureDynamicConfig
from .tool import AzureTool

if TYPE_CHECKING:
    from azure.ai.inference.models import ChatCompletions
    from openai.types.chat import ChatCompletion


class AzureCallResponse(
    FilteredCallResponse["ChatCompletion | ChatCompletions", AzureTool, AzureDynamicConfig, AzureCallParams]
):
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
