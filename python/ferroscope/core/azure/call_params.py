"""The parameters of a call to a model on Azure.

https://learn.microsoft.com/azure/ai-foundry/openai/latest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from azure.ai.inference.models import (
        ChatCompletionsNamedToolChoice,
        ChatCompletionsToolChoicePreset,
        JsonSchemaFormat,
    )
    from openai.types.chat import ChatCompletionStreamOptionsParam, ChatCompletionToolChoiceOptionParam
    from openai.types.chat.completion_create_params import ResponseFormat


class AzureCallParams(BaseCallParams, total=False):
    """The parameters of a call to a model on Azure; parameters that are None are not sent.

    Other parameters of a model are accepted with either SDK: parameters that the SDK's method does not have are sent in
    the body of the request.
    """

    extra_body: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: the SDK's type
    frequency_penalty: NotRequired[float | None]
    max_completion_tokens: NotRequired[int | None]
    max_tokens: NotRequired[int | None]
    model_extras: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    parallel_tool_calls: NotRequired[bool]
    presence_penalty: NotRequired[float | None]
    reasoning_effort: NotRequired[str | None]
    response_format: NotRequired[ResponseFormat | JsonSchemaFormat | str | None]
    seed: NotRequired[int | None]
    stop: NotRequired[str | list[str] | None]
    stream_options: NotRequired[ChatCompletionStreamOptionsParam | None]
    temperature: NotRequired[float | None]
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[
        ChatCompletionToolChoiceOptionParam
        | ChatCompletionsToolChoicePreset
        | ChatCompletionsNamedToolChoice
        | str
        | None
    ]
    top_p: NotRequired[float | None]
    user: NotRequired[str]
