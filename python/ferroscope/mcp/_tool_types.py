"""Tool classes for the tools of a server."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeVar, cast

from pydantic import ConfigDict, Field, create_model
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode

from ..core.base.tool import BaseTool, GenerateJsonSchemaNoTitles
from ._names import class_name
from ._results import MCPToolResult

_NOT_IN_FIELDS: Final = re.compile(r"\W")


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """A tool of a server.

    Attributes:
        name: The server's name of the tool.
        description: The server's description; may be empty.
        schema: The JSON schema of the arguments.
        repeatable: Whether the server declares that a repeated call has no further effect.
        run: Call the tool on its server.
    """

    name: str
    description: str
    schema: Mapping[str, Any]  # Any: JSON values
    repeatable: bool
    run: Callable[[RemoteTool, dict[str, Any]], Any]  # Any: JSON values; the result, or an awaitable of it


class _ServerTool(BaseTool):
    model_config = ConfigDict(extra="allow")
    __remote__: ClassVar[RemoteTool]

    @classmethod
    def model_json_schema(
        cls,
        by_alias: bool | None = True,
        ref_template: str = DEFAULT_REF_TEMPLATE,
        schema_generator: type[GenerateJsonSchema] = GenerateJsonSchemaNoTitles,
        mode: JsonSchemaMode = "validation",
        *,
        union_format: Literal["any_of", "primitive_type_array"] = "any_of",
    ) -> dict[str, Any]:  # Any: JSON values
        """Return the server's JSON schema of the arguments, unchanged except for `$schema`."""
        schema = copy.deepcopy(dict(cls.__remote__.schema))
        schema.pop("$schema", None)
        return {"type": "object", "properties": {}} | schema

    def _arguments(self) -> dict[str, Any]:  # Any: JSON values
        """Return the arguments that the model sent, under the server's names."""
        names, values = self.__parameter_names__, self.__dict__
        sent = self.model_fields_set - self.__bookkeeping__
        arguments = {names.get(name, name): values[name] for name in type(self).model_fields if name in sent}
        return arguments | (self.__pydantic_extra__ or {})


class AsyncServerTool(_ServerTool):
    """A tool of a server, called with `await tool.call()`."""

    async def call(self) -> MCPToolResult:
        """Call the tool on its server.

        Raises:
            ferroscope.mcp.MCPToolError: The server reported that the tool failed.
            ferroscope.mcp.MCPConnectionError: The server is unreachable, or the connection broke.
        """
        return await cast("Awaitable[MCPToolResult]", self.__remote__.run(self.__remote__, self._arguments()))


class SyncServerTool(_ServerTool):
    """A tool of a server, called with `tool.call()`."""

    def call(self) -> MCPToolResult:
        """Call the tool on its server.

        Raises:
            ferroscope.mcp.MCPToolError: The server reported that the tool failed.
            ferroscope.mcp.MCPConnectionError: The server is unreachable, or the connection broke.
        """
        return cast("MCPToolResult", self.__remote__.run(self.__remote__, self._arguments()))


_ServerToolT = TypeVar("_ServerToolT", bound=_ServerTool)


def tool_type(remote: RemoteTool, name: str, base: type[_ServerToolT]) -> type[_ServerToolT]:
    """Return the tool class for a tool of a server.

    The fields have the type Any, because the server validates the arguments by its own schema.

    Args:
        remote: The server's tool.
        name: The name of the tool in requests to the model.
        base: The class to extend.
    """
    properties = remote.schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = set(remote.schema.get("required") or ())
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for parameter, schema in properties.items():
        field = _field_name(parameter, taken=fields)
        described = schema if isinstance(schema, Mapping) else {}
        options: dict[str, Any] = {"description": described.get("description")}
        if field != parameter:
            options["alias"] = names[field] = parameter
        default = ... if parameter in required else described.get("default")
        fields[field] = (Any, Field(default, **options))
    made = create_model(
        class_name(remote.name), __base__=base, __module__=base.__module__, __doc__=remote.description or None, **fields
    )
    made.__doc__ = remote.description or f"Call the tool {remote.name}."
    made.__custom_name__ = name
    made.__parameter_names__ = names
    made.__remote__ = remote
    return made


def arguments_text(arguments: Mapping[str, Any]) -> str:  # Any: JSON values
    """Return arguments as JSON text, for an error."""
    return json.dumps(arguments, ensure_ascii=False, default=str)


def _field_name(parameter: str, taken: Mapping[str, object]) -> str:
    plain = _NOT_IN_FIELDS.sub("_", parameter)
    reserved = hasattr(_ServerTool, plain) or plain in (*_ServerTool.model_fields, "tool_call")
    if reserved or not plain.isidentifier() or plain.startswith(("_", "model_")):
        plain = f"aliased_{plain.lstrip('_')}"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name
