"""The dynamic configuration that a prompt function of a call to a model on Azure may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import AzureCallParams

if TYPE_CHECKING:
    from azure.ai.inference import ChatCompletionsClient
    from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
    from openai import AsyncOpenAI, OpenAI

    from ._message_param import AzureMessageParam

    # `AzureOpenAI` is a subclass of `OpenAI`.
    Client: TypeAlias = OpenAI | ChatCompletionsClient
    AsyncClient: TypeAlias = AsyncOpenAI | AsyncChatCompletionsClient

AzureDynamicConfig: TypeAlias = BaseDynamicConfig["AzureMessageParam", AzureCallParams, "Client"]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import azure, prompt_template


    @azure.call("gpt-4o-mini")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> azure.AzureDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncAzureDynamicConfig: TypeAlias = BaseDynamicConfig["AzureMessageParam", AzureCallParams, "AsyncClient"]
"""The dynamic configuration of an async call."""
