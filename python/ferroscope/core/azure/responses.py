"""The classes of calls to the Responses API on Azure.

https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses
"""

from __future__ import annotations

from typing import Any

from ..._dialects.openai_responses.call_params import ResponsesCallParams
from ..._dialects.openai_responses.call_response import ResponsesCallResponse
from ..._dialects.openai_responses.call_response_chunk import ResponsesCallResponseChunk
from ..._dialects.openai_responses.stream import ResponsesStream
from ..._dialects.openai_responses.tool import ResponsesTool
from .tool import AzureToolConfig


class AzureResponsesCallParams(ResponsesCallParams, total=False):
    """The parameters of a call to the Responses API on Azure; parameters that are None are not sent."""


class AzureResponsesTool(ResponsesTool):
    """A tool in a call to the Responses API on Azure; `tool_call` is the SDK's `ResponseFunctionToolCall`."""

    __tool_config_type__ = AzureToolConfig


class AzureResponsesCallResponse(ResponsesCallResponse[AzureResponsesTool, Any, AzureResponsesCallParams]):
    """The response of a call to the Responses API on Azure; `response` is the SDK's `Response`.

    Example:
        ```python
        from ferroscope.core import azure


        @azure.call("gpt-5.5", api="responses")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        print(recommend_book("fantasy").content)
        ```
    """


class AzureResponsesCallResponseChunk(ResponsesCallResponseChunk):
    """An event of a streamed response; `chunk` is the SDK's event object, created on first access."""

    __slots__ = ()


class AzureResponsesStream(
    ResponsesStream[
        AzureResponsesCallResponse, AzureResponsesCallResponseChunk, AzureResponsesTool, Any, AzureResponsesCallParams
    ]
):
    """The stream of a call to the Responses API on Azure."""
