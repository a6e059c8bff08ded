"""Conversion between JSON text and the objects of an SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from ..core.base._tools.arguments import arguments_text


def read_model(model: Any, data: bytes) -> Any:  # Any: a model class of an SDK, and its instance
    """Return an SDK's object for JSON text.

    Validation is an order of magnitude faster than the SDK's own `construct`, with the same result. It is also
    stricter: where a server omits, renames or adds members, the SDK's own way builds the object.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError:
        values = read_json(data)
        # SDKs with lenient models define a `construct` of their own, in place of pydantic's deprecated one.
        own = getattr(model.construct, "__func__", None) is not getattr(BaseModel.construct, "__func__", None)
        return model.construct(**values) if own else _constructed(model, values)


def _constructed(annotation: Any, value: Any) -> Any:  # Any: a type form, and JSON
    """Return an SDK's object for JSON that its models refuse: nested objects where expected, all else as is."""
    model = next((kind for kind in _models_in(annotation)), None)
    if isinstance(value, list):
        return [_constructed(annotation, item) for item in value]
    if model is None or not isinstance(value, dict):
        return value
    fields = {field.alias or name: (name, field.annotation) for name, field in model.model_fields.items()}
    known = {fields[key][0]: _constructed(fields[key][1], item) for key, item in value.items() if key in fields}
    made = model.model_construct(**known)
    vars(made).update({key: item for key, item in value.items() if key not in fields})
    return made


def _models_in(annotation: Any) -> Iterator[Any]:
    """Yield the model classes in a type form."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def member(value: Any, name: str) -> Any:
    """Return a member of an SDK's object: an attribute, or else an item of a mapping. None if there is neither."""
    if isinstance(value, BaseModel):
        # A model raises AttributeError for a member that is missing, which takes longer than these lookups.
        if name in (fields := value.__dict__):
            return fields[name]
        if (extra := value.__pydantic_extra__) and name in extra:
            return extra[name]
        if not has_attribute(type(value), name):
            return None
    found = getattr(value, name, None) if not isinstance(value, str) else None
    return value.get(name) if found is None and isinstance(value, Mapping) else found


@lru_cache(maxsize=1024)
def has_attribute(kind: type[BaseModel], name: str) -> bool:
    """Return whether a class has an attribute besides its fields, or finds attributes in a way of its own."""
    return hasattr(kind, name) or getattr(kind, "__getattr__", None) is not getattr(BaseModel, "__getattr__", None)


def arguments_of(function: Any) -> str:
    """Return the arguments of the function in a tool call, as JSON text.

    Some servers send an object. The attribute of some SDKs shows such an object as its Python repr.
    """
    return arguments_text(function.get("arguments") if isinstance(function, Mapping) else function.arguments)


def read_json(data: bytes) -> Any:  # Any: JSON
    """Return the value of JSON text. The text may contain half of a surrogate pair; the next event has the other
    half.
    """
    try:
        return from_json(data)
    except ValueError:
        return json.loads(data, parse_int=_number)


def _number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # too many digits for `int`: not a real count, and no reason to lose the rest
        return float(digits)


def dump_event(event: Any) -> str:  # Any: an object that a client yields, an SDK's or one like it
    """Return the JSON text of an event."""
    if not hasattr(event, "model_dump_json"):
        return orjson.dumps(event, default=vars).decode()
    try:
        return event.model_dump_json(exclude_unset=True, warnings=False)  # type: ignore[no-any-return]
    except PydanticSerializationError:
        # The delta ends in half of a surrogate pair, which the next delta completes.
        return json.dumps(event.model_dump(exclude_unset=True, warnings=False))
