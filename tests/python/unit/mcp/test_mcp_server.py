"""v1's `MCPServer`, as a process, read by a client."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from mcp import StdioServerParameters, types
from pydantic import AnyUrl, ValidationError

from ferroscope.core.base import BaseMessageParam, TextPart
from ferroscope.mcp import MCPServer, MCPTool, MCPToolError, stdio_client

SERVER = Path(__file__).with_name("server_v1.py")
PARAMETERS = StdioServerParameters(command=sys.executable, args=[str(SERVER)], env=dict(os.environ))


async def test_a_server_of_v1_serves_tools_resources_and_prompts() -> None:
    async with stdio_client(PARAMETERS) as client:
        find_book: Any
        rate: Any
        fail: Any
        find_book, rate, fail = await client.list_tools()
        assert (find_book._name(), find_book._description()) == ("find_book", "Find books.")
        assert find_book.model_json_schema()["required"] == ["genre"]
        assert await find_book(genre="sf", limit=2).call() == ['["Dune (sf)", "Dune (sf)"]']
        assert await rate(stars=3).call() == ["***"]
        with pytest.raises(MCPToolError, match="less than or equal to 5"):
            await rate(stars=9).call()
        with pytest.raises(MCPToolError, match="LookupError: no luck"):
            await fail(reason="no luck").call()

        names = [(str(resource.uri), resource.name) for resource in await client.list_resources()]
        assert names == [("books://authors", "Authors"), ("books://cover", "cover")]
        assert await client.read_resource("books://authors") == [TextPart(type="text", text="Herbert, Le Guin")]
        blob: Any
        (blob,) = await client.read_resource("books://cover")
        assert blob.blob == "iVBORw=="

        prompts = {prompt.name: prompt for prompt in await client.list_prompts()}
        found = [(a.name, a.description, a.required) for a in prompts["recommend"].arguments or ()]
        assert found == [("genre", "The genre.", True), ("mood", "The mood.", False)]
        assert prompts["recommend"].description == "Recommend a book."
        recommend = await client.get_prompt_template("recommend")
        assert await recommend(genre="sf") == [BaseMessageParam(role="user", content="Recommend a sf book (calm).")]
        describe = await client.get_prompt_template("describe")
        texts = [message.content for message in await describe(book="Dune")]
        assert texts == ["Be brief.", "Describe Dune."]
        show = await client.get_prompt_template("show")
        parts: list[Any] = [message.content for message in await show(book="Dune")]
        assert parts[0] == "Look:"
        assert parts[1][0].image == b"\x89PNG"


def test_the_parts_of_a_server_can_be_passed_as_lists() -> None:
    def find_book(genre: str) -> str:
        """Find a book."""
        return genre

    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book."

    resource = types.Resource.model_validate({"uri": "books://a", "name": "a"})
    with pytest.warns(DeprecationWarning, match=r"mcp\.server\.mcpserver\.MCPServer"):
        server = MCPServer("books", tools=[find_book], resources=[(resource, lambda: "a")], prompts=[recommend])
    assert issubclass(server.tools["find_book"], MCPTool)
    assert (list(server.resources), list(server.prompts)) == (["books://a"], ["recommend"])
    for add in (lambda: server.tool()(find_book), lambda: server.prompt()(recommend)):
        with pytest.raises(KeyError, match="already exists"):
            add()


def test_the_address_of_a_resource_is_text_in_mcp_2() -> None:
    described = {"name": "Books Database", "mimeType": "text/plain"}
    if "AnyUrl" in str(types.Resource.model_fields["uri"].annotation):  # mcp 1
        resource = types.Resource.model_validate({"uri": AnyUrl("file://books.txt"), **described})
        assert str(resource.uri) == "file://books.txt/"
        return
    with pytest.raises(ValidationError, match="uri"):
        types.Resource.model_validate({"uri": AnyUrl("file://books.txt"), **described})
    resource = types.Resource.model_validate({"uri": "file://books.txt", **described})
    with pytest.warns(DeprecationWarning, match="MCPServer"):
        server = MCPServer("books", resources=[(resource, lambda: "a")])
    assert list(server.resources) == ["file://books.txt"]
