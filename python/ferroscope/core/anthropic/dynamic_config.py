"""The dynamic configuration that a prompt function of a call to Anthropic may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import AnthropicCallParams

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic
    from anthropic.lib.bedrock import AnthropicBedrock, AsyncAnthropicBedrock
    from anthropic.lib.vertex import AnthropicVertex, AsyncAnthropicVertex

    from ._message_param import AnthropicMessageParam

    # A Foundry client is a subclass of `Anthropic`.
    Client: TypeAlias = Anthropic | AnthropicBedrock | AnthropicVertex
    AsyncClient: TypeAlias = AsyncAnthropic | AsyncAnthropicBedrock | AsyncAnthropicVertex

AnthropicDynamicConfig: TypeAlias = BaseDynamicConfig["AnthropicMessageParam", AnthropicCallParams, "Client"]
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

AsyncAnthropicDynamicConfig: TypeAlias = BaseDynamicConfig["AnthropicMessageParam", AnthropicCallParams, "AsyncClient"]
"""The dynamic configuration of an async call."""
AnyConfig: TypeAlias = AsyncAnthropicDynamicConfig | AnthropicDynamicConfig
"""The dynamic configuration of either."""
