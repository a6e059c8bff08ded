"""MCP: the tools, resources and prompts of servers of the Model Context Protocol, on the SDKs mcp 1 and 2."""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from . import client as client
    from . import server as server
    from . import tools as tools
    from ._results import MCPToolResult
    from .client import (
        MCPClient,
        SyncMCPClient,
        sse_client,
        stdio_client,
        streamable_http_client,
    )
    from .errors import MCPConnectionError, MCPToolError
    from .server import MCPServer
    from .toolkit import MCPToolKit
    from .tools import MCPTool

__all__ = [
    "MCPClient",
    "MCPConnectionError",
    "MCPServer",
    "MCPTool",
    "MCPToolError",
    "MCPToolKit",
    "MCPToolResult",
    "SyncMCPClient",
    "sse_client",
    "stdio_client",
    "streamable_http_client",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MCPClient": ".client",
        "MCPConnectionError": ".errors",
        "MCPServer": ".server",
        "MCPTool": ".tools",
        "MCPToolError": ".errors",
        "MCPToolKit": ".toolkit",
        "MCPToolResult": "._results",
        "SyncMCPClient": ".client",
        "client": None,
        "server": None,
        "sse_client": ".client",
        "stdio_client": ".client",
        "streamable_http_client": ".client",
        "tools": None,
    },
)
