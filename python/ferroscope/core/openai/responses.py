"""The classes of calls to OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..._dialects.openai_responses.call_params import ResponsesCallParams
from ..._dialects.openai_responses.call_response import ResponsesCallResponse
from ..._dialects.openai_responses.call_response_chunk import ResponsesCallResponseChunk
from ..._dialects.openai_responses.stream import ResponsesStream
from ..._dialects.openai_responses.tool import ResponsesTool
from ..base.dynamic_config import BaseDynamicConfig
from .tool import OpenAIToolConfig

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI
    from openai.types.responses import ResponseInputItemParam as Message


class OpenAIResponsesCallParams(ResponsesCallParams, total=False):
    """The parameters of a call to OpenAI's Responses API; parameters that are None are not sent."""


OpenAIResponsesDynamicConfig: TypeAlias = BaseDynamicConfig["Message", OpenAIResponsesCallParams, "OpenAI"]
"""The dynamic configuration that the prompt function of a sync call may return."""
AsyncOpenAIResponsesDynamicConfig: TypeAlias = BaseDynamicConfig["Message", OpenAIResponsesCallParams, "AsyncOpenAI"]
"""The dynamic configuration that the prompt function of an async call may return."""
_Config: TypeAlias = OpenAIResponsesDynamicConfig | AsyncOpenAIResponsesDynamicConfig


class OpenAIResponsesTool(ResponsesTool):
    """A tool in a call to OpenAI's Responses API; `tool_call` is the SDK's `ResponseFunctionToolCall`."""

    __tool_config_type__ = OpenAIToolConfig


class OpenAIResponsesCallResponse(ResponsesCallResponse[OpenAIResponsesTool, _Config, OpenAIResponsesCallParams]):
    """The response of a call to OpenAI's Responses API; `response` is the SDK's `Response`.

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
    """An event of a streamed response; `chunk` is the SDK's event object, created on first access."""

    __slots__ = ()


class OpenAIResponsesStream(
    ResponsesStream[
        OpenAIResponsesCallResponse,
        OpenAIResponsesCallResponseChunk,
        OpenAIResponsesTool,
        _Config,
        OpenAIResponsesCallParams,
    ]
):
    """The stream of a call to OpenAI's Responses API.

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
