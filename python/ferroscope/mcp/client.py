"""Clients of MCP servers, over stdio, server-sent events and streamable HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal
from pydantic import AnyUrl

from ..core.base.message_param import AudioPart, BaseMessageParam, DocumentPart, ImagePart, TextPart
from ..core.base.tool import BaseTool
from ._connection import Connection, GivenSession, OpenStreams, Sessions
from ._names import wire_names
from ._results import MAX_RESULT_CHARACTERS, MCPToolResult
from ._sdk import MAJOR, ClientSession, all_pages, as_wire, call_tool, read_timeout, types
from ._tool_types import AsyncServerTool, RemoteTool, SyncServerTool, arguments_text, tool_type
from .errors import MCPToolError

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from mcp import StdioServerParameters

__all__ = ["MCPClient", "ServerConnection", "SyncMCPClient", "sse_client", "stdio_client", "streamable_http_client"]

_ResultT = TypeVar("_ResultT")
PromptTemplate = Callable[..., Awaitable[list[BaseMessageParam]]]
"""A prompt of a server: its arguments become the messages of a call."""


class MCPClient:
    """A client of one server.

    `stdio_client`, `sse_client` and `streamable_http_client` open one. A session that the program opened itself can be
    passed instead; it is not reopened when it is lost.

    Example:
        ```python
        async with stdio_client(StdioServerParameters(command="python", args=["server.py"])) as client:
            tools = await client.list_tools()
        ```
    """

    def __init__(
        self, session: ClientSession | Sessions, *, max_result_characters: int = MAX_RESULT_CHARACTERS
    ) -> None:
        self._sessions: Sessions = GivenSession(session) if isinstance(session, ClientSession) else session
        self._max_result_characters = max_result_characters

    @property
    def session(self) -> ClientSession:
        """The SDK's session, for all other requests. It is another object after the session was reopened."""
        return self._sessions.session

    def __getattr__(self, name: str) -> Any:  # Any: the type of the session's attribute
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.session, name)

    async def list_resources(self) -> list[types.Resource]:
        """Return the server's resources, of all pages."""
        return await self._all("resources/list", "list_resources", "resources")

    async def read_resource(self, uri: str | AnyUrl) -> list[TextPart | types.BlobResourceContents]:
        """Return the contents of a resource: texts as parts of a message, other data as mcp's class."""
        # The type of the URI differs between the majors.
        address: Any = str(uri) if MAJOR > 1 else AnyUrl(str(uri))
        result = await self._sessions.request(
            lambda session: session.read_resource(address), what=f"resources/read of {str(uri)!r}", repeatable=True
        )
        return [
            TextPart(type="text", text=one.text) if isinstance(one, types.TextResourceContents) else one
            for one in result.contents
        ]

    async def list_prompts(self) -> list[types.Prompt]:
        """Return the server's prompts, of all pages."""
        return await self._all("prompts/list", "list_prompts", "prompts")

    async def get_prompt_template(self, name: str) -> PromptTemplate:
        """Return an async function that renders a prompt of the server.

        Its keyword arguments are the prompt's arguments; values that are not text become JSON.

        Raises:
            ValueError: The server has no such prompt.
        """
        known = [prompt.name for prompt in await self.list_prompts()]
        if name not in known:
            raise ValueError(f"{self._sessions.server} has no prompt {name!r}; it has {known}")

        async def render(**kwargs: object) -> list[BaseMessageParam]:
            arguments = {key: value if isinstance(value, str) else json.dumps(value) for key, value in kwargs.items()}
            result = await self._sessions.request(
                lambda session: session.get_prompt(name, arguments), what=f"the prompt {name!r}", repeatable=True
            )
            return [_as_message(as_wire(message)) for message in result.messages]

        render.__name__ = name
        return render

    async def list_tools(self, *, namespace: str = "") -> list[type[BaseTool]]:
        """Return a tool class for each tool of the server, of all pages. `await tool.call()` calls the server.

        Args:
            namespace: A prefix of the names in requests to the model, for programs with several servers.
        """
        remotes = await self._remote_tools()
        names = wire_names([(namespace, remote.name) for remote in remotes])
        return [tool_type(remote, name, AsyncServerTool) for remote, name in zip(remotes, names, strict=True)]

    async def _remote_tools(self) -> list[RemoteTool]:
        found: dict[str, RemoteTool] = {}
        for tool in map(as_wire, await self._all("tools/list", "list_tools", "tools")):
            hints = tool.get("annotations") or {}
            found.setdefault(
                tool["name"],
                RemoteTool(
                    name=tool["name"],
                    description=tool.get("description") or tool.get("title") or "",
                    schema=tool.get("inputSchema") or {},
                    repeatable=bool(hints.get("readOnlyHint") or hints.get("idempotentHint")),
                    run=self._call,
                ),
            )
        return list(found.values())

    async def _call(self, tool: RemoteTool, arguments: dict[str, Any]) -> MCPToolResult:  # Any: JSON values
        raw = await self._sessions.request(
            lambda session: call_tool(session, tool.name, arguments),
            what=f"the tool {tool.name!r}",
            repeatable=tool.repeatable,
        )
        result = MCPToolResult(raw, self._max_result_characters)
        if as_wire(raw).get("isError"):
            raise MCPToolError(
                result.text or f"the tool {tool.name!r} failed without a message",
                name=tool.name,
                arguments=arguments_text(arguments),
                server=self._sessions.server,
            )
        return result

    async def _all(self, what: str, method: str, key: str) -> list[Any]:  # Any: the SDK's class of the items
        return await self._sessions.request(
            lambda session: all_pages(getattr(session, method), key), what=what, repeatable=True
        )


class SyncMCPClient:
    """A client of one server for sync programs; its session lives in a thread of its own.

    Example:
        ```python
        with stdio_client(StdioServerParameters(command="python", args=["server.py"])) as client:
            tools = client.list_tools()
        ```
    """

    def __init__(self, client: MCPClient, portal: BlockingPortal) -> None:
        self._client = client
        self._portal = portal

    def list_resources(self) -> list[types.Resource]:
        """Return the server's resources, of all pages."""
        return self._portal.call(self._client.list_resources)

    def read_resource(self, uri: str | AnyUrl) -> list[TextPart | types.BlobResourceContents]:
        """Return the contents of a resource: texts as parts of a message, other data as mcp's class."""
        return self._portal.call(self._client.read_resource, uri)

    def list_prompts(self) -> list[types.Prompt]:
        """Return the server's prompts, of all pages."""
        return self._portal.call(self._client.list_prompts)

    def get_prompt_template(self, name: str) -> Callable[..., list[BaseMessageParam]]:
        """Return a function that renders a prompt of the server.

        Raises:
            ValueError: The server has no such prompt.
        """
        template = self._portal.call(self._client.get_prompt_template, name)

        def render(**kwargs: object) -> list[BaseMessageParam]:
            return self._portal.call(lambda: _awaited(template(**kwargs)))

        render.__name__ = name
        return render

    def list_tools(self, *, namespace: str = "") -> list[type[BaseTool]]:
        """Return a tool class for each tool of the server, of all pages. `tool.call()` calls the server.

        Args:
            namespace: A prefix of the names in requests to the model, for programs with several servers.
        """
        remotes = self._remote_tools()
        names = wire_names([(namespace, remote.name) for remote in remotes])
        return [tool_type(remote, name, SyncServerTool) for remote, name in zip(remotes, names, strict=True)]

    def _remote_tools(self) -> list[RemoteTool]:
        return [
            RemoteTool(remote.name, remote.description, remote.schema, remote.repeatable, self._call)
            for remote in self._portal.call(self._client._remote_tools)
        ]

    def _call(self, tool: RemoteTool, arguments: dict[str, Any]) -> MCPToolResult:  # Any: JSON values
        result: MCPToolResult = self._portal.call(self._client._call, tool, arguments)
        return result


async def _awaited(result: Awaitable[_ResultT]) -> _ResultT:
    return await result


class ServerConnection:
    """A server to connect to: `async with` yields an `MCPClient`, `with` a `SyncMCPClient`.

    The session may be opened in one task and closed in another.
    """

    def __init__(
        self,
        server: str,
        open_streams: OpenStreams,
        session_options: dict[str, Any],  # Any: each has its own type
        on_stream_error: Callable[[Exception], None] | None = None,
        session: ClientSession | None = None,
    ) -> None:
        self._arguments = (server, open_streams, session_options, on_stream_error)
        self._session = session
        self._connection: Connection | None = None
        self._thread: AbstractContextManager[BlockingPortal] | None = None
        self._portal: BlockingPortal | None = None

    async def __aenter__(self) -> MCPClient:
        if self._session is not None:
            return MCPClient(self._session)
        self._connection = Connection(*self._arguments)
        await self._connection.open()
        return MCPClient(self._connection)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.aclose()

    def __enter__(self) -> SyncMCPClient:
        if self._session is not None:
            raise TypeError("a session of the program belongs to its event loop: use `async with`")
        self._thread = start_blocking_portal()
        self._portal = self._thread.__enter__()
        try:
            return SyncMCPClient(self._portal.call(self.__aenter__), self._portal)
        except BaseException:
            self._thread.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is not None and self._portal is not None:
            try:
                self._portal.call(self.__aexit__, None, None, None)
            finally:
                self._thread.__exit__(None, None, None)


def stdio_client(
    server_parameters: StdioServerParameters,
    read_stream_exception_handler: Callable[[Exception], None] | None = None,
    *,
    read_timeout_seconds: timedelta | float | None = None,
    **session_options: Any,  # Any: options of the SDK's session, such as `sampling_callback`
) -> ServerConnection:
    """Return a connection to a server that runs as a process and talks over its standard streams.

    Args:
        server_parameters: The command, as mcp's class.
        read_stream_exception_handler: Called with each line of the server that is not a message.
        read_timeout_seconds: The limit for each response. None means no limit.
        **session_options: Other arguments of `mcp.ClientSession`.

    Example:
        ```python
        async with stdio_client(StdioServerParameters(command="python", args=["server.py"])) as client:
            tools = await client.list_tools()
        ```
    """
    from mcp.client.stdio import stdio_client as open_stdio

    return ServerConnection(
        f"MCP server {server_parameters.command!r}",
        lambda _: cast("AbstractAsyncContextManager[tuple[Any, ...]]", open_stdio(server_parameters)),
        {"read_timeout_seconds": read_timeout(read_timeout_seconds), **session_options},
        read_stream_exception_handler,
    )


def sse_client(
    url: str,
    list_roots_callback: Any = None,  # Any: protocols of the SDK that differ between its majors
    read_timeout_seconds: timedelta | float | None = None,
    sampling_callback: Any = None,
    session: ClientSession | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **session_options: Any,
) -> ServerConnection:
    """Return a connection to a server over server-sent events, the HTTP transport that MCP has deprecated.

    Args:
        url: The URL of the server's event stream.
        list_roots_callback: The SDK's callback for requests of the server for its roots.
        read_timeout_seconds: The limit for each response. None means no limit.
        sampling_callback: The SDK's callback for requests of the server for a call of a model.
        session: An open session to use instead of a new one.
        headers: Headers of each request, such as `Authorization`.
        **session_options: Other arguments of `mcp.ClientSession`.
    """
    from mcp.client.sse import sse_client as open_sse

    return ServerConnection(
        f"MCP server at {_public_part(url)}",
        lambda _: cast("AbstractAsyncContextManager[tuple[Any, ...]]", open_sse(url, headers=dict(headers or {}))),
        {
            "list_roots_callback": list_roots_callback,
            "read_timeout_seconds": read_timeout(read_timeout_seconds),
            "sampling_callback": sampling_callback,
            **session_options,
        },
        session=session,
    )


def streamable_http_client(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    http_client: Any = None,  # Any: `httpx.AsyncClient` for mcp 1, `httpx2.AsyncClient` for mcp 2
    read_timeout_seconds: timedelta | float | None = None,
    **session_options: Any,  # Any: options of the SDK's session, such as `sampling_callback`
) -> ServerConnection:
    """Return a connection to a server over streamable HTTP.

    Args:
        url: The URL of the server's endpoint.
        headers: Headers of each request, such as `Authorization`.
        http_client: A client to use instead, which stays open. It has its own headers.
        read_timeout_seconds: The limit for each response. None means no limit.
        **session_options: Other arguments of `mcp.ClientSession`.

    Raises:
        ValueError: Both `headers` and `http_client` are set.

    Example:
        ```python
        async with streamable_http_client("https://mcp.example.com/mcp", headers={"Authorization": "..."}) as client:
            tools = await client.list_tools()
        ```
    """
    from mcp.client.streamable_http import streamable_http_client as open_http
    from mcp.shared._httpx_utils import create_mcp_http_client

    if headers and http_client is not None:
        raise ValueError("set the headers on `http_client`, or pass `headers` without `http_client`")

    @asynccontextmanager
    async def open_streams(on_lost: Callable[[], None]) -> AsyncIterator[tuple[Any, ...]]:  # Any: streams of the SDK
        async with AsyncExitStack() as stack:
            client: Any = http_client
            if client is None:
                client = await stack.enter_async_context(create_mcp_http_client(headers=dict(headers or {})))
            if MAJOR == 1:
                from ._http_watch import watched

                stack.enter_context(watched(client, on_lost))
            yield await stack.enter_async_context(open_http(url, http_client=client))

    return ServerConnection(
        f"MCP server at {_public_part(url)}",
        open_streams,
        {"read_timeout_seconds": read_timeout(read_timeout_seconds), **session_options},
    )


def _public_part(url: str) -> str:
    """Return a URL without user, password, query and fragment, which may contain keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _as_message(message: dict[str, Any]) -> BaseMessageParam:  # Any: JSON values
    content = message["content"]
    if content["type"] == "text":
        return BaseMessageParam(role=message["role"], content=content["text"])
    return BaseMessageParam(role=message["role"], content=[_as_part(content)])


def _as_part(content: dict[str, Any]) -> TextPart | ImagePart | AudioPart | DocumentPart:  # Any: JSON values
    match content["type"]:
        case "image":
            return _as_media(content["mimeType"], content["data"])
        case "audio":
            return AudioPart(type="audio", media_type=content["mimeType"], audio=base64.b64decode(content["data"]))
        case "resource":
            resource = content["resource"]
            if "text" in resource:
                return TextPart(type="text", text=resource["text"])
            return _as_media(resource.get("mimeType", ""), resource["blob"])
        case "resource_link":
            return TextPart(type="text", text=f"{content['name']}: {content['uri']}")
        case kind:
            raise ValueError(f"a prompt of the server contains content of the unknown type {kind!r}")


def _as_media(media_type: str, data: str) -> ImagePart | AudioPart | DocumentPart:
    content = base64.b64decode(data)
    if media_type.startswith("image/"):
        return ImagePart(type="image", media_type=media_type, image=content, detail=None)
    if media_type.startswith("audio/"):
        return AudioPart(type="audio", media_type=media_type, audio=content)
    return DocumentPart(type="document", media_type=media_type or "application/octet-stream", document=content)
