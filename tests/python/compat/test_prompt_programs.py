"""Programs as v1's users write them: prompts of every style, from the decorator to the request's body.

The provider is the loopback server; what it received is compared in full.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from ferroscope import BaseDynamicConfig, BaseMessageParam, ImagePart, Messages, TextPart, prompt_template
from ferroscope.core import BasePrompt, merge_decorators, metadata, openai
from ferroscope.errors import TemplateError
from ferroscope.testing import Answer, ProviderServer, Text

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(*[Answer(Text("The Name of the Wind")) for _ in range(4)]) as server:
        yield server


@pytest.fixture
def client(server: ProviderServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url("openai"), api_key="key", max_retries=0) as client:
        yield client


def sent(server: ProviderServer) -> Any:
    return server.requests[-1].json["messages"]


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def system(content: Any) -> dict[str, Any]:
    return {"role": "system", "content": content}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def test_shorthand(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"

    response = recommend_book("fantasy")
    assert response.content == "The Name of the Wind"
    assert server.requests[-1].json == {
        "model": "gpt-4o-mini",
        "messages": [user("Recommend a fantasy book")],
    }
    assert response.fn_args == {"genre": "fantasy"}
    assert response.prompt_template is None


def test_messages(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    def recommend_book(genre: str) -> Messages.Type:
        return [Messages.System("You are a librarian"), Messages.User(f"Recommend a {genre} book")]

    recommend_book("fantasy")
    assert sent(server) == [system("You are a librarian"), user("Recommend a fantasy book")]


def test_string_template(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    @prompt_template(
        """
        SYSTEM: You are a librarian
        USER: Recommend a {genre} book
        """
    )
    def recommend_book(genre: str): ...

    response = recommend_book("fantasy")
    assert sent(server) == [system("You are a librarian"), user("Recommend a fantasy book")]
    assert response.prompt_template == "SYSTEM: You are a librarian\nUSER: Recommend a {genre} book"


def test_message_params(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    def recommend_book(genre: str) -> list[BaseMessageParam]:
        return [
            BaseMessageParam(role="system", content="You are a librarian"),
            BaseMessageParam(role="user", content=[TextPart(type="text", text=f"Recommend a {genre} book")]),
        ]

    recommend_book("fantasy")
    assert sent(server) == [system("You are a librarian"), user([text("Recommend a fantasy book")])]


def test_multi_line_prompt(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    def recommend_book(genre: str) -> str:
        return cleandoc(
            f"""
            Recommend a {genre} book.
            Output in the format Title by Author.
            """
        )

    recommend_book("fantasy")
    assert sent(server) == [user("Recommend a fantasy book.\nOutput in the format Title by Author.")]


@pytest.mark.parametrize("style", ["shorthand", "messages", "template"])
def test_images(server: ProviderServer, client: OpenAI, style: str) -> None:
    part = ImagePart(type="image", media_type="image/png", image=PNG, detail="auto")

    @openai.call("gpt-4o-mini", client=client)
    def shorthand(image: bytes) -> list[Any]:
        return ["Which book is this?", part]

    @openai.call("gpt-4o-mini", client=client)
    def messages(image: bytes) -> Messages.Type:
        return Messages.User(["Which book is this?", part])

    @openai.call("gpt-4o-mini", client=client)
    @prompt_template("Which book is this? {image:image}")
    def template(image: bytes): ...

    {"shorthand": shorthand, "messages": messages, "template": template}[style](PNG)
    assert sent(server) == [
        user(
            [
                text("Which book is this?"),
                {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "auto"}},
            ]
        )
    ]


class Book(BaseModel):
    title: str
    author: str


def test_attributes_and_lists(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    @prompt_template(
        """
        I read {book.title} by {book.author} and liked:
        {likes:list}

        Also, by shelf:
        {shelves:lists}

        Price: {price:.2f}. Sources:
        {sources:texts}
        """
    )
    def recommend_book(book: Book, likes: list[str], shelves: list[list[str]], price: float, sources: list[str]): ...

    recommend_book(
        Book(title="Dune", author="Frank Herbert"),
        ["the desert", "the worms"],
        [["Emma", "Persuasion"], ["Ulysses"]],
        9.5,
        ["A", "B"],
    )
    assert sent(server) == [
        user(
            [
                text(
                    "I read Dune by Frank Herbert and liked:\nthe desert\nthe worms\n\nAlso, by shelf:\n"
                    "Emma\nPersuasion\n\nUlysses\n\nPrice: 9.50. Sources:\n"
                ),
                text("A"),
                text("B"),
            ]
        )
    ]


def test_computed_fields_and_metadata(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    @prompt_template("Recommend a {genre} book like {favourite}")
    @metadata({"tags": {"version:0001"}})
    def recommend_book(genre: str) -> BaseDynamicConfig:
        return {"computed_fields": {"favourite": "Dune"}, "call_params": {"temperature": 0.5}}

    response = recommend_book("fantasy")
    assert server.requests[-1].json == {
        "model": "gpt-4o-mini",
        "messages": [user("Recommend a fantasy book like Dune")],
        "temperature": 0.5,
    }
    assert response.fn_args == {"genre": "fantasy", "favourite": "Dune"}
    assert response.metadata == {"tags": {"version:0001"}}


def test_chat_history_in_a_class(server: ProviderServer, client: OpenAI) -> None:
    class Librarian(BaseModel):
        history: list[Any] = []

        @openai.call("gpt-4o-mini", client=client)
        @prompt_template(
            """
            SYSTEM: You are a librarian
            MESSAGES: {self.history}
            USER: {query}
            """
        )
        def ask(self, query: str): ...

        def run(self, query: str) -> str:
            response = self.ask(query)
            assert response.user_message_param
            self.history += [response.user_message_param, response.message_param]
            return response.content

    librarian = Librarian()
    librarian.run("A fantasy book?")
    librarian.run("And another?")
    assert sent(server) == [
        system("You are a librarian"),
        user("A fantasy book?"),
        {"role": "assistant", "content": "The Name of the Wind"},
        user("And another?"),
    ]


async def test_async(server: ProviderServer) -> None:
    async with AsyncOpenAI(base_url=server.base_url("openai"), api_key="key", max_retries=0) as client:

        @openai.call("gpt-4o-mini", client=client)
        @prompt_template("Recommend a {genre} book")
        async def recommend_book(genre: str): ...

        response = await recommend_book("fantasy")
    assert response.content == "The Name of the Wind"
    assert sent(server) == [user("Recommend a fantasy book")]


def test_base_prompt(server: ProviderServer, client: OpenAI) -> None:
    @prompt_template("Recommend a {genre} book")
    @metadata({"tags": {"version:0001"}})
    class BookRecommendation(BasePrompt):
        genre: str

    response = BookRecommendation(genre="fantasy").run(openai.call("gpt-4o-mini", client=client))
    assert response.content == "The Name of the Wind"
    assert sent(server) == [user("Recommend a fantasy book")]
    assert response.metadata == {"tags": {"version:0001"}}
    assert response.fn_args == {"genre": "fantasy"}


async def test_base_prompt_async(server: ProviderServer) -> None:
    @prompt_template("Recommend a {genre} book")
    class BookRecommendation(BasePrompt):
        genre: str

    async with AsyncOpenAI(base_url=server.base_url("openai"), api_key="key", max_retries=0) as client:
        response = await BookRecommendation(genre="fantasy").run_async(openai.call("gpt-4o-mini", client=client))
    assert response.content == "The Name of the Wind"
    assert sent(server) == [user("Recommend a fantasy book")]


def test_merged_decorators(server: ProviderServer, client: OpenAI) -> None:
    book_call = merge_decorators(openai.call("gpt-4o-mini", client=client), prompt_template("Recommend a {genre} book"))

    @book_call()
    def recommend_book(genre: str): ...

    assert recommend_book("fantasy").content == "The Name of the Wind"
    assert sent(server) == [user("Recommend a fantasy book")]


def test_a_prompt_of_its_own_is_called_later(server: ProviderServer, client: OpenAI) -> None:
    @prompt_template("Recommend a {genre} book")
    def prompt(genre: str): ...

    assert prompt("fantasy") == [BaseMessageParam(role="user", content="Recommend a fantasy book")]
    openai.call("gpt-4o-mini", client=client)(prompt)("fantasy")
    assert sent(server) == [user("Recommend a fantasy book")]


def test_provider_messages(server: ProviderServer, client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    def recommend_book(genre: str) -> openai.OpenAIDynamicConfig:
        return {"messages": [{"role": "developer", "content": "Be brief"}, user(f"Recommend a {genre} book")]}

    recommend_book("fantasy")
    assert sent(server) == [{"role": "developer", "content": "Be brief"}, user("Recommend a fantasy book")]


def test_decorators_in_the_wrong_order_are_told(client: OpenAI) -> None:
    @openai.call("gpt-4o-mini", client=client)
    def recommend_book(genre: str) -> str:
        return genre

    with pytest.raises(TemplateError, match="put @prompt_template below the call decorator"):
        prompt_template("Recommend a {genre} book")(recommend_book)
    with pytest.warns(UserWarning, match="@metadata above the call decorator of .* has no effect"):
        metadata({"tags": {"a"}})(recommend_book)
