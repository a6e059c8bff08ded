"""The parameters of a call to xAI.

https://docs.x.ai/docs/api-reference#chat-completions
"""

from __future__ import annotations

from typing import Any, NotRequired

from ..openai.call_params import OpenAICallParams


class XAICallParams(OpenAICallParams, total=False):
    """The parameters of a call to xAI: those of OpenAI, and xAI's own.

    Parameters that OpenAI's SDK does not know go into the body of the request.
    """

    deferred: NotRequired[bool | None]
    search_parameters: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
