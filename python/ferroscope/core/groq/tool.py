"""The tools of Groq's chat completions.

https://console.groq.com/docs/tool-use
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..._dialects.openai_chat.tool import ChatTool, chat_tool_call

if TYPE_CHECKING:
    from groq.types.chat import ChatCompletionMessageToolCall


class GroqTool(ChatTool):
    '''A tool in a call to Groq.

    Example:
        ```python
        from ferroscope.core import groq


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @groq.call("llama-3.1-8b-instant", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # a `GroqTool`
            print(tool.call())
        ```
    '''

    __supports_strict__ = False
    __pending_tool_call__ = chat_tool_call("groq.types.chat:ChatCompletionMessageToolCall")

    if TYPE_CHECKING:
        tool_call: ChatCompletionMessageToolCall = Field(default=...)
