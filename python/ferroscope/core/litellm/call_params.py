"""The parameters of a call to LiteLLM.

https://docs.litellm.ai/docs/completion/input
"""

from __future__ import annotations

from typing import NotRequired

from ..openai.call_params import OpenAICallParams


class LiteLLMCallParams(OpenAICallParams, total=False):
    """The parameters of a call to LiteLLM: those of OpenAI, and LiteLLM's own.

    Other parameters are passed to LiteLLM unchanged, which passes them to the vendor.
    """

    api_base: NotRequired[str | None]
    api_key: NotRequired[str | None]
    api_version: NotRequired[str | None]
    drop_params: NotRequired[bool | None]
    num_retries: NotRequired[int | None]
