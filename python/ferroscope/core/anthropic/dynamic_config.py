"""The dynamic configuration that a prompt function of a call to Anthropic may return."""

from __future__ import annotations

from typing import TypeAlias

from anthropic import Anthropic, AsyncAnthropic
from anthropic.lib.bedrock import AnthropicBedrock, AsyncAnthropicBedrock
from anthropic.lib.vertex import AnthropicVertex, AsyncAnthropicVertex
from anthropic.types import MessageParam

from ..base.dynamic_config import BaseDynamicConfig
from ..base.message_param import BaseMessageParam
from .call_params import AnthropicCallParams

# A Foundry client is a subclass of `Anthropic`.
AnthropicDynamicConfig: TypeAlias = BaseDynamicConfig[
    MessageParam | BaseMessageParam, AnthropicCallParams, Anthropic | AnthropicBedrock | AnthropicVertex
]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import anthropic, prompt_template


    @anthropic.call("claude-haiku-4-5")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> anthropic.AnthropicDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncAnthropicDynamicConfig: TypeAlias = BaseDynamicConfig[
    MessageParam | BaseMessageParam,
    AnthropicCallParams,
    AsyncAnthropic | AsyncAnthropicBedrock | AsyncAnthropicVertex,
]
"""The dynamic configuration of an async call."""
