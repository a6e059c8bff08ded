"""The body of a streamed response of AWS's SDKs: from urllib3, from aiohttp, or from httpx in aiobotocore 3.

It has the attribute names of httpx, which the engine expects.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import HTTPClientError

# Any: AWS's SDKs have no types.

_READ_SIZE: Final = 64 * 1024
_LIBRARIES: Final = ("aiohttp", "urllib3")


class Body:
    """The unread body of a response."""

    is_stream_consumed = False

    def __init__(self, http_response: Any) -> None:
        self._raw = http_response.raw
        self.request: str = http_response.url
        self.headers: Mapping[str, str] = http_response.headers
        connection = getattr(getattr(self._raw, "connection", None), "sock", None)
        self.extensions = {"network_stream": _Network(connection)} if isinstance(connection, socket.socket) else {}

    @property
    def is_closed(self) -> bool:
        """Whether the body has been read to its end or closed."""
        return bool(getattr(self._raw, "closed", False))

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body of a sync response as it is received."""
        with network_errors():
            yield from self._raw.stream(_READ_SIZE)

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body of an async response as it is received."""
        content = getattr(self._raw, "content", None) if hasattr(self._raw, "connection") else None
        with network_errors():
            async for read in self._raw.aiter_raw() if content is None else content.iter_any():
                yield read

    def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        self._raw.close()

    async def aclose(self) -> None:
        """Close the connection of an async response."""
        closing = getattr(self._raw, "aclose", self._raw.close)()
        if inspect.isawaitable(closing):
            await closing


@dataclass(frozen=True, slots=True)
class _Network:
    """The network connection of a response."""

    connection: socket.socket

    def get_extra_info(self, name: str) -> object:
        return self.connection if name == "socket" else None


@contextmanager
def network_errors() -> Iterator[None]:
    """Convert the errors of the HTTP libraries to the built-in network errors."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _LIBRARIES and not isinstance(error, HTTPClientError):
            raise
        late = any(kind.__name__ == "TimeoutError" for kind in type(error).__mro__)
        raise (TimeoutError if late else ConnectionError)(str(error)) from error
