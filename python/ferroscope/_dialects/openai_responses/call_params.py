"""The parameters of a call of the Responses API.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from ...core.base.call_params import BaseCallParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai.types.responses import (
        ResponseIncludable,
        ResponsePromptParam,
        ResponseTextConfigParam,
        ToolParam,
    )
    from openai.types.responses.response_create_params import Conversation, StreamOptions, ToolChoice
    from openai.types.shared_params import Reasoning


class ResponsesCallParams(BaseCallParams, total=False):
    """The parameters of a call of the Responses API; those that are None are left out.

    All parameters are passed to the SDK's method unchanged, also those that only a newer SDK knows. The parameters of
    chat completions with another name here (`max_tokens`, `reasoning_effort`, `response_format`) are accepted under
    both names.
    """

    background: NotRequired[bool | None]
    context_management: NotRequired[Sequence[dict[str, Any]] | None]  # Any: JSON from the caller
    conversation: NotRequired[Conversation | None]
    extra_body: NotRequired[dict[str, Any] | None]  # Any: JSON from the caller
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: as the SDK accepts it
    include: NotRequired[Sequence[ResponseIncludable] | None]
    instructions: NotRequired[str | None]
    max_output_tokens: NotRequired[int | None]
    max_tokens: NotRequired[int | None]
    max_tool_calls: NotRequired[int | None]
    metadata: NotRequired[dict[str, str] | None]
    parallel_tool_calls: NotRequired[bool | None]
    previous_response_id: NotRequired[str | None]
    prompt: NotRequired[ResponsePromptParam | None]
    prompt_cache_key: NotRequired[str]
    reasoning: NotRequired[Reasoning | None]
    reasoning_effort: NotRequired[str | None]
    safety_identifier: NotRequired[str]
    service_tier: NotRequired[str | None]
    store: NotRequired[bool | None]
    stream_options: NotRequired[StreamOptions | None]
    temperature: NotRequired[float | None]
    text: NotRequired[ResponseTextConfigParam | None]
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[ToolChoice]
    tools: NotRequired[Sequence[ToolParam]]
    top_logprobs: NotRequired[int | None]
    top_p: NotRequired[float | None]
    truncation: NotRequired[str | None]
    user: NotRequired[str]
