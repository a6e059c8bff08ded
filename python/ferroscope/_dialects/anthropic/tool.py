"""Tools in the Messages format.

Docs: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import TypedDict

from ...core.base._tools.arguments import known_values
from ...core.base._tools.call import PendingToolCall
from ..openai_chat.tool import FunctionTool

if TYPE_CHECKING:
    from anthropic.types import ToolParam, ToolUseBlock


class _PendingToolUse(PendingToolCall["ToolUseBlock"]):
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


class CacheControl(TypedDict, total=False):
    """The settings of a prompt's cache: `{"type": "ephemeral", "ttl": "1h"}`."""

    type: str
    ttl: str


class MessagesTool(FunctionTool):
    """A tool in a call in the Messages format."""

    __supports_strict__ = False
    __pending_tool_call__ = _PendingToolUse

    if TYPE_CHECKING:

        @classmethod
        def tool_schema(cls) -> ToolParam: ...
        @classmethod
        def wire_schema(cls) -> ToolParam: ...

    @classmethod
    def _describe(cls) -> ToolParam:
        described: Any = {
            "name": cls._name(),
            "description": cls._description(),
            "input_schema": cls.model_json_schema(),
        }
        config: Mapping[str, object] = cls.tool_config
        if cache_control := config.get("cache_control"):
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
            arguments = given if isinstance(given, str) else json.dumps(given)
            tool = cls.from_arguments(id=tool_call.id, name=tool_call.name, arguments=arguments)
        vars(tool)["tool_call"] = tool_call
        return tool
