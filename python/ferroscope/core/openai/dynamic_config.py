"""What a prompt function of a call of OpenAI may return to set up that one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import OpenAICallParams

if TYPE_CHECKING:
    from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

    from ._message_param import OpenAIMessageParam

OpenAIDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", OpenAICallParams, "OpenAI | AzureOpenAI"]
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
    "OpenAIMessageParam", OpenAICallParams, "AsyncOpenAI | AsyncAzureOpenAI"
]
"""What the prompt function of an async call may return."""
