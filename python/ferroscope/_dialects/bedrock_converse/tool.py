"""Tools in the Converse format.

https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from ...core.base._tools.arguments import known_values, read_partial
from ...core.base._tools.call import PendingToolCall
from ..openai_chat.message_parts import dump_json
from ..openai_chat.tool import FunctionTool
from .parameters import declare_tool
from .types import ToolDescription, ToolUseBlock


class _PendingToolUse(PendingToolCall[ToolUseBlock]):
    __slots__ = ()

    def build(self) -> ToolUseBlock:
        return {"toolUse": {"toolUseId": self.id, "name": self.name, "input": known_values(self.arguments)}}

    @classmethod
    def from_mapping(cls, value: Mapping[str, object]) -> ToolUseBlock:
        return cast("ToolUseBlock", value)


class ConverseTool(FunctionTool):
    """A tool in a call in the Converse format."""

    __supports_strict__ = False
    __pending_tool_call__ = _PendingToolUse

    if TYPE_CHECKING:

        @classmethod
        def tool_schema(cls) -> ToolDescription: ...
        @classmethod
        def wire_schema(cls) -> ToolDescription: ...

    @property
    def id(self) -> str | None:
        """The id of the tool call of this instance."""
        call: Any = vars(self).get("tool_call")  # Any: pending, or the block
        found: str | None = call["toolUse"].get("toolUseId") if isinstance(call, Mapping) else getattr(call, "id", None)
        return found

    @classmethod
    def _describe(cls) -> ToolDescription:
        return cast("ToolDescription", declare_tool(cls._name(), cls._description(), cls.model_json_schema()))

    @classmethod
    def from_tool_call(cls, tool_call: ToolUseBlock, allow_partial: bool = False) -> Self:
        """Return the tool instance for a tool call of the SDK.

        Args:
            tool_call: A content block with the tool call: `{"toolUse": {...}}`.
            allow_partial: Whether the input may be incomplete. Missing fields are None.

        Raises:
            ferroscope.errors.ToolArgumentsError: The input is not a JSON object.
            pydantic.ValidationError: The input does not fit the tool.
        """
        use = tool_call["toolUse"]
        identifier, name, given = use.get("toolUseId"), use.get("name") or "", use.get("input")
        arguments = given if isinstance(given, str) else dump_json(given)
        if allow_partial:
            values = given if isinstance(given, dict) else read_partial(arguments, call_id=identifier, name=name)
            tool = cls.partial_from_values(values, id=identifier, name=name, delta=None)
        else:
            tool = cls.from_arguments(id=identifier, name=name, arguments=arguments)
        vars(tool)["tool_call"] = tool_call
        return tool
