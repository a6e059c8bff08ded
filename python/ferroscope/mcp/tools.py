"""v1's tool class for its MCP server; both are deprecated."""

from __future__ import annotations

import json
import warnings
from typing import Any, ClassVar, NotRequired, Required, Self

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from ..core.base.tool import BaseTool, ToolConfig


class ToolParam(TypedDict):
    """The definition of a tool in MCP's format."""

    input_schema: Required[dict[str, Any]]  # Any: JSON values
    name: Required[str]
    description: NotRequired[str]


class ToolUseBlock(BaseModel):
    """A call of a tool."""

    id: str
    input: dict[str, Any]  # Any: JSON values
    name: str


class MCPToolToolConfig(ToolConfig, total=False):
    """A tool configuration for MCP; it has no options."""


class MCPTool(BaseTool):
    """A tool in MCP's format. Deprecated in v1: write tools for a server with the server of the package mcp."""

    __provider__: ClassVar[str] = "mcp"
    __tool_config_type__: ClassVar[type[ToolConfig]] = MCPToolToolConfig
    tool_call: SkipJsonSchema[ToolUseBlock | None] = None

    @classmethod
    def tool_schema(cls) -> ToolParam:
        """Return the tool's definition in MCP's format."""
        _warn()
        return ToolParam(input_schema=cls.model_json_schema(), name=cls._name(), description=cls._description())

    @classmethod
    def from_tool_call(cls, tool_call: ToolUseBlock) -> Self:
        """Return the tool for a call.

        Raises:
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """
        _warn()
        tool = cls.from_arguments(id=tool_call.id, name=tool_call.name, arguments=json.dumps(tool_call.input))
        vars(tool)["tool_call"] = tool_call
        return tool


def _warn() -> None:
    warnings.warn(
        "MCPTool is deprecated, as in Mirascope v1: write tools for a server with the server of the package mcp",
        DeprecationWarning,
        stacklevel=3,
    )
