"""Uses of tools that the type checkers must refuse, each on the line with the mark."""

from __future__ import annotations

from abc import ABC

from ferroscope.core.base import BaseTool, BaseToolKit, toolkit_tool
from ferroscope.core.openai import OpenAITool, OpenAIToolConfig


class NoCall(BaseTool, ABC):
    title: str


class FormatBook(BaseTool):
    tool_config = OpenAIToolConfig(strikt=True)  # rejected: an unknown key
    title: str

    def call(self) -> str:
        return self.title


class BookTools(BaseToolKit):
    @toolkit_tool
    def suggest(self, title: str) -> str:
        return title


NoCall(title="x")  # rejected: nothing to call
FormatBook(titel="x")  # rejected: an unknown field
FormatBook(title=1)  # rejected: the wrong type
OpenAITool.from_arguments(id=None, name="x")  # rejected: no arguments
OpenAITool.type_from_fn("format_book")  # rejected: no function
BookTools().suggest(1)  # rejected: the wrong type


def outside(title: str) -> str:
    return title


toolkit_tool(outside)  # rejected: not a method of a toolkit
