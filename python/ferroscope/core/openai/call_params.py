"""The parameters of a call to OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

# v1 exports these two names here, and `ChatCompletionAudioParam`.
from ..._dialects.openai_chat.literals import ChatCompletionModality as ChatCompletionModality
from ..._dialects.openai_chat.literals import ChatCompletionReasoningEffort as ChatCompletionReasoningEffort
from ..._lazy import lazy_names
from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionAudioParam,
        ChatCompletionPredictionContentParam,
        ChatCompletionStreamOptionsParam,
        ChatCompletionToolChoiceOptionParam,
    )
    from openai.types.chat.completion_create_params import ResponseFormat, WebSearchOptions


class OpenAICallParams(BaseCallParams, total=False):
    """The parameters of a call to OpenAI; parameters that are None are not sent.

    Parameters that a newer SDK adds are accepted too; all parameters are passed to the SDK's method unchanged.
    """

    audio: NotRequired[ChatCompletionAudioParam | None]
    extra_body: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: the SDK's type
    frequency_penalty: NotRequired[float | None]
    logit_bias: NotRequired[dict[str, int] | None]
    logprobs: NotRequired[bool | None]
    max_completion_tokens: NotRequired[int | None]
    max_tokens: NotRequired[int | None]
    metadata: NotRequired[dict[str, str] | None]
    modalities: NotRequired[list[str] | None]
    n: NotRequired[int | None]
    parallel_tool_calls: NotRequired[bool]
    prediction: NotRequired[ChatCompletionPredictionContentParam | None]
    presence_penalty: NotRequired[float | None]
    prompt_cache_key: NotRequired[str]
    reasoning_effort: NotRequired[str | None]
    response_format: NotRequired[ResponseFormat]
    safety_identifier: NotRequired[str]
    seed: NotRequired[int | None]
    service_tier: NotRequired[str | None]
    stop: NotRequired[str | list[str] | None]
    store: NotRequired[bool | None]
    stream_options: NotRequired[ChatCompletionStreamOptionsParam | None]
    temperature: NotRequired[float | None]
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[ChatCompletionToolChoiceOptionParam]
    top_logprobs: NotRequired[int | None]
    top_p: NotRequired[float | None]
    user: NotRequired[str]
    verbosity: NotRequired[str | None]
    web_search_options: NotRequired[WebSearchOptions]


__getattr__, __dir__ = lazy_names(__name__, {"ChatCompletionAudioParam": "openai.types.chat"})
