"""The parameters of a call to Groq.

https://console.groq.com/docs/api-reference#chat-create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from groq.types.chat import ChatCompletionToolChoiceOptionParam
    from groq.types.chat.completion_create_params import ResponseFormat


class GroqCallParams(BaseCallParams, total=False):
    """The parameters of a call to Groq; parameters that are None are not sent.

    Parameters that a newer SDK adds are accepted too; all parameters are passed to the SDK's method unchanged.
    """

    citation_options: NotRequired[str | None]
    compound_custom: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    disable_tool_validation: NotRequired[bool]
    documents: NotRequired[list[dict[str, Any]] | None]  # Any: the caller's JSON
    extra_body: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: the SDK's type
    frequency_penalty: NotRequired[float | None]
    include_reasoning: NotRequired[bool | None]
    logit_bias: NotRequired[dict[str, int] | None]
    logprobs: NotRequired[bool | None]
    max_completion_tokens: NotRequired[int | None]
    max_tokens: NotRequired[int | None]
    n: NotRequired[int | None]
    parallel_tool_calls: NotRequired[bool]
    presence_penalty: NotRequired[float | None]
    reasoning_effort: NotRequired[str | None]
    reasoning_format: NotRequired[str | None]
    response_format: NotRequired[ResponseFormat]
    search_settings: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    seed: NotRequired[int | None]
    service_tier: NotRequired[str | None]
    stop: NotRequired[str | list[str] | None]
    temperature: NotRequired[float | None]
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[ChatCompletionToolChoiceOptionParam]
    top_logprobs: NotRequired[int | None]
    top_p: NotRequired[float | None]
    user: NotRequired[str]
