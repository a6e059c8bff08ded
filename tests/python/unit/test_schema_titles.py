"""The schema generator that leaves out what a tool's name, description and keys say already."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ferroscope.core.base._schemas.json_schema import GenerateJsonSchemaNoTitles


class Part(BaseModel):
    """One of several."""

    type: str
    title: str
    properties: int = 1


class Whole(BaseModel):
    """All of it."""

    model_config = ConfigDict(title="A whole", json_schema_extra={"examples": [{"title": "x", "type": "y"}]})

    name: str
    first_name: str
    custom: int = Field(1, title="Something else")
    maybe: str | None = None
    parts: list[Part] = Field(default=[Part(type="a", title="b")], description="Its parts.")
    kind: Literal["title", "type"] = "title"


def test_titles_that_repeat_a_name_go_and_all_else_stays() -> None:
    assert Whole.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles) == {
        "type": "object",
        "examples": [{"title": "x", "type": "y"}],
        "$defs": {
            "Part": {
                "description": "One of several.",
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "properties": {"type": "integer", "default": 1},
                },
                "required": ["type", "title"],
            }
        },
        "properties": {
            "name": {"type": "string"},
            "first_name": {"type": "string", "title": "First Name"},
            "custom": {"type": "integer", "title": "Something else", "default": 1},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "parts": {
                "type": "array",
                "description": "Its parts.",
                "items": {"$ref": "#/$defs/Part"},
                "default": [{"type": "a", "title": "b", "properties": 1}],
            },
            "kind": {"type": "string", "enum": ["title", "type"], "default": "title"},
        },
        "required": ["name", "first_name"],
    }
