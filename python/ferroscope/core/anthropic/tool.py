"""The tools of Anthropic's Messages API.

Docs: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field
from typing_extensions import TypedDict

from ..base._tools.arguments import known_values
from ..base._tools.binding import unbound_tool_type
from ..base._tools.call import LazyToolCall, PendingToolCall, ToolCallAttribute
from ..base.tool import BaseTool, ToolConfig

if TYPE_CHECKING:
    from anthropic.types import ToolParam, ToolUseBlock


class _CacheControl(TypedDict, total=False):
    type: str
    ttl: str


class AnthropicToolConfig(ToolConfig, total=False):
    """The tool configuration for Anthropic-specific features."""

    cache_control: _CacheControl


class _PendingAnthropicToolCall(PendingToolCall["ToolUseBlock"]):
    __slots__ = ()

    def build(self) -> ToolUseBlock:
        return self.from_mapping(
            {"id": self.id, "type": "tool_use", "name": self.name, "input": known_values(self.arguments)}
        )

    @classmethod
    def from_mapping(cls, value: Mapping[str, object]) -> ToolUseBlock:
        from anthropic.types import ToolUseBlock

        # The SDK itself parses responses with `construct`.
        fields: Mapping[str, Any] = value  # Any: the SDK's parameters
        return ToolUseBlock.construct(None, **fields)


class AnthropicTool(BaseTool):
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
    __pending_tool_call__ = _PendingAnthropicToolCall
    __wire_schema__: ClassVar[ToolParam | None] = None

    if TYPE_CHECKING:
        tool_call: ToolUseBlock = Field(default=...)

        # Type checkers see a concrete class here, so it can be passed as a tool class. Instances are of subclasses,
        # which define `call`.
        def call(self, *args: Any, **kwargs: Any) -> Any: ...  # Any: as in BaseTool
    else:
        tool_call: LazyToolCall = None

    @classmethod
    def tool_schema(cls) -> ToolParam:
        """Return the tool's definition in Anthropic's format, as a copy that the caller may change.

        Example:
            ```python
            AnthropicTool.type_from_fn(format_book).tool_schema()
            # {"name": "format_book", "description": ..., "input_schema": ...}
            ```
        """
        return copy.deepcopy(cls.wire_schema())

    @classmethod
    def wire_schema(cls) -> ToolParam:
        """Return the definition like `tool_schema`, but cached and shared; the caller must not change it."""
        owner = unbound_tool_type(cls) or cls
        known: ToolParam | None = vars(owner).get("__wire_schema__")
        if known is None:
            known = owner.__wire_schema__ = owner._describe()
        return known

    @classmethod
    def _describe(cls) -> ToolParam:
        described: Any = {
            "name": cls._name(),
            "description": cls._description(),
            "input_schema": cls.model_json_schema(),
        }
        if cache_control := cls.tool_config.get("cache_control"):
            described["cache_control"] = cache_control
        schema: ToolParam = described
        return schema

    @classmethod
    def from_tool_call(cls, tool_call: ToolUseBlock, allow_partial: bool = False) -> Self:
        """Return the tool for an SDK tool call.

        Args:
            tool_call: The tool call; its input may also be JSON text.
            allow_partial: Whether the input may be incomplete; fields that are not received yet are None.

        Raises:
            ferroscope.errors.ToolArgumentsError: The input is not a JSON object.
            pydantic.ValidationError: The input does not match the tool's fields.
        """
        given: object = tool_call.input
        if allow_partial:
            values = known_values(given) if isinstance(given, str) else given
            tool = cls.partial_from_values(
                values if isinstance(values, dict) else {},
                id=tool_call.id,
                name=tool_call.name,
                delta=None,
            )
        else:
            arguments = given if isinstance(given, str) else _json(given)
            tool = cls.from_arguments(id=tool_call.id, name=tool_call.name, arguments=arguments)
        vars(tool)["tool_call"] = tool_call
        return tool


# Pydantic leaves no class attribute for a field, so the descriptor can be set here.
setattr(AnthropicTool, "tool_call", ToolCallAttribute())  # noqa: B010


def _json(values: object) -> str:
    import json

    return json.dumps(values)
