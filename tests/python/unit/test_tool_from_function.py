"""Functions as tools: what the model is told about them, and how they are called with what it answers."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, PydanticInvalidForJsonSchema, ValidationError

from ferroscope.core.base.tool import DEFAULT_TOOL_DOCSTRING, BaseTool
from ferroscope.core.openai.tool import OpenAITool


def parameters_of(fn: Any) -> Any:
    return described(fn)["parameters"]


def described(fn: Any) -> Any:
    return OpenAITool.type_from_fn(fn).tool_schema()["function"]


def called(fn: Any, arguments: str) -> Any:
    return OpenAITool.type_from_fn(fn).from_arguments(id="call_1", name="any", arguments=arguments).call()


def google(title: str, author: str = "unknown") -> str:
    """Formats a book.

    It is pure:
        nothing is stored.

    Args:
        title: The title of the book,
            without its subtitle.
        author (str, optional): Who wrote it.

    Returns:
        str: The formatted book.

    Raises:
        ValueError: If the title is empty.

    Note:
        Titles are not looked up.

    Example:
        {"title": "Emma", "author": "Jane Austen"}

    Examples:
        {"title": "Dune"}
        {"title": "Ubik"}
    """
    return f"{title} by {author}"


def test_a_google_docstring_gives_descriptions_defaults_and_examples() -> None:
    assert OpenAITool.type_from_fn(google).tool_schema() == {
        "type": "function",
        "function": {
            "name": "google",
            "description": (
                "Formats a book.\n"
                "\n"
                "It is pure:\n"
                "    nothing is stored.\n"
                "\n"
                "Returns:\n"
                "    str: The formatted book.\n"
                "\n"
                "Raises:\n"
                "    ValueError: If the title is empty.\n"
                "\n"
                "Note:\n"
                "    Titles are not looked up."
            ),
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {
                        "type": "string",
                        "description": "The title of the book,\nwithout its subtitle.",
                    },
                    "author": {"type": "string", "description": "Who wrote it.", "default": "unknown"},
                },
                "required": ["title"],
                "examples": [
                    {"title": "Emma", "author": "Jane Austen"},
                    {"title": "Dune"},
                    {"title": "Ubik"},
                ],
            },
        },
    }


def test_a_numpy_docstring_gives_the_same_and_may_document_two_at_once() -> None:
    def move(x: int, y: int, unit: str = "px") -> None:
        """Moves the pointer.

        Parameters
        ----------
        x, y : int
            Where to.
        unit : str, optional
            Of both.
        """

    assert described(move) == {
        "name": "move",
        "description": "Moves the pointer.",
        "parameters": {
            "type": "object",
            "properties": {
                "x": {"type": "integer", "description": "Where to."},
                "y": {"type": "integer", "description": "Where to."},
                "unit": {"type": "string", "description": "Of both.", "default": "px"},
            },
            "required": ["x", "y"],
        },
    }


def test_a_sphinx_docstring_gives_the_same() -> None:
    def move(x: int, unit: str) -> None:
        """Moves the pointer.

        :param x: Where to.
        :type x: int
        :param str unit: Of it.
        :returns: Nothing.
        """

    assert described(move) == {
        "name": "move",
        "description": "Moves the pointer.\n\n:returns: Nothing.",
        "parameters": {
            "type": "object",
            "properties": {
                "x": {"type": "integer", "description": "Where to."},
                "unit": {"type": "string", "description": "Of it."},
            },
            "required": ["x", "unit"],
        },
    }


def test_examples_that_are_not_json_stay_in_the_description() -> None:
    def double(x: int) -> int:
        """Doubles a number.

        Example:
            >>> double(2)
            4
        """
        return 2 * x

    assert described(double) == {
        "name": "double",
        "description": "Doubles a number.\n\nExamples:\n    >>> double(2)\n    4",
        "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    }


def test_a_docstring_may_document_fewer_parameters_than_there_are() -> None:
    def f(a: int, b: int) -> None:
        """F.

        Args:
            a: The first.
        """

    assert parameters_of(f)["properties"] == {
        "a": {"type": "integer", "description": "The first."},
        "b": {"type": "integer"},
    }


def test_no_docstring_and_no_parameters() -> None:
    def ping() -> str:
        return "pong"

    assert described(ping) == {"name": "ping", "description": DEFAULT_TOOL_DOCSTRING}
    assert called(ping, "{}") == "pong"


def without_annotation(a, b: int): ...  # type: ignore[no-untyped-def]


def in_other_order(a: int, b: int) -> None:
    """F.

    Args:
        b: The second.
        a: The first.
    """


def with_nothing_to_say(a: int, b: int) -> None:
    """F.

    Args:
        a: The first.
        b:
    """


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (
            without_annotation,
            "All parameters must have a type annotation. The parameter `a` of the tool `without_annotation` has none: "
            "write `a: str`, for example",
        ),
        (
            in_other_order,
            (
                "Function parameter name a does not match docstring parameter name b. "
                "Make sure that the parameter names match exactly."
            ),
        ),
        (
            with_nothing_to_say,
            "All parameters must have a description. The docstring has none for `b`.",
        ),
    ],
)
def test_mistakes_appear_when_the_tool_is_made(fn: Any, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        BaseTool.type_from_fn(fn)
    assert str(raised.value) == message


class Genre(Enum):
    FANTASY = "fantasy"
    CRIME = "crime"


class Author(BaseModel):
    """Somebody who writes."""

    name: str
    born: int | None = None


def test_every_kind_of_annotation_has_its_schema() -> None:
    def f(
        genre: Genre,
        author: Author,
        others: list[Author],
        order: Literal["asc", "desc"] = "asc",
        year: int | None = None,
        tags: dict[str, int] | None = None,
        pair: tuple[int, str] = (1, "a"),
        isbn: Annotated[str, Field(description="Its number.", min_length=10)] = "0000000000",
        copies: int = Field(default=1, description="How many.", ge=1),
        either: int | str = 0,
    ) -> None: ...

    assert parameters_of(f) == {
        "type": "object",
        "$defs": {
            "Author": {
                "description": "Somebody who writes.",
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "born": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                },
                "required": ["name"],
            },
            "Genre": {"type": "string", "enum": ["fantasy", "crime"]},
        },
        "properties": {
            "genre": {"$ref": "#/$defs/Genre"},
            "author": {"$ref": "#/$defs/Author"},
            "others": {"type": "array", "items": {"$ref": "#/$defs/Author"}},
            "order": {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
            "year": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "tags": {
                "anyOf": [{"type": "object", "additionalProperties": {"type": "integer"}}, {"type": "null"}],
                "default": None,
            },
            "pair": {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
                "default": [1, "a"],
            },
            "isbn": {
                "type": "string",
                "description": "Its number.",
                "minLength": 10,
                "default": "0000000000",
            },
            "copies": {"type": "integer", "description": "How many.", "minimum": 1, "default": 1},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 0},
        },
        "required": ["genre", "author", "others"],
    }


def test_arguments_arrive_as_what_the_annotations_say() -> None:
    def f(genre: Genre, author: Author, pair: tuple[int, str] = (1, "a")) -> tuple[object, ...]:
        return genre, author, pair

    assert called(f, '{"genre": "crime", "author": {"name": "Sayers"}}') == (
        Genre.CRIME,
        Author(name="Sayers"),
        (1, "a"),
    )


def test_a_description_in_the_docstring_goes_before_one_in_the_annotation() -> None:
    def f(a: Annotated[int, Field(description="From the annotation.", gt=0)]) -> None:
        """F.

        Args:
            a: From the docstring.
        """

    assert parameters_of(f)["properties"] == {
        "a": {"type": "integer", "description": "From the docstring.", "exclusiveMinimum": 0}
    }


def test_names_that_tools_or_pydantic_use_themselves_are_fine_for_parameters() -> None:
    def f(model_name: str, id: int, args: list[int], delta: float, tool_call: str) -> list[object]:
        """F.

        Args:
            model_name: Of the car.
            id: Of the car's owner.
        """
        return [model_name, id, args, delta, tool_call]

    tool = OpenAITool.type_from_fn(f).from_arguments(
        id="call_1",
        name="f",
        arguments='{"model_name":"T","id":7,"args":[1],"delta":0.5,"tool_call":"x"}',
    )
    assert tool.tool_schema()["function"].get("parameters") == {
        "type": "object",
        "properties": {
            "model_name": {"type": "string", "description": "Of the car.", "title": "Model Name"},
            "id": {"type": "integer", "description": "Of the car's owner."},
            "args": {"type": "array", "items": {"type": "integer"}},
            "delta": {"type": "number"},
            "tool_call": {"type": "string", "title": "Tool Call"},
        },
        "required": ["model_name", "id", "args", "delta", "tool_call"],
    }
    assert tool.call() == ["T", 7, [1], 0.5, "x"]
    assert tool.args == {
        "model_name": "T",
        "id": 7,
        "args": [1],
        "delta": 0.5,
        "tool_call": "x",
    }
    assert (tool.id, tool.delta) == ("call_1", None)


def test_a_parameter_with_a_leading_underscore() -> None:
    def f(_hidden: int) -> int:
        return _hidden

    assert list(parameters_of(f)["properties"]) == ["_hidden"]
    assert called(f, '{"_hidden": 2}') == 2


def test_every_kind_of_parameter_is_passed_as_the_function_takes_it() -> None:
    def f(a: int, /, b: int, *rest: int, c: int, **more: str) -> tuple[object, ...]:
        return a, b, rest, c, more

    assert parameters_of(f)["required"] == ["a", "b", "rest", "c", "more"]
    assert called(f, '{"a":1,"b":2,"rest":[3,4],"c":5,"more":{"d":"6"}}') == (1, 2, (3, 4), 5, {"d": "6"})


def test_self_does_not_shift_the_descriptions() -> None:
    class Shelf:
        size = 3

        def put(self, title: str, place: int) -> str:
            """Puts a book.

            Args:
                title: Which one.
                place: Where.
            """
            return f"{title} at {place} of {self.size}"

        @classmethod
        def build(cls, size: int) -> str:
            """Builds a shelf."""
            return f"{cls.__name__} of {size}"

    descriptions = {
        "title": {"type": "string", "description": "Which one."},
        "place": {"type": "integer", "description": "Where."},
    }
    for fn in (Shelf().put, Shelf.put):
        assert parameters_of(fn)["properties"] == descriptions
    assert called(Shelf().put, '{"title":"Emma","place":1}') == "Emma at 1 of 3"
    assert called(Shelf.build, '{"size":2}') == "Shelf of 2"


def test_partials_and_callable_objects() -> None:
    class Search:
        def __call__(self, query: str) -> str:
            """Searches."""
            return query

    assert described(Search()) == {
        "name": "Search",
        "description": "Searches.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    }
    dune = functools.partial(google, "Dune")
    assert described(dune)["name"] == "google"
    assert parameters_of(dune)["properties"] == {
        "author": {"type": "string", "description": "Who wrote it.", "default": "unknown"}
    }
    assert called(dune, '{"author":"Herbert"}') == "Dune by Herbert"


class _Silent:
    def __call__(self, query: str) -> str:
        return query


class _Described:
    """Searches the library.

    Args:
        index: Of the constructor.
    """

    def __init__(self, index: str = "") -> None: ...

    def __call__(self, query: str) -> str:
        return query


@dataclass
class _Dataclass:
    index: str = ""

    def __call__(self, query: str) -> str:
        return query


@pytest.mark.parametrize(
    ("tool", "description"),
    [
        (_Silent(), DEFAULT_TOOL_DOCSTRING),
        (functools.partial(_Silent()), DEFAULT_TOOL_DOCSTRING),
        (_Silent().__call__, DEFAULT_TOOL_DOCSTRING),
        (_Dataclass(), DEFAULT_TOOL_DOCSTRING),
        (_Described(), "Searches the library."),
        (functools.partial(_Described()), "Searches the library."),
    ],
)
def test_a_callable_object_without_a_docstring(tool: Any, description: str) -> None:
    assert described(tool)["description"] == description
    assert described(tool)["parameters"]["required"] == ["query"]


async def test_an_async_function_gives_an_async_call() -> None:
    async def fetch(url: str) -> str:
        return f"<{url}>"

    tool = OpenAITool.type_from_fn(fetch).from_arguments(id=None, name="fetch", arguments='{"url":"a"}')
    assert inspect.iscoroutinefunction(tool.call)
    assert await tool.call() == "<a>"


def test_a_parameter_that_json_cannot_carry_names_the_tool() -> None:
    class Socket: ...

    def send(socket: Socket) -> None: ...

    with pytest.raises(PydanticInvalidForJsonSchema) as raised:
        OpenAITool.type_from_fn(send).tool_schema()
    assert raised.value.__notes__ == ["while creating the schema of the tool 'send': a model can only send JSON"]


def test_a_parameter_that_json_cannot_carry_is_left_out_if_it_has_a_default() -> None:
    def draft(prompt: str, *, errors: list[ValidationError] | None = None) -> str:
        return f"{prompt} {errors}"

    assert parameters_of(draft) == {
        "properties": {"prompt": {"type": "string"}},
        "required": ["prompt"],
        "type": "object",
    }
    assert called(draft, '{"prompt": "go"}') == "go None"


def test_annotations_may_name_local_classes() -> None:
    class Local(BaseModel):
        a: int

    def f(x: Local) -> NotImportable:  # type: ignore[name-defined]  # noqa: F821
        return x.a

    assert called(f, '{"x":{"a":1}}') == 1


def test_an_annotation_that_cannot_be_resolved_says_where() -> None:
    def f(x: OnlyForTypeCheckers) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(NameError) as raised:
        BaseTool.type_from_fn(f)
    assert raised.value.__notes__ == [
        (
            "while reading the annotations of the tool 'f': "
            "they must be importable when the tool is created, not only for type checkers"
        )
    ]
