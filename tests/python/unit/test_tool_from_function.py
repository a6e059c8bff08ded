"""Functions as tools: the schema that goes over the wire, and what comes back."""

from __future__ import annotations

from ferroscope.core.base.tool import provider_tool_type
from ferroscope.core.openai.tool import OpenAITool


def format_book(title: str, author: str = "unknown") -> str:
    """Formats a book.

    Args:
        title: The title of the book.
        author: Who wrote it.
    """
    return f"{title} by {author}"


def test_descriptions_and_defaults_of_parameters_are_sent() -> None:
    assert provider_tool_type(format_book, OpenAITool).tool_schema() == {
        "type": "function",
        "function": {
            "name": "format_book",
            "description": "Formats a book.",
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "The title of the book."},
                    "author": {"type": "string", "description": "Who wrote it.", "default": "unknown"},
                },
                "required": ["title"],
            },
        },
    }


def test_a_finished_call_becomes_the_tool() -> None:
    tool = provider_tool_type(format_book, OpenAITool).from_arguments(
        id="call_1", name="format_book", arguments='{"title":"Emma","author":"Jane Austen"}'
    )
    assert (tool.id, tool.args, tool.call()) == (
        "call_1",
        {"title": "Emma", "author": "Jane Austen"},
        "Emma by Jane Austen",
    )
