"""A raw HTTP client that can stop reading, and leave at any byte."""

from __future__ import annotations

import json
import socket
import time
from typing import Any


class Browser:
    """One request on a connection of its own."""

    def __init__(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        buffer: int = 0,
    ) -> None:
        host, _, path = url.removeprefix("http://").partition("/")
        name, _, port = host.rpartition(":")
        self.socket = socket.socket(socket.AF_INET6 if name.startswith("[") else socket.AF_INET)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(60)
        self.socket.connect((name.strip("[]"), int(port)))
        lines = {"host": host, "accept": "text/event-stream", "accept-encoding": "gzip", **(headers or {})}
        if body:
            lines |= {"content-length": str(len(body)), "content-type": "application/json"}
        head = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
        self.socket.sendall(f"{method} /{path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        self.received = b""

    @classmethod
    def get(cls, url: str) -> bytes:
        """Return the whole response of a request."""
        browser = cls(url, headers={"connection": "close"})
        while data := browser.socket.recv(65536):
            browser.received += data
        browser.socket.close()
        return browser.received

    def read_until(self, part: bytes) -> bytes:
        """Read until the response has a part, and return all of it so far."""
        while part not in self.received:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError(self.received[-500:])
            self.received += data
        return self.received

    def read_all(self) -> bytes:
        """Read to the end of the response."""
        while not self.received.endswith(b"0\r\n\r\n"):
            data = self.socket.recv(65536)
            if not data:
                break
            self.received += data
        return self.received

    @property
    def status(self) -> int:
        return int(self.read_until(b"\r\n\r\n").split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        head = self.read_until(b"\r\n\r\n").split(b"\r\n\r\n")[0].decode()
        return {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }

    @property
    def body(self) -> bytes:
        """The body so far, without the framing of chunks."""
        _, _, rest = self.received.partition(b"\r\n\r\n")
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return rest
        body = b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size or b"0", 16)
            body += rest[:length]
            rest = rest[length + 2 :]
        return body

    def leave(self) -> float:
        """Close the connection, and return when."""
        left = time.monotonic()
        self.socket.close()
        return left


def events_of(body: bytes) -> list[tuple[int, Any]]:
    """Return the number and data of each event; comments are left out, and `[DONE]` stays text."""
    events = []
    for block in body.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            data = fields["data"]
            events.append((int(fields["id"]), data if data == "[DONE]" else json.loads(data)))
    return events
