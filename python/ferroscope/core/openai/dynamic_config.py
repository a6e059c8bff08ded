"""What a prompt function of a call of OpenAI may return to set up that one call."""

from __future__ import annotations

from typing import TypeAlias

from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from ..base.dynamic_config import BaseDynamicConfig
from ..base.message_param import BaseMessageParam
from .call_params import OpenAICallParams

OpenAIDynamicConfig: TypeAlias = BaseDynamicConfig[
    ChatCompletionMessageParam | BaseMessageParam, OpenAICallParams, OpenAI | AzureOpenAI
]
"""What the prompt function of a sync call may return.

Example:
    ```python
    from ferroscope.core import openai, prompt_template


    @openai.call("gpt-4o-mini")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> openai.OpenAIDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncOpenAIDynamicConfig: TypeAlias = BaseDynamicConfig[
    ChatCompletionMessageParam | BaseMessageParam, OpenAICallParams, AsyncOpenAI | AsyncAzureOpenAI
]
"""What the prompt function of an async call may return."""
