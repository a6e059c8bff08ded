"""The dynamic configuration that a prompt function of a call to a model on Azure may return."""

from __future__ import annotations

from typing import TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from ._sdk_types import AsyncClient, AzureMessageParam, Client
from .call_params import AzureCallParams

AzureDynamicConfig: TypeAlias = BaseDynamicConfig[AzureMessageParam, AzureCallParams, Client]
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

AsyncAzureDynamicConfig: TypeAlias = BaseDynamicConfig[AzureMessageParam, AzureCallParams, AsyncClient]
"""The dynamic configuration of an async call."""
