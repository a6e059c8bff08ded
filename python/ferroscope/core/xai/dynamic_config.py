"""The dynamic configuration that a prompt function of a call to xAI may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import XAICallParams

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from ..openai._message_param import OpenAIMessageParam

XAIDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", XAICallParams, "OpenAI"]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import prompt_template, xai


    @xai.call("grok-4")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> xai.XAIDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncXAIDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", XAICallParams, "AsyncOpenAI"]
"""The dynamic configuration of an async call."""
