"""The name of v1's MCP server, which v1 deprecated and Ferroscope does not have."""

from __future__ import annotations

from typing import Any


class MCPServer:
    """v1's deprecated MCP server. The SDK's own server replaces it.

    Raises:
        NotImplementedError: Always; the message names the replacement.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: v1's arguments
        raise NotImplementedError(
            "MCPServer, which Mirascope v1 deprecated, is not part of ferroscope: use the server of the package mcp, "
            "`mcp.server.mcpserver.MCPServer` (mcp 2) or `mcp.server.fastmcp.FastMCP` (mcp 1), and its decorators "
            "`tool()`, `resource(uri)` and `prompt()`"
        )
