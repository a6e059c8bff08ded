"""The classes of calls to xAI's Responses API.

https://docs.x.ai/docs/api-reference#create-new-response
"""

from __future__ import annotations

from ..openai.responses import (
    OpenAIResponsesCallParams,
    OpenAIResponsesCallResponse,
    OpenAIResponsesCallResponseChunk,
    OpenAIResponsesStream,
    OpenAIResponsesTool,
)


class XAIResponsesCallParams(OpenAIResponsesCallParams, total=False):
    """The parameters of a call to xAI's Responses API.

    Parameters that OpenAI's SDK does not know go into the body of the request.
    """


class XAIResponsesTool(OpenAIResponsesTool):
    """A tool in a call to xAI's Responses API; `tool_call` is the SDK's `ResponseFunctionToolCall`."""


class XAIResponsesCallResponse(OpenAIResponsesCallResponse):
    """The response of a call to xAI's Responses API; `response` is the SDK's `Response`.

    Example:
        ```python
        from ferroscope.core import xai


        @xai.call("grok-4", api="responses", call_params={"tools": [{"type": "web_search"}]})
        def latest_news(topic: str) -> str:
            return f"What is new about {topic}?"


        response = latest_news("typewriters")
        print(response.content, response.citations)
        ```
    """


class XAIResponsesCallResponseChunk(OpenAIResponsesCallResponseChunk):
    """An event of a streamed response; `chunk` is the SDK's event object, created on first access."""

    __slots__ = ()


class XAIResponsesStream(OpenAIResponsesStream):
    """The stream of a call to xAI's Responses API."""
