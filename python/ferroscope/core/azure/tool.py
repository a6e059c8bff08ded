"""The tools of calls to models on Azure.

Docs: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/function-calling
"""

from __future__ import annotations

from ..._dialects.openai_chat.tool import GenerateStrictToolJsonSchema, StrictToolConfig, TypedChatTool


class GenerateAzureStrictToolJsonSchema(GenerateStrictToolJsonSchema):
    """The generator of JSON schemas that Azure accepts with `strict: true`."""


class AzureToolConfig(StrictToolConfig, total=False):
    """The tool configuration for Azure-specific features."""


class AzureTool(TypedChatTool):
    '''A tool in a call to a model on Azure.

    Example:
        ```python
        from ferroscope.core import azure


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @azure.call("gpt-4o-mini", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # an `AzureTool`
            print(tool.call())
        ```
    '''

    __tool_config_type__ = AzureToolConfig
