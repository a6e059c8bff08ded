"""The tools of Amazon Bedrock.

https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..._dialects.bedrock_converse.tool import ConverseTool
from ..._dialects.bedrock_converse.types import ToolUseBlock
from ..base.tool import GenerateJsonSchemaNoTitles, ToolConfig


class GenerateBedrockStrictToolJsonSchema(GenerateJsonSchemaNoTitles):
    """The generator of JSON schemas for tools."""


class BedrockToolConfig(ToolConfig, total=False):
    """The tool configuration for Bedrock-specific features."""


class BedrockTool(ConverseTool):
    '''A tool in a call to Amazon Bedrock.

    Example:
        ```python
        from ferroscope.core import bedrock


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @bedrock.call("us.anthropic.claude-haiku-4-5-20251001-v1:0", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # a `BedrockTool`
            print(tool.call())
        ```
    '''

    __tool_config_type__ = BedrockToolConfig

    if TYPE_CHECKING:
        tool_call: ToolUseBlock = Field(default=...)
