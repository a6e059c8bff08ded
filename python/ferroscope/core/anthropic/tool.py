"""The tools of Anthropic's Messages API.

Docs: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..._dialects.anthropic.tool import CacheControl, MessagesTool
from ..base.tool import ToolConfig

if TYPE_CHECKING:
    from anthropic.types import ToolUseBlock


class AnthropicToolConfig(ToolConfig, total=False):
    """The tool configuration for Anthropic-specific features."""

    cache_control: CacheControl


class AnthropicTool(MessagesTool):
    '''A tool in a call to Anthropic.

    Example:
        ```python
        from ferroscope.core import anthropic


        def format_book(title: str, author: str) -> str:
            """Format a book."""
            return f"{title} by {author}"


        @anthropic.call("claude-haiku-4-5", tools=[format_book])
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        if tool := recommend_book("fantasy").tool:  # an `AnthropicTool`
            print(tool.call())
        ```
    '''

    __tool_config_type__ = AnthropicToolConfig

    if TYPE_CHECKING:
        tool_call: ToolUseBlock = Field(default=...)
