"""HTTP requests to URLs that a model chose: one deadline, a size limit, and no access to private addresses.

The gate is the one for media (`core.base._media.fetch`): the host is resolved once, every address is checked, and the
connection uses a checked address. Each redirect goes through the same steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from pydantic import Field

from ...core.base._media.fetch import FetchPolicy, _Fetch
from ...core.base._media.fetch_socket import DeadlineSocket, TooManyBytesError
from ...core.base._media.fetch_target import FetchRefusedError, Target, parse, redact_url
from ...core.base._media.public_address import is_public
from ..base import _ConfigurableToolConfig

if TYPE_CHECKING:
    import http.client

_MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Set by the connection. Another value could reach another host, or smuggle a second request.
_FIXED_HEADERS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
# All other headers may contain credentials, and are not sent to another origin.
_HARMLESS_HEADERS: Final = frozenset({"accept", "accept-language", "content-type", "user-agent"})


class WebConfig(_ConfigurableToolConfig):
    """The limits of a web request."""

    timeout: float = Field(default=5, gt=0, description="Limit of the whole request in seconds, with its redirects")
    max_bytes: int = Field(default=10 * 1024 * 1024, gt=0, description="Maximum size of the response body in bytes")
    allow_private_hosts: bool = Field(
        default=False, description="Whether addresses that are not public (loopback, private networks) are allowed"
    )

    def policy(self) -> FetchPolicy:
        """Return the limits as a policy of the gate."""
        return FetchPolicy(timeout=self.timeout, max_bytes=self.max_bytes, allow_private=self.allow_private_hosts)


class StatusError(Exception):
    """A response with a status other than 2xx.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, reason: str, url: str) -> None:
        super().__init__(f"{redact_url(url)!r} returned HTTP status {status} {reason}".rstrip())
        self.status = status


@dataclass(frozen=True, slots=True)
class Received:
    """A complete response."""

    url: str
    status: int
    reason: str
    headers: Message
    body: bytes

    @property
    def charset(self) -> str | None:
        """The charset of the header `Content-Type`, or None."""
        return self.headers.get_content_charset()

    @property
    def text(self) -> str:
        """The body as text; bytes that are not valid in its charset are replaced."""
        try:
            return self.body.decode(self.charset or "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


def send(
    method: str,
    url: str,
    policy: FetchPolicy,
    *,
    params: Mapping[str, object] | None = None,
    headers: Mapping[str, object] | None = None,
    form: Mapping[str, object] | None = None,
    json_body: object = None,
    follow_redirects: bool = True,
) -> Received:
    """Send a request and return the response to it, or to its last redirect.

    Raises:
        FetchRefusedError: The address is not public, or a limit was exceeded.
        StatusError: The status is not 2xx.
        ValueError: A header is invalid, or is set by the connection.
        OSError: The network or the server failed.
    """
    url = urldefrag(url).url
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
    body, content_type = _body(form, json_body)
    sent = {"User-Agent": "ferroscope", "Accept": "*/*"}
    if content_type:
        sent["Content-Type"] = content_type
    for name, value in (headers or {}).items():
        if name.lower() in _FIXED_HEADERS or name.lower().startswith("proxy-"):
            raise ValueError(f"the header {name!r} cannot be set: it belongs to the connection")
        sent = {key: old for key, old in sent.items() if key.lower() != name.lower()} | {name: str(value)}
    request = _Request(policy)
    for _ in range(_MAX_REDIRECTS + 1):
        received = request.send(method, url, sent, body)
        location = received.headers.get("Location")
        if not follow_redirects or received.status not in _REDIRECTS or location is None:
            if not 200 <= received.status < 300:
                raise StatusError(received.status, received.reason, url)
            return received
        target = urldefrag(urljoin(url, location)).url
        if _origin(target) != _origin(url):
            sent = {name: value for name, value in sent.items() if name.lower() in _HARMLESS_HEADERS}
        if (received.status == 303 and method != "HEAD") or (received.status in (301, 302) and method == "POST"):
            method, body = "GET", None
            sent = {name: value for name, value in sent.items() if name.lower() != "content-type"}
        url = target
    raise OSError(f"more than {_MAX_REDIRECTS} redirects, possibly an infinite loop; the last: {redact_url(url)!r}")


def _body(form: Mapping[str, object] | None, json_body: object) -> tuple[bytes | None, str | None]:
    if form:
        return urlencode(form, doseq=True).encode(), "application/x-www-form-urlencoded"
    if json_body is not None:
        return json.dumps(json_body, allow_nan=False).encode(), "application/json"
    return None, None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


class _Request(_Fetch):
    """A request with its redirects, under a common deadline."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Received:
        self._method, self._url, self._headers, self._request_body = method, url, headers, body
        self.get(parse(url))  # passes the gate, and calls `_exchange`
        return self._received

    def _exchange(
        self, sock: DeadlineSocket, target: Target, place: str, headers: dict[str, str] | None = None
    ) -> bytes:
        import http.client

        try:
            if target.scheme == "https":
                sock.secure(target.host)
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = sock  # the subset of a socket that it uses
            connection.putrequest(self._method, place, skip_host=True, skip_accept_encoding=True)
            fixed = {"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close"}
            if self._request_body is not None or self._method in ("POST", "PUT"):
                fixed["Content-Length"] = str(len(self._request_body or b""))
            for name, value in (fixed | dict(self._headers) | (headers or {})).items():
                connection.putheader(name, value)
            connection.endheaders(self._request_body)
            response = connection.getresponse()
            self._received = Received(
                self._url, response.status, response.reason, response.headers, self._response_body(response, target)
            )
            return self._received.body
        except TooManyBytesError as error:
            raise self._size_error(target) from error
        finally:
            sock.end()

    def _response_body(self, response: http.client.HTTPResponse, target: Target) -> bytes:
        if not 200 <= response.status < 300:
            return b""  # not read, because the connection is not reused
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity" and self._method != "HEAD":
            raise OSError(f"{target.redacted_url!r} returned a body encoded with {encoding!r}, which was not requested")
        return self._body(response, target)

    def _checked_addresses(self, target: Target, *, proxied: bool) -> Sequence[str]:
        try:
            addresses = self._resolve(target.host, target.port, target)
        except OSError as error:
            if not proxied:
                raise
            if self._policy.allow_private:
                return [target.host]
            raise FetchRefusedError(
                f"the host of {target.redacted_url!r} cannot be resolved, so its address cannot be checked before the "
                "request is sent through a proxy"
            ) from error
        for address in () if self._policy.allow_private else addresses:
            if not is_public(ip_address(address.partition("%")[0])):
                raise FetchRefusedError(f"{target.redacted_url!r} resolves to {address}, which is not a public address")
        return addresses

    def _timeout_error(self, target: Target) -> FetchRefusedError:
        return FetchRefusedError(f"{target.redacted_url!r} took longer than {self._policy.timeout:g} seconds")

    def _size_error(self, target: Target) -> FetchRefusedError:
        return FetchRefusedError(f"{target.redacted_url!r} has more than {self._policy.max_bytes} bytes")
