"""Programs in the manner of v1's documentation of `llm`: calls, streams, chains, overrides, contexts, agents.

Only the package's name is another one. The provider is the loopback server.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from ferroscope import BaseDynamicConfig, BaseMessageParam, BaseTool, Messages, llm, prompt_template
from ferroscope.testing import Answer, Json, ProviderServer, Request, Text, ToolCall, ToolCalls, Usage


@pytest.fixture(scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _server.forget()
    _server.reply_always("The Name of the Wind by Patrick Rothfuss")
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.setenv("OPENAI_BASE_URL", _server.base_url("openai"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", _server.base_url("anthropic"))
    return _server


def said(request: Request) -> list[tuple[str, Any]]:
    return [(message["role"], message["content"]) for message in request.json["messages"]]


# ---- calls


def test_a_call_in_three_styles(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini")
    def shorthand(genre: str) -> str:
        return f"Recommend a {genre} book"

    @llm.call(provider="openai", model="gpt-4o-mini")
    def messages(genre: str) -> Messages.Type:
        return [Messages.System("You are a librarian"), Messages.User(f"Recommend a {genre} book")]

    @llm.call(provider="openai", model="gpt-4o-mini")
    @prompt_template(
        """
        SYSTEM: You are a librarian
        USER: Recommend a {genre} book
        """
    )
    def template(genre: str) -> None: ...

    for call in (shorthand, messages, template):
        response: llm.CallResponse = call("fantasy")
        assert response.content == "The Name of the Wind by Patrick Rothfuss"
    user = ("user", "Recommend a fantasy book")
    system = ("system", "You are a librarian")
    assert [said(request) for request in server.requests] == [[user], [system, user], [system, user]]


def test_an_async_call(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini")
    async def recommend_book(genre: str) -> str:
        await asyncio.sleep(0)
        return f"Recommend a {genre} book"

    async def main() -> list[str]:
        genres = ["fantasy", "scifi", "mystery"]
        responses = await asyncio.gather(*[recommend_book(genre) for genre in genres])
        return [str(response.user_message_param.content) for response in responses if response.user_message_param]

    assert asyncio.run(main()) == [f"Recommend a {genre} book" for genre in ("fantasy", "scifi", "mystery")]


def test_call_params_and_dynamic_configuration(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini", call_params={"max_tokens": 512})
    def recommend_book(genre: str, creative: bool) -> BaseDynamicConfig[Any, Any, Any]:
        return {
            "messages": [Messages.User(f"Recommend a {genre} book")],
            "call_params": {"temperature": 1.0 if creative else 0.0},
            "metadata": {"tags": {"version:0001"}},
        }

    response = recommend_book("fantasy", creative=True)
    body = server.requests[-1].json
    assert (body["max_tokens"], body["temperature"]) == (512, 1.0)
    assert response.metadata == {"tags": {"version:0001"}}


def test_a_call_in_a_class(server: ProviderServer) -> None:
    class Library(BaseModel):
        genre: str

        @llm.call(provider="openai", model="gpt-4o-mini")
        @prompt_template("Recommend a {self.genre} book for a {age} year old")
        def recommend(self, age: int) -> None: ...

    assert Library(genre="fantasy").recommend(9).user_message_param == BaseMessageParam(
        role="user", content="Recommend a fantasy book for a 9 year old"
    )


# ---- streams


def test_a_stream(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"

    stream: llm.Stream = recommend_book("fantasy")
    printed = ""
    for chunk, _ in stream:
        printed += chunk.content
    assert printed == stream.content == "The Name of the Wind by Patrick Rothfuss"
    assert stream.message_param == BaseMessageParam(role="assistant", content=printed)
    assert stream.user_message_param == BaseMessageParam(role="user", content="Recommend a fantasy book")
    assert (stream.input_tokens, stream.output_tokens) == (10, 20)
    assert stream.construct_call_response().usage == stream.usage


def test_a_stream_with_tools(server: ProviderServer) -> None:
    def format_book(title: str, author: str) -> str:
        """Formats a book's title and author."""
        return f"{title} by {author}"

    @llm.call(provider="openai", model="gpt-4o-mini", tools=[format_book], stream=True)
    def recommend_books() -> str:
        return "Recommend two books"

    server.reply(
        ToolCalls(
            ToolCall("format_book", {"title": "Emma", "author": "Jane Austen"}),
            ToolCall("format_book", {"title": "Dune", "author": "Frank Herbert"}),
        )
    )
    called = [tool.call() for _, tool in recommend_books() if tool]
    assert called == ["Emma by Jane Austen", "Dune by Frank Herbert"]


# ---- chaining


def test_functions_that_call_functions(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini")
    def select_expert(reading_level: str) -> str:
        return f"Who should explain this to a {reading_level}?"

    @llm.call(provider="openai", model="gpt-4o-mini")
    def identify_author(book: str, reading_level: str) -> str:
        expert = select_expert(reading_level)
        return f"You are {expert.content}. Who wrote {book}?"

    server.reply("a librarian", "Patrick Rothfuss")
    assert identify_author("The Name of the Wind", "beginner").content == "Patrick Rothfuss"
    assert said(server.requests[-1]) == [("user", "You are a librarian. Who wrote The Name of the Wind?")]


def test_computed_fields(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini")
    def summarize(text: str) -> str:
        return f"Summarize: {text}"

    @llm.call(provider="openai", model="gpt-4o-mini")
    @prompt_template("Translate into {language}: {summary}")
    def summarize_and_translate(text: str, language: str) -> BaseDynamicConfig[Any, Any, Any]:
        return {"computed_fields": {"summary": summarize(text)}}

    server.reply("short", "kurz")
    response = summarize_and_translate("long", "German")
    assert response.content == "kurz"
    assert said(server.requests[-1]) == [("user", "Translate into German: short")]
    assert isinstance(response.fn_args["summary"], llm.CallResponse)


def test_an_async_chain_at_once(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini")
    async def select_chef(ingredient: str) -> str:
        return f"Which chef knows {ingredient}?"

    @llm.call(provider="openai", model="gpt-4o-mini", response_model=list[str])
    async def list_ingredients(ingredient: str) -> str:
        return f"What goes with {ingredient}?"

    @llm.call(provider="openai", model="gpt-4o-mini")
    async def recipe(ingredient: str) -> str:
        chef, others = await asyncio.gather(select_chef(ingredient), list_ingredients(ingredient))
        return f"You are {chef.content}. Cook {ingredient} with {', '.join(others)}."

    def answer(request: Request) -> Any:
        if request.json.get("tools"):
            return ToolCall("list", {"value": ["salt", "oil"]})
        return "Ann" if "chef" in said(request)[0][1] else "A recipe"

    server.reply_always(answer)
    assert asyncio.run(recipe("apples")).content == "A recipe"
    assert said(server.requests[-1]) == [("user", "You are Ann. Cook apples with salt, oil.")]


# ---- response models, parsers


class Book(BaseModel):
    """A book with a title and an author."""

    title: str = Field(..., description="The title of the book.")
    author: str


def test_a_response_model_and_its_stream(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini", response_model=Book)
    def extract_book(text: str) -> str:
        return f"Extract {text}"

    server.reply(ToolCall("Book", {"title": "Emma", "author": "Jane Austen"}))
    book = extract_book("Emma by Jane Austen")
    assert isinstance(book, Book)
    response: Any = book._response  # type: ignore[attr-defined]
    assert isinstance(response, llm.CallResponse)

    @llm.call(provider="openai", model="gpt-4o-mini", response_model=Book, json_mode=True, stream=True)
    def stream_book(text: str) -> str:
        return f"Extract {text}"

    server.reply(Answer(Json({"title": "Emma", "author": "Jane Austen"})))
    partial: Any = None
    for partial in stream_book("Emma by Jane Austen"):
        assert isinstance(partial, Book)
    assert partial == Book(title="Emma", author="Jane Austen")


def test_an_output_parser(server: ProviderServer) -> None:
    def parse(response: llm.CallResponse) -> Book:
        title, author = response.content.split(" by ")
        return Book(title=title, author=author)

    @llm.call(provider="openai", model="gpt-4o-mini", output_parser=parse)
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"

    assert recommend_book("fantasy") == Book(title="The Name of the Wind", author="Patrick Rothfuss")


# ---- overriding, contexts


def test_overriding(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini", call_params={"max_tokens": 64})
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"

    ask_claude = llm.override(recommend_book, provider="anthropic", model="claude-haiku-4-5")
    response = ask_claude("fantasy")
    assert (response.provider, response.content) == ("anthropic", "The Name of the Wind by Patrick Rothfuss")
    streamed = llm.override(recommend_book, provider="anthropic", model="claude-haiku-4-5", stream=True)("fantasy")
    assert "".join(chunk.content for chunk, _ in streamed) == response.content
    server.reply(ToolCall("Book", {"title": "Emma", "author": "Jane Austen"}))
    extracting = llm.override(recommend_book, provider="openai", model="gpt-4o", response_model=Book)
    assert extracting("fantasy") == Book(title="Emma", author="Jane Austen")
    assert recommend_book("fantasy").provider == "openai"
    assert [request.json["model"] for request in server.requests] == [
        "claude-haiku-4-5",
        "claude-haiku-4-5",
        "gpt-4o",
        "gpt-4o-mini",
    ]


def test_a_context(server: ProviderServer) -> None:
    @llm.call(provider="openai", model="gpt-4o-mini")
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"

    with llm.context(provider="anthropic", model="claude-haiku-4-5", call_params={"max_tokens": 10}):
        assert recommend_book("fantasy").provider == "anthropic"
    assert recommend_book("fantasy").provider == "openai"


# ---- agents


class Librarian(BaseModel):
    history: list[BaseMessageParam] = []

    def available_books(self, author: str) -> str:
        """Looks up the books of an author."""
        return f"1 book by {author}: Emma"

    @llm.call(provider="openai", model="gpt-4o-mini")
    @prompt_template(
        """
        SYSTEM: You are a librarian
        MESSAGES: {self.history}
        USER: {query}
        """
    )
    def _call(self, query: str) -> BaseDynamicConfig[Any, Any, Any]:
        return {"tools": [self.available_books]}

    def run(self, query: str) -> str:
        response = self._call(query)
        if query:
            self.history.append(Messages.User(query))
        self.history.append(response.message_param)
        if tools := response.tools:
            self.history += response.tool_message_params([(tool, tool.call()) for tool in tools])
            return self.run("")
        return response.content

    @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
    @prompt_template(
        """
        SYSTEM: You are a librarian
        MESSAGES: {self.history}
        USER: {query}
        """
    )
    def _stream(self, query: str) -> BaseDynamicConfig[Any, Any, Any]:
        return {"tools": [self.available_books]}

    def run_streamed(self, query: str) -> str:
        stream = self._stream(query)
        outputs, said = [], ""
        for chunk, tool in stream:
            said += chunk.content
            if tool:
                outputs.append((tool, tool.call()))
        if stream.user_message_param and query:
            self.history.append(stream.user_message_param)
        self.history.append(stream.message_param)
        if outputs:
            self.history += stream.tool_message_params(outputs)
            return self.run_streamed("")
        return said


@pytest.mark.parametrize("run", [Librarian.run, Librarian.run_streamed])
@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku-4-5")])
def test_an_agent(run: Any, provider: Any, model: str, server: ProviderServer) -> None:
    server.reply(
        Answer(Text("Let me look."), ToolCall("available_books", {"author": "Jane Austen"}), usage=Usage(9, 4)),
        Answer(Text("There is Emma.")),
    )
    librarian = Librarian(history=[])
    with llm.context(provider=provider, model=model):
        assert run(librarian, "What do you have by Jane Austen?") == "There is Emma."
    assert [message.role for message in librarian.history] == ["user", "assistant", "tool", "assistant"]
    called, result = librarian.history[1].content[1], librarian.history[2].content[0]
    assert (called.name, called.args) == ("available_books", {"author": "Jane Austen"})  # type: ignore[union-attr]
    assert result.content == "1 book by Jane Austen: Emma"  # type: ignore[union-attr]


def test_an_async_tool_is_told_by_its_class(server: ProviderServer) -> None:
    class FormatBook(BaseTool):
        """Formats a book."""

        title: str

        async def call(self) -> str:
            await asyncio.sleep(0)
            return self.title.upper()

    @llm.call(provider="openai", model="gpt-4o-mini", tools=[FormatBook])
    async def recommend_book() -> str:
        return "Recommend a book"

    async def main() -> str:
        response = await recommend_book()
        tool = response.tool
        assert isinstance(tool, FormatBook)
        return await tool.call()

    server.reply(ToolCall("FormatBook", {"title": "Emma"}))
    assert asyncio.run(main()) == "EMMA"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_tenacity_retries_calls(kind: str, server: ProviderServer) -> None:
    tenacity = pytest.importorskip("tenacity")
    retried = tenacity.retry(stop=tenacity.stop_after_attempt(3))

    def parse(response: llm.CallResponse) -> int:
        return int(response.content)

    server.reply("many", "some", "3")
    if kind == "sync":

        @retried
        @llm.call(provider="openai", model="gpt-4o-mini", output_parser=parse)
        def count() -> str:
            return "How many?"

        assert count() == 3
    else:

        @retried
        @llm.call(provider="openai", model="gpt-4o-mini", output_parser=parse)
        async def count_async() -> str:
            return "How many?"

        assert asyncio.run(count_async()) == 3
    assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_tenacity_inside_a_context_and_an_override(kind: str, server: ProviderServer) -> None:
    tenacity = pytest.importorskip("tenacity")
    retried = tenacity.retry(stop=tenacity.stop_after_attempt(2))

    @llm.call(provider="openai", model="own", output_parser=lambda response: int(response.content))
    async def count_async() -> str:
        return "How many?"

    @llm.call(provider="openai", model="own", output_parser=lambda response: int(response.content))
    def count() -> str:
        return "How many?"

    server.reply("many", "3")
    if kind == "sync":
        assert llm.override(retried(count), provider="openai", model="other")() == 3
    else:
        assert asyncio.run(llm.override(retried(count_async), provider="openai", model="other")()) == 3
    assert [request.json["model"] for request in server.requests] == ["other", "other"]


def test_the_page_about_streams(server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[3] / "docs/streams.md").read_text(encoding="utf-8")
    namespace: dict[str, Any] = {}
    printed = []
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "docs/streams.md", "exec"), namespace)
        printed.append(capsys.readouterr().out)
    book = "The Name of the Wind by Patrick Rothfuss"
    assert printed == [
        book,
        f"{book} 10 20 ['stop']\n",
        "The \nName \nof \nthe \nWind \nby \nPatrick \nRothfuss\n['stop']\n30\n",
        "The Name \n",
        f"{book}\n",
        "True\n",
        "",
        "",
        f"{book}\n",
    ]
