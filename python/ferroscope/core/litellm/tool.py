"""The tools of LiteLLM's chat completions.

https://docs.litellm.ai/docs/completion/function_call
"""

from __future__ import annotations

from ..openai.tool import OpenAITool


class LiteLLMTool(OpenAITool):
    '''A tool in a call to LiteLLM.

    Example:
        ```python
        from ferroscope.core import litellm


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @litellm.call("gpt-4o-mini", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # an `LiteLLMTool`
            print(tool.call())
        ```
    '''
