"""An MCP server with one tool, for `agent.py`."""

from mcp.server.mcpserver import MCPServer  # mcp 1: from mcp.server.fastmcp import FastMCP

server = MCPServer("books")


@server.tool()
def copies(title: str) -> str:
    """Return the number of copies of a book in the library."""
    return f"3 copies of {title}"


if __name__ == "__main__":
    server.run()
