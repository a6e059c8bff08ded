"""Lets a tool have fields named like the properties that every tool has (`id`, `args`).

pydantic keeps fields in the instance's `__dict__`, which a property on the class beats. So a class with
such a field gets an attribute of its own there, which steps aside for the `__dict__`.
"""

from __future__ import annotations

import inspect

from pydantic import BaseModel


class _FieldAttribute:
    """Nothing on the class, and on an instance the `__dict__` goes first: a non-data descriptor."""

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError("a field without a value on the class")


def unshadow_fields(cls: type[BaseModel]) -> None:
    """Takes properties out of the way of the class's fields, before pydantic collects them."""
    names = set(inspect.get_annotations(cls))
    for base in cls.__bases__:
        if issubclass(base, BaseModel) and base is not BaseModel:
            names |= base.model_fields.keys()
    for name in names - vars(cls).keys():
        _unshadow(cls, name)


def restore_field_attributes(cls: type[BaseModel]) -> None:
    """Does the same after pydantic has taken the fields' defaults off the class."""
    for name in cls.model_fields:
        _unshadow(cls, name)


def _unshadow(cls: type[BaseModel], name: str) -> None:
    if isinstance(inspect.getattr_static(cls, name, None), property):
        setattr(cls, name, _FieldAttribute())
