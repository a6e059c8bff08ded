"""The differences between the SDKs mcp 1 and mcp 2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, cast

from .._engine.extras import require_package

require_package("mcp", extra="mcp", user="ferroscope.mcp")

import mcp.shared.exceptions as _exceptions  # noqa: E402
from mcp import ClientSession as ClientSession  # noqa: E402
from mcp import types as types  # noqa: E402

if TYPE_CHECKING:
    from pydantic import BaseModel

MAJOR: Final = int(version("mcp").split(".")[0])
"""The major version of the SDK."""

# Any: mcp 1 spells the class `McpError`.
ServerError: Final[type[Exception]] = (
    cast("Any", _exceptions).MCPError if MAJOR > 1 else cast("Any", _exceptions).McpError
)
"""The SDK's exception for an error response."""

_CONNECTION_CLOSED: Final = -32000
# mcp 1 has a typing error in its code for this case: 32600 without the sign.
_SESSION_TERMINATED: Final = (32600, -32600)


def as_wire(model: BaseModel) -> dict[str, Any]:  # Any: JSON values
    """Return a model as JSON values under the names of the protocol; the attributes differ between the majors."""
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def read_timeout(timeout: timedelta | float | None) -> Any:  # Any: a timedelta for mcp 1, seconds for mcp 2
    """Return a timeout as the SDK's session expects it."""
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    return seconds if MAJOR > 1 else timedelta(seconds=seconds)


def is_session_terminated(error: BaseException) -> bool:
    """Return whether the server refused a request because it does not know the session; it did not run."""
    facts: Any = getattr(error, "error", None)  # Any: the SDK's ErrorData
    return isinstance(error, ServerError) and (
        facts.code in _SESSION_TERMINATED and facts.message.startswith(("Session terminated", "Session not found"))
    )


def is_connection_closed(error: BaseException) -> bool:
    """Return whether the connection closed before the response arrived."""
    from anyio import BrokenResourceError, ClosedResourceError, EndOfStream

    if isinstance(error, BrokenResourceError | ClosedResourceError | EndOfStream):
        return True
    facts: Any = getattr(error, "error", None)  # Any: the SDK's ErrorData
    return isinstance(error, ServerError) and (
        (facts.code == _CONNECTION_CLOSED and facts.message == "Connection closed")
        or facts.message.startswith("SSE stream ")
    )


async def call_tool(session: ClientSession, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    """Call a tool without the SDK's check of the output schema, which discards the result of a call that ran."""
    request: Any = types.CallToolRequest(params=types.CallToolRequestParams(name=name, arguments=arguments))
    if MAJOR == 1:
        request = cast("Any", types.ClientRequest)(request)
    return await session.send_request(request, types.CallToolResult)


async def all_pages(fetch: Callable[..., Awaitable[Any]], key: str) -> list[Any]:  # Any: a list result of the SDK
    """Return the items of all pages of a list.

    Args:
        fetch: The session's method, such as `session.list_tools`.
        key: The attribute with the items.

    Raises:
        RuntimeError: The server sent the same cursor twice.
    """
    items: list[Any] = []
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        page = await (fetch(params=types.PaginatedRequestParams(cursor=cursor)) if cursor else fetch())
        items += getattr(page, key)
        cursor = page.next_cursor if MAJOR > 1 else page.nextCursor
        if not cursor:
            return items
        if cursor in seen:
            raise RuntimeError(f"the server sent the cursor {cursor!r} of its list of {key} twice")
        seen.add(cursor)
