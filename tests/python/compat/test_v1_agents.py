"""Agents as v1's documentation has them: a history, tools, and a loop around both."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from ferroscope import BaseDynamicConfig, BaseMessageParam, BaseTool, Messages, llm, prompt_template
from ferroscope.core import openai
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, ToolCalls


class Book(BaseModel):
    title: str
    author: str


BOOKS = [Book(title="The Name of the Wind", author="Patrick Rothfuss"), Book(title="Emma", author="Jane Austen")]


def roles(server: ProviderServer) -> list[tuple[str, Any]]:
    return [(one["role"], one.get("content")) for one in server.requests[-1].json["messages"]]


ANSWERS = [
    Answer(
        Text("A moment."),
        ToolCalls(ToolCall("_available_books", {}), ToolCall("_author_of", {"title": "Emma"})),
    ),
    Answer(Text("There is Emma by Jane Austen.")),
    Answer(Text("You asked for books.")),
]

CONVERSATION = [
    ("system", "You are a librarian."),
    ("user", "Which books?"),
    ("assistant", "A moment."),
    ("tool", json.dumps([book.model_dump_json() for book in BOOKS])),
    ("tool", "Jane Austen"),
    ("assistant", "There is Emma by Jane Austen."),
    ("user", "What did I ask?"),
]


class Librarian(BaseModel):
    history: list[ChatCompletionMessageParam] = []
    library: list[Book] = BOOKS

    def _available_books(self) -> list[str]:
        """Returns the list of books available in the library."""
        return [book.model_dump_json() for book in self.library]

    def _author_of(self, title: str) -> str:
        """Returns the author of a book.

        Args:
            title: The book's title.
        """
        return next(book.author for book in self.library if book.title == title)

    @openai.call("gpt-4o-mini")
    @prompt_template(
        """
        SYSTEM: You are a librarian.
        MESSAGES: {self.history}
        USER: {query}
        """
    )
    def _call(self, query: str) -> openai.OpenAIDynamicConfig:
        return {"tools": [self._available_books, self._author_of]}

    def step(self, query: str) -> str:
        response = self._call(query)
        if query:
            self.history.append(response.user_message_param)
        self.history.append(response.message_param)
        outputs = [(tool, tool.call()) for tool in response.tools or []]
        if not outputs:
            return response.content
        self.history += response.tool_message_params(outputs)
        return self.step("")


def test_an_agent_of_one_provider(server: ProviderServer) -> None:
    server.reply(*ANSWERS)
    librarian = Librarian()
    assert librarian.step("Which books?") == "There is Emma by Jane Austen."
    assert librarian.step("What did I ask?") == "You asked for books."
    assert roles(server) == CONVERSATION
    assert [tool["function"]["name"] for tool in server.requests[0].json["tools"]] == [
        "_available_books",
        "_author_of",
    ]


class StreamingLibrarian(Librarian):
    @openai.call("gpt-4o-mini", stream=True)
    def _stream(self, query: str) -> BaseDynamicConfig:
        asked = [Messages.User(query)] if query else []
        return {
            "messages": [Messages.System("You are a librarian."), *self.history, *asked],
            "tools": [self._available_books, self._author_of],
        }

    def step(self, query: str) -> str:
        stream = self._stream(query)
        outputs = []
        for chunk, tool in stream:
            if tool:
                outputs.append((tool, tool.call()))
            else:
                print(chunk.content, end="", flush=True)
        if stream.user_message_param and query:
            self.history.append(stream.user_message_param)
        self.history.append(stream.message_param)
        if not outputs:
            return stream.content
        self.history += stream.tool_message_params(outputs)
        return self.step("")


@pytest.mark.parametrize("shape", ["sequential", "together"])
def test_an_agent_that_streams(server: ProviderServer, capsys: pytest.CaptureFixture[str], shape: Any) -> None:
    calls = next(part for part in ANSWERS[0].parts if isinstance(part, ToolCalls)).calls
    server.reply(Answer(Text("A moment."), ToolCalls(*calls, shape=shape)), *ANSWERS[1:])
    librarian = StreamingLibrarian()
    assert librarian.step("Which books?") == "There is Emma by Jane Austen."
    assert librarian.step("What did I ask?") == "You asked for books."
    assert roles(server) == CONVERSATION
    assert capsys.readouterr().out == "A moment.There is Emma by Jane Austen.You asked for books."


class Anyone(BaseModel):
    """The same agent, for any provider."""

    provider: Any
    history: list[BaseMessageParam] = []

    def author_of(self, title: str) -> str:
        """Returns the author of a book."""
        return next(book.author for book in BOOKS if book.title == title)

    def step(self, query: str) -> str:
        @llm.call(provider=self.provider, model="some-model")
        def ask() -> BaseDynamicConfig:
            asked = [Messages.User(query)] if query else []
            return {"messages": [*self.history, *asked], "tools": [self.author_of]}

        response = ask()
        if query and response.user_message_param:
            self.history.append(response.user_message_param)
        self.history.append(response.message_param)
        outputs = [(tool, tool.call()) for tool in response.tools or []]
        if not outputs:
            return response.content
        self.history += response.tool_message_params(outputs)
        return self.step("")


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_agent_of_any_provider(server: ProviderServer, provider: str) -> None:
    server.reply(
        Answer(Text("A moment."), ToolCall("author_of", {"title": "Emma"})), "Jane Austen", "You asked for Emma."
    )
    agent = Anyone(provider=provider)
    assert agent.step("Who wrote Emma?") == "Jane Austen"
    assert agent.step("What did I ask?") == "You asked for Emma."
    assert [message.role for message in agent.history] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]
    again = Anyone.model_validate_json(agent.model_dump_json())
    assert again.history == agent.history


def test_an_agent_with_a_person_in_the_loop(server: ProviderServer) -> None:
    asked: list[str] = []

    class AskPerson(BaseTool):
        """Asks a person for help."""

        question: str

        async def call(self) -> str:
            asked.append(self.question)
            await asyncio.sleep(0)
            return "42"

    class Agent(BaseModel):
        history: list[Any] = []

        @openai.call("gpt-4o-mini", tools=[AskPerson])
        async def _call(self, query: str) -> Messages.Type:
            return [*self.history, Messages.User(query)] if query else self.history

        async def step(self, query: str) -> str:
            response = await self._call(query)
            if query:
                self.history.append(Messages.User(query))
            self.history.append(response.message_param)
            if not response.tools:
                return response.content
            outputs = await asyncio.gather(*(tool.call() for tool in response.tools))
            self.history += response.tool_message_params(list(zip(response.tools, outputs, strict=True)))
            return await self.step("")

    server.reply(ToolCall("AskPerson", {"question": "What is it?"}), "It is 42.")
    assert asyncio.run(Agent().step("What is the answer?")) == "It is 42."
    assert asked == ["What is it?"]
