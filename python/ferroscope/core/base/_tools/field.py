"""Lets a tool have fields named like the properties that every tool has (`id`, `args`).

pydantic keeps fields in the instance's `__dict__`, which a property on the class beats. So a class with
such a field gets an attribute of its own there, which steps aside for the `__dict__`.
"""

from __future__ import annotations

import inspect
from typing import Final, cast

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from ..from_call_args import is_from_call_args


class _FieldAttribute:
    """Nothing on the class, and on an instance the `__dict__` goes first: a non-data descriptor."""

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError("a field without a value on the class")


_PROPERTIES: Final = ("args", "id")


def unshadow_fields(cls: type[BaseModel]) -> None:
    """Takes properties out of the way of the class's fields, before pydantic collects them."""
    own = inspect.get_annotations(cls)
    inherited = [base.model_fields for base in cls.__bases__ if issubclass(base, BaseModel)]
    for name in _PROPERTIES:
        if name not in vars(cls) and (name in own or any(name in fields for fields in inherited)):
            _unshadow(cls, name)


def restore_field_attributes(cls: type[BaseModel]) -> None:
    """Does the same after pydantic has taken the fields' defaults off the class."""
    for name in _PROPERTIES:
        if name in cls.model_fields:
            _unshadow(cls, name)


def _unshadow(cls: type[BaseModel], name: str) -> None:
    if isinstance(inspect.getattr_static(cls, name, None), property):
        setattr(cls, name, _FieldAttribute())


def bookkeeping_fields(cls: type[BaseModel]) -> frozenset[str]:
    """The fields of a tool that are not arguments; a class that declares `delta` itself means an argument."""
    names = {name for name, field in cls.model_fields.items() if is_from_call_args(field)}
    # Under the checkers SkipJsonSchema is no class.
    marks: list[object] = cls.model_fields["delta"].metadata
    is_ours = any(type(mark) is cast("type", SkipJsonSchema) for mark in marks)
    return frozenset(names | {"tool_call", "delta"} if is_ours else names | {"tool_call"})
