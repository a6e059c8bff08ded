"""Support for tool fields with the names of properties that every tool has (`id`, `args`).

Pydantic stores fields in the instance's `__dict__`, but a property of the class takes precedence over it. So a class
with such a field gets a non-data descriptor in place of the property, over which the `__dict__` takes precedence.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from ..from_call_args import is_from_call_args

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class _FieldAttribute:
    """A non-data descriptor: absent on the class, and superseded by the `__dict__` of an instance."""

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError("a field without a value on the class")


_PROPERTIES: Final = ("args", "id")
# Attributes of every model, whose values pydantic would use as the defaults of such fields.
_OF_MODELS: Final = ("model_computed_fields", "model_extra", "model_fields", "model_fields_set")


def fields_of(cls: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return the fields of a class, which may have a property `model_fields` of its own."""
    fields: Mapping[str, FieldInfo] = getattr(cls, "__pydantic_fields__", None) or cls.model_fields
    return fields


def unshadow_fields(cls: type[BaseModel]) -> None:
    """Replace properties that hide fields of the class, before pydantic collects the fields.

    Raises:
        TypeError: A field has the name of an attribute that pydantic needs.
    """
    own = inspect.get_annotations(cls)
    for name in _OF_MODELS:
        if name in own:
            raise TypeError(
                f"{cls.__name__!r} has a field {name!r}, which is an attribute of every pydantic model: "
                f"rename the field, and set `Field(alias={name!r})`; a function may have a parameter of that name"
            )
    inherited = [fields_of(base) for base in cls.__bases__ if issubclass(base, BaseModel)]
    for name in _PROPERTIES:
        if name not in vars(cls) and (name in own or any(name in fields for fields in inherited)):
            _unshadow(cls, name)


def restore_field_attributes(cls: type[BaseModel]) -> None:
    """Replace the properties again, after pydantic has removed the fields' defaults from the class."""
    for name in _PROPERTIES:
        if name in fields_of(cls):
            _unshadow(cls, name)


def _unshadow(cls: type[BaseModel], name: str) -> None:
    if isinstance(inspect.getattr_static(cls, name, None), property):
        setattr(cls, name, _FieldAttribute())


def bookkeeping_fields(cls: type[BaseModel]) -> frozenset[str]:
    """Return the fields of a tool that are not arguments; a `delta` that the class declares itself is an argument."""
    names = {name for name, field in fields_of(cls).items() if is_from_call_args(field)}
    # For type checkers, SkipJsonSchema is not a class.
    marks: list[object] = fields_of(cls)["delta"].metadata
    is_ours = any(type(mark) is cast("type", SkipJsonSchema) for mark in marks)
    return frozenset(names | {"tool_call", "delta"} if is_ours else names | {"tool_call"})
