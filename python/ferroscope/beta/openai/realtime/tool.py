"""Tools of a realtime session.

https://platform.openai.com/docs/guides/realtime-conversations#function-calling
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NotRequired, Self

from pydantic import SkipValidation
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from ....core.base.tool import BaseTool, ToolConfig


class OpenAIRealtimeToolConfig(ToolConfig, total=False):
    """A tool configuration for realtime sessions; it has no options."""


class RealtimeToolParam(TypedDict):
    """The definition of a tool in a session."""

    type: Literal["function"]
    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]  # Any: JSON values


class FunctionCallArguments(TypedDict):
    """A call of a tool: its id, and the arguments as JSON text."""

    call_id: str
    arguments: str


class OpenAIRealtimeTool(BaseTool):
    """A tool in a realtime session."""

    __provider__: ClassVar[str] = "openai"
    __tool_config_type__: ClassVar[type[ToolConfig]] = OpenAIRealtimeToolConfig
    tool_call: SkipJsonSchema[SkipValidation[FunctionCallArguments | None]] = None

    @property
    def id(self) -> str | None:
        """The id of the call; None if the tool was created by hand."""
        call: FunctionCallArguments | None = self.__dict__.get("tool_call")
        return call["call_id"] if call else None

    @classmethod
    def tool_schema(cls) -> RealtimeToolParam:
        """Return the definition of the tool for a session."""
        return RealtimeToolParam(
            type="function",
            name=cls._name(),
            description=cls._description(),
            parameters=cls.model_json_schema(),
        )

    @classmethod
    def from_tool_call(cls, tool_call: FunctionCallArguments) -> Self:
        """Return the tool for a call.

        Raises:
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """
        tool = cls.from_arguments(id=tool_call["call_id"], name=cls._name(), arguments=tool_call["arguments"])
        vars(tool)["tool_call"] = tool_call
        return tool
