"""Makes the objects of an SDK from JSON text, and the text from the objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from ..core.base._tools.arguments import arguments_text


def read_model(model: Any, data: bytes) -> Any:  # Any: a model class of an SDK, and its instance
    """An SDK's object for JSON text.

    Validation is an order of magnitude faster than the SDK's own `construct` and gives the same; but it is
    also stricter, and servers leave things out, spell them otherwise or know more than the SDK.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError:
        values = read_json(data)
        # The SDKs whose models are lenient have a `construct` of their own, in place of pydantic's deprecated one.
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
    """Return a member of an SDK's object: an attribute, or what a mapping has that has no attribute for it."""
    found = getattr(value, name, None) if not isinstance(value, str) else None
    return value.get(name) if found is None and isinstance(value, Mapping) else found


def arguments_of(function: Any) -> str:
    """Return the arguments of the function in a tool call, as JSON text.

    Some servers send an object, which the attribute of some SDKs shows as Python's text of it.
    """
    return arguments_text(function.get("arguments") if isinstance(function, Mapping) else function.arguments)


def read_json(data: bytes) -> Any:  # Any: JSON
    """What JSON text says, also where it has half a character, whose other half the next event brings."""
    try:
        return from_json(data)
    except ValueError:
        return json.loads(data, parse_int=_number)


def _number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python reads: no provider's number, and no reason to lose the rest
        return float(digits)


def dump_event(event: Any) -> str:  # Any: an object that a client yields, an SDK's or one like it
    """The JSON text of an event."""
    if not hasattr(event, "model_dump_json"):
        return orjson.dumps(event, default=vars).decode()
    try:
        return event.model_dump_json(exclude_unset=True, warnings=False)  # type: ignore[no-any-return]
    except PydanticSerializationError:
        # Half a character at the end of a delta, which only the next one completes.
        return json.dumps(event.model_dump(exclude_unset=True, warnings=False))
