"""The tools of OpenAI's chat completions.

Docs: https://platform.openai.com/docs/guides/function-calling
"""

from __future__ import annotations

from ..._dialects.openai_chat.tool import GenerateStrictToolJsonSchema, StrictToolConfig, TypedChatTool


class GenerateOpenAIStrictToolJsonSchema(GenerateStrictToolJsonSchema):
    """The generator of JSON schemas that OpenAI accepts with `strict: true`."""


class OpenAIToolConfig(StrictToolConfig, total=False):
    """The tool configuration for OpenAI-specific features."""


class OpenAITool(TypedChatTool):
    '''A tool in a call to OpenAI.

    Example:
        ```python
        from ferroscope.core import openai


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @openai.call("gpt-4o-mini", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # an `OpenAITool`
            print(tool.call())
        ```
    '''

    __tool_config_type__ = OpenAIToolConfig
