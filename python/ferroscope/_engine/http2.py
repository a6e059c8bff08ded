"""Cancellation of HTTP/2 streams that are closed before their end.

httpcore drops such a stream without a message to the server, which continues to send. RST_STREAM stops it
(https://www.rfc-editor.org/rfc/rfc9113#section-5.4.2).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

_CANCEL = 8  # the error code of a stream that is no longer needed


def reset_stream(response: Any) -> None:
    """Reset the HTTP/2 stream of a sync response. Do nothing for HTTP/1 or a stream that has ended."""
    if (found := _reset(response)) is not None:
        connection, request = found
        with suppress(Exception):  # the connection broke, or the library's internals have changed
            connection._write_outgoing_data(request)


async def areset_stream(response: Any) -> None:
    """Reset the HTTP/2 stream of an async response. Do nothing for HTTP/1 or a stream that has ended."""
    if (found := _reset(response)) is not None:
        connection, request = found
        with suppress(Exception):
            await connection._write_outgoing_data(request)


def _reset(response: Any) -> tuple[Any, Any] | None:
    """Reset the stream in the connection's state, and return the connection and the request.

    The connection then has bytes to send. None if there is nothing to reset.
    """
    if getattr(response, "extensions", {}).get("http_version") != b"HTTP/2" or response.is_closed:
        return None
    # httpx and httpcore have no public API for the connection of a response.
    stream = response.stream
    for layer in ("_stream", "_httpcore_stream", "_stream"):
        stream = getattr(stream, layer, None)
    connection = getattr(stream, "_connection", None)
    state, request = getattr(connection, "_h2_state", None), getattr(stream, "_request", None)
    if state is None or request is None:
        return None
    try:
        state.reset_stream(response.extensions["stream_id"], error_code=_CANCEL)
    except Exception:  # the stream has ended
        return None
    return connection, request
