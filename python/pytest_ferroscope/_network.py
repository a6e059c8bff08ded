"""The network block: an audit hook, which Python calls before each connection and each lookup of a name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

_depth = 0
_is_installed = False


class BlockedConnectionError(ConnectionError):
    """A test connected to another machine."""


@contextmanager
def blocked() -> Iterator[None]:
    """Refuse connections to other machines during a block."""
    global _depth, _is_installed
    if not _is_installed:
        sys.addaudithook(_refuse)  # a hook cannot be removed
        _is_installed = True
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _depth:
        return
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # other sockets are of this machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0] or ""
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host)
    if not _is_local(host):
        raise BlockedConnectionError(
            f"the test connects to {host!r}, and `block_network` refuses it: use the fixture `provider_server` or "
            "`cassette`, or pass a client with the address of a test server"
        )


def _is_local(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
