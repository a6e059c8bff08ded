"""The tools of Google's Gemini models.

https://ai.google.dev/gemini-api/docs/function-calling
"""

from __future__ import annotations

from ..._dialects.gemini.tool import ContentTool


class GoogleTool(ContentTool):
    '''A tool in a call to Google.

    Example:
        ```python
        from ferroscope.core import google


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @google.call("gemini-2.5-flash", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # a `GoogleTool`
            print(tool.call())
        ```
    '''
