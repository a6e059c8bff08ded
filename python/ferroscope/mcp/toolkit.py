"""A toolkit over one or more servers."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..core.base.tool import BaseTool
from ._names import wire_names
from ._tool_types import AsyncServerTool, SyncServerTool, tool_type
from .client import MCPClient, SyncMCPClient

_ToolT = TypeVar("_ToolT", bound=BaseTool)


class MCPToolKit(Generic[_ToolT]):
    """The tools of one or more servers, for the `tools` of a call.

    Each tool is called on the server that it came from. Names are unique and do not depend on the order of the servers.

    Example:
        ```python
        toolkit = await MCPToolKit.of(files=files_client, web=web_client)
        tools = toolkit.create_tools()  # named files_read, web_search, ...
        ```
    """

    def __init__(self, tools: list[type[_ToolT]]) -> None:
        self._tools = tools

    @classmethod
    async def of(cls, *clients: MCPClient, **named: MCPClient) -> MCPToolKit[AsyncServerTool]:
        """Return a toolkit with the tools that the servers have now.

        Args:
            *clients: Clients whose tools keep the server's names.
            **named: Clients whose tools have the keyword as a prefix of their names.

        Raises:
            ValueError: Two servers without a keyword have a tool with the same name.
        """
        pairs = [("", client) for client in clients] + list(named.items())
        remotes = [(namespace, remote) for namespace, client in pairs for remote in await client._remote_tools()]
        names = _names([(namespace, remote.name) for namespace, remote in remotes])
        named_remotes = zip(remotes, names, strict=True)
        return MCPToolKit([tool_type(remote, name, AsyncServerTool) for (_, remote), name in named_remotes])

    @classmethod
    def of_sync(cls, *clients: SyncMCPClient, **named: SyncMCPClient) -> MCPToolKit[SyncServerTool]:
        """Return a toolkit of sync tools with the tools that the servers have now.

        Args:
            *clients: Clients whose tools keep the server's names.
            **named: Clients whose tools have the keyword as a prefix of their names.

        Raises:
            ValueError: Two servers without a keyword have a tool with the same name.
        """
        pairs = [("", client) for client in clients] + list(named.items())
        remotes = [(namespace, remote) for namespace, client in pairs for remote in client._remote_tools()]
        names = _names([(namespace, remote.name) for namespace, remote in remotes])
        named_remotes = zip(remotes, names, strict=True)
        return MCPToolKit([tool_type(remote, name, SyncServerTool) for (_, remote), name in named_remotes])

    def create_tools(self) -> list[type[_ToolT]]:
        """Return the tool classes, in the order of the servers."""
        return list(self._tools)


def _names(tools: list[tuple[str, str]]) -> list[str]:
    try:
        return wire_names(tools)
    except ValueError as error:
        raise ValueError(f"{error}: pass the clients by keyword, such as `MCPToolKit.of(a=..., b=...)`") from None
