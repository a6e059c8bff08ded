"""The dynamic configuration that a prompt function of a call to Google may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import GoogleCallParams

if TYPE_CHECKING:
    from google.genai import Client

    from ._message_param import GoogleMessageParam

GoogleDynamicConfig: TypeAlias = BaseDynamicConfig["GoogleMessageParam", GoogleCallParams, "Client"]
"""The dynamic configuration of a sync or async call; one client class serves both.

Example:
    ```python
    from ferroscope.core import google, prompt_template


    @google.call("gemini-2.5-flash")
    @prompt_template("Recommend a {capitalized_genre} book")
    def recommend_book(genre: str) -> google.GoogleDynamicConfig:
        return {"computed_fields": {"capitalized_genre": genre.capitalize()}}
    ```
"""
