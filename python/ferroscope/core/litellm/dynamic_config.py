"""The dynamic configuration that a prompt function of a call to LiteLLM may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import LiteLLMCallParams

if TYPE_CHECKING:
    from ..openai._message_param import OpenAIMessageParam

LiteLLMDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", LiteLLMCallParams, object]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import litellm, prompt_template


    @litellm.call("gpt-4o-mini")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> litellm.LiteLLMDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncLiteLLMDynamicConfig: TypeAlias = BaseDynamicConfig["OpenAIMessageParam", LiteLLMCallParams, object]
"""The dynamic configuration of an async call."""
