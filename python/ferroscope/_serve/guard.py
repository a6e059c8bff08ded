"""The check of every request: who may use the service."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

from ..errors import FerroscopeError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Paths without a secret: the page asks for the key itself.
_OPEN: Final = frozenset({"/", "/health"})
_PORT: Final = re.compile(r":\d+$")


def is_loopback(host: str) -> bool:
    """Return whether a host is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _is_local(host: bytes) -> bool:
    """Return whether the `Host` of a request is a name of this machine."""
    return is_loopback(_PORT.sub("", host.decode("latin-1")).lower())


def check_key(key: str, source: str) -> None:
    """Check that clients can send a key in a header.

    Args:
        key: The key.
        source: The file or variable that has it.

    Raises:
        FerroscopeError: The key has other characters than those of a header. The message does not contain the key.
    """
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise FerroscopeError(f"{source}: the key has to be one line of visible ASCII characters, without spaces")


class Guard:
    """Refuses requests of other web pages, and requests without the key.

    On loopback, a page of another site must not spend the user's key: the `Host` must be a name of this machine, and
    the `Origin`, which browsers send, must be this service.

    Args:
        app: The application behind.
        direct: Applications by method and path, whose requests need no routing.
        key: The key that requests have to send, if any.
        local: Whether the service listens on loopback.
        refused: A function that is called with the status of each refused request.
    """

    def __init__(
        self,
        app: ASGIApp,
        direct: Mapping[tuple[str, str], ASGIApp],
        *,
        key: str | None,
        local: bool,
        refused: Callable[[int], None],
    ) -> None:
        self._app = app
        self._direct = direct
        self._key = None if key is None else key.encode()
        self._local = local
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = origin = authorization = fetch_site = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorization = value
            elif name == b"sec-fetch-site":
                fetch_site = value
        path = scope["path"]
        app = self._refusal(path, host, origin, fetch_site, authorization)
        await (app or self._direct.get((scope["method"], path), self._app))(scope, receive, send)

    def _refusal(
        self, path: str, host: bytes, origin: bytes, fetch_site: bytes, authorization: bytes
    ) -> JSONResponse | None:
        if self._local and not _is_local(host):
            return self._refuse(403, "The Host header is not a name of this machine.", "host")
        is_foreign = bool(origin) and origin not in (b"http://" + host, b"https://" + host)
        # Browsers send no origin with some requests of other pages. Opening the page itself is allowed.
        if is_foreign or (self._local and fetch_site in (b"cross-site", b"same-site") and path != "/"):
            return self._refuse(403, "Requests of other web pages are refused.", "origin")
        if self._key is not None and path not in _OPEN and not self._has_key(authorization):
            return self._refuse(401, "The key is missing or wrong.", "invalid_api_key")
        return None

    def _has_key(self, authorization: bytes) -> bool:
        # The scheme is case-insensitive: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
        scheme, _, token = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(b" "), self._key or b"")

    def _refuse(self, status: int, message: str, code: str) -> JSONResponse:
        self._refused(status)
        headers = {"www-authenticate": "Bearer"} if status == 401 else None
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        return JSONResponse({"error": error}, status, headers)
