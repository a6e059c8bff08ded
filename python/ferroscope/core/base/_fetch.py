"""Reads the bytes behind a URL without trusting it: a deadline, a size limit, no private addresses.

A URL in a prompt often comes from outside. Fetched by the server that runs the prompt, it must not reach what
only that server can reach (cloud metadata, databases, the loopback interface), so the host is resolved once,
every address is checked, and the connection goes to a checked address; each redirect goes through the same.

The limits come from the environment, read at each fetch:

- `FERROSCOPE_MEDIA_TIMEOUT`: seconds for the whole fetch
- `FERROSCOPE_MEDIA_MAX_BYTES`: how much is read at most
- `FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED`: private, loopback and link-local addresses are allowed

Fetching is plain synchronous code; the async drivers run it in a thread.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    import urllib.request

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """The limits of a fetch.

    Attributes:
        timeout: Seconds for the whole fetch, redirects included.
        max_bytes: Size of the largest body that is read.
        allow_private: Whether addresses that are not public may be reached.
    """

    timeout: float = 30.0
    max_bytes: int = 50 * 1024 * 1024
    allow_private: bool = False

    @classmethod
    def from_environment(cls) -> FetchPolicy:
        """Read the limits from the environment; what is not set keeps its default."""
        read = os.environ.get
        return cls(
            timeout=float(read("FERROSCOPE_MEDIA_TIMEOUT") or cls().timeout),
            max_bytes=int(read("FERROSCOPE_MEDIA_MAX_BYTES") or cls().max_bytes),
            allow_private=read("FERROSCOPE_MEDIA_ALLOW_PRIVATE", "") == "ENABLED",
        )


class FetchRefusedError(ValueError):
    """A URL that may not be fetched, or a body that is too large or too slow."""


def fetch(url: str, policy: FetchPolicy | None = None) -> bytes:
    """Read the body behind an `http(s)` URL within the policy's limits.

    Raises:
        FetchRefusedError: The address is not public, or a limit was passed.
        OSError: The network or the server failed.
    """
    import urllib.error
    import urllib.request

    if not url.lower().startswith(("http://", "https://")):
        raise FetchRefusedError(f"{url!r} is not an http or https URL")
    policy = policy or FetchPolicy.from_environment()
    deadline = time.monotonic() + policy.timeout
    opener = _opener(policy, deadline)
    request = urllib.request.Request(url, headers={"User-Agent": "ferroscope", "Accept": "*/*"})
    try:
        response = opener.open(request, timeout=policy.timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    with response:
        announced = response.headers.get("Content-Length")
        if announced is not None and announced.isdigit() and int(announced) > policy.max_bytes:
            raise _too_large(url, policy)
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > policy.max_bytes:
                raise _too_large(url, policy)
            if time.monotonic() > deadline:
                raise _too_slow(url, policy)
        return bytes(body)


def _too_large(url: str, policy: FetchPolicy) -> FetchRefusedError:
    return FetchRefusedError(
        f"{url!r} has more than {policy.max_bytes} bytes; set FERROSCOPE_MEDIA_MAX_BYTES to read it"
    )


def _too_slow(url: str, policy: FetchPolicy) -> FetchRefusedError:
    return FetchRefusedError(
        f"{url!r} took longer than {policy.timeout} seconds; set FERROSCOPE_MEDIA_TIMEOUT to wait longer"
    )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet, also when IPv6 wraps an IPv4 address."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None:
            inner = address.teredo[1]
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _nat64() -> Any:
    from ipaddress import IPv6Network

    return IPv6Network("64:ff9b::/96")


_NAT64 = _nat64()


def _addresses(host: str, port: int) -> list[str]:
    """All addresses of a host, in the resolver's order."""
    import socket

    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _opener(policy: FetchPolicy, deadline: float) -> urllib.request.OpenerDirector:
    """An opener whose connections go only to addresses that were checked."""
    import http.client
    import socket
    import urllib.parse
    import urllib.request

    checked: dict[tuple[str, int], list[str]] = {}

    class Gate(urllib.request.BaseHandler):
        """Sees every request before it is sent, redirected ones and proxied ones too."""

        handler_order = 50  # before ProxyHandler, which hides the host

        def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
            url = request.full_url
            parts = urllib.parse.urlsplit(url)
            if time.monotonic() > deadline:
                raise _too_slow(url, policy)
            host = parts.hostname
            if not host:
                raise FetchRefusedError(f"{url!r} names no host")
            port = parts.port or (443 if parts.scheme == "https" else 80)
            proxied = parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)
            try:
                addresses = _addresses(host, port)
            except OSError:
                # Behind a proxy often only the proxy can resolve names.
                if proxied:
                    return request
                raise
            if not policy.allow_private:
                for address in addresses:
                    if not is_public(ip_address(address.partition("%")[0])):
                        raise FetchRefusedError(
                            f"{url!r} leads to {address}, which is not a public address; set "
                            "FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED if that is meant"
                        )
            if not proxied:
                checked[host, port] = addresses
            return request

        https_request = http_request

    def connect(host: str, port: int) -> socket.socket:
        # A proxy's own host is not in `checked`: who configured it vouches for it.
        failure: OSError | None = None
        for address in checked.get((host.strip("[]").lower(), port), [host]):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"no connection to {host!r} within {policy.timeout} seconds")
            try:
                return socket.create_connection((address, port), timeout=remaining)
            except OSError as error:
                failure = error
        raise failure or OSError(f"{host!r} has no address")

    # `_create_connection` is http.client's own hook. A `connect` of ours would have to repeat its TLS
    # verification and its proxy tunnels.
    class Plain(http.client.HTTPConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._create_connection = lambda address, *_: connect(*address)

    class Secure(http.client.HTTPSConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._create_connection = lambda address, *_: connect(*address)

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, req)

    opener = urllib.request.OpenerDirector()
    for handler in (
        Gate(),
        urllib.request.ProxyHandler(),
        PlainHandler(),
        SecureHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
