"""Agents: tools that belong to objects, called in a loop until the model has said what it wants to say."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from ferroscope.core.base import BaseMessageParam, BaseTool, BaseToolKit, Messages, toolkit_tool
from ferroscope.testing import Answer, Text, ToolCall, ToolCalls

from .conftest import Caller


class Shelf(BaseToolKit):
    __namespace__: ClassVar[str | None] = "shelf"
    place: str
    books: dict[str, int] = {}

    @toolkit_tool
    def put(self, title: str, copies: int = 1) -> dict[str, int]:
        """Puts a book on the shelf in the {self.place}.

        Args:
            title: The book's title.
            copies: How many of it.
        """
        self.books = {**self.books, title: copies}
        return self.books


class Look(BaseTool):
    """Looks at a book."""

    title: str

    def call(self) -> str:
        return f"{self.title} is red"


class Librarian(BaseModel):
    name: str
    shelf: Shelf
    history: list[Any] = []

    def greet(self, guest: str) -> str:
        """Greets a guest."""
        return f"{self.name} greets {guest}"

    def prompt(self, query: str) -> dict[str, Any]:
        return {
            "messages": [*self.history, Messages.User(query)],
            "tools": [self.greet, *self.shelf.create_tools(), Look],
        }


def answers() -> list[Answer]:
    return [
        Answer(
            Text("Just a moment."),
            ToolCalls(
                ToolCall("greet", {"guest": "Ann"}, id="call_1"),
                ToolCall("shelf_put", {"title": "Emma"}, id="call_2"),
                ToolCall("Look", {"title": "Emma"}, id="call_3"),
            ),
        ),
        Answer(Text("Done.")),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_agent_with_tools_of_its_own(caller: Caller, stream: bool) -> None:
    caller.server.reply(*answers())
    librarians = [Librarian(name=name, shelf=Shelf(place=place)) for name, place in (("A", "hall"), ("B", "attic"))]
    librarian = librarians[1]
    call = caller.decorate(librarian.prompt, stream=stream)

    first = call("Welcome Ann and store Emma.")
    tools = [tool for _, tool in caller.consume(first) if tool] if stream else first.tools
    outputs = [(tool, tool.call()) for tool in tools]
    librarian.history = [
        Messages.User("Welcome Ann and store Emma."),
        first.message_param,
        *first.tool_message_params(outputs),
    ]
    last = call("And now?")
    if stream:
        caller.consume(last)

    assert last.content == "Done."
    assert [output for _, output in outputs] == ["B greets Ann", {"Emma": 1}, "Emma is red"]
    assert isinstance(tools[2], Look)
    assert [one.shelf.books for one in librarians] == [{}, {"Emma": 1}]

    sent = [request.json for request in caller.server.requests]
    copies: dict[str, Any] = {"type": "integer", "description": "How many of it."}
    if caller.wire.shows_defaults:
        copies["default"] = 1
    assert [caller.wire.described(tool) for tool in caller.wire.tools(sent[0])] == [
        (
            "greet",
            "Greets a guest.",
            {"type": "object", "properties": {"guest": {"type": "string"}}, "required": ["guest"]},
        ),
        (
            "shelf_put",
            "Puts a book on the shelf in the attic.",
            {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "The book's title."},
                    "copies": copies,
                },
                "required": ["title"],
            },
        ),
        (
            "Look",
            "Looks at a book.",
            {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
        ),
    ]
    assert caller.wire.tools(sent[1]) == caller.wire.tools(sent[0])
    messages = caller.wire.messages(sent[1])
    asked = messages[1]
    assert (asked["role"], caller.wire.text(asked)) == ("assistant", "Just a moment.")
    ids = [identifier for identifier, _ in caller.wire.calls(asked)]
    if not caller.wire.rewrites_ids:
        assert ids == ["call_1", "call_2", "call_3"]
    outputs = ["B greets Ann", '{"Emma": 1}', "Emma is red"]
    assert caller.wire.results(messages[2:-1]) == dict(zip(ids, outputs, strict=True))
    assert (messages[-1]["role"], caller.wire.text(messages[-1]).splitlines()[-1]) == ("user", "And now?")


def test_another_call_is_a_tool(caller: Caller) -> None:
    def summarize(text: str) -> str:
        """Summarizes a text.

        Args:
            text: What to summarize.
        """
        return f"Summarize: {text}"

    options: dict[str, Any] = {**caller.row.options, "output_parser": lambda response: response.content}
    inner = caller.row.decorator(caller.row.model, **options)(summarize)
    caller.server.reply(Answer(ToolCalls(ToolCall("summarize", {"text": "long"}, id="call_1"))), Answer(Text("short")))
    response = caller.call(lambda: [BaseMessageParam(role="user", content="Go")], tools=[inner])
    assert caller.wire.described(caller.wire.tools(caller.server.requests[0].json)[0]) == (
        "summarize",
        "Summarizes a text.",
        {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "What to summarize."}},
            "required": ["text"],
        },
    )
    assert response.tool.call() == "short"
    (message,) = caller.wire.messages(caller.server.requests[1].json)
    assert (message["role"], caller.wire.text(message)) == ("user", "Summarize: long")
