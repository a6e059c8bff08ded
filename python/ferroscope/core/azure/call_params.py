"""The parameters of a call of Azure.

https://learn.microsoft.com/en-us/azure/ai-foundry/openai/latest
"""

from __future__ import annotations

from typing import Any, NotRequired

from ..base.call_params import BaseCallParams


class AzureCallParams(BaseCallParams, total=False):
    """The parameters of a call of Azure; those that are None are left out.

    What a newer SDK knows beyond these can be given too: all of them are handed to the SDK's method as they are.
    """

    # Any: JSON, in the form of either SDK.
    extra_body: NotRequired[dict[str, Any] | None]
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]
    frequency_penalty: NotRequired[float | None]
    logprobs: NotRequired[bool | None]
    max_completion_tokens: NotRequired[int | None]
    max_tokens: NotRequired[int | None]
    model_extras: NotRequired[dict[str, Any] | None]
    n: NotRequired[int | None]
    parallel_tool_calls: NotRequired[bool]
    presence_penalty: NotRequired[float | None]
    reasoning_effort: NotRequired[str | None]
    response_format: NotRequired[Any]
    seed: NotRequired[int | None]
    stop: NotRequired[str | list[str] | None]
    stream_options: NotRequired[dict[str, Any] | None]
    temperature: NotRequired[float | None]
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[Any]
    top_p: NotRequired[float | None]
    user: NotRequired[str]
