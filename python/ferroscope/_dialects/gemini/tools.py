"""Function declarations: tools in Gemini's format.

Gemini accepts the subset of OpenAPI that its `Schema` defines (https://ai.google.dev/api/caching#Schema). Schemas
outside of the subset, such as recursive types, are sent as JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Any: JSON schemas.

# JSON Schema keywords with the same meaning in `Schema`.
_MEMBERS: Final = {
    "description": "description",
    "format": "format",
    "maximum": "maximum",
    "minimum": "minimum",
    "maxItems": "max_items",
    "minItems": "min_items",
    "maxLength": "max_length",
    "minLength": "min_length",
    "maxProperties": "max_properties",
    "minProperties": "min_properties",
    "pattern": "pattern",
    "required": "required",
}
_FORMATS: Final = {
    "string": frozenset({"date-time", "enum"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
# Keywords that do not change which values are valid, and that `Schema` lacks.
_DROPPED: Final = frozenset({"title", "default", "examples", "example", "additionalProperties", "$defs", "strict"})
_KNOWN: Final = frozenset({"type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"})


class _NotRepresentableError(Exception):
    """A schema outside of the subset."""


def declare_function(name: str, description: str | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function declaration of a tool.

    Args:
        name: The name of the tool.
        description: The description of the tool.
        schema: The JSON schema of its arguments, an object.
    """
    declaration: dict[str, Any] = {"name": name}
    if description:
        declaration["description"] = description
    if not any(schema.get(member) for member in ("properties", "additionalProperties", "$ref")):
        return declaration  # the API refuses an object without properties
    try:
        return {**declaration, "parameters": openapi_schema(schema)}
    except _NotRepresentableError:
        return {**declaration, "parameters_json_schema": dict(schema)}


def openapi_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema as Gemini's `Schema`, under the names of the SDK's dicts."""
    return _convert(schema, schema.get("$defs") or {}, ())


def _convert(schema: Any, defs: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        raise _NotRepresentableError
    if (reference := schema.get("$ref")) is not None:
        name = str(reference).removeprefix("#/$defs/")
        if name in inside or name not in defs:
            raise _NotRepresentableError
        beside = {member: value for member, value in schema.items() if member != "$ref"}
        return _convert({**defs[name], **beside}, defs, (*inside, name))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _convert_several(schema, several, defs, inside)
    if unknown := schema.keys() - _MEMBERS.keys() - _DROPPED - _KNOWN:
        raise _NotRepresentableError(unknown)
    if isinstance(schema.get("additionalProperties"), Mapping):
        raise _NotRepresentableError  # an object with arbitrary names
    kind = _kind(schema)
    converted: dict[str, Any] = {"type": kind.upper()}
    converted.update({_MEMBERS[name]: value for name, value in schema.items() if name in _MEMBERS})
    if "format" in converted and converted["format"] not in _FORMATS.get(kind, ()):
        del converted["format"]
    if (values := schema.get("enum", [schema["const"]] if "const" in schema else None)) is not None:
        if not all(isinstance(value, str) for value in values):
            raise _NotRepresentableError  # an enum of numbers
        converted.update(enum=list(values), format="enum")
    if properties := schema.get("properties"):
        converted["properties"] = {name: _convert(one, defs, inside) for name, one in properties.items()}
        converted["property_ordering"] = list(properties)
    elif kind == "object":
        raise _NotRepresentableError
    if kind == "array":
        converted["items"] = _convert(schema.get("items"), defs, inside)
    return converted


def _convert_several(
    schema: Mapping[str, Any], name: str, defs: Mapping[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    options = schema[name]
    beside = {member: value for member, value in schema.items() if member != name and member not in _DROPPED}
    if name == "allOf":
        if len(options) != 1:
            raise _NotRepresentableError
        return _convert({**options[0], **beside}, defs, inside)
    solid = [option for option in options if option.get("type") != "null"]
    converted: dict[str, Any]
    if len(solid) == 1:
        converted = _convert({**solid[0], **beside}, defs, inside)
    elif beside.keys() <= {"description"}:
        converted = {"any_of": [_convert(option, defs, inside) for option in solid], **beside}
    else:
        raise _NotRepresentableError
    if len(solid) < len(options):
        converted["nullable"] = True
    return converted


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if kind is None and all(isinstance(value, str) for value in schema.get("enum", [schema.get("const")])):
        return "string"
    if not isinstance(kind, str) or kind == "null":
        raise _NotRepresentableError
    return kind
