"""The tools of xAI's chat completions.

https://docs.x.ai/docs/guides/function-calling
"""

from __future__ import annotations

from ..openai.tool import OpenAITool


class XAITool(OpenAITool):
    '''A tool in a call to xAI.

    Example:
        ```python
        from ferroscope.core import xai


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @xai.call("grok-4", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # an `XAITool`
            print(tool.call())
        ```
    '''
