"""The dynamic configuration that a prompt function of a call to Amazon Bedrock may return."""

from __future__ import annotations

from typing import TypeAlias

from ..._dialects.bedrock_converse.types import Client
from ..base.dynamic_config import BaseDynamicConfig
from ._message_param import BedrockMessageParam
from .call_params import BedrockCallParams

BedrockDynamicConfig: TypeAlias = BaseDynamicConfig[BedrockMessageParam, BedrockCallParams, Client]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import bedrock, prompt_template


    @bedrock.call("us.anthropic.claude-haiku-4-5-20251001-v1:0")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> bedrock.BedrockDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncBedrockDynamicConfig: TypeAlias = BedrockDynamicConfig
"""The dynamic configuration of an async call."""
