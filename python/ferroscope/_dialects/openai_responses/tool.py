"""Tools in the Responses API.

Docs: https://platform.openai.com/docs/guides/function-calling
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from pydantic import Field

from ...core.base._tools.arguments import read_partial
from ...core.base._tools.call import PendingToolCall
from ..openai_chat.tool import FunctionTool

if TYPE_CHECKING:
    from openai.types.responses import FunctionToolParam, ResponseFunctionToolCall


class PendingResponsesToolCall(PendingToolCall["ResponseFunctionToolCall"]):
    """A tool call that becomes the SDK's object when it is read."""

    __slots__ = ()

    def build(self) -> ResponseFunctionToolCall:
        return self.from_mapping(
            {"type": "function_call", "call_id": self.id, "name": self.name, "arguments": self.arguments}
        )

    @classmethod
    def from_mapping(cls, value: Mapping[str, object]) -> ResponseFunctionToolCall:
        from openai.types.responses import ResponseFunctionToolCall

        # Like the SDK, use `construct`: some servers send calls without an id.
        fields: Mapping[str, Any] = value  # Any: as the SDK accepts them
        return ResponseFunctionToolCall.construct(None, **fields)


class ResponsesTool(FunctionTool):
    """A tool in a call of the Responses API, for any provider."""

    __pending_tool_call__ = PendingResponsesToolCall

    if TYPE_CHECKING:
        tool_call: ResponseFunctionToolCall = Field(default=...)

        @classmethod
        def tool_schema(cls) -> FunctionToolParam: ...
        @classmethod
        def wire_schema(cls) -> FunctionToolParam: ...

    @classmethod
    def _describe(cls) -> FunctionToolParam:
        # The server's default for `strict` is true.
        defaults = {"parameters": {"type": "object", "properties": {}}, "strict": False}
        return cast("FunctionToolParam", {"type": "function", **defaults, **cls._function()})

    @classmethod
    def from_tool_call(cls, tool_call: Any, allow_partial: bool = False) -> Self:
        """Return the tool instance for a tool call of the SDK.

        Args:
            tool_call: The SDK's `ResponseFunctionToolCall`.
            allow_partial: Whether the arguments may be incomplete. Missing fields are None.

        Raises:
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not fit the tool.
        """
        call_id, name, arguments = tool_call.call_id, tool_call.name, tool_call.arguments or ""
        if allow_partial:
            values = read_partial(arguments, call_id=call_id, name=name)
            tool = cls.partial_from_values(values, id=call_id, name=name, delta=None)
        else:
            tool = cls.from_arguments(id=call_id, name=name, arguments=arguments)
        vars(tool)["tool_call"] = tool_call
        return tool
