"""The choice between chat completions and the Responses API, for calls that name neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..._core import prices_only_api
from .parameters import has_responses_only

CHAT: Final = "chat"
RESPONSES: Final = "responses"


def choose_api(price_provider: str, model: str, params: Mapping[str, Any]) -> str:
    """Return the API for a call: chat completions, unless the model or a parameter exists only in the Responses API.

    Args:
        price_provider: The provider in the price table, which lists the models with only one API.
        model: The model.
        params: The call parameters, as passed by the caller. Any: the provider's own values.
    """
    if has_responses_only(params) or prices_only_api(price_provider, model) == RESPONSES:
        return RESPONSES
    return CHAT
