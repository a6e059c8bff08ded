"""The dynamic configuration that a prompt function of a call to OpenAI may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import OpenAICallParams

if TYPE_CHECKING:
    # `AzureOpenAI` is a subclass of `OpenAI`.
    from openai import AsyncOpenAI, OpenAI

    from ._message_param import OpenAIMessageParam

OpenAIDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", OpenAICallParams, "OpenAI"]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import openai, prompt_template


    @openai.call("gpt-4o-mini")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> openai.OpenAIDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncOpenAIDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", OpenAICallParams, "AsyncOpenAI"]
"""The dynamic configuration of an async call."""
