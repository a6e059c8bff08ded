"""The conversion of a JSON schema to the subset that OpenAI's strict mode accepts.

The subset: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas. Every object is closed and
every property is required (an optional property is a union with null). Defaults, `oneOf` and `allOf` are not allowed,
nor are other keywords beside a `$ref`. Every schema has a type.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Final

from .json_schema import Schema, map_subschemas

# An allow list, because the API responds to an unknown keyword with HTTP 400.
_KEYWORDS: Final = frozenset(
    {
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    }
)
_FORMATS: Final = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_LOOKAROUND: Final = re.compile(r"\(\?<?[=!]")
_SCALARS: Final = ("string", "number", "boolean", "null")


def strict_schema(schema: Schema) -> Schema:
    """Return the schema in strict form, without changing the argument.

    A `UserWarning` is emitted for objects with free keys, which strict mode cannot express.

    Example:
        ```python
        strict_schema({"type": "object", "properties": {"n": {"type": "integer", "default": 1}}})
        # {"type": "object", "properties": {"n": {"type": "integer"}},
        #  "required": ["n"], "additionalProperties": False}
        ```
    """
    schema = _merged(schema)
    reference = schema.get("$ref")
    definitions = schema.get("$defs")
    if isinstance(reference, str) and isinstance(definitions, dict):
        # The schema of a recursive model is only a reference, but strict mode requires an object at the root.
        schema = {**definitions[reference.removeprefix("#/$defs/")], "$defs": definitions}
    return _strict(None, schema)


def _strict(name: str | None, schema: Schema) -> Schema:
    schema = _merged(schema)
    if "oneOf" in schema:
        schema = {"anyOf": schema["oneOf"]} | {key: item for key, item in schema.items() if key != "oneOf"}
    if "$ref" in schema:
        beside = {key: item for key, item in schema.items() if key in ("description", "title") and item is not None}
        bare: Schema = {"$ref": schema["$ref"]}
        return {"anyOf": [bare], **beside} if beside else bare
    schema = _with_type(schema)
    if "array" in _types(schema):
        schema = _array(schema)
    if "object" in _types(schema):
        schema = _object(name, schema)
    kept = {key: item for key, item in schema.items() if key in _KEYWORDS}
    if kept.get("format") not in _FORMATS:
        kept.pop("format", None)
    if isinstance(pattern := kept.get("pattern"), str) and _LOOKAROUND.search(pattern):
        del kept["pattern"]
    return map_subschemas(kept, _strict)


def _merged(schema: Schema) -> Schema:
    """Return a schema without `allOf`. Pydantic uses it only for a `$ref` with siblings, without conflicts."""
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged: Schema = {}
    for part in parts:
        merged |= _merged(part) if isinstance(part, dict) else {}
    return merged | {key: item for key, item in schema.items() if key != "allOf"}


def _with_type(schema: Schema) -> Schema:
    if "type" in schema or "anyOf" in schema:
        return schema
    if "const" in schema:
        return schema | {"type": _type_of(schema["const"])}
    values = schema.get("enum")
    if isinstance(values, list):
        return schema | {"type": _one_or_many(dict.fromkeys(_type_of(value) for value in values))}
    # A schema without constraints; of the types, strict mode can express the scalars.
    return schema | {"type": list(_SCALARS)}


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _one_or_many(types: Iterable[str]) -> str | list[str]:
    found = list(types)
    return found[0] if len(found) == 1 else found


def _types(schema: Schema) -> list[object]:
    kind = schema.get("type")
    return list(kind) if isinstance(kind, list) else [kind]


def _array(schema: Schema) -> Schema:
    """Return an array schema with one schema for all items; each item of a tuple may have any of its types."""
    prefix = schema.get("prefixItems")
    if not isinstance(prefix, list):
        return {"items": {}} | schema
    kinds = [item for index, item in enumerate(prefix) if item not in prefix[:index]]
    items: Schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return schema | {"items": items} if kinds else {"items": {}} | schema


def _object(name: str | None, schema: Schema) -> Schema:
    properties = schema.get("properties")
    free = schema.get("additionalProperties")
    if not properties and free is not False and (free is not None or properties is None):
        warnings.warn(
            f"strict mode cannot express an object with free keys{f' ({name!r})' if name else ''}: the model "
            "can only send it empty. Use a model with fields, or a list of key and value pairs.",
            UserWarning,
            stacklevel=2,
        )
    properties = properties if isinstance(properties, dict) else {}
    return schema | {
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
