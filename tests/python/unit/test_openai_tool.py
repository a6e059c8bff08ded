"""OpenAI's tools: their `tool_call`, which is the SDK's own object, and their configuration."""

from __future__ import annotations

import copy
import re
import warnings
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageToolCall
from pydantic import ConfigDict

from ferroscope.core.base.tool import BaseTool, ToolConfig
from ferroscope.core.openai.tool import OpenAITool, OpenAIToolConfig
from ferroscope.errors import ToolArgumentsError


def format_book(title: str, author: str) -> str:
    """Formats a book."""
    return f"{title} by {author}"


TOOL = OpenAITool.type_from_fn(format_book)
ARGUMENTS = '{"title":"Emma","author":"Jane Austen"}'
SDK_CALL = ChatCompletionMessageToolCall.model_validate(
    {"id": "call_1", "type": "function", "function": {"name": "format_book", "arguments": ARGUMENTS}}
)


def finished() -> OpenAITool:
    return TOOL.from_arguments(id="call_1", name="format_book", arguments=ARGUMENTS)


def test_the_tool_call_is_the_sdks_object_made_when_it_is_read() -> None:
    tool = finished()
    assert type(tool.tool_call) is ChatCompletionMessageToolCall
    assert tool.tool_call == SDK_CALL
    assert tool.tool_call is tool.tool_call


def test_whether_the_call_was_read_cannot_be_seen() -> None:
    read, unread = finished(), finished()
    assert read.tool_call.id == "call_1"
    assert read == unread
    assert unread == finished()
    assert repr(finished()) == repr(read)
    assert finished().model_dump() == read.model_dump()
    assert finished().model_dump_json() == read.model_dump_json()
    assert copy.deepcopy(finished()) == read
    other = TOOL.from_arguments(id="call_2", name="format_book", arguments=ARGUMENTS)
    assert other != read
    assert other != unread


def test_a_dump_has_the_call_and_the_arguments() -> None:
    assert finished().model_dump() == {
        "delta": None,
        "tool_call": {
            "id": "call_1",
            "type": "function",
            "function": {"name": "format_book", "arguments": ARGUMENTS},
        },
        "title": "Emma",
        "author": "Jane Austen",
    }


def test_from_tool_call_keeps_the_very_object() -> None:
    tool = TOOL.from_tool_call(SDK_CALL)
    assert tool.tool_call is SDK_CALL
    assert (tool.id, tool.args, tool.call()) == (
        "call_1",
        {"title": "Emma", "author": "Jane Austen"},
        "Emma by Jane Austen",
    )
    assert tool == finished()


def test_a_tool_call_may_be_given_as_keyword_and_as_a_dict() -> None:
    make: Any = TOOL  # its fields are known at run time only
    by_object = make(title="Emma", author="Jane Austen", tool_call=SDK_CALL)
    by_dict = make(title="Emma", author="Jane Austen", tool_call=SDK_CALL.model_dump())
    assert by_object.tool_call is SDK_CALL
    assert by_dict.tool_call == SDK_CALL
    assert by_dict == by_object == finished()


def test_a_tool_made_by_hand_has_no_call() -> None:
    tool = TOOL(title="Emma", author="Jane Austen")  # type: ignore[call-arg]
    assert tool.id is None
    with pytest.raises(AttributeError, match="tool_call"):
        _ = tool.tool_call
    assert tool.call() == "Emma by Jane Austen"


def test_a_call_without_an_id() -> None:
    tool = TOOL.from_arguments(id=None, name="format_book", arguments=ARGUMENTS)
    assert tool.id is None
    assert tool.tool_call.id is None
    assert tool.tool_call.function.name == "format_book"


def test_malformed_arguments_in_a_tool_call() -> None:
    call = ChatCompletionMessageToolCall.model_validate(
        {"id": "call_1", "type": "function", "function": {"name": "format_book", "arguments": "{"}}
    )
    with pytest.raises(ToolArgumentsError):
        TOOL.from_tool_call(call)


def test_an_unfinished_tool_call_has_what_is_known() -> None:
    call = ChatCompletionMessageToolCall.model_validate(
        {"id": "call_1", "type": "function", "function": {"name": "format_book", "arguments": '{"title":"Em'}}
    )
    tool = TOOL.from_tool_call(call, allow_partial=True)
    assert (tool.args, tool.delta, tool._name(), tool.id) == (
        {"title": "Em", "author": None},
        None,
        "format_book",
        "call_1",
    )
    assert isinstance(tool, TOOL)
    assert tool.tool_call is call


def test_changing_a_schema_changes_nobody_elses() -> None:
    expected = TOOL.tool_schema()
    changed: Any = TOOL.tool_schema()
    changed["function"]["parameters"]["properties"]["title"]["type"] = "integer"
    changed["function"]["name"] = "other"
    assert TOOL.tool_schema() == expected
    assert TOOL.wire_schema() is TOOL.wire_schema()


def test_a_strict_tool() -> None:
    class Plan(BaseTool):
        """Plans."""

        tool_config = OpenAIToolConfig(strict=True)
        steps: int = 3
        goal: str | None = None

        def call(self) -> None: ...

    assert OpenAITool.type_from_base_model_type(Plan).tool_schema() == {
        "type": "function",
        "function": {
            "name": "Plan",
            "description": "Plans.",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {
                    "steps": {"type": "integer"},
                    "goal": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["steps", "goal"],
                "additionalProperties": False,
            },
        },
    }


def test_a_strict_tool_without_arguments_says_that_there_are_none() -> None:
    class Ping(BaseTool):
        tool_config = OpenAIToolConfig(strict=True)

        def call(self) -> None: ...

    assert OpenAITool.type_from_base_model_type(Ping).tool_schema()["function"].get("parameters") == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


class CachedToolConfig(ToolConfig, total=False):
    cache: bool


def test_configuration_of_another_provider_is_ignored_with_a_warning_once() -> None:
    class Search(BaseTool):
        tool_config = CachedToolConfig(cache=True)

        def call(self) -> None: ...

    tool = OpenAITool.type_from_base_model_type(Search)
    message = "openai does not support the following tool configurations, so they will be ignored: {'cache'}"
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        tool.tool_schema()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tool.tool_schema()


def test_strict_models_are_openais_and_a_warning_elsewhere() -> None:
    class Answer(BaseTool):
        model_config = ConfigDict(strict=True)
        text: str

        def call(self) -> None: ...

    with pytest.warns(UserWarning, match="NONE does not support strict structured outputs"):
        Answer.model_json_schema()
    OpenAITool.type_from_base_model_type(Answer).tool_schema()


def test_the_sdks_object_is_not_built_for_a_call_that_nobody_reads() -> None:
    # Looks behind the field, because reading it is what builds the object.
    tool = finished()
    assert (tool.id, tool.call()) == ("call_1", "Emma by Jane Austen")
    assert not isinstance(vars(tool)["tool_call"], ChatCompletionMessageToolCall)
    assert tool.tool_call is vars(tool)["tool_call"]
