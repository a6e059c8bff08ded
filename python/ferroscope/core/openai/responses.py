"""The classes of calls of OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias

from pydantic import Field

from ..._dialects.openai_responses.call_response import ResponsesCallResponse
from ..._dialects.openai_responses.call_response_chunk import ResponsesCallResponseChunk
from ..._dialects.openai_responses.stream import ResponsesStream
from ..._dialects.openai_responses.tool import ResponsesTool
from ..base.call_params import BaseCallParams
from ..base.dynamic_config import BaseDynamicConfig
from .tool import OpenAIToolConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai import AsyncOpenAI, OpenAI
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseIncludable,
        ResponseInputItemParam,
        ResponsePromptParam,
        ResponseTextConfigParam,
        ToolParam,
    )
    from openai.types.responses.response_create_params import Conversation, StreamOptions, ToolChoice
    from openai.types.shared_params import Reasoning


class OpenAIResponsesCallParams(BaseCallParams, total=False):
    """The parameters of a call of OpenAI's Responses API; those that are None are left out.

    Parameters that only a newer SDK knows are accepted too: all are passed to the SDK's method as they are. The
    parameters of chat completions that have another name here (`max_tokens`, `reasoning_effort`, `response_format`)
    are accepted under both.
    """

    background: NotRequired[bool | None]
    context_management: NotRequired[Sequence[dict[str, Any]] | None]  # Any: JSON of the caller's
    conversation: NotRequired[Conversation | None]
    extra_body: NotRequired[dict[str, Any] | None]  # Any: JSON of the caller's
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: as the SDK takes it
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


OpenAIResponsesDynamicConfig: TypeAlias = BaseDynamicConfig[
    "ResponseInputItemParam", OpenAIResponsesCallParams, "OpenAI"
]
"""The dynamic configuration that the prompt function of a sync call may return."""
AsyncOpenAIResponsesDynamicConfig: TypeAlias = BaseDynamicConfig[
    "ResponseInputItemParam", OpenAIResponsesCallParams, "AsyncOpenAI"
]
"""The dynamic configuration that the prompt function of an async call may return."""


class OpenAIResponsesTool(ResponsesTool):
    """A tool in a call of OpenAI's Responses API; `tool_call` is the SDK's `ResponseFunctionToolCall`."""

    __tool_config_type__ = OpenAIToolConfig

    if TYPE_CHECKING:
        tool_call: ResponseFunctionToolCall = Field(default=...)


class OpenAIResponsesCallResponse(
    ResponsesCallResponse[
        OpenAIResponsesTool,
        OpenAIResponsesDynamicConfig | AsyncOpenAIResponsesDynamicConfig,
        OpenAIResponsesCallParams,
    ]
):
    """The response of a call of OpenAI's Responses API; `response` is the SDK's `Response`.

    Example:
        ```python
        from ferroscope.core import openai


        @openai.call("gpt-5.5", api="responses", call_params={"reasoning": {"summary": "auto"}})
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.thinking, response.content)
        ```
    """


class OpenAIResponsesCallResponseChunk(ResponsesCallResponseChunk):
    """An event of a streamed answer; `chunk` is the SDK's event object, built when it is first read."""

    __slots__ = ()


class OpenAIResponsesStream(
    ResponsesStream[
        OpenAIResponsesCallResponse,
        OpenAIResponsesCallResponseChunk,
        OpenAIResponsesTool,
        OpenAIResponsesDynamicConfig | AsyncOpenAIResponsesDynamicConfig,
        OpenAIResponsesCallParams,
    ]
):
    """The stream of a call of OpenAI's Responses API.

    Example:
        ```python
        from ferroscope.core import openai


        @openai.call("gpt-5.5", api="responses", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """
