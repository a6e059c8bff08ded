"""Tools in Gemini's format.

https://ai.google.dev/gemini-api/docs/function-calling
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from ..._lazy import load_name
from ...core.base._tools.arguments import read_partial
from ...core.base._tools.binding import unbound_tool_type
from ...core.base._tools.call import LazyToolCall, PendingToolCall, ToolCallAttribute
from ...core.base.tool import BaseTool
from .sdk_objects import read_function_call
from .tools import declare_function

if TYPE_CHECKING:
    from google.genai.types import FunctionCall, Tool

# Any: JSON, and the SDK's objects.


class _PendingFunctionCall(PendingToolCall[Any]):
    __slots__ = ()

    def build(self) -> FunctionCall:
        return self.from_mapping(
            {"id": self.id, "name": self.name, "args": read_partial(self.arguments, call_id=self.id, name=self.name)}
        )

    @classmethod
    def from_mapping(cls, value: Mapping[str, object]) -> FunctionCall:
        call: FunctionCall = read_function_call(value)
        return call


class ContentTool(BaseTool):
    """A tool in a call in Gemini's format, for any provider."""

    __supports_strict__ = True
    __pending_tool_call__: ClassVar[type[PendingToolCall[Any]] | None] = _PendingFunctionCall
    __wire_schema__: ClassVar[dict[str, Any] | None] = None

    if TYPE_CHECKING:
        tool_call: FunctionCall = Field(default=...)

        # Type checkers see a class with `call`, so it can be passed as a tool class. Only subclasses, which define
        # `call`,
        # have instances.
        def call(self, *args: Any, **kwargs: Any) -> object: ...  # Any: as in BaseTool
    else:
        tool_call: LazyToolCall = None

    @classmethod
    def tool_schema(cls) -> Tool:
        """Return the tool's schema as Google's SDK represents it: a `Tool` with one function declaration.

        Example:
            ```python
            GoogleTool.type_from_fn(format_book).tool_schema().function_declarations[0].name
            # "format_book"
            ```
        """
        tool: Tool = load_name("google.genai.types:Tool")(function_declarations=[cls.wire_schema()])
        return tool

    @classmethod
    def wire_schema(cls) -> dict[str, Any]:
        """Return the function declaration. It is built once and shared, so do not change it."""
        owner = unbound_tool_type(cls) or cls
        known: dict[str, Any] | None = vars(owner).get("__wire_schema__")
        if known is None:
            schema = owner.model_json_schema()
            known = owner.__wire_schema__ = declare_function(owner._name(), owner._description(), schema)
        return known

    @classmethod
    def from_tool_call(cls, tool_call: FunctionCall, allow_partial: bool = False) -> Self:
        """Return the tool instance for a function call of the SDK.

        Args:
            tool_call: The function call.
            allow_partial: Whether arguments may be missing. Their fields are None.

        Raises:
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not fit the tool.
        """
        name = tool_call.name or ""
        if allow_partial:
            tool = cls.partial_from_values(tool_call.args or {}, id=tool_call.id, name=name, delta=None)
        else:
            tool = cls.from_arguments(id=tool_call.id, name=name, arguments=json.dumps(tool_call.args or {}))
        vars(tool)["tool_call"] = tool_call
        return tool


# Fields have no value on the class, so pydantic leaves this attribute free.
setattr(ContentTool, "tool_call", ToolCallAttribute())  # noqa: B010
