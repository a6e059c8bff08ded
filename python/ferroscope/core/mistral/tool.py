"""The tools of Mistral's chat completions.

https://docs.mistral.ai/capabilities/function_calling
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..._dialects.openai_chat.tool import ChatTool, chat_tool_call

if TYPE_CHECKING:
    from mistralai.client.models import ToolCall


class MistralTool(ChatTool):
    '''A tool in a call to Mistral.

    Example:
        ```python
        from ferroscope.core import mistral


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @mistral.call("mistral-small-latest", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # a `MistralTool`
            print(tool.call())
        ```
    '''

    __pending_tool_call__ = chat_tool_call("ferroscope.core.mistral._sdk:ToolCall")

    if TYPE_CHECKING:
        tool_call: ToolCall = Field(default=...)
