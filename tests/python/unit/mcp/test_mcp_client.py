"""MCP clients against real servers, over each transport."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

import mcp.types as types
from mcp import StdioServerParameters

from ferroscope.core.base import BaseMessageParam, BaseTool, ImagePart, TextPart
from ferroscope.core.base._tools.output import tool_output_text
from ferroscope.errors import ToolError
from ferroscope.mcp import (
    MCPClient,
    MCPConnectionError,
    MCPToolError,
    MCPToolKit,
    sse_client,
    stdio_client,
    streamable_http_client,
)

from .conftest import Connect, HttpServer

PNG = b"\x89PNG pixel"


async def _tools(client: MCPClient) -> dict[str, type[BaseTool]]:
    return {tool._name(): tool for tool in await client.list_tools()}


async def _call(client: MCPClient, name: str, **arguments: object) -> Any:
    tool = (await _tools(client))[name]
    return await tool.from_arguments(id="call_1", name=name, arguments=json.dumps(arguments)).call()


async def test_tools_resources_and_prompts_over_each_transport(connect: Connect) -> None:
    async with connect() as client:
        tools = await _tools(client)
        assert tools["add_numbers"].__name__ == "AddNumbers"
        assert tools["add_numbers"]._description() == "Add two numbers."
        assert await _call(client, "add_numbers", a=1) == ["6"]
        assert await _call(client, "add_numbers", a=1, b=2) == ["3"]
        assert [str(one.uri) for one in await client.list_resources()] == ["test://notes", "test://pixel"]
        assert await client.read_resource("test://notes") == [TextPart(type="text", text="the notes")]
        [pixel] = await client.read_resource("test://pixel")
        assert isinstance(pixel, types.BlobResourceContents)
        assert [prompt.name for prompt in await client.list_prompts()] == ["greet"]
        template = await client.get_prompt_template("greet")
        assert await template(name="Bo") == [BaseMessageParam(role="user", content="Greet Bo.")]
        with pytest.raises(ValueError, match=r"no prompt 'gret'; it has \['greet'\]"):
            await client.get_prompt_template("gret")


def test_a_sync_program_calls_tools(connect: Connect) -> None:
    with connect() as client:
        tools = {tool._name(): tool for tool in MCPToolKit.of_sync(web=client).create_tools()}
        assert tools["web_add_numbers"](a=1).call() == ["6"]
        assert client.read_resource("test://notes") == [TextPart(type="text", text="the notes")]
        assert client.get_prompt_template("greet")(name="Bo") == [BaseMessageParam(role="user", content="Greet Bo.")]
        assert [str(one.uri) for one in client.list_resources()] == ["test://notes", "test://pixel"]
        assert len(client.list_prompts()) == 1
        assert "add_numbers" in [tool._name() for tool in client.list_tools()]


async def test_an_error_of_the_server_is_a_tool_error(stdio: Connect) -> None:
    async with stdio() as client:
        with pytest.raises(MCPToolError, match="no luck: rain") as raised:
            await _call(client, "fail", reason="rain")
        assert isinstance(raised.value, ToolError)
        assert isinstance(raised.value, RuntimeError)
        assert (raised.value.name, raised.value.arguments) == ("fail", '{"reason": "rain"}')


async def test_media_and_resources_become_notes_for_the_model_and_stay_readable(stdio: Connect) -> None:
    async with stdio() as client:
        result = await _call(client, "media")
    assert [type(item).__mro__[1] for item in result[:3]] == [
        types.ImageContent,
        types.EmbeddedResource,
        types.AudioContent,
    ]
    assert result.images == [ImagePart(type="image", media_type="image/png", image=PNG, detail=None)]
    assert json.loads(tool_output_text(result)) == [
        "[image image/png, 10 bytes]",
        "resource text",
        "[audio audio/wav, 10 bytes]",
        "done",
    ]


async def test_a_long_result_is_cut_with_a_note(stdio: Connect) -> None:
    async with stdio() as client:
        result = await _call(client, "long_text", size=1_000_000)
    assert result == ["é" * 100_000 + "\n[900000 of 1000000 characters left out]"]
    assert len(result.raw.content[0].text) == 1_000_000


async def test_the_schema_of_the_server_is_passed_on_whole(stdio: Connect) -> None:
    async with stdio() as client:
        tool = (await _tools(client))["search"]
        schema = tool.model_json_schema()
        assert schema["required"] == ["query"]
        assert schema["properties"]["query"] == {"$ref": "#/$defs/Query"}
        assert schema["$defs"]["Query"]["properties"]["words"]["type"] == "array"
        assert schema["properties"]["uri"]["format"] == "uri"
        assert await _call(client, "search", query={"words": ["a"]}) == ["['a'] test://"]


async def test_a_session_is_opened_in_one_task_and_closed_in_another(connect: Connect) -> None:
    connections = [connect(), connect()]
    clients = [await asyncio.create_task(one.__aenter__()) for one in connections]
    assert [await _call(client, "add_numbers", a=1) for client in clients] == [["6"], ["6"]]
    for one in connections:  # the first that was opened is closed first
        await asyncio.create_task(one.__aexit__(None, None, None))
    with pytest.raises(MCPConnectionError, match="the client is closed"):
        await clients[0].list_tools()


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (streamable_http_client("http://user:secret@127.0.0.1:9/mcp?key=secret"), r"at http://127\.0\.0\.1:9/mcp: "),
        (sse_client("http://127.0.0.1:9/sse"), r"at http://127\.0\.0\.1:9/sse: "),
        (stdio_client(StdioServerParameters(command="/no/such/program")), "'/no/such/program': .*No such file"),
        (stdio_client(StdioServerParameters(command=sys.executable, args=["-c", ""])), "cannot open a session"),
    ],
)
async def test_a_server_that_is_down_is_a_clear_error(connection: Any, message: str) -> None:
    with pytest.raises(MCPConnectionError, match=message) as raised:
        await connection.__aenter__()
    assert "secret" not in str(raised.value)
    assert not raised.value.may_have_run


async def test_a_call_that_may_have_run_is_not_repeated(connect: Connect, calls: Path) -> None:
    async with connect() as client:
        with pytest.raises(MCPConnectionError, match="unknown whether it ran") as raised:
            await _call(client, "record_and_exit")
        assert raised.value.may_have_run
        assert calls.read_text() == "x"


async def test_a_lost_session_is_reopened(stdio: Connect) -> None:
    async with stdio() as client:
        tools = await _tools(client)
        first = await tools["process_id"]().call()
        with pytest.raises(MCPConnectionError):
            await tools["record_and_exit"]().call()
        # The waiters share one new session.
        results = await asyncio.gather(*(tools["process_id"]().call() for _ in range(3)))
        assert results[0] != first
        assert results[0] == results[1] == results[2]


async def test_a_call_that_the_server_declares_read_only_is_repeated(stdio: Connect, calls: Path) -> None:
    async with stdio() as client:
        assert await _call(client, "read_and_exit_once") == ["read"]
        assert calls.read_text() == "xx"


async def test_a_session_that_the_server_forgot_is_opened_again(
    http_server: HttpServer, calls: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with http_server.connect() as client:
        tools = await _tools(client)
        http_server.stop()
        http_server.start()
        if http_server.transport == "sse":  # the client notices the end of the event stream
            with pytest.raises(MCPConnectionError):
                await tools["process_id"]().call()
        results = await asyncio.gather(*(tools["record"]().call() for _ in range(3)))
        assert results == [["recorded"]] * 3
        assert calls.read_text() == "xxx"


async def test_a_session_of_the_program_is_used_as_it_is(stdio: Connect) -> None:
    async with stdio() as owner:
        client = MCPClient(owner.session)
        assert await _call(client, "add_numbers", a=1) == ["6"]
        assert client.session is owner.session
        await client.send_ping()
        async with sse_client("http://unused.example", session=owner.session) as same:
            assert same.session is owner.session


async def test_a_client_of_another_event_loop_is_a_clear_error(stdio: Connect) -> None:
    async with stdio() as client:
        with pytest.raises(RuntimeError, match="opened in another event loop"):
            await asyncio.to_thread(lambda: asyncio.run(client.list_tools()))


async def test_a_call_that_is_cancelled_leaves_the_session_usable(stdio: Connect) -> None:
    async with stdio() as client:
        tool = (await _tools(client))["process_id"]
        first = await tool().call()
        cancelled = asyncio.create_task(tool().call())
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert await tool().call() == first


async def test_tools_of_two_servers_are_called_on_their_own_server(stdio: Connect) -> None:
    async with stdio() as a, stdio() as b:
        alone = [await _call(client, "process_id") for client in (a, b)]
        for toolkit in (await MCPToolKit.of(a=a, b=b), await MCPToolKit.of(b=b, a=a)):
            tools = {tool._name(): tool for tool in toolkit.create_tools()}
            assert [await tools[f"{one}_process_id"]().call() for one in "ab"] == alone
        with pytest.raises(ValueError, match="pass the clients by keyword"):
            await MCPToolKit.of(a, b)
