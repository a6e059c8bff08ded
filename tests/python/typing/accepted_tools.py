"""Uses of tools and toolkits that the type checkers must understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, assert_type

from openai.types.chat import ChatCompletionMessageToolCall, ChatCompletionToolParam
from pydantic import BaseModel, Field

from ferroscope.core.base import BaseTool, BaseToolKit, ToolConfig, toolkit_tool
from ferroscope.core.base.tool import provider_tool_type
from ferroscope.core.openai import OpenAITool, OpenAIToolConfig


class FormatBook(BaseTool):
    __custom_name__ = "format_book"
    tool_config = OpenAIToolConfig(strict=True)

    title: str
    author: str = Field(default="unknown", description="Who wrote it.")

    def call(self) -> str:
        return f"{self.title} by {self.author}"


class Fetch(BaseTool):
    tool_config = ToolConfig()
    url: str

    async def call(self) -> bytes:
        return self.url.encode()


class Book(BaseModel):
    title: str


def format_book(title: str, author: str) -> str:
    return f"{title} by {author}"


async def fetch(url: str) -> bytes:
    return url.encode()


class BookTools(BaseToolKit):
    __namespace__: ClassVar[str | None] = "books"
    level: Literal["beginner", "advanced"]

    @toolkit_tool
    def suggest(self, title: str) -> str:
        """Suggests."""
        return f"{title} for {self.level}s"

    @toolkit_tool
    async def look_up(self, isbn: str, limit: int = 1) -> list[str]:
        """Looks up."""
        return [isbn] * limit

    @toolkit_tool
    class Count(BaseTool):
        """Counts."""

        at_most: int

        def call(self) -> int:
            return self.at_most


assert_type(FormatBook(title="Emma").call(), str)
assert_type(FormatBook(title="Emma").args, dict[str, Any])
assert_type(FormatBook(title="Emma").id, str | None)
assert_type(FormatBook(title="Emma").delta, str | None)
assert_type(FormatBook._name(), str)

assert_type(BaseTool.type_from_fn(format_book), type[BaseTool])
assert_type(OpenAITool.type_from_fn(fetch), type[OpenAITool])
assert_type(OpenAITool.type_from_base_model_type(Book), type[OpenAITool])
assert_type(OpenAITool.type_from_base_type(list[str]), type[OpenAITool])
assert_type(OpenAITool.type_from_base_type(int | str), type[OpenAITool])
for tool in (FormatBook, Fetch, Book, format_book, fetch):
    assert_type(provider_tool_type(tool, OpenAITool), type[OpenAITool])

made = OpenAITool.type_from_fn(format_book).from_arguments(
    id=None, name="format_book", arguments=b'{"title":"a","author":"b"}'
)
assert_type(made, OpenAITool)
assert_type(made.tool_call, ChatCompletionMessageToolCall)
assert_type(made.tool_call.function.name, str)
assert_type(OpenAITool.type_from_fn(format_book).tool_schema(), ChatCompletionToolParam)
assert_type(OpenAITool.type_from_fn(format_book).from_tool_call(made.tool_call), OpenAITool)
if isinstance(made, FormatBook):
    assert_type(made.title, str)

kit = BookTools(level="beginner")
assert_type(kit.create_tools(), list[type[BaseTool]])
assert_type(kit.suggest("Emma"), str)
assert_type(BookTools.Count(at_most=1).call(), int)


async def awaited() -> None:
    assert_type(await Fetch(url="x").call(), bytes)
    assert_type(await kit.look_up("1", limit=2), list[str])


# Tools as calls take them.
offered: list[type[BaseTool] | Callable[..., object]] = [FormatBook, Fetch, format_book, fetch, kit.suggest]
