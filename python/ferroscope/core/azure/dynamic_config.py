"""What a prompt function of a call of Azure may return to set up that one call."""

from __future__ import annotations

from typing import Any, TypeAlias

from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from ..base.dynamic_config import BaseDynamicConfig
from ..base.message_param import BaseMessageParam
from .call_params import AzureCallParams

# Any: the clients of `azure-ai-inference`, which need not be installed. An `AzureOpenAI` is an `OpenAI` too.
AzureDynamicConfig: TypeAlias = BaseDynamicConfig[
    ChatCompletionMessageParam | BaseMessageParam, AzureCallParams, OpenAI | Any
]
"""What the prompt function of a sync call may return.

Example:
    ```python
    from ferroscope.core import azure, prompt_template


    @azure.call("gpt-4o-mini")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> azure.AzureDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncAzureDynamicConfig: TypeAlias = BaseDynamicConfig[
    ChatCompletionMessageParam | BaseMessageParam, AzureCallParams, AsyncOpenAI | Any
]
"""What the prompt function of an async call may return."""
