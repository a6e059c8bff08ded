"""Tool classes, plain models and plain types as tools of a provider."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar, Union

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    field_validator,
    model_validator,
)

from ferroscope.core.base.from_call_args import FromCallArgs
from ferroscope.core.base.tool import DEFAULT_TOOL_DOCSTRING, BaseTool, provider_tool_type
from ferroscope.core.openai.tool import OpenAITool

T = TypeVar("T")


def openai_tool(tool: Any) -> type[OpenAITool]:
    return provider_tool_type(tool, OpenAITool)


def described(tool: Any) -> Any:
    return openai_tool(tool).tool_schema()["function"]


class FormatBook(BaseTool):
    """Returns a book, nicely formatted.

    Twice if asked.
    """

    title: str = Field(..., description="The title of the book.", examples=["Emma"])
    times: int = 1

    def call(self) -> str:
        return self.title * self.times


def test_a_tool_class_is_sent_with_its_fields() -> None:
    assert openai_tool(FormatBook).tool_schema() == {
        "type": "function",
        "function": {
            "name": "FormatBook",
            "description": "Returns a book, nicely formatted.\n\nTwice if asked.",
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {
                        "type": "string",
                        "description": "The title of the book.",
                        "examples": ["Emma"],
                    },
                    "times": {"type": "integer", "default": 1},
                },
                "required": ["title"],
            },
        },
    }


def test_a_called_tool_is_an_instance_of_the_users_class() -> None:
    tool = openai_tool(FormatBook).from_arguments(
        id="call_1", name="FormatBook", arguments='{"title":"Emma","times":2}'
    )
    assert isinstance(tool, FormatBook)
    assert isinstance(tool, OpenAITool)
    assert (tool.call(), tool.args, tool.id) == ("EmmaEmma", {"title": "Emma", "times": 2}, "call_1")


def test_a_custom_name() -> None:
    class Search(BaseTool):
        """Searches."""

        __custom_name__ = "web_search"

        def call(self) -> None: ...

    assert described(Search) == {"name": "web_search", "description": "Searches."}


def test_overridden_name_and_description() -> None:
    class Search(BaseTool):
        @classmethod
        def _name(cls) -> str:
            return "s"

        @classmethod
        def _description(cls) -> str:
            return "d"

        def call(self) -> None: ...

    assert described(Search) == {"name": "s", "description": "d"}


def test_a_name_that_no_provider_accepts_is_made_acceptable() -> None:
    class Box(BaseModel, Generic[T]):
        content: T

    assert described(Box[int])["name"] == "Box_int_"


def test_validators_and_configuration_of_the_class_hold() -> None:
    class Strict(BaseTool):
        model_config = ConfigDict(extra="forbid", frozen=True)
        title: str

        @field_validator("title")
        @classmethod
        def upper(cls, value: str) -> str:
            return value.upper()

        def call(self) -> None: ...

    tool = openai_tool(Strict).from_arguments(id="c", name="Strict", arguments='{"title":"a"}')
    assert tool.args == {"title": "A"}
    assert described(Strict)["parameters"]["additionalProperties"] is False
    with pytest.raises(ValidationError, match="frozen"):
        tool.title = "b"  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        openai_tool(Strict).from_arguments(id="c", name="Strict", arguments='{"title":"a","x":1}')


@pytest.mark.filterwarnings("ignore:Field name .* shadows an attribute in parent:UserWarning")
def test_fields_named_like_what_tools_have_keep_their_values() -> None:
    class Order(BaseTool):
        id: int  # type: ignore[assignment]
        args: list[str] = Field(default=[])  # type: ignore[assignment]
        delta: float = 0.0  # type: ignore[assignment]

        def call(self) -> tuple[object, ...]:
            return self.id, self.args, self.delta

    tool = openai_tool(Order).from_arguments(id="call_1", name="Order", arguments='{"id":5,"args":["a"],"delta":0.5}')
    assert tool.call() == (5, ["a"], 0.5)
    assert tool.tool_call.id == "call_1"
    assert set(described(Order)["parameters"]["properties"]) == {"id", "args", "delta"}


def test_a_field_named_like_an_attribute_of_models_is_an_error_and_its_alias_works() -> None:
    with pytest.raises(TypeError, match=r"'Shadow' has a field 'model_fields'.*Field\(alias='model_fields'\)"):

        class Shadow(BaseTool):
            model_fields: str  # type: ignore[assignment]

    class Renamed(BaseTool):
        fields: str = Field(alias="model_fields")

        def call(self) -> str:
            return self.fields

    tool = openai_tool(Renamed).from_arguments(id="c", name="Renamed", arguments='{"model_fields":"a"}')
    assert tool.call() == "a"
    assert set(described(Renamed)["parameters"]["properties"]) == {"model_fields"}


def test_a_class_may_have_a_property_with_the_name_of_an_attribute_of_models() -> None:
    class Listed(BaseTool):
        field: str = "value"

        @property
        def model_fields(self) -> list[str]:  # type: ignore[override]
            return ["field"]

        def call(self) -> str:
            return self.field

    tool = openai_tool(Listed).from_arguments(id="c", name="Listed", arguments='{"field":"a"}')
    assert (tool.call(), tool.args, Listed().args) == ("a", {"field": "a"}, {"field": "value"})
    assert set(described(Listed)["parameters"]["properties"]) == {"field"}


class Book(BaseModel):
    """A book."""

    id: int
    title: str = Field("untitled", alias="name")


def test_calling_a_plain_model_gives_an_instance_of_it() -> None:
    tool = openai_tool(Book).from_arguments(id="call_1", name="Book", arguments='{"id":1,"name":"Emma"}')
    assert isinstance(tool, Book)
    assert tool.call() == Book(id=1, name="Emma")
    assert type(tool.call()) is Book
    assert described(Book) == {
        "name": "Book",
        "description": "A book.",
        "parameters": {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "name": {"type": "string", "default": "untitled"}},
            "required": ["id"],
        },
    }


def test_fields_that_the_calls_arguments_fill_are_not_asked_of_the_model() -> None:
    class Recommendation(BaseModel):
        genre: Annotated[str, FromCallArgs()]
        title: str

        @model_validator(mode="after")
        def checked(self) -> Recommendation:
            return self

    assert described(Recommendation)["parameters"] == {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
    }
    tool = openai_tool(Recommendation).from_arguments(id="c", name="x", arguments='{"title":"Emma"}')
    assert tool.args == {"title": "Emma"}


def test_a_plain_model_keeps_a_call_of_its_own() -> None:
    class Greeting(BaseModel):
        name: str

        def call(self) -> str:
            return f"hello {self.name}"

    assert openai_tool(Greeting).model_validate({"name": "you"}).call() == "hello you"


def test_models_that_contain_themselves() -> None:
    class Node(BaseTool):
        """A node."""

        name: str
        children: list[Node] = Field(default=[])

        def call(self) -> int:
            return sum(child.call() for child in self.children) + 1

    node = {
        "description": "A node.",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "default": []},
        },
        "required": ["name"],
    }
    root = {key: item for key, item in node.items() if key != "description"}
    assert described(Node)["parameters"] == {**root, "$defs": {"Node": node}}
    tool = openai_tool(Node).from_arguments(
        id="c", name="Node", arguments='{"name":"a","children":[{"name":"b"},{"name":"c"}]}'
    )
    assert tool.call() == 3


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            RootModel[int],
            (
                "'RootModel[int]' is a root model, but the arguments of a tool are an object: "
                "use a model with a field of this type"
            ),
        ),
        (
            type("Odd", (BaseModel,), {"__annotations__": {"tool_call": int}, "__module__": __name__}),
            (
                "'Odd' has a field 'tool_call', which tools use for the call that created them: "
                "rename the field, and set `alias='tool_call'`"
            ),
        ),
        (
            dict,
            (
                "this cannot be a tool: the class `dict`: a tool is a function, a class that extends `BaseTool`, "
                "or a pydantic model"
            ),
        ),
    ],
)
def test_what_cannot_be_a_tool_says_why(model: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        openai_tool(model)
    assert str(raised.value) == message


def test_a_tool_without_call_cannot_be_made() -> None:
    class NoCall(BaseTool):
        pass

    with pytest.raises(TypeError, match="abstract"):
        NoCall()  # type: ignore[abstract]


def test_the_base_class_has_no_wire_schema() -> None:
    with pytest.raises(RuntimeError) as raised:
        FormatBook.tool_schema()
    assert str(raised.value) == (
        "FormatBook.tool_schema() is not implemented. "
        "This method should be implemented in provider-specific tool classes."
    )


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("base_type", "name", "value", "arguments", "expected"),
    [
        (str, "str", {"type": "string"}, '{"value":"a"}', "a"),
        (bool, "bool", {"type": "boolean"}, '{"value":true}', True),
        (list[str], "list", {"type": "array", "items": {"type": "string"}}, '{"value":["a"]}', ["a"]),
        (
            dict[str, int],
            "dict",
            {"type": "object", "additionalProperties": {"type": "integer"}},
            '{"value":{"a":1}}',
            {"a": 1},
        ),
        (
            set[int],
            "set",
            {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
            '{"value":[1]}',
            {1},
        ),
        (Literal["a", "b"], "Literal", {"type": "string", "enum": ["a", "b"]}, '{"value":"b"}', "b"),
        (
            Union[int, str],  # noqa: UP007
            "Union",
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            '{"value":"x"}',
            "x",
        ),
        (int | str, "Union", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, '{"value":1}', 1),
        (
            Annotated[int, Field(gt=0)],
            "int",
            {"type": "integer", "exclusiveMinimum": 0},
            '{"value":1}',
            1,
        ),
    ],
)
def test_plain_types_have_one_field_called_value(
    base_type: Any, name: str, value: dict[str, object], arguments: str, expected: object
) -> None:
    tool = OpenAITool.type_from_base_type(base_type)
    assert tool.tool_schema() == {
        "type": "function",
        "function": {
            "name": name,
            "description": DEFAULT_TOOL_DOCSTRING,
            "parameters": {"type": "object", "properties": {"value": value}, "required": ["value"]},
        },
    }
    made = tool.from_arguments(id="c", name=name, arguments=arguments)
    assert (made.args, made.call()) == ({"value": expected}, expected)


def test_an_enum_is_named_after_itself() -> None:
    assert OpenAITool.type_from_base_type(Color).tool_schema()["function"] == {
        "name": "Color",
        "description": DEFAULT_TOOL_DOCSTRING,
        "parameters": {
            "type": "object",
            "$defs": {"Color": {"type": "string", "enum": ["red", "blue"]}},
            "properties": {"value": {"$ref": "#/$defs/Color"}},
            "required": ["value"],
        },
    }


def test_an_optional_type_is_a_union_with_null() -> None:
    for base_type in (Optional[int], int | None):  # noqa: UP045
        tool = OpenAITool.type_from_base_type(base_type)
        assert tool.model_json_schema()["properties"] == {"value": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
        assert tool.from_arguments(id="c", name="x", arguments='{"value":null}').args == {"value": None}
