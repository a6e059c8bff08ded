"""Names, schemas and values of MCP tools without a server."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("mcp")

from mcp import types

from ferroscope.core import anthropic, openai
from ferroscope.mcp import MCPToolResult
from ferroscope.mcp._names import class_name, wire_names
from ferroscope.mcp._sdk import MAJOR, ServerError, all_pages, is_session_terminated
from ferroscope.mcp._tool_types import AsyncServerTool, RemoteTool, SyncServerTool, tool_type
from ferroscope.mcp.tools import MCPTool, ToolUseBlock

VALID = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{,63}")


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        ([("", "search")], ["search"]),
        ([("", "files.read"), ("", "a b")], ["files_read", "a_b"]),
        ([("a", "search"), ("b", "search")], ["a_search", "b_search"]),
        ([("", "a_b"), ("", "a.b")], ["a_b", "a_b_fc7d33be"]),
        ([("", "x" * 80)], ["x" * 55 + "_bcea7e1c"]),
        ([("", "2d"), ("", "-v")], ["_2d", "_-v"]),
        ([("", "2d"), ("", "_2d")], None),
        ([("", "2" * 64)], None),
        ([("", "")], None),
        ([("a_b", "c"), ("a", "b_c")], None),
        ([("", "é"), ("", "è")], None),
    ],
)
def test_names_are_valid_and_unique_in_any_order(tools: list[tuple[str, str]], names: list[str] | None) -> None:
    found = wire_names(tools)
    assert all(VALID.fullmatch(name) for name in found)
    assert len(set(found)) == len(tools)
    assert wire_names(tools[::-1]) == found[::-1]
    if names is not None:
        assert found == names


def test_two_tools_with_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two tools are named 'search'"):
        wire_names([("", "search"), ("", "search")])


@pytest.mark.parametrize(
    ("name", "expected"), [("read_file", "ReadFile"), ("getX", "GetX"), ("files.read", "FilesRead"), ("2d", "Tool2d")]
)
def test_a_class_has_the_name_of_its_tool_in_pascal_case(name: str, expected: str) -> None:
    assert class_name(name) == expected


SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$defs": {"Q": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    "type": "object",
    "properties": {
        "q": {"$ref": "#/$defs/Q"},
        "id": {"type": "string", "description": "An id."},
        "model_name": {"type": "string"},
        "_x": {"type": "string", "default": "d"},
        "x": {"type": "string"},
        "a-b": {"type": "string"},
        "class": {"type": "string"},
    },
    "required": ["q"],
}


def _made(run: Any) -> type[SyncServerTool]:
    return tool_type(RemoteTool("find.it", "Find it.", SCHEMA, False, run), "find_it", SyncServerTool)


def test_arguments_reach_the_server_under_its_own_names_and_only_those_that_were_sent() -> None:
    sent: list[dict[str, object]] = []
    arguments = (
        '{"q": {"n": 1}, "id": "i", "model_name": "m", "_x": "u", "x": "x", "a-b": "ab", "class": "c", "new": [1]}'
    )
    made = _made(lambda _, values: sent.append(values))
    tool = made.from_arguments(id="call", name="find_it", arguments=arguments)
    tool.call()
    made.from_arguments(id="call", name="find_it", arguments='{"q": {}}').call()
    assert sent == [
        {"q": {"n": 1}, "id": "i", "model_name": "m", "_x": "u", "x": "x", "a-b": "ab", "class": "c", "new": [1]},
        {"q": {}},
    ]
    assert tool.args["id"] == "i"


def test_a_provider_gets_the_name_and_the_schema_of_the_server() -> None:
    from ferroscope.core.base.tool import provider_tool_type

    made = _made(lambda *_: None)
    expected = {key: value for key, value in SCHEMA.items() if key != "$schema"}
    assert provider_tool_type(made, openai.OpenAITool).tool_schema() == {
        "type": "function",
        "function": {"name": "find_it", "description": "Find it.", "parameters": expected},
    }
    assert provider_tool_type(made, anthropic.AnthropicTool).tool_schema() == {
        "name": "find_it",
        "description": "Find it.",
        "input_schema": expected,
    }


def test_a_tool_without_parameters_has_an_object_schema() -> None:
    made = tool_type(RemoteTool("now", "", {}, True, lambda *_: None), "now", AsyncServerTool)
    assert made.model_json_schema() == {"type": "object", "properties": {}}
    assert made._description() == "Call the tool now."


@pytest.mark.parametrize(
    ("code", "message", "lost"),
    [
        (-32600, "Session terminated", True),
        (32600, "Session terminated", True),  # mcp 1
        (-32600, "Session not found", True),
        (-32600, "Invalid request", False),
        (-32000, "Session terminated", False),
    ],
)
def test_a_lost_session_is_recognised_by_both_signs_of_its_code(code: int, message: str, lost: bool) -> None:
    error: Any = ServerError  # its arguments differ between the majors of mcp
    made = error(code, message) if MAJOR > 1 else error(types.ErrorData(code=code, message=message))
    assert is_session_terminated(made) is lost
    assert not is_session_terminated(ValueError(message))


async def test_a_list_is_read_to_its_last_page() -> None:
    class Page:
        def __init__(self, first: int, cursor: str | None) -> None:
            self.tools = [first, first + 1]
            self.next_cursor = self.nextCursor = cursor

    pages = {None: Page(1, "a"), "a": Page(3, "b"), "b": Page(5, None)}

    async def fetch(params: Any = None) -> Page:
        return pages[params.cursor if params else None]

    assert await all_pages(fetch, "tools") == [1, 2, 3, 4, 5, 6]
    pages["b"] = Page(5, "a")
    with pytest.raises(RuntimeError, match="cursor 'a'"):
        await all_pages(fetch, "tools")


def test_a_large_image_stays_whole_and_structured_content_alone_becomes_json() -> None:
    data = base64.b64encode(b"x" * 5_000_000).decode()
    result = MCPToolResult(
        types.CallToolResult(content=[types.ImageContent(type="image", data=data, mimeType="image/png")])
    )
    assert result.text == "[image image/png, 5000000 bytes]"
    assert result.images[0].image == b"x" * 5_000_000
    alone = MCPToolResult(types.CallToolResult(content=[], structuredContent={"n": 1}))
    assert (alone, alone.structured) == (['{"n": 1}'], {"n": 1})


def test_the_deprecated_tool_class_warns() -> None:
    class Book(MCPTool):
        """A book."""

        title: str

        def call(self) -> str:
            return self.title

    with pytest.warns(DeprecationWarning, match="MCPTool is deprecated"):
        schema = Book.tool_schema()
    assert schema == {
        "name": "Book",
        "description": "A book.",
        "input_schema": {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
    }
    block = ToolUseBlock(id="1", name="Book", input={"title": "Emma"})
    with pytest.warns(DeprecationWarning, match="MCPTool is deprecated"):
        tool = Book.from_tool_call(block)
    assert (tool.call(), tool.tool_call, tool.args) == ("Emma", block, {"title": "Emma"})


def test_nothing_is_loaded_before_a_name_is_used_and_a_missing_package_names_its_extra() -> None:
    program = (
        "import sys, ferroscope, ferroscope.mcp\n"
        "assert not any(name.split('.')[0] in ('mcp', 'anyio') for name in sys.modules)\n"
        "sys.modules['mcp'] = None\n"
        "try:\n    ferroscope.mcp.MCPClient\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "ferroscope.mcp needs the package 'mcp': install it with `pip install 'ferroscope[mcp]'`\n"
