"""A connection with one deadline for all its operations.

A socket's timeout covers a single read. It never expires if a server sends a byte from time to time, in the headers or
the body.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

_BUFFER: Final = 64 * 1024


class TooManyBytesError(Exception):
    """The limit of bytes for a body and its headers was exceeded."""


class DeadlineSocket:
    """A connection with the interface that `http.client` uses, and a deadline for all its operations."""

    def __init__(self, connection: socket.socket, deadline: float, max_bytes: int) -> None:
        self._socket = connection
        self._deadline = deadline
        self._budget = max_bytes

    def secure(self, host: str) -> None:
        """Start TLS, and verify the certificate for the host."""
        import ssl

        self._set_timeout()
        self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)

    def sendall(self, data: bytes) -> None:
        self._set_timeout()
        self._socket.sendall(data)

    def receive_into(self, buffer: WriteableBuffer) -> int:
        self._set_timeout()
        count = self._socket.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise TooManyBytesError
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_ReceiveStream(self), _BUFFER)

    def close(self) -> None:
        """Do nothing: `http.client` closes its connection before the body has been read."""

    def end(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _set_timeout(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._socket.settimeout(remaining)


class _ReceiveStream(io.RawIOBase):
    """The received bytes of a connection, as a raw stream."""

    def __init__(self, sock: DeadlineSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._sock.receive_into(buffer)
