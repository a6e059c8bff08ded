"""Tools that a model may call, as pydantic classes."""

from __future__ import annotations

import inspect
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, ClassVar, Literal, Self, TypedDict

from pydantic import BaseModel, ConfigDict, PydanticInvalidForJsonSchema, SkipValidation
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode, SkipJsonSchema
from pydantic_core import from_json

from ..._core import PartialJson
from ..._repr import shorten
from ._responses.identity import NO_PROVIDER, Identity
from ._schemas.json_schema import GenerateJsonSchemaNoTitles
from ._tools.arguments import validate_arguments
from ._tools.binding import unbound_tool_type
from ._tools.call import Fragments, PendingToolCall
from ._tools.field import bookkeeping_fields, fields_of, restore_field_attributes, unshadow_fields
from ._tools.partial import complete_tool_type, partial_tool, partial_tool_type
from ._tools.tool_type import (
    DEFAULT_TOOL_DOCSTRING,
    provider_tool_type,
    tool_source,
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

# The characters that providers reject in a tool's name; names of generic models and lambdas contain them.
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class ToolConfig(TypedDict, total=False):
    """The base class of tool configurations."""


class BaseTool(BaseModel, ABC):
    '''A tool that a model may call. Its fields are the arguments; `call` runs it.

    Example:
        ```python
        from ferroscope.core import BaseTool
        from pydantic import Field


        class FormatBook(BaseTool):
            """Return a formatted book recommendation."""

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
    # `Sequence` and `Set` instead of builtin types: pydantic before 2.10 evaluates these annotations in each subclass,
    # and the tool class of a builtin type has the type's name.
    __receiver__: ClassVar[Sequence[object] | None] = None
    __bookkeeping__: ClassVar[Set[str]] = frozenset({"tool_call", "delta"})
    __parameter_names__: ClassVar[Mapping[str, str]] = {}
    __custom_name__: ClassVar[str] = ""
    tool_config: ClassVar[ToolConfig] = ToolConfig()
    model_config = ConfigDict(arbitrary_types_allowed=True)
    # Not validated: a model may send any value under this name, which is then replaced.
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
        """Return the name of the tool that the model receives."""
        return cls.__custom_name__ or _NOT_IN_NAMES.sub("_", cls.__name__)

    @classmethod
    def _description(cls) -> str:
        """Return the description of the tool that the model receives."""
        return inspect.cleandoc(cls.__doc__) if cls.__doc__ else DEFAULT_TOOL_DOCSTRING

    @property
    def args(self) -> dict[str, Any]:  # Any: values of the user's own fields
        """The arguments of the tool, by field name, or by parameter name for a tool from a function."""
        names = self.__parameter_names__
        values = self.__dict__
        return {
            names.get(field, field): values.get(field)
            for field in fields_of(type(self))
            if field not in self.__bookkeeping__
        }

    @property
    def id(self) -> str | None:
        """The provider's id of the tool call, or None."""
        # Read from the dict, because attribute access would build the SDK's object.
        call = self.__dict__.get("tool_call")
        # In the Responses format, a call is an item with its own id; the id of the call is `call_id`.
        return getattr(call, "call_id", None) or getattr(call, "id", None)

    def __reduce_ex__(self, protocol: Any) -> Any:  # Any: as of `object`
        # Classes that were created at run time cannot be found by name; what they were created from can.
        complete = complete_tool_type(type(self))
        source = tool_source(complete or type(self))
        if complete is None and source is None:
            return super().__reduce_ex__(protocol)
        return _new_tool, (*(source or (complete, None)), complete is not None), self.__getstate__()

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:  # Any: values of the user's own fields
        for name, value in super().__repr_args__():
            if name not in self.__bookkeeping__:
                yield name, shorten(value)

    @abstractmethod
    def call(self, *args: Any, **kwargs: Any) -> object:  # Any: subclasses define their own parameters
        """Run the tool and return its output for the model."""

    @classmethod
    def type_from_fn(cls, fn: Callable[..., object]) -> type[Self]:
        '''Return this tool type for a function.

        Parameters require annotations. A docstring that documents them (Google, NumPy or Sphinx style) must follow the
        order of the signature.

        Raises:
            ValueError: An annotation or a description is missing, or the names differ.

        Example:
            ```python
            def format_book(title: str, author: str) -> str:
                """Format a book."""
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
        """Return this tool type for a tool class or a plain model, as a subclass of both.

        For a plain model without a `call` method, `call()` returns an instance of the model.
        """
        return tool_type_from_model(tool_type, cls)

    @classmethod
    def type_from_base_type(cls, base_type: object) -> type[Self]:
        """Return this tool type with one field, `value`, of the given type.

        Example:
            ```python
            BaseTool.type_from_base_type(list[str])(value=["a"]).args  # {'value': ['a']}
            ```
        """
        return tool_type_from_base_type(base_type, cls)

    @classmethod
    def from_arguments(cls, *, id: str | None, name: str, arguments: str | bytes) -> Self:
        """Return the tool for a complete tool call.

        Args:
            id: The provider's id of the call, or None.
            name: The name of the tool in the model's response.
            arguments: The arguments as JSON text; empty text, white space and `null` mean no arguments.

        Raises:
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not match the tool's fields.
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
        """Return the tool with the values received so far in a stream.

        Args:
            values: The values received so far, by alias or field name, not validated; all other fields become None. A
                dict for a model becomes a partial model. It may also be a partial instance with these values.
            id: The provider's id of the call, or None.
            name: The name of the tool in the model's response.
            delta: The latest fragment of the arguments.
            arguments: All fragments so far.
        """
        tool = partial_tool(cls, values)
        tool._set_call(id, name, arguments, delta)
        return tool

    @classmethod
    def _dict_from_json(cls, json: str, allow_partial: bool = False) -> dict[str, Any]:
        """Return the arguments of a tool call, for the `from_tool_call` of a tool class that was written for v1.

        Raises:
            ValueError: The text is not JSON.
        """
        if not json:
            return {}
        if not allow_partial:
            complete: dict[str, Any] = from_json(json)
            return complete
        parser = PartialJson(root="object")
        parser.feed(json)
        return dict(parser.value) if parser.has_value else {}

    def _set_call(self, id: str | None, name: str, arguments: str | bytes | Fragments, delta: str | None) -> None:
        # Set in the dict, because tools may be frozen. Values that the model sent under these two names must be
        # replaced.
        values = vars(self)
        if self.__pending_tool_call__ is not None:
            text = arguments.decode("utf-8", "replace") if isinstance(arguments, bytes) else arguments
            values["tool_call"] = self.__pending_tool_call__(id, name, text)
        if "delta" in self.__bookkeeping__:
            values["delta"] = delta

    @classmethod
    def tool_schema(cls) -> Any:  # Any: each provider's own type
        """Return the tool's definition in the provider's format.

        Raises:
            RuntimeError: Always; only the tool classes of a provider have such a definition.
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
        """Return the JSON schema of the tool's arguments."""
        unbound = unbound_tool_type(cls)
        if unbound is not None:
            return unbound.model_json_schema(by_alias, ref_template, schema_generator, mode, union_format=union_format)
        cls.warn_for_unsupported_configurations()
        try:
            if union_format == "any_of":
                # The default of every version; pydantic before 2.12 does not have the parameter.
                return super().model_json_schema(by_alias, ref_template, schema_generator, mode)
            return super().model_json_schema(by_alias, ref_template, schema_generator, mode, union_format=union_format)
        except PydanticInvalidForJsonSchema as error:
            error.add_note(f"while creating the schema of the tool {cls._name()!r}: a model can only send JSON")
            raise

    @classmethod
    def warn_for_unsupported_configurations(cls) -> None:
        """Warn of configuration that this tool's provider ignores."""
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


def _new_tool(source: Any, base: type[BaseTool] | None, is_partial: bool) -> BaseTool:  # Any: the user's own object
    """Return an empty tool of a class that was created at run time, for a pickle."""
    kind: type[BaseTool] = source if base is None else provider_tool_type(source, base)
    if is_partial:
        kind = partial_tool_type(kind)
    return kind.__new__(kind)
