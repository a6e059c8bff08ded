"""The tools of Cohere's v2 chat.

https://docs.cohere.com/v2/docs/tool-use-overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..._dialects.openai_chat.tool import ChatTool, chat_tool_call

if TYPE_CHECKING:
    from cohere import ToolCallV2


class CohereTool(ChatTool):
    '''A tool in a call to Cohere; the API defines tools in OpenAI's format.

    Example:
        ```python
        from ferroscope.core import cohere


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @cohere.call("command-a-03-2025", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # a `CohereTool`
            print(tool.call())
        ```
    '''

    __pending_tool_call__ = chat_tool_call("cohere:ToolCallV2")

    if TYPE_CHECKING:
        tool_call: ToolCallV2 = Field(default=...)
