"""The detection of a response that broke, for mcp 1 over streamable HTTP.

mcp 1 only logs that the event stream of a response broke, and the request waits forever. If the server sent event ids,
the SDK resumes the stream itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx


@contextmanager
def watched(client: httpx.AsyncClient, on_break: Callable[[], None]) -> Iterator[None]:
    """Call `on_break` when the body of a response to a POST breaks and cannot be resumed."""

    async def watch(response: httpx.Response) -> None:
        if response.request.method == "POST" and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _WatchedStream(response.stream, on_break)

    hooks = client.event_hooks
    client.event_hooks = hooks | {"response": [*hooks["response"], watch]}
    try:
        yield
    finally:
        left: list[Callable[..., Any]] = [hook for hook in client.event_hooks["response"] if hook is not watch]
        client.event_hooks = client.event_hooks | {"response": left}


class _WatchedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, on_break: Callable[[], None]) -> None:
        self._stream = stream
        self._on_break = on_break

    async def __aiter__(self) -> AsyncIterator[bytes]:
        resumable = False
        try:
            async for chunk in self._stream:
                resumable = resumable or chunk.startswith(b"id:") or b"\nid:" in chunk
                yield chunk
        except httpx.TransportError:
            if not resumable:
                self._on_break()
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()
