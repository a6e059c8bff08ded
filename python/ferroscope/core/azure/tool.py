"""The tools of Azure's chat completions, which are OpenAI's."""

from __future__ import annotations

from ..base.tool import ToolConfig
from ..openai.tool import GenerateOpenAIStrictToolJsonSchema, OpenAITool


class GenerateAzureStrictToolJsonSchema(GenerateOpenAIStrictToolJsonSchema):
    """A schema generator whose schemas Azure accepts with `strict: true`."""


class AzureToolConfig(ToolConfig, total=False):
    """A tool configuration for Azure-specific features."""

    strict: bool


class AzureTool(OpenAITool):
    '''A tool in a call of Azure.

    Example:
        ```python
        from ferroscope.core import azure


        def format_book(title: str, author: str) -> str:
            """Formats a book."""
            return f"{title} by {author}"


        @azure.call("gpt-4o-mini", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # an `AzureTool`
            print(tool.call())
        ```
    '''

    __provider__ = "azure"
    __tool_config_type__ = AzureToolConfig
