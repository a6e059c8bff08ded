"""An MCP server for the tests, over stdio or HTTP, on mcp 1 and 2."""

from __future__ import annotations

import base64
import os
import socket
import sys
from typing import Annotated, Any

import mcp.types as types
from pydantic import BaseModel, Field

try:
    from mcp.server.fastmcp import FastMCP
    from mcp.server.fastmcp.exceptions import ToolError
except ImportError:
    from mcp.server.mcpserver import MCPServer as FastMCP
    from mcp.server.mcpserver.exceptions import ToolError


class Query(BaseModel):
    words: list[str]


PIXEL = base64.b64encode(b"\x89PNG pixel").decode()
server: Any = FastMCP("tests")


@server.tool()
def add_numbers(a: int, b: int = 5) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool(name="files.read")
def files_read(path: str) -> str:
    return f"content of {path}"


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise ToolError(f"no luck: {reason}")


@server.tool()
def process_id() -> str:
    return str(os.getpid())


def _record() -> None:
    with open(os.environ["CALLS"], "a") as file:
        file.write("x")


@server.tool()
def record_and_exit() -> str:
    """Record the call, then lose the connection."""
    _record()
    os._exit(3)


@server.tool(annotations=types.ToolAnnotations(readOnlyHint=True))
def read_and_exit_once() -> str:
    """Lose the connection on the first call only."""
    _record()
    if os.path.getsize(os.environ["CALLS"]) == 1:
        os._exit(3)
    return "read"


@server.tool()
def media() -> Any:
    return [
        types.ImageContent(type="image", data=PIXEL, mimeType="image/png"),
        types.EmbeddedResource(
            type="resource",
            resource=types.TextResourceContents(uri="test://a", mimeType="text/plain", text="resource text"),
        ),
        types.AudioContent(type="audio", data=PIXEL, mimeType="audio/wav"),
        types.TextContent(type="text", text="done"),
    ]


@server.tool()
def record() -> str:
    """Record the call."""
    _record()
    return "recorded"


@server.tool()
def search(query: Query, uri: Annotated[str, Field(json_schema_extra={"format": "uri"})] = "test://") -> str:
    """Search with a nested model."""
    return f"{query.words} {uri}"


@server.tool()
def long_text(size: int) -> str:
    return "é" * size


@server.resource("test://notes")
def notes() -> str:
    """Notes."""
    return "the notes"


@server.resource("test://pixel", mime_type="image/png")
def pixel() -> bytes:
    return b"\x89PNG pixel"


@server.prompt()
def greet(name: str) -> str:
    """Greet someone."""
    return f"Greet {name}."


if __name__ == "__main__":
    transport = sys.argv[1]
    if transport == "stdio":
        server.run()
    else:
        import uvicorn

        app = server.sse_app() if transport == "sse" else server.streamable_http_app()
        listening = socket.create_server(("127.0.0.1", int(sys.argv[2])))
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])
