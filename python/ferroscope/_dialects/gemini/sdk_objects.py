"""Conversion between JSON and the objects of google-genai.

The SDK's models refuse unknown members, and servers send such members. They are left out of the objects. The complete
text stays readable in `sdk_http_response.body` of the response, the SDK's own attribute for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from ..._lazy import load_name
from ..sdk_model import read_json

# Any: JSON, and the SDK's objects.

RESPONSE: Final = "google.genai.types:GenerateContentResponse"
FUNCTION_CALL: Final = "google.genai.types:FunctionCall"
_HTTP_RESPONSE: Final = "google.genai.types:HttpResponse"
# The Gemini API names a member differently than Vertex AI and the SDK.
_RENAMED: Final = {"citationSources": "citations"}
# The enum values in the order of their protobuf numbers, as far as Google's two APIs agree.
_WORDS: Final = {
    "FinishReason": ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"),
    "MediaModality": ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"),
}
# Fields that the SDK adds to a response and that are not in the JSON.
_ADDED: Final = {"sdk_http_response", "parsed", "automatic_function_calling_history"}
_ROUNDS: Final = 8


def read_response(data: bytes) -> Any:
    """Return the SDK's response for JSON text: a whole response, or one event of a stream."""
    lost: list[object] = []
    kind = load_name(RESPONSE)
    response = _validated(kind, _known(kind, read_json(data), lost), lost)
    if lost:
        response.sdk_http_response = load_name(_HTTP_RESPONSE)(body=data.decode("utf-8", "replace"))
    return response


def read_function_call(values: Mapping[str, object]) -> Any:
    """Return the SDK's function call with these fields."""
    kind = load_name(FUNCTION_CALL)
    return _validated(kind, _known(kind, dict(values), []), [])


def dump_event(event: Any) -> str:
    """Return the JSON text of a response in the API's form."""
    if not isinstance(event, BaseModel):
        return json.dumps(event, default=vars)
    options: dict[str, Any] = {"by_alias": True, "exclude_none": True, "exclude": _ADDED, "warnings": False}
    try:
        return event.model_dump_json(**options)
    except PydanticSerializationError:  # half of a surrogate pair, which the next event completes
        return json.dumps(event.model_dump(**options), default=str)


def _known(kind: Any, value: Any, lost: list[object]) -> Any:
    """Return a JSON value with only the members that a model has, under its field names."""
    if isinstance(value, list):
        return [_known(kind, item, lost) for item in value]
    if not isinstance(value, dict):
        return _word(kind, value) if isinstance(kind, type) and issubclass(kind, Enum) else value
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return value
    fields = _fields(kind)
    known: dict[str, Any] = {}
    for name, member in value.items():
        found = fields.get(name) or fields.get(_RENAMED.get(name, ""))
        if found is None:
            lost.append(name)
        elif member is not None:
            known[found[0]] = _known(found[1], member, lost)
    return known


@cache
def _fields(kind: Any) -> dict[str, tuple[str, Any]]:
    """Return the fields of a model by name and alias. Each value is the field name, and the field's model or enum."""
    fields: dict[str, tuple[str, Any]] = {}
    for name, field in kind.model_fields.items():
        field_and_kind = name, next(_kinds_in(field.annotation), None)
        fields[name] = fields[field.alias or name] = field_and_kind
    return fields


def _kinds_in(annotation: Any) -> Iterator[type]:
    """Yield the models and enums in a type form, except those in the values of a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        yield annotation
    elif getattr(annotation, "__origin__", None) is not dict:
        for inner in get_args(annotation):
            yield from _kinds_in(inner)


def _word(kind: type[Enum], value: Any) -> Any:
    """Return a member of an enum. For an unknown value, return a new member, without the SDK's warning."""
    words = _WORDS.get(kind.__name__, ())
    if isinstance(value, int) and 0 <= value < len(words):
        value = words[value]
    elif not isinstance(value, str):
        value = json.dumps(value)  # a number without a known name
    known = kind.__members__.get(value) or kind.__members__.get(value.upper())
    return known or _unknown_word(kind, value)


@cache
def _unknown_word(kind: Any, value: str) -> Any:
    member = str.__new__(kind, value)
    member._name_, member._value_ = value, value
    return member


def _validated(kind: Any, values: Any, lost: list[object]) -> Any:
    """Return a model with these values. Values that it refuses are left out."""
    for _ in range(_ROUNDS):
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            places = [detail["loc"] for detail in error.errors(include_url=False, include_context=False)]
            lost += places
            removed = [_remove(values, place) for place in places]
            if not all(removed):
                break
    return kind.model_construct()


def _remove(values: Any, place: tuple[int | str, ...]) -> bool:
    """Remove the value at the location of a validation error, or the nearest value around it."""
    holder, key = None, None
    for step in place:
        name = next((one for one in (step, _snake(step)) if _has(values, one)), None)
        if name is None:
            break
        holder, key, values = values, name, values[name]
    if holder is None:
        return False
    if isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = {}
    return True


def _snake(step: int | str) -> int | str:
    if isinstance(step, int):
        return step
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in step)


def _has(values: Any, key: Any) -> bool:
    if isinstance(values, dict):
        return key in values
    return isinstance(values, list) and isinstance(key, int) and key < len(values)
