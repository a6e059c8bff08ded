"""Parsing of an untrusted URL, once, so that the checked host is also the one that is connected to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class FetchRefusedError(ValueError):
    """The URL may not be fetched, or its body is too large or too slow."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. All checks and requests use its fields instead of the text.

    Attributes:
        redacted_url: The URL for messages, without its query, which may contain a signature.
        scheme: `http` or `https`.
        host: The host in ASCII, without brackets and without a trailing dot.
        port: The port.
        path: Path and query.
    """

    redacted_url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        default = self.port == (443 if self.scheme == "https" else 80)
        return bracketed(self.host) if default else f"{bracketed(self.host)}:{self.port}"


def parse(url: str) -> Target:
    from string import punctuation
    from urllib.parse import quote, urlsplit

    redacted_url = redact_url(url)
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise FetchRefusedError(f"{redacted_url!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise FetchRefusedError(f"{redacted_url!r} is not an http or https URL")
    if not host:
        raise FetchRefusedError(f"{redacted_url!r} has no host")
    if "@" in parts.netloc:
        raise FetchRefusedError(
            f"{redacted_url!r} contains a user name, which is not supported; remove it from the URL"
        )
    return Target(
        redacted_url=redacted_url,
        scheme=parts.scheme,
        host=_ascii_host(host, redacted_url),
        port=(443 if parts.scheme == "https" else 80) if port is None else port,
        path=quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=punctuation),
    )


def _ascii_host(host: str, redacted_url: str) -> str:
    """Return the host in ASCII, or reject a host that two parsers could interpret differently."""
    if ":" in host:
        try:
            return str(ip_address(host))
        except ValueError:
            raise FetchRefusedError(f"{redacted_url!r} has a host that is not a valid IPv6 address") from None
    try:
        name = host.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError as error:
        raise FetchRefusedError(f"{redacted_url!r} has a host that is not a valid name: {error}") from error
    if not _HOST_NAME.fullmatch(name):
        raise FetchRefusedError(f"{redacted_url!r} has a host with characters that are not valid in a host name")
    return name


def redact_url(url: str) -> str:
    """Return a URL for error messages, without credentials and query."""
    scheme, separator, rest = url.partition("://")
    rest, query, _ = rest.partition("?")
    authority, slash, path = rest.partition("/")
    redacted_url = f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}{'?…' if query else ''}"
    return redacted_url if len(redacted_url) <= 200 else redacted_url[:200] + "…"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, slots=True, repr=False)  # the headers may contain credentials
class Proxy:
    """A proxy and the headers that it requires."""

    host: str
    port: int
    headers: dict[str, str]


def proxy_for(target: Target) -> Proxy | None:
    """Return the proxy that the environment configures for a target; the proxy's own address is trusted."""
    from urllib.parse import unquote, urlsplit
    from urllib.request import getproxies, proxy_bypass

    configured = getproxies().get(target.scheme)
    if not configured or proxy_bypass(target.authority):
        return None
    parts = urlsplit(configured if "://" in configured else f"http://{configured}")
    if parts.scheme != "http" or not parts.hostname:
        raise FetchRefusedError(
            f"{target.redacted_url!r} would be fetched through a proxy that is not an http:// proxy"
        )
    headers: dict[str, str] = {}
    if parts.username is not None:
        from base64 import b64encode

        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + b64encode(credentials.encode()).decode("ascii")
    return Proxy(parts.hostname, parts.port or 80, headers)
