"""The dynamic configuration that a prompt function of a call to Groq may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import GroqCallParams

if TYPE_CHECKING:
    from groq import AsyncGroq, Groq

    from ._message_param import GroqMessageParam

GroqDynamicConfig: TypeAlias = BaseDynamicConfig["GroqMessageParam", GroqCallParams, "Groq"]
"""The dynamic configuration of a sync call.

Example:
    ```python
    from ferroscope.core import groq, prompt_template


    @groq.call("llama-3.1-8b-instant")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> groq.GroqDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""

AsyncGroqDynamicConfig: TypeAlias = BaseDynamicConfig["GroqMessageParam", GroqCallParams, "AsyncGroq"]
"""The dynamic configuration of an async call."""
