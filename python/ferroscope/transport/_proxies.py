"""HTTP proxies of the native transport."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, repr=False)  # the headers may have a password
class Proxy:
    """An HTTP proxy.

    Attributes:
        host: Its host name or address.
        port: Its port.
        headers: The headers that are for the proxy, such as `Proxy-Authorization`.
    """

    host: str
    port: int
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def forwarded(self, url: Any, headers: Headers) -> tuple[bytes, Headers]:
        """Return the target and the headers of a request without TLS, which the proxy forwards.

        `Host` is the first header, then those for the proxy, in the order of the HTTP library.

        Args:
            url: The request's URL, an `httpx.URL` or `httpx2.URL`.
            headers: The request's headers. They win over the proxy's.
        """
        port = b"" if url.port is None else b":%d" % url.port
        host = url.raw_host if b":" not in url.raw_host else b"[%b]" % url.raw_host
        names = {name.lower() for name, _ in headers}
        added = [header for header in self.headers if header[0].lower() not in names]
        ordered = sorted([*added, *headers], key=lambda header: header[0].lower() != b"host")
        return b"http://%b%b%b" % (host, port, url.raw_path), ordered

    def __repr__(self) -> str:
        return f"Proxy({self.host!r}, {self.port})"


def parse_proxy(url: str) -> Proxy:
    """Return the proxy at a URL, with the credentials in it.

    Raises:
        ValueError: It is not the URL of an HTTP proxy that is reached without TLS.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(
            f"the native transport uses proxies such as 'http://proxy:3128', not {parts.scheme!r} ones: "
            "leave the HTTP library's own transport in place for those"
        )
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if parts.username or parts.password:
        user, password = unquote_to_bytes(parts.username or ""), unquote_to_bytes(parts.password or "")
        headers = ((b"Proxy-Authorization", b"Basic " + b64encode(user + b":" + password)),)
    return Proxy(parts.hostname, parts.port or 80, headers)


def proxy_of_pool(pool: Any) -> Proxy | str:
    """Return the proxy of an HTTP library's pool, or the reason why the native transport cannot use it."""
    if type(pool).__name__ not in ("AsyncHTTPProxy", "HTTPProxy"):
        return "a SOCKS proxy" if "SOCKS" in type(pool).__name__ else "a proxy of an unknown kind"
    url, headers = getattr(pool, "_proxy_url", None), getattr(pool, "_proxy_headers", None)
    if url is None or headers is None:
        return "an unknown version of it (_proxy_url, _proxy_headers)"
    if url.scheme != b"http":
        return "a proxy that is reached over TLS"
    return Proxy(url.host.decode("ascii").strip("[]"), url.port or 80, tuple(headers))
