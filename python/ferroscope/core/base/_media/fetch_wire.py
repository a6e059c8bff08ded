"""A connection each of whose operations ends at one deadline.

A timeout of a socket covers one read. A server that sends a byte now and then, in headers as in bodies, never
reaches it.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

_BUFFER: Final = 64 * 1024


class TooMuchError(Exception):
    """More bytes than a body and its headers may have."""


class Wire:
    """A connection as `http.client` uses one, each of whose operations ends at the deadline."""

    def __init__(self, connection: socket.socket, deadline: float, max_bytes: int) -> None:
        self._socket = connection
        self._deadline = deadline
        self._budget = max_bytes

    def secure(self, host: str) -> None:
        """Start TLS; the certificate must be the host's."""
        import ssl

        self._wait_no_longer()
        self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)

    def sendall(self, data: bytes) -> None:
        self._wait_no_longer()
        self._socket.sendall(data)

    def receive_into(self, buffer: WriteableBuffer) -> int:
        self._wait_no_longer()
        count = self._socket.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise TooMuchError
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Received(self), _BUFFER)

    def close(self) -> None:
        """Do nothing: `http.client` closes its connection while the body is still to be read."""

    def end(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _wait_no_longer(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._socket.settimeout(remaining)


class _Received(io.RawIOBase):
    """The received bytes of a connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._wire.receive_into(buffer)
