"""The parameters of a call to Mistral.

https://docs.mistral.ai/api/endpoint/chat
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from mistralai.client.models import ResponseFormat, ToolChoice
    from mistralai.client.utils.retries import RetryConfig


class MistralCallParams(BaseCallParams, total=False):
    """The parameters of a call to Mistral; parameters that are None are not sent.

    Parameters that a newer SDK adds are accepted too; all parameters are passed to the SDK's method unchanged.
    """

    frequency_penalty: NotRequired[float | None]
    guardrails: NotRequired[list[dict[str, Any]] | None]  # Any: the caller's JSON
    max_tokens: NotRequired[int | None]
    metadata: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    min_tokens: NotRequired[int | None]
    n: NotRequired[int | None]
    parallel_tool_calls: NotRequired[bool | None]
    presence_penalty: NotRequired[float | None]
    prompt_cache_key: NotRequired[str | None]
    prompt_mode: NotRequired[str | None]
    random_seed: NotRequired[int | None]
    reasoning_effort: NotRequired[str | None]
    response_format: NotRequired[ResponseFormat | dict[str, Any] | None]  # Any: the caller's JSON
    retries: NotRequired[RetryConfig | None]
    safe_prompt: NotRequired[bool | None]
    service_tier: NotRequired[str | None]
    stop: NotRequired[str | list[str] | None]
    temperature: NotRequired[float | None]
    timeout_ms: NotRequired[int | None]
    tool_choice: NotRequired[ToolChoice | str | dict[str, Any] | None]  # Any: the caller's JSON
    top_p: NotRequired[float | None]
