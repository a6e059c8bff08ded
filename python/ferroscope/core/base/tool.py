"""Tools: what a model may call, as pydantic classes."""

from __future__ import annotations

import inspect
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, ClassVar, Literal, Self, TypedDict

from pydantic import BaseModel, ConfigDict, PydanticInvalidForJsonSchema, SkipValidation
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode, SkipJsonSchema

from ._responses.identity import NO_PROVIDER, Identity
from ._schemas.json_schema import GenerateJsonSchemaNoTitles
from ._tools.arguments import validate_arguments
from ._tools.binding import unbound_tool_type
from ._tools.call import Fragments, PendingToolCall
from ._tools.field import bookkeeping_fields, restore_field_attributes, unshadow_fields
from ._tools.partial import partial_tool
from ._tools.tool_type import (
    DEFAULT_TOOL_DOCSTRING,
    provider_tool_type,
    tool_type_from_base_type,
    tool_type_from_function,
    tool_type_from_model,
)

__all__ = [
    "DEFAULT_TOOL_DOCSTRING",
    "BaseTool",
    "GenerateJsonSchemaNoTitles",
    "ToolConfig",
    "provider_tool_type",
]

# What providers accept in a tool's name; generic models and lambdas have more in theirs.
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class ToolConfig(TypedDict, total=False):
    """A base class for tool configurations."""


class BaseTool(BaseModel, ABC):
    '''A tool that a model may call: its fields are the arguments, `call` is what happens.

    Example:
        ```python
        from ferroscope.core import BaseTool
        from pydantic import Field


        class FormatBook(BaseTool):
            """Returns a book recommendation, nicely formatted."""

            title: str = Field(..., description="The title of the book.")
            author: str = Field(..., description="The author of the book.")

            def call(self) -> str:
                return f"{self.title} by {self.author}"
        ```
    '''

    __provider__: ClassVar[str] = "NONE"
    _record: ClassVar[Identity] = NO_PROVIDER
    __tool_config_type__: ClassVar[type[ToolConfig]] = ToolConfig
    __supports_strict__: ClassVar[bool] = False
    __pending_tool_call__: ClassVar[type[PendingToolCall[Any]] | None] = None  # Any: each provider's SDK class
    # Without the names of builtin types: pydantic before 2.10 evaluates these in each subclass, and the tool of a
    # builtin type has its name.
    __receiver__: ClassVar[Sequence[object] | None] = None
    __bookkeeping__: ClassVar[Set[str]] = frozenset({"tool_call", "delta"})
    __parameter_names__: ClassVar[Mapping[str, str]] = {}
    __custom_name__: ClassVar[str] = ""
    tool_config: ClassVar[ToolConfig] = ToolConfig()
    model_config = ConfigDict(arbitrary_types_allowed=True)
    # Not validated: a model may send anything under this name, which is then replaced.
    delta: SkipJsonSchema[SkipValidation[str | None]] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: pydantic's class keywords
        super().__init_subclass__(**kwargs)
        if unbound_tool_type(cls) is None:
            unshadow_fields(cls)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # Any: pydantic's class keywords
        super().__pydantic_init_subclass__(**kwargs)
        restore_field_attributes(cls)
        cls.__bookkeeping__ = bookkeeping_fields(cls)

    @classmethod
    def _name(cls) -> str:
        """Returns the name of the tool, as the model sees it."""
        return cls.__custom_name__ or _NOT_IN_NAMES.sub("_", cls.__name__)

    @classmethod
    def _description(cls) -> str:
        """Returns the description of the tool, as the model sees it."""
        return inspect.cleandoc(cls.__doc__) if cls.__doc__ else DEFAULT_TOOL_DOCSTRING

    @property
    def args(self) -> dict[str, Any]:  # Any: values of the user's own fields
        """The arguments of the tool, by the names of its fields (of a function: its parameters)."""
        names = self.__parameter_names__
        values = self.__dict__
        return {
            names.get(field, field): values.get(field)
            for field in type(self).model_fields
            if field not in self.__bookkeeping__
        }

    @property
    def id(self) -> str | None:
        """The provider's id of the call that made this tool."""
        # From the dict, because reading the attribute would build the SDK's object.
        call = self.__dict__.get("tool_call")
        # Where a call is an item with an id of its own, the id of the call is beside it.
        return getattr(call, "call_id", None) or getattr(call, "id", None)

    @abstractmethod
    def call(self, *args: Any, **kwargs: Any) -> Any:  # Any: subclasses name their own
        """Does what the tool is for and returns what the model shall read."""

    @classmethod
    def type_from_fn(cls, fn: Callable[..., object]) -> type[Self]:
        '''Returns this tool type made from a function.

        Parameters need annotations. A docstring that documents them (Google, NumPy or Sphinx style) must
        do so in the order of the signature.

        Raises:
            ValueError: An annotation or a description is missing, or names differ.

        Example:
            ```python
            def format_book(title: str, author: str) -> str:
                """Formats a book."""
                return f"{title} by {author}"


            BaseTool.type_from_fn(format_book)(title="Emma", author="Jane Austen").call()
            # 'Emma by Jane Austen'
            ```
        '''
        return tool_type_from_function(fn, cls)

    @classmethod
    def _type_from_method(cls, fn: Callable[..., object], *, doc: str, name: str) -> type[Self]:
        return tool_type_from_function(fn, cls, doc=doc, name=name)

    @classmethod
    def type_from_base_model_type(cls, tool_type: type[BaseModel]) -> type[Self]:
        """Returns this tool type made from a tool class or a plain model, a subclass of both.

        `call()` of a plain model without one of its own returns an instance of the model.
        """
        return tool_type_from_model(tool_type, cls)

    @classmethod
    def type_from_base_type(cls, base_type: object) -> type[Self]:
        """Returns this tool type with one field, `value`, of the given type.

        Example:
            ```python
            BaseTool.type_from_base_type(list[str])(value=["a"]).args  # {'value': ['a']}
            ```
        """
        return tool_type_from_base_type(base_type, cls)

    @classmethod
    def from_arguments(cls, *, id: str | None, name: str, arguments: str | bytes) -> Self:
        """Returns the tool for one finished call of a model.

        Args:
            id: The provider's id of the call, if there is one.
            name: The tool's name as the model wrote it.
            arguments: The arguments as JSON text; nothing, white space and `null` mean no arguments.

        Raises:
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not fit the tool.
        """
        tool = validate_arguments(cls, call_id=id, name=name, arguments=arguments)
        tool._set_call(id, name, arguments, None)
        return tool

    @classmethod
    def partial_from_values(
        cls,
        values: Mapping[str, object] | BaseModel,
        *,
        id: str | None,
        name: str,
        delta: str | None,
        arguments: str | Fragments = "",
    ) -> Self:
        """Returns the tool as far as it is known in the middle of a stream.

        Args:
            values: The fields known so far, by the names that the model uses or by those of the fields, not
                validated; all others become None. Dicts where models belong become partial models. Or an
                instance that has grown to them.
            id: The provider's id of the call, if it is known.
            name: The tool's name as the model wrote it.
            delta: The fragment of the arguments that arrived last.
            arguments: All fragments so far.
        """
        tool = partial_tool(cls, values)
        tool._set_call(id, name, arguments, delta)
        return tool

    def _set_call(self, id: str | None, name: str, arguments: str | bytes | Fragments, delta: str | None) -> None:
        # Straight into the dict: frozen tools are allowed, and what the model may have sent under these
        # two names must not stay.
        values = vars(self)
        if self.__pending_tool_call__ is not None:
            text = arguments.decode("utf-8", "replace") if isinstance(arguments, bytes) else arguments
            values["tool_call"] = self.__pending_tool_call__(id, name, text)
        if "delta" in self.__bookkeeping__:
            values["delta"] = delta

    @classmethod
    def tool_schema(cls) -> Any:  # Any: each provider's own type
        """Returns the tool as the provider wants it described.

        Raises:
            RuntimeError: Always; only the tools of a provider have such a schema.
        """
        raise RuntimeError(
            f"{cls.__name__}.tool_schema() is not implemented. "
            "This method should be implemented in provider-specific tool classes."
        )

    @classmethod
    def model_json_schema(
        cls,
        by_alias: bool | None = True,
        ref_template: str = DEFAULT_REF_TEMPLATE,
        schema_generator: type[GenerateJsonSchema] = GenerateJsonSchemaNoTitles,
        mode: JsonSchemaMode = "validation",
        *,
        union_format: Literal["any_of", "primitive_type_array"] = "any_of",
    ) -> dict[str, Any]:  # Any: pydantic's own return type
        """Returns the JSON schema of the tool's arguments."""
        unbound = unbound_tool_type(cls)
        if unbound is not None:
            return unbound.model_json_schema(by_alias, ref_template, schema_generator, mode, union_format=union_format)
        cls.warn_for_unsupported_configurations()
        try:
            if union_format == "any_of":
                # The default everywhere, and an unknown keyword to pydantic before 2.12.
                return super().model_json_schema(by_alias, ref_template, schema_generator, mode)
            return super().model_json_schema(by_alias, ref_template, schema_generator, mode, union_format=union_format)
        except PydanticInvalidForJsonSchema as error:
            error.add_note(f"while describing the tool {cls._name()!r}: a model can send JSON only")
            raise

    @classmethod
    def warn_for_unsupported_configurations(cls) -> None:
        """Warns of configuration that this tool's provider would ignore."""
        unsupported = set(cls.tool_config) - set(cls.__tool_config_type__.__annotations__)
        if unsupported:
            warnings.warn(
                f"{cls.__provider__} does not support the following tool configurations, "
                f"so they will be ignored: {unsupported}",
                UserWarning,
                stacklevel=2,
            )
        if "strict" in cls.model_config and not cls.__supports_strict__:
            warnings.warn(
                f"{cls.__provider__} does not support strict structured outputs, but you have configured "
                "`strict=True` in your `ResponseModelConfigDict`. "
                "Ignoring `strict` as this feature is only supported by OpenAI.",
                UserWarning,
                stacklevel=2,
            )
