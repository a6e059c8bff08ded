"""Programs with tools, as v1's documentation has them."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ferroscope import BaseDynamicConfig, BaseTool, BaseToolKit, Messages, prompt_template
from ferroscope.core import anthropic, openai, toolkit_tool
from ferroscope.core.openai import OpenAITool, OpenAIToolConfig
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, ToolCalls


def get_book_author(title: str) -> str:
    """Returns the author of the book with the given title.

    Args:
        title: The title of the book.
    """
    return {"The Name of the Wind": "Patrick Rothfuss"}.get(title, "Unknown")


class GetBookAuthor(BaseTool):
    """Returns the author of the book with the given title."""

    title: str = Field(..., description="The title of the book.")

    def call(self) -> str:
        return get_book_author(self.title)


WIND = {"title": "The Name of the Wind"}
PARAMETERS = {
    "type": "object",
    "properties": {"title": {"type": "string", "description": "The title of the book."}},
    "required": ["title"],
}
DESCRIPTION = "Returns the author of the book with the given title."


def sent(server: ProviderServer) -> dict[str, Any]:
    return server.requests[-1].json


@pytest.mark.parametrize("tool", [get_book_author, GetBookAuthor], ids=["function", "class"])
def test_a_tool_in_two_forms(server: ProviderServer, tool: Any) -> None:
    server.reply(ToolCall(tool.__name__, WIND), "I know: Patrick Rothfuss")

    @openai.call("gpt-4o-mini", tools=[tool])
    def identify(book: str) -> str:
        return f"Who wrote {book}?"

    response = identify("The Name of the Wind")
    called = response.tool
    assert called is not None
    assert (called.call(), called.args, called.id) == ("Patrick Rothfuss", WIND, "call_1")
    assert called._name() == tool.__name__
    assert called._description().startswith("Returns the author")
    assert called.tool_call.function.name == tool.__name__
    assert isinstance(called, OpenAITool) and isinstance(called, BaseTool)
    assert (tool is not GetBookAuthor) or isinstance(called, GetBookAuthor)
    assert (response.tools, response.content, response.finish_reasons) == ([called], "", ["tool_calls"])
    [offered] = sent(server)["tools"]
    assert offered["type"] == "function"
    assert offered["function"] == {"name": tool.__name__, "description": DESCRIPTION, "parameters": PARAMETERS}

    assert identify("Emma").tool is None


def test_parallel_tool_calls(server: ProviderServer) -> None:
    server.reply(ToolCalls(ToolCall("get_book_author", WIND), ToolCall("GetBookAuthor", {"title": "Emma"})))

    @openai.call("gpt-4o-mini", tools=[get_book_author, GetBookAuthor])
    @prompt_template("Who wrote {books}?")
    def identify(books: list[str]): ...

    response = identify(["The Name of the Wind", "Emma"])
    assert response.tools is not None
    outputs = [(tool, tool.call()) for tool in response.tools]
    assert [output for _, output in outputs] == ["Patrick Rothfuss", "Unknown"]
    assert openai.OpenAICallResponse.tool_message_params(outputs) == response.tool_message_params(outputs)
    assert [one["tool_call_id"] for one in response.tool_message_params(outputs)] == ["call_1", "call_2"]


def test_outputs_of_every_kind(server: ProviderServer) -> None:
    server.reply(ToolCall("get_book_author", WIND))

    class Author(BaseModel):
        name: str

    response = openai.call("gpt-4o-mini", tools=[get_book_author])(lambda: "Who?")()
    outputs: list[Any] = ["text", 3, 1.5, None, True, b"ab", {"a": (1, {2})}, ["x"], Author(name="Ann")]
    contents = [response.tool_message_params([(response.tool, output)])[0]["content"] for output in outputs]
    assert [content.replace(" ", "") for content in contents] == [
        "text",
        "3",
        "1.5",
        "null",
        "true",
        "YWI=",
        '{"a":[1,[2]]}',
        '["x"]',
        '{"name":"Ann"}',
    ]
    with pytest.raises(TypeError, match="Unsupported type for serialization"):
        response.tool_message_params([(response.tool, object())])


def upper(value: str) -> str:
    assert value.isupper(), "must be upper case"
    return value


def test_a_validation_error_goes_back_to_the_model(server: ProviderServer) -> None:
    def shout(word: Annotated[str, AfterValidator(upper)]) -> str:
        """Shouts.

        Args:
            word: What to shout.
        """
        return word + "!"

    server.reply(ToolCall("shout", {"word": "hello"}), ToolCall("shout", {"word": "HELLO"}))

    @openai.call("gpt-4o-mini", tools=[shout])
    def ask(query: str, errors: list[str]) -> Messages.Type:
        return [Messages.User(query), *map(Messages.User, errors)]

    errors: list[str] = []
    said = None
    while said is None:
        response = ask("Shout!", errors)
        try:
            if tool := response.tool:
                said = tool.call()
        except ValidationError as error:
            errors.append(str(error))
    assert said == "HELLO!"
    assert "must be upper case" in sent(server)["messages"][1]["content"]


def test_examples_constraints_and_rich_types(server: ProviderServer) -> None:
    class Author(BaseModel):
        first: str
        last: str

    class FindBook(BaseTool):
        """Finds a book."""

        model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Emma"}]})
        title: str = Field(..., examples=["Emma", "Persuasion"])
        genre: Literal["novel", "poem"] = "novel"
        authors: list[Author] = []
        year: int | None = Field(default=None, ge=0)

        def call(self) -> str:
            return f"{self.title} by {', '.join(author.last for author in self.authors)}"

    server.reply(ToolCall("FindBook", {"title": "Emma", "authors": [{"first": "Jane", "last": "Austen"}]}))
    response = openai.call("gpt-4o-mini", tools=[FindBook])(lambda: "Find Emma")()
    assert response.tool.call() == "Emma by Austen"
    assert response.tool.genre == "novel"
    parameters = sent(server)["tools"][0]["function"]["parameters"]
    assert parameters["examples"] == [{"title": "Emma"}]
    assert parameters["properties"]["title"] == {"type": "string", "examples": ["Emma", "Persuasion"]}
    assert parameters["properties"]["genre"] == {"type": "string", "enum": ["novel", "poem"], "default": "novel"}
    assert parameters["required"] == ["title"]
    assert "Author" in parameters["$defs"]


def test_a_tool_of_a_name_of_its_own_and_a_strict_one(server: ProviderServer) -> None:
    class Format(BaseTool):
        """Formats a book."""

        __custom_name__ = "format_book"
        tool_config = OpenAIToolConfig(strict=True)
        title: str

        def call(self) -> str:
            return self.title.upper()

    server.reply(ToolCall("format_book", {"title": "Emma"}))
    response = openai.call("gpt-4o-mini", tools=[Format])(lambda: "Format Emma")()
    assert response.tool.call() == "EMMA"
    function = sent(server)["tools"][0]["function"]
    assert (function["name"], function["strict"]) == ("format_book", True)
    assert function["parameters"]["additionalProperties"] is False


def test_a_toolkit_describes_itself(server: ProviderServer) -> None:
    class BookTools(BaseToolKit):
        __namespace__ = "reading_tools"
        reading_level: Literal["beginner", "advanced"]

        @toolkit_tool
        def suggest_author(self, author: str) -> str:
            """Suggests an author for the reading level {self.reading_level}.

            Args:
                author: The author to suggest.
            """
            return f"{author} for {self.reading_level}s"

        @toolkit_tool
        class Print(BaseTool):
            """Prints a book."""

            title: str

            def call(self) -> str:
                return f"printed {self.title}"

    server.reply(
        ToolCall("reading_tools_suggest_author", {"author": "Astrid Lindgren"}),
        ToolCall("reading_tools_Print", {"title": "Ulysses"}),
    )

    @openai.call("gpt-4o-mini")
    @prompt_template("What {genre} author should I read?")
    def recommend(genre: str, level: Literal["beginner", "advanced"]) -> openai.OpenAIDynamicConfig:
        return {"tools": BookTools(reading_level=level).create_tools()}

    first = recommend("fantasy", "beginner")
    assert first.tool.call() == "Astrid Lindgren for beginners"
    names = {one["function"]["name"]: one["function"]["description"] for one in sent(server)["tools"]}
    assert names == {
        "reading_tools_Print": "Prints a book.",
        "reading_tools_suggest_author": "Suggests an author for the reading level beginner.",
    }
    assert recommend("modern", "advanced").tool.call() == "printed Ulysses"
    descriptions = [one["function"]["description"] for one in sent(server)["tools"]]
    assert "Suggests an author for the reading level advanced." in descriptions


def test_what_a_toolkit_refuses() -> None:
    with pytest.raises(ValueError, match="The toolkit_tool method must have a docstring"):

        class Bare(BaseToolKit):
            @toolkit_tool
            def act(self, x: str) -> str:
                return x

    with pytest.raises(ValueError, match="self"):

        class Missing(BaseToolKit):
            @toolkit_tool
            def act(self, x: str) -> str:
                """Acts on {self.nothing}."""
                return x

    with pytest.raises(ValueError, match="No toolkit_tool method found"):

        class Empty(BaseToolKit):
            pass


def test_what_a_function_tool_needs(server: ProviderServer) -> None:
    def untyped(title):  # type: ignore[no-untyped-def]
        """Looks."""

    def renamed(title: str) -> None:
        """Looks.

        Args:
            name: The title.
        """

    with pytest.raises(ValueError, match="All parameters must have a type annotation"):
        openai.call("gpt-4o-mini", tools=[untyped])(lambda: "x")()
    with pytest.raises(ValueError, match="name"):
        openai.call("gpt-4o-mini", tools=[renamed])(lambda: "x")()
    with pytest.raises(RuntimeError):
        GetBookAuthor.tool_schema()


def test_async_tools_run_together(server: ProviderServer) -> None:
    async def fetch(title: str) -> str:
        """Fetches a book.

        Args:
            title: Which.
        """
        await asyncio.sleep(0)
        return f"fetched {title}"

    class Fetch(BaseTool):
        """Fetches a book."""

        title: str

        async def call(self) -> str:
            return await fetch(self.title)

    server.reply(ToolCalls(ToolCall("fetch", {"title": "Emma"}), ToolCall("Fetch", {"title": "Ulysses"})))

    @openai.call("gpt-4o-mini", tools=[fetch, Fetch])
    async def ask() -> str:
        return "Fetch Emma and Ulysses"

    async def main() -> list[str]:
        response = await ask()
        return await asyncio.gather(*(tool.call() for tool in response.tools or []))

    assert asyncio.run(main()) == ["fetched Emma", "fetched Ulysses"]


def test_tools_by_dynamic_configuration_have_state(server: ProviderServer) -> None:
    shelf: list[str] = []

    @openai.call("gpt-4o-mini")
    def ask(query: str) -> BaseDynamicConfig:
        def put(title: str) -> str:
            """Puts a book on the shelf."""
            shelf.append(title)
            return "done"

        return {"messages": [Messages.User(query)], "tools": [put]}

    server.reply(ToolCall("put", {"title": "Emma"}))
    assert ask("Keep Emma").tool.call() == "done"
    assert shelf == ["Emma"]


def test_a_tool_call_read_by_hand(server: ProviderServer) -> None:
    server.reply(Answer(Text("Let me see."), ToolCall("get_book_author", WIND)))
    response = openai.call("gpt-4o-mini", tools=[get_book_author])(lambda: "Who?")()
    call = response.response.choices[0].message.tool_calls[0]
    made = response.tool_types[0].from_tool_call(call)
    assert made.call() == "Patrick Rothfuss"
    assert json.loads(call.function.arguments) == WIND
    assert response.message_param["tool_calls"][0]["id"] == "call_1"
    assert response.message_param["content"] == response.content == "Let me see."
    parts = response.common_message_param.content
    assert [part.type for part in parts] == ["text", "tool_call"]
    assert [tool.call() for tool in response.common_tools] == ["Patrick Rothfuss"]


def test_the_tool_choice_is_a_call_parameter(server: ProviderServer) -> None:
    server.reply("No.")

    @openai.call(
        "gpt-4o-mini", tools=[GetBookAuthor], call_params={"tool_choice": "none", "parallel_tool_calls": False}
    )
    def ask() -> str:
        return "Who?"

    assert ask().tools is None
    assert (sent(server)["tool_choice"], sent(server)["parallel_tool_calls"]) == ("none", False)


def test_anthropics_tools(server: ProviderServer) -> None:
    server.reply(Answer(Text("Let me see."), ToolCall("get_book_author", WIND)), "Patrick Rothfuss")

    @anthropic.call("claude-3-5-sonnet-20240620", tools=[get_book_author])
    def ask(history: list[Any]) -> Messages.Type:
        return [Messages.User("Who wrote The Name of the Wind?"), *history]

    response = ask([])
    assert response.tool.call() == "Patrick Rothfuss"
    results = response.tool_message_params([(response.tool, response.tool.call())])
    assert ask([response.message_param, *results]).content == "Patrick Rothfuss"
    first, second = (request.json for request in server.requests)
    assert first["tools"] == [{"name": "get_book_author", "description": DESCRIPTION, "input_schema": PARAMETERS}]
    assert [one["role"] for one in second["messages"]] == ["user", "assistant", "user"]
    [result] = second["messages"][2]["content"]
    assert (result["type"], result["tool_use_id"]) == ("tool_result", response.tool.id)


def test_the_tool_of_the_documentations_notebook() -> None:
    def extract_content(url: str) -> str:
        """Extract the main content.

        Args:
            url: The URL of the webpage.

        Returns:
            The content.

        Raises:
            ValueError: If there is none.
        """
        return url

    assert OpenAITool.type_from_fn(extract_content).tool_schema() == {
        "type": "function",
        "function": {
            "name": "extract_content",
            "description": "Extract the main content.\n\nReturns:\n    The content.\n\n"
            "Raises:\n    ValueError: If there is none.",
            "parameters": {
                "type": "object",
                "properties": {"url": {"type": "string", "description": "The URL of the webpage."}},
                "required": ["url"],
            },
        },
    }


def test_a_providers_tool_class_as_a_base(server: ProviderServer) -> None:
    class WebSearch(OpenAITool):
        """Searches the web."""

        query: str = Field(..., description="What to search for.")

        def call(self) -> str:
            return f"found {self.query}"

    server.reply(ToolCall("WebSearch", {"query": "books"}))
    stream = openai.call("gpt-4o-mini", tools=[WebSearch], stream=True)(lambda: "Search")()
    [tool] = [tool for _, tool in stream if tool]
    assert isinstance(tool, WebSearch)
    tool.query = "better books"  # a person looked at it
    assert tool.call() == "found better books"
    assert stream.tool_message_params([(tool, tool.call())])[0]["content"] == "found better books"


def test_a_call_as_the_tool_of_another(server: ProviderServer) -> None:
    class Draft(BaseModel):
        text: str

    class Writer(BaseModel):
        history: list[Any] = []

        @staticmethod
        def loud(draft: Draft) -> str:
            return draft.text.upper()

        @openai.call("gpt-4o-mini", response_model=Draft, output_parser=loud)
        @prompt_template("{errors}Write about {topic}")
        def write(self, topic: str, *, errors: list[str] | None = None):
            """Writes a draft.

            Args:
                topic: What about.
            """

        @openai.call("gpt-4o-mini", stream=True)
        @prompt_template("MESSAGES: {self.history}\nUSER: {query}")
        def step(self, query: str) -> openai.OpenAIDynamicConfig:
            return {"tools": [self.write]}

    server.reply(ToolCall("write", {"topic": "bees"}), ToolCall("Draft", {"text": "buzz"}))
    assert [tool.call() for _, tool in Writer().step("Write") if tool] == ["BUZZ"]
    assert sent(server)["messages"] == [{"role": "user", "content": "Write about bees"}]
