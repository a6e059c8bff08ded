"""What OpenAI is sent to answer with a response model: whole bodies, but for the prompt's own message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from ferroscope.core import FromCallArgs, ResponseModelConfigDict, openai
from ferroscope.core.base.tool import DEFAULT_TOOL_DOCSTRING
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall


class Author(BaseModel):
    name: str


class Book(BaseModel):
    """A book."""

    title: str = Field(description="Its title.")
    author: Author
    tags: list[str] = []
    genre: Annotated[str, FromCallArgs()] = ""


class StrictBook(BaseModel):
    """A book, strictly."""

    model_config = ResponseModelConfigDict(strict=True)

    title: str
    year: int = 1800
    author: Author | None = None
    genre: Annotated[str, FromCallArgs()] = ""


BOOK_SCHEMA: dict[str, Any] = {
    "$defs": {
        "Author": {"properties": {"name": {"type": "string"}}, "required": ["name"], "type": "object"},
    },
    "properties": {
        "title": {"description": "Its title.", "type": "string"},
        "author": {"$ref": "#/$defs/Author"},
        "tags": {"default": [], "items": {"type": "string"}, "type": "array"},
    },
    "required": ["title", "author"],
    "type": "object",
}

STRICT_SCHEMA: dict[str, Any] = {
    "$defs": {
        "Author": {
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "type": "object",
            "additionalProperties": False,
        },
    },
    "properties": {
        "title": {"type": "string"},
        "year": {"type": "integer"},
        "author": {"anyOf": [{"$ref": "#/$defs/Author"}, {"type": "null"}]},
    },
    "required": ["title", "year", "author"],
    "type": "object",
    "additionalProperties": False,
}


def shelve(place: str) -> str:
    """Puts the book on a shelf."""
    return place


SHELVE = {
    "type": "function",
    "function": {
        "name": "shelve",
        "description": "Puts the book on a shelf.",
        "parameters": {"properties": {"place": {"type": "string"}}, "required": ["place"], "type": "object"},
    },
}


def forced(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": parameters}
    return {"tools": [{"type": "function", "function": function}], "tool_choice": "required"}


def value(schema: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"value": schema}, "required": ["value"], "type": "object"}


def prompted(schema: dict[str, Any]) -> dict[str, Any]:
    told = (
        "For your final response, output ONLY a valid JSON dict (NOT THE SCHEMA) from the content that adheres to "
        f"this schema:\n{json.dumps(schema, indent=2)}"
    )
    return {
        "response_format": {"type": "json_object"},
        "messages": [{"role": "user", "content": "?"}, {"role": "user", "content": told}],
    }


STRICT = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "StrictBook",
            "description": "A book, strictly.",
            "strict": True,
            "schema": STRICT_SCHEMA,
        },
    }
}
JSON_MODE = "For your final response, output ONLY a valid JSON dict that adheres to the schema"
STRING = {"type": "string"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        yield server


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"response_model": Book}, forced("Book", "A book.", BOOK_SCHEMA)),
        ({"response_model": Book, "json_mode": True}, prompted(BOOK_SCHEMA)),
        ({"response_model": Book, "tools": [shelve]}, {**prompted(BOOK_SCHEMA), "tools": [SHELVE]}),
        ({"response_model": StrictBook, "json_mode": True}, STRICT),
        ({"response_model": StrictBook, "tools": [shelve]}, {**STRICT, "tools": [SHELVE]}),
        ({"response_model": str}, forced("str", DEFAULT_TOOL_DOCSTRING, value(STRING))),
        (
            {"response_model": list[str]},
            forced("list", DEFAULT_TOOL_DOCSTRING, value({"items": STRING, "type": "array"})),
        ),
        (
            {"response_model": Literal["a", "b"]},
            forced("Literal", DEFAULT_TOOL_DOCSTRING, value({"enum": ["a", "b"], "type": "string"})),
        ),
        (
            {"response_model": int | str},
            forced("Union", DEFAULT_TOOL_DOCSTRING, value({"anyOf": [{"type": "integer"}, STRING]})),
        ),
        ({"response_model": list[str], "json_mode": True}, prompted(value({"items": STRING, "type": "array"}))),
        (
            {"json_mode": True},
            {
                "response_format": {"type": "json_object"},
                "messages": [{"role": "user", "content": "?"}, {"role": "user", "content": JSON_MODE}],
            },
        ),
        (
            {"json_mode": True, "call_params": {"response_format": {"type": "text"}}},
            {
                "response_format": {"type": "text"},
                "messages": [{"role": "user", "content": "?"}, {"role": "user", "content": JSON_MODE}],
            },
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_body_of_a_request(
    server: ProviderServer, options: dict[str, Any], sent: dict[str, Any], stream: bool
) -> None:
    """v1 forced nothing and sent no schema when it streamed, and its strict schemas were refused (D12, D27)."""
    server.reply(Answer(Text('{"value": 3, "title": "Emma", "author": {"name": "Jane"}, "year": 1}')))

    @openai.call("gpt-4o-mini", stream=stream, **options)
    def recommend(genre: str = "novel") -> str:
        return "?"

    try:
        result: Any = recommend()
        if stream:
            list(result)
    except ValueError:
        pass  # only what is sent is looked at
    expected = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "?"}], **sent}
    if stream:
        expected |= {"stream": True, "stream_options": {"include_usage": True}}
    assert server.requests[-1].json == expected


def test_a_generic_model_has_a_name_that_openai_takes(server: ProviderServer) -> None:
    from typing import Generic, TypeVar

    T = TypeVar("T")

    class Page(BaseModel, Generic[T]):
        model_config = ConfigDict(strict=True)
        items: list[T]

    server.reply(Answer(Text('{"items": [1]}')))
    page = openai.call("gpt-4o-mini", response_model=Page[int], json_mode=True)(lambda: "?")()
    assert page.items == [1]
    described = server.requests[-1].json["response_format"]["json_schema"]
    assert (described["name"], described["description"]) == ("Page_int_", DEFAULT_TOOL_DOCSTRING)


def test_tools_among_the_parameters_stand_beside_our_own(server: ProviderServer) -> None:
    """v1 dropped them."""
    given: dict[str, Any] = {"type": "function", "function": {"name": "search"}}
    server.reply("Hello", Answer(ToolCall("Author", {"name": "Jane"})))
    params: Any = {"tools": [given]}

    def tell() -> str:
        """Tells the time."""
        return "noon"

    openai.call("gpt-4o-mini", tools=[tell], call_params=params)(lambda: "Hello")()
    openai.call("gpt-4o-mini", response_model=Author, call_params=params)(lambda: "Who?")()
    with_tool, with_model = (request.json for request in server.requests)
    assert [tool["function"]["name"] for tool in with_tool["tools"]] == ["search", "tell"]
    assert [tool["function"]["name"] for tool in with_model["tools"]] == ["search", "Author"]
    assert with_model["tool_choice"] == {"type": "function", "function": {"name": "Author"}}
    assert params == {"tools": [given]}
