"""The dynamic configuration that a prompt function of a call to Cohere may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import CohereCallParams

if TYPE_CHECKING:
    from cohere import AsyncClient, AsyncClientV2, Client, ClientV2

    from ._message_param import CohereMessageParam

CohereDynamicConfig: TypeAlias = BaseDynamicConfig["CohereMessageParam", CohereCallParams, "Client | ClientV2"]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import cohere, prompt_template


    @cohere.call("command-a-03-2025")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> cohere.CohereDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncCohereDynamicConfig: TypeAlias = BaseDynamicConfig[
    "CohereMessageParam", CohereCallParams, "AsyncClient | AsyncClientV2"
]
"""The dynamic configuration of an async call."""
