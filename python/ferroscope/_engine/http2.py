"""Streams of HTTP/2 that are left before their end.

httpcore forgets such a stream and does not notify the server, which goes on sending. RST_STREAM ends it
(https://www.rfc-editor.org/rfc/rfc9113#section-5.4.2).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

_CANCEL = 8  # the error code for a stream that is not needed any more


def reset_stream(response: Any) -> None:
    """Reset the HTTP/2 stream of a sync response, if it is one and has not ended."""
    if (found := _reset(response)) is not None:
        connection, request = found
        with suppress(Exception):  # the connection broke, or is of a version that we do not know
            connection._write_outgoing_data(request)


async def areset_stream(response: Any) -> None:
    """Reset the HTTP/2 stream of an async response, if it is one and has not ended."""
    if (found := _reset(response)) is not None:
        connection, request = found
        with suppress(Exception):
            await connection._write_outgoing_data(request)


def _reset(response: Any) -> tuple[Any, Any] | None:
    """Reset the stream in the connection's state, and return the connection and the request.

    The connection has the bytes to send then. None if there is nothing to reset.
    """
    if getattr(response, "extensions", {}).get("http_version") != b"HTTP/2" or response.is_closed:
        return None
    # httpx and httpcore have no public way from a response to its connection.
    stream = response.stream
    for layer in ("_stream", "_httpcore_stream", "_stream"):
        stream = getattr(stream, layer, None)
    connection = getattr(stream, "_connection", None)
    state, request = getattr(connection, "_h2_state", None), getattr(stream, "_request", None)
    if state is None or request is None:
        return None
    try:
        state.reset_stream(response.extensions["stream_id"], error_code=_CANCEL)
    except Exception:  # it has ended
        return None
    return connection, request
