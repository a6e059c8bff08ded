"""The dynamic configuration that a prompt function of a call to Mistral may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import MistralCallParams

if TYPE_CHECKING:
    from mistralai.client import Mistral

    from ._message_param import MistralMessageParam

MistralDynamicConfig: TypeAlias = BaseDynamicConfig["MistralMessageParam", MistralCallParams, "Mistral"]
"""The dynamic configuration of a call.

Example:
    ```python
    from ferroscope.core import mistral, prompt_template


    @mistral.call("mistral-small-latest")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> mistral.MistralDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""
