"""Schemas in the form that OpenAI accepts with `strict: true`, one rule a case."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from ferroscope.core.base._schemas.strict_schema import strict_schema


def closed(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


STRING: dict[str, object] = {"type": "string"}

RULES: list[Any] = [
    pytest.param(
        {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a"]},
        closed(a=STRING, b=STRING),
        id="every property is required",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {"type": "integer", "default": 3}}},
        closed(a={"type": "integer"}),
        id="no defaults",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": STRING}}}},
        closed(a=closed(b=STRING)),
        id="objects are closed at every level",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": STRING}}}},
        },
        closed(a={"type": "array", "items": closed(b=STRING)}),
        id="objects are closed inside arrays",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {"a": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}], "default": None}},
            "$defs": {"B": {"type": "object", "properties": {"c": STRING}}},
        },
        {**closed(a={"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]}), "$defs": {"B": closed(c=STRING)}},
        id="optional is a union with null, and definitions are closed",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/B", "description": "An a.", "default": "x"}},
        },
        closed(a={"anyOf": [{"$ref": "#/$defs/B"}], "description": "An a."}),
        id="nothing stands beside a reference",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/B", "default": "x"}}},
        closed(a={"$ref": "#/$defs/B"}),
        id="a reference with only a default stays one",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/$defs/B"}], "description": "An a."}}},
        closed(a={"anyOf": [{"$ref": "#/$defs/B"}], "description": "An a."}),
        id="allOf, as old pydantic writes a reference with a description",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {
                "a": {
                    "oneOf": [{"$ref": "#/$defs/B"}, {"$ref": "#/$defs/C"}],
                    "discriminator": {"propertyName": "kind", "mapping": {"b": "#/$defs/B"}},
                }
            },
        },
        closed(a={"anyOf": [{"$ref": "#/$defs/B"}, {"$ref": "#/$defs/C"}]}),
        id="oneOf is anyOf, without discriminator",
    ),
    pytest.param(
        {
            "$ref": "#/$defs/Node",
            "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
        },
        {
            **closed(next={"$ref": "#/$defs/Node"}),
            "$defs": {"Node": closed(next={"$ref": "#/$defs/Node"})},
        },
        id="a recursive root becomes an object",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {
                "a": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 5,
                    "pattern": "^a",
                    "examples": ["a"],
                    "deprecated": True,
                    "contentMediaType": "text/html",
                }
            },
        },
        closed(a={"type": "string", "pattern": "^a"}),
        id="keywords that are not supported go",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?!x).*(?<=y)$"}}},
        closed(a=STRING),
        id="a pattern with lookaround goes",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {
                "at": {"type": "string", "format": "date-time"},
                "url": {"type": "string", "format": "uri", "minLength": 1},
                "raw": {"type": "string", "format": "binary"},
            },
        },
        closed(at={"type": "string", "format": "date-time"}, url=STRING, raw=STRING),
        id="formats that are not supported go",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {
                "n": {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
                "l": {"type": "array", "items": STRING, "minItems": 1, "maxItems": 3, "uniqueItems": True},
            },
        },
        closed(
            n={"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
            l={"type": "array", "items": STRING, "minItems": 1, "maxItems": 3},
        ),
        id="limits of numbers and arrays stay",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {
                "p": {
                    "type": "array",
                    "prefixItems": [{"type": "integer"}, STRING, STRING],
                    "minItems": 3,
                    "maxItems": 3,
                }
            },
        },
        closed(
            p={
                "type": "array",
                "items": {"anyOf": [{"type": "integer"}, STRING]},
                "minItems": 3,
                "maxItems": 3,
            }
        ),
        id="a tuple is an array of any of its kinds",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {}, "l": {"type": "array", "items": {}}}},
        closed(
            a={"type": ["string", "number", "boolean", "null"]},
            l={"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}},
        ),
        id="anything is any scalar",
    ),
    pytest.param(
        {"type": "object", "properties": {"a": {"enum": ["x", 1, None]}, "b": {"const": 2}}},
        closed(
            a={"enum": ["x", 1, None], "type": ["string", "integer", "null"]},
            b={"const": 2, "type": "integer"},
        ),
        id="enums and constants have a type",
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {"title": {**STRING, "title": "The Title"}, "type": STRING, "default": STRING},
        },
        closed(title={**STRING, "title": "The Title"}, type=STRING, default=STRING),
        id="properties may be named like keywords",
    ),
    pytest.param({"type": "object", "properties": {}}, closed(), id="no properties"),
]


@pytest.mark.parametrize(("schema", "expected"), RULES)
def test_a_rule_of_strict_mode(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(schema)
    assert strict_schema(schema) == expected
    assert repr(schema) == before, "the argument was changed"
    assert strict_schema(expected) == expected


@pytest.mark.parametrize(
    "free",
    [
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "additionalProperties": True},
        {"type": "object"},
    ],
)
def test_an_object_with_free_keys_is_a_warning(free: dict[str, object]) -> None:
    with pytest.warns(UserWarning, match=r"free keys \('prices'\): the model can only send it empty"):
        strict = strict_schema({"type": "object", "properties": {"prices": free}})
    assert strict == closed(prices=closed())


class Kind(Enum):
    A = "a"
    B = 1


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str | None = Field(default=None, min_length=1)


class Everything(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"a": 1}]})

    text: Annotated[str, Field(min_length=1, pattern="^a")] = "a"
    number: float = Field(default=1, gt=0)
    amount: Decimal = Decimal("1.5")
    kind: Kind = Field(default=Kind.A, description="Which.")
    kinds: set[Kind] = set()
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    pets: dict[str, Cat] | None = None
    pair: tuple[int, Cat] = (1, Cat(kind="cat"))
    when: datetime.datetime | None = None
    day: datetime.date
    which: uuid.UUID
    anything: Any = None
    raw: bytes = b""
    again: list[Everything] = Field(default=[], description="Recursion.")
    parent: Everything | None = None


def assert_valid(schema: Any, definitions: dict[str, Any]) -> None:
    """Checks what OpenAI documents about strict schemas, for each subschema by itself."""
    if "$ref" in schema:
        assert set(schema) == {"$ref"}
        assert schema["$ref"].removeprefix("#/$defs/") in definitions
        return
    assert "type" in schema or "anyOf" in schema
    forbidden = {"default", "oneOf", "allOf", "not", "if", "patternProperties", "prefixItems", "examples"}
    assert not forbidden & set(schema)
    assert schema.get("format", "date") in (
        ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
    )
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
    if schema.get("type") == "array":
        assert "items" in schema
    for inner in [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]:
        assert_valid(inner, definitions)
    if "items" in schema:
        assert_valid(schema["items"], definitions)


@pytest.mark.filterwarnings("ignore:strict mode cannot express an object with free keys")
def test_whatever_pydantic_can_describe_becomes_valid() -> None:
    strict: Any = strict_schema(Everything.model_json_schema(schema_generator=GenerateJsonSchema))
    assert strict["type"] == "object"
    for schema in [strict, *strict["$defs"].values()]:
        assert_valid(schema, strict["$defs"])
    # The model's answer, in the strict form, is one that pydantic accepts.
    answer = {
        "text": "a",
        "number": 1,
        "amount": "2.5",
        "kind": "a",
        "kinds": [],
        "pet": {"kind": "dog", "name": None},
        "pets": None,
        "pair": [1, {"kind": "cat", "lives": 9}],
        "when": None,
        "day": "2026-01-01",
        "which": "00000000-0000-0000-0000-000000000000",
        "anything": "x",
        "raw": "",
        "again": [],
        "parent": None,
    }
    assert set(answer) == set(strict["required"])
    assert Everything.model_validate(answer).pet == Dog(kind="dog")
