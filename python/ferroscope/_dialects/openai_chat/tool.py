"""Tools in the chat-completions format.

Docs: https://platform.openai.com/docs/guides/function-calling
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, cast

from pydantic import Field
from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema

from ..._lazy import load_name
from ...core.base._schemas.strict_schema import strict_schema
from ...core.base._tools.arguments import read_partial
from ...core.base._tools.binding import unbound_tool_type
from ...core.base._tools.call import LazyToolCall, PendingToolCall, ToolCallAttribute
from ...core.base.tool import BaseTool, GenerateJsonSchemaNoTitles, ToolConfig
from ..sdk_model import arguments_of

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageToolCall, ChatCompletionToolParam
    from openai.types.shared_params import FunctionDefinition

_JsonT = TypeVar("_JsonT")


class GenerateStrictToolJsonSchema(GenerateJsonSchemaNoTitles):
    """A schema generator whose schemas are accepted with `strict: true`."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return strict_schema(super().generate(schema, mode=mode))


class StrictToolConfig(ToolConfig, total=False):
    """The configuration of tools of APIs that can enforce the schema of the arguments."""

    strict: bool


class ChatToolCall(Protocol):
    """A tool call of an SDK for this format."""

    @property
    def id(self) -> str: ...
    @property
    def function(self) -> Any: ...  # Any: the SDK's object with a name and arguments


class _PendingToolCall(PendingToolCall[Any]):  # Any: the SDK's class
    __slots__ = ()

    _sdk_type: ClassVar[str]

    def build(self) -> Any:
        return self.from_mapping(
            {
                "id": self.id,
                "type": "function",
                "function": {"name": self.name, "arguments": self.arguments},
            }
        )

    @classmethod
    def from_mapping(cls, value: Mapping[str, object]) -> Any:
        sdk_type = load_name(cls._sdk_type)
        if value.get("id") is not None:
            return sdk_type.model_validate(value)
        # Some servers send calls without an id. Like the SDK, use `construct`, which accepts that.
        return sdk_type.construct(None, **value)


def chat_tool_call(sdk_type: str) -> type[PendingToolCall[Any]]:
    """Return a class of pending tool calls for an SDK's class, given as `"module:name"`."""
    return type("PendingChatToolCall", (_PendingToolCall,), {"__slots__": (), "_sdk_type": sdk_type})


class FunctionTool(BaseTool):
    """A tool described as a function, in any format."""

    __supports_strict__ = True
    __wire_schema__: ClassVar[Any] = None  # Any: the format's own description

    if TYPE_CHECKING:
        # Type checkers see a class with `call`, so it can be passed as a tool class. Only subclasses, which define
        # `call`,
        # have instances.
        def call(self, *args: Any, **kwargs: Any) -> object: ...  # Any: as in BaseTool
    else:
        tool_call: LazyToolCall = None

    @classmethod
    def tool_schema(cls) -> Any:
        """Return the tool's schema in the provider's format. It is a copy that the caller may change.

        Example:
            ```python
            OpenAITool.type_from_fn(format_book).tool_schema()
            # {"type": "function", "function": {"name": "format_book", ...}}
            ```
        """
        return _copy(cls.wire_schema())

    @classmethod
    def wire_schema(cls) -> Any:
        """Return the schema of `tool_schema`. It is built once and shared, so do not change it."""
        owner = unbound_tool_type(cls) or cls
        known = vars(owner).get("__wire_schema__")
        if known is None:
            known = owner.__wire_schema__ = owner._describe()
        return known

    @classmethod
    def _describe(cls) -> Any:
        raise NotImplementedError

    @classmethod
    def _function(cls) -> FunctionDefinition:
        function: FunctionDefinition = {"name": cls._name(), "description": cls._description()}
        strict = cast("Mapping[str, object]", cls.tool_config).get("strict", False)
        parameters = cls.model_json_schema(
            schema_generator=GenerateStrictToolJsonSchema if strict else GenerateJsonSchemaNoTitles
        )
        if strict:
            function["strict"] = True
        # Strict mode requires `additionalProperties: false` even for a tool without properties.
        if strict or parameters.get("properties") or cls._record.quirks.empty_parameters:
            function["parameters"] = parameters
        return function


class ChatTool(FunctionTool):
    """A tool in a call in the chat-completions format, for any provider."""

    __pending_tool_call__: ClassVar[type[PendingToolCall[Any]] | None] = chat_tool_call(
        "openai.types.chat:ChatCompletionMessageToolCall"
    )

    if TYPE_CHECKING:

        @classmethod
        def tool_schema(cls) -> ChatCompletionToolParam: ...
        @classmethod
        def wire_schema(cls) -> ChatCompletionToolParam: ...

    @classmethod
    def _describe(cls) -> ChatCompletionToolParam:
        return {"type": "function", "function": cls._function()}

    @classmethod
    def from_tool_call(cls, tool_call: ChatToolCall, allow_partial: bool = False) -> Self:
        """Return the tool instance for a tool call of the SDK.

        Args:
            tool_call: The tool call.
            allow_partial: Whether the arguments may be incomplete. Missing fields are None.

        Raises:
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not fit the tool.
        """
        function = tool_call.function
        arguments = arguments_of(function)
        if allow_partial:
            values = read_partial(arguments, call_id=tool_call.id, name=function.name)
            tool = cls.partial_from_values(values, id=tool_call.id, name=function.name, delta=None)
        else:
            tool = cls.from_arguments(id=tool_call.id, name=function.name, arguments=arguments)
        vars(tool)["tool_call"] = tool_call
        return tool


class TypedChatTool(ChatTool):
    """A tool whose `tool_call` is an object of OpenAI's SDK."""

    if TYPE_CHECKING:
        tool_call: ChatCompletionMessageToolCall = Field(default=...)


# Fields have no value on the class, so pydantic leaves this attribute free.
setattr(FunctionTool, "tool_call", ToolCallAttribute())  # noqa: B010


def _copy(value: _JsonT) -> _JsonT:
    copied: Any = value  # Any: both branches have the argument's type, which an annotation cannot express
    if isinstance(value, dict):
        copied = {key: _copy(item) for key, item in value.items()}
    elif isinstance(value, list):
        copied = [_copy(item) for item in value]
    return cast("_JsonT", copied)
