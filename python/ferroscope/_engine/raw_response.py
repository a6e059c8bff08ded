"""An HTTP response of another library, with the attribute names of httpx."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

# Any: the responses of any HTTP library.


class RawResponse:
    """A response whose body is read below an SDK.

    Attributes:
        request: The request, or its URL.
        headers: The headers.
        extensions: The network connection, as in httpx, if the library exposes it.
    """

    def __init__(
        self,
        response: Any,
        raw: Any,
        *,
        request: object,
        read: Callable[[], Any],
        errors: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Wrap a response.

        Args:
            response: The response of the SDK.
            raw: The response of the library below (urllib3, aiohttp, httpx); None if it is unknown.
            request: The request, or its URL.
            read: Returns an iterator over the body as it arrives, async for an async response.
            errors: A context manager that converts the exceptions of a read to the built-in network errors.
        """
        self.request = request
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._raw = raw
        self._read = read
        self._errors = errors
        connection = getattr(getattr(raw, "connection", None), "sock", None)
        self.extensions = {"network_stream": _Network(connection)} if isinstance(connection, socket.socket) else {}

    @property
    def is_stream_consumed(self) -> bool:
        """Whether other code has read the body."""
        return bool(getattr(self._response, "is_stream_consumed", False))

    @property
    def is_closed(self) -> bool:
        """Whether the body has been read to its end or closed."""
        # The SDK's own attribute may be set only after the connection has returned to the pool.
        return bool(getattr(self._raw, "closed", getattr(self._response, "is_closed", False)))

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body of a sync response as it arrives."""
        with self._errors():
            yield from self._read()

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body of an async response as it arrives."""
        with self._errors():
            async for read in self._read():
                yield read

    def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        self._source.close()

    async def aclose(self) -> None:
        """Close the connection of an async response."""
        closing = getattr(self._source, "aclose", self._source.close)()
        if isawaitable(closing):
            await closing

    @property
    def _source(self) -> Any:
        """The object whose method closes the connection."""
        return self._response if hasattr(self._response, "close") else self._raw


@dataclass(frozen=True, slots=True)
class _Network:
    """The network connection of a response."""

    connection: socket.socket

    def get_extra_info(self, name: str) -> object:
        return self.connection if name == "socket" else None
