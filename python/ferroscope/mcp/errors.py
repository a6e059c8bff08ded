"""The exceptions of MCP clients."""

from __future__ import annotations

from ..errors import FerroscopeError, ToolError


class MCPToolError(ToolError, RuntimeError):
    """A server reported that a tool failed; the message is the text of its result.

    Attributes:
        server: The server, as in the errors of its connection.
    """

    def __init__(self, message: str, *, name: str, arguments: str, server: str) -> None:
        super().__init__(message, name=name, call_id=None, arguments=arguments)
        self.server = server


class MCPConnectionError(FerroscopeError, ConnectionError):
    """A server is unreachable, or the connection to it broke.

    Attributes:
        server: The server: its command, or its URL without user, password and query.
        may_have_run: Whether the server may have received the request. A tool call may have run then.
    """

    def __init__(self, message: str, *, server: str, may_have_run: bool) -> None:
        super().__init__(message)
        self.server = server
        self.may_have_run = may_have_run
