"""Makes the objects of an SDK from JSON text, and the text from the objects."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json


def read_model(model: Any, data: bytes) -> Any:  # Any: a model class of an SDK, and its instance
    """An SDK's object for JSON text.

    Validation is an order of magnitude faster than the SDK's own `construct` and gives the same; but it is
    also stricter, and servers leave things out, spell them otherwise or know more than the SDK.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError:
        return model.construct(**read_json(data))


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
