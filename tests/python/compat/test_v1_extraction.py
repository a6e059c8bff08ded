"""Response models, JSON mode and evaluations as v1's documentation has them."""

from __future__ import annotations

import asyncio
import json
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ferroscope import Messages, llm, prompt_template
from ferroscope.core import FromCallArgs, ResponseModelConfigDict, anthropic, openai
from ferroscope.core.base import BaseStructuredStream
from ferroscope.testing import Answer, Json, ProviderServer, Text, ToolCall, Usage

WIND = {"title": "The Name of the Wind", "author": "Patrick Rothfuss"}


class Book(BaseModel):
    """A book with its author."""

    title: str
    author: str


def sent(server: ProviderServer) -> dict[str, Any]:
    return server.requests[-1].json


def test_a_model_by_a_tool(server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("Book", WIND), usage=Usage(5, 2)))

    @openai.call("gpt-4o-mini", response_model=Book)
    @prompt_template("Extract {text}")
    def extract(text: str): ...

    book = extract("The Name of the Wind by Patrick Rothfuss")
    assert book == Book(**WIND)
    response = book._response
    assert isinstance(response, openai.OpenAICallResponse)
    assert (response.input_tokens, response.tool.args) == (5, WIND)
    [tool] = sent(server)["tools"]
    assert (tool["function"]["name"], sent(server)["tool_choice"]) == ("Book", "required")
    assert tool["function"]["description"] == "A book with its author."
    assert tool["function"]["parameters"]["required"] == ["title", "author"]


def test_a_model_in_json_mode(server: ProviderServer) -> None:
    server.reply(Json(WIND))
    book = openai.call("gpt-4o-mini", response_model=Book, json_mode=True)(lambda: "Extract")()
    assert book == Book(**WIND)
    assert sent(server)["response_format"] == {"type": "json_object"}
    first, last = sent(server)["messages"]
    assert first == {"role": "user", "content": "Extract"}
    assert last["role"] == "user"
    assert last["content"].startswith("For your final response, output ONLY a valid JSON dict")
    assert '"title"' in last["content"]


def test_json_mode_alone(server: ProviderServer) -> None:
    server.reply(Json(WIND))
    response = openai.call("gpt-4o-mini", json_mode=True)(lambda: "As JSON")()
    assert json.loads(response.content) == WIND
    assert sent(server)["response_format"] == {"type": "json_object"}


def test_a_model_parsed_by_hand(server: ProviderServer) -> None:
    server.reply(Json(WIND))
    parse = lambda response: Book.model_validate_json(response.content)  # noqa: E731
    assert openai.call("gpt-4o-mini", json_mode=True, output_parser=parse)(lambda: "As JSON")() == Book(**WIND)


class Genre(Enum):
    NOVEL = "novel"
    POEM = "poem"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (str, "Emma", "Emma"),
        (int, 3, 3),
        (float, 1.5, 1.5),
        (bool, True, True),
        (list[str], ["a", "b"], ["a", "b"]),
        (list[Book], [WIND], [Book(**WIND)]),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (set[int], [1, 1], {1}),
        (tuple[str, int], ["a", 1], ("a", 1)),
        (Literal["a", "b"], "b", "b"),
        (Genre, "poem", Genre.POEM),
        (int | str, "x", "x"),
    ],
    ids=str,
)
def test_base_types(server: ProviderServer, kind: Any, value: Any, expected: Any) -> None:
    def answer(request: Any) -> Any:
        return ToolCall(request.json["tools"][0]["function"]["name"], {"value": value})

    server.reply_always(answer)
    assert openai.call("gpt-4o-mini", response_model=kind)(lambda: "Extract")() == expected


def test_a_validation_error_carries_the_response(server: ProviderServer) -> None:
    def upper(value: str) -> str:
        assert value.isupper(), "must be upper case"
        return value

    class Loud(BaseModel):
        title: Annotated[str, AfterValidator(upper)]

    server.reply(ToolCall("Loud", {"title": "quiet"}))
    with pytest.raises(ValidationError, match="must be upper case") as caught:
        openai.call("gpt-4o-mini", response_model=Loud)(lambda: "Extract")()
    assert caught.value._response.tool_types[0]._name() == "Loud"  # type: ignore[attr-defined]


def test_an_answer_without_a_tool_call(server: ProviderServer) -> None:
    server.reply("")
    with pytest.raises(ValueError, match=r"No tool call or JSON object found in response\."):
        openai.call("gpt-4o-mini", response_model=Book)(lambda: "Extract")()


def test_strict_structured_outputs(server: ProviderServer) -> None:
    class Strict(BaseModel):
        title: str
        model_config = ResponseModelConfigDict(strict=True)

    server.reply(Json({"title": "Emma"}))
    assert openai.call("gpt-4o-mini", response_model=Strict, json_mode=True)(lambda: "x")().title == "Emma"
    wanted = sent(server)["response_format"]
    assert (wanted["type"], wanted["json_schema"]["name"], wanted["json_schema"]["strict"]) == (
        "json_schema",
        "Strict",
        True,
    )
    assert wanted["json_schema"]["schema"]["additionalProperties"] is False
    assert len(sent(server)["messages"]) == 1


def test_examples_in_the_model(server: ProviderServer) -> None:
    class Example(BaseModel):
        title: str = Field(..., examples=["Emma"])
        model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Dune"}]})

    server.reply(ToolCall("Example", {"title": "Emma"}))
    assert openai.call("gpt-4o-mini", response_model=Example)(lambda: "x")().title == "Emma"
    parameters = sent(server)["tools"][0]["function"]["parameters"]
    assert parameters["examples"] == [{"title": "Dune"}]
    assert parameters["properties"]["title"]["examples"] == ["Emma"]


def test_fields_from_the_calls_arguments(server: ProviderServer) -> None:
    class Titled(BaseModel):
        title: Annotated[str, FromCallArgs()]
        author: str

    server.reply(ToolCall("Titled", {"author": "Jane Austen"}))

    @openai.call("gpt-4o-mini", response_model=Titled)
    def identify(title: str) -> str:
        return f"Who wrote {title}?"

    assert identify("Emma") == Titled(title="Emma", author="Jane Austen")
    assert list(sent(server)["tools"][0]["function"]["parameters"]["properties"]) == ["author"]


@pytest.mark.parametrize("json_mode", [False, True])
def test_partial_models_stream(server: ProviderServer, json_mode: bool) -> None:
    part = Json(WIND, chunks=6) if json_mode else ToolCall("Book", WIND, chunks=6)
    server.reply(part)

    @openai.call("gpt-4o-mini", stream=True, response_model=Book, json_mode=json_mode)
    def extract() -> str:
        return "Extract"

    stream = extract()
    assert isinstance(stream, BaseStructuredStream)
    partials = list(stream)
    assert partials[-1] == Book(**WIND) == stream.constructed_response_model
    assert type(partials[-1]) is Book
    assert type(partials[0]).__name__ == "PartialBook"
    titles = [partial.title for partial in partials if partial.title is not None]
    assert all(WIND["title"].startswith(title) for title in titles)


def test_partial_models_stream_asynchronously(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", WIND, chunks=6))

    @openai.call("gpt-4o-mini", stream=True, response_model=Book)
    async def extract() -> str:
        return "Extract"

    async def main() -> list[Book]:
        return [partial async for partial in await extract()]

    assert asyncio.run(main())[-1] == Book(**WIND)


def test_a_model_and_a_parser_and_tools(server: ProviderServer) -> None:
    def look(title: str) -> str:
        """Looks."""
        return f"looked at {title}"

    server.reply(ToolCall("Book", WIND), ToolCall("look", {"title": "Emma"}), Json(WIND))
    parsed = openai.call("gpt-4o-mini", response_model=Book, output_parser=lambda book: book.title)
    assert parsed(lambda: "Extract")() == WIND["title"]

    both: Any = openai.call("gpt-4o-mini", response_model=Book, tools=[look])(lambda: "Extract")
    response = both()
    assert isinstance(response, openai.OpenAICallResponse)
    assert response.tool.call() == "looked at Emma"
    assert both() == Book(**WIND)


class Eval(BaseModel):
    """A score with its reason."""

    score: int = Field(..., ge=0, le=5)
    reasoning: str


def test_a_panel_of_judges(server: ProviderServer) -> None:
    prompt = "SYSTEM: You are a judge.\nUSER: Rate: {text}"

    @openai.call("gpt-4o-mini", response_model=Eval)
    @prompt_template(prompt)
    async def by_openai(text: str): ...

    @anthropic.call("claude-3-5-sonnet-20240620", response_model=Eval)
    @prompt_template(prompt)
    async def by_anthropic(text: str): ...

    @llm.call(provider="openai", model="gpt-4o", response_model=Eval)
    @prompt_template(prompt)
    async def by_any(text: str): ...

    scores = {"gpt-4o-mini": 2, "claude-3-5-sonnet-20240620": 4, "gpt-4o": 3}

    def answer(request: Any) -> Any:
        return ToolCall("Eval", {"score": scores[request.json["model"]], "reasoning": "clear"})

    server.reply_always(answer)

    async def main() -> list[Eval]:
        return await asyncio.gather(*(judge("text") for judge in (by_openai, by_anthropic, by_any)))

    evals = asyncio.run(main())
    assert [one.score for one in evals] == [2, 4, 3]
    assert isinstance(evals[1]._response, anthropic.AnthropicCallResponse)
    assert isinstance(evals[2]._response, llm.CallResponse)


def test_a_model_of_anthropic(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", WIND), Json(WIND), ToolCall("Book", WIND, chunks=5))
    call = anthropic.call
    assert call("claude-3-5-sonnet-20240620", response_model=Book)(lambda: "x")() == Book(**WIND)
    assert sent(server)["tool_choice"] == {"type": "tool", "name": "Book"}
    assert call("claude-3-5-sonnet-20240620", response_model=Book, json_mode=True)(lambda: "x")() == Book(**WIND)
    streamed = call("claude-3-5-sonnet-20240620", response_model=Book, stream=True)(lambda: "x")()
    assert list(streamed)[-1] == Book(**WIND)


def test_a_prompt_with_messages_around(server: ProviderServer) -> None:
    server.reply(ToolCall("Book", WIND), Answer(Text("Yes.")))

    @openai.call("gpt-4o-mini", response_model=Book)
    def extract(text: str) -> Messages.Type:
        return [Messages.System("Extract books."), Messages.User(text)]

    book = extract("Some text")

    @openai.call("gpt-4o-mini")
    @prompt_template("Is {book.title} by {book.author} good?")
    def rate(book: Book): ...

    assert rate(book).content == "Yes."
    assert sent(server)["messages"][0]["content"] == "Is The Name of the Wind by Patrick Rothfuss good?"


class Loose(BaseModel):
    name: str = Field(min_length=3)
    year: int | None = None
    tags: list[str] = Field(default_factory=list)


def look(title: str) -> str:
    """Looks."""
    return f"looked at {title}"


def test_streamed_models_that_v1_could_not_read(server: ProviderServer) -> None:
    value = {"name": "Emma", "year": 1815, "tags": ["novel"]}
    server.reply(ToolCall("Loose", value, chunks=list(json.dumps(value))))
    partials = list(openai.call("gpt-4o-mini", stream=True, response_model=Loose)(lambda: "x")())
    assert partials[-1] == Loose(**value)
    assert partials[-1]._response.tool.args == value
    assert {partial.year for partial in partials} == {None, 1815}  # never 1, 18, 181
    assert sent(server)["tool_choice"] == "required"

    server.reply(Text(f"Here: {json.dumps(value)} I hope {{this}} helps."))
    stream = openai.call("gpt-4o-mini", stream=True, response_model=Loose, json_mode=True)(lambda: "x")()
    assert list(stream)[-1] == Loose(**value)
    assert '"year"' in sent(server)["messages"][-1]["content"]


def test_streamed_models_beside_tools(server: ProviderServer) -> None:
    server.reply(Json(WIND))
    stream: Any = openai.call("gpt-4o-mini", stream=True, response_model=Book, tools=[look])(lambda: "x")()
    assert list(stream)[-1] == Book(**WIND)
    assert [tool["function"]["name"] for tool in sent(server)["tools"]] == ["look"]


@pytest.mark.parametrize("options", [{"json_mode": True}, {"tools": [look]}], ids=["json", "tools"])
def test_builtin_types_in_every_way(server: ProviderServer, options: Any) -> None:
    server.reply(Json({"value": ["a"]}), Json(["a"]))
    call: Any = openai.call("gpt-4o-mini", response_model=list[str], **options)(lambda: "x")
    assert [call(), call()] == [["a"], ["a"]]
