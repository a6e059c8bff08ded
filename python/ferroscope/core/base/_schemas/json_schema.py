"""JSON schemas for models, without the titles that only repeat a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from pydantic import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticOmit, core_schema

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
"""A read-only JSON value."""

# Keywords by the type of their value. The values of all other keywords (`default`, `examples`, `enum`, `const`) are
# data, in which a key named "title" or "type" has no special meaning.
_ONE_SCHEMA = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_LIST_OF_SCHEMAS = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_SCHEMA_BY_NAME = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})

Schema: TypeAlias = "dict[str, object]"
"""A JSON schema object. `True` and `False` are schemas too; code that can meet them checks for them."""


def map_subschemas(schema: Schema, change: Callable[[str | None, Schema], Schema]) -> Schema:
    """Return the schema with each direct subschema replaced by `change(name, subschema)`.

    The name is the property, definition or keyword that contains the subschema; it is None inside a list.
    """
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword in _ONE_SCHEMA and isinstance(value, dict):
            result[keyword] = change(keyword, value)
        elif keyword in _LIST_OF_SCHEMAS and isinstance(value, list):
            result[keyword] = [change(None, item) if isinstance(item, dict) else item for item in value]
        elif keyword in _SCHEMA_BY_NAME and isinstance(value, dict):
            result[keyword] = {
                name: change(name, item) if isinstance(item, dict) else item for name, item in value.items()
            }
        else:
            result[keyword] = value
    return result


def _drop_repeated_titles(name: str | None, schema: Schema) -> Schema:
    title = schema.get("title")
    if isinstance(title, str) and (name is None or title.lower() == name.lower()):
        schema = {keyword: value for keyword, value in schema.items() if keyword != "title"}
    return map_subschemas(schema, _drop_repeated_titles)


class GenerateJsonSchemaNoTitles(GenerateJsonSchema):
    """A schema generator that omits information that a model receives elsewhere.

    It omits the top-level title and description, because a tool has a name and a description of its own. It also omits
    titles that only repeat the name of a property, definition or keyword, and fields with a default that JSON cannot
    represent, such as `errors: list[ValidationError] | None = None`.

    Example:
        ```python
        Book.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles)
        # {"properties": {"title": {"type": "string"}}, "required": ["title"], "type": "object"}
        ```
    """

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        try:
            return super().default_schema(schema)
        except PydanticInvalidForJsonSchema:
            raise PydanticOmit from None  # the model cannot send it, and does not have to

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        generated = super().generate(schema, mode=mode)
        generated.pop("description", None)
        return _drop_repeated_titles(None, generated)
