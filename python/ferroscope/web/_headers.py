"""The headers of a response with server-sent events."""

from __future__ import annotations

from typing import Final

from ..core.base.stream_events import WebFormat

MEDIA_TYPE: Final = "text/event-stream"

HEADERS: Final = {
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-vercel-ai-ui-message-stream": "v1",
}
"""The headers of a response with server-sent events, against buffers of proxies. AI SDK's clients expect the last."""


def headers_of(format: WebFormat) -> dict[str, str]:
    """Return the headers of a response in a format, without its content type."""
    return {name: value for name, value in HEADERS.items() if format == "vercel" or "vercel" not in name}
