"""Fetching of untrusted URLs: with one deadline, a size limit, and no access to private addresses.

The server that runs a prompt can reach hosts that the author of a URL cannot: cloud metadata, databases, the loopback
interface. So a URL is parsed once, its host is resolved once, every address is checked, and the connection uses a
checked address. Each redirect goes through the same steps. A proxy receives the checked address instead of the host
name, which it could resolve to another address.

The deadline covers everything: DNS, connect, TLS handshake, headers, bodies, trailers and redirects.

The limits come from environment variables, which each fetch reads:

- `FERROSCOPE_MEDIA_TIMEOUT`: the timeout of the whole fetch in seconds
- `FERROSCOPE_MEDIA_MAX_BYTES`: the maximum size of a body in bytes
- `FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED`: allow private, loopback and link-local addresses

Fetching is synchronous; the async drivers run it in a thread.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from .fetch_socket import DeadlineSocket, TooManyBytesError
from .fetch_target import FetchRefusedError, Proxy, Target, bracketed, parse, proxy_for, redact_url
from .public_address import is_public

if TYPE_CHECKING:
    import http.client
    from collections.abc import Sequence

_CHUNK: Final = 64 * 1024
_MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# The maximum number of bytes besides the body: status lines, headers, chunk sizes, trailers.
_MAX_OVERHEAD: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """The limits of a fetch.

    Attributes:
        timeout: Limit of the whole fetch in seconds, including redirects.
        max_bytes: Maximum size of the body in bytes.
        allow_private: Whether addresses that are not public are allowed.
    """

    timeout: float = 30.0
    max_bytes: int = 50 * 1024 * 1024
    allow_private: bool = False

    @classmethod
    def from_environment(cls) -> FetchPolicy:
        """Read the limits from the environment; unset variables have the default.

        Raises:
            ValueError: A variable is not a positive number.
        """
        return cls(
            timeout=_positive("FERROSCOPE_MEDIA_TIMEOUT", float, cls().timeout),
            max_bytes=int(_positive("FERROSCOPE_MEDIA_MAX_BYTES", int, cls().max_bytes)),
            allow_private=os.environ.get("FERROSCOPE_MEDIA_ALLOW_PRIVATE", "") == "ENABLED",
        )


def _positive(name: str, kind: type[int] | type[float], default: float) -> float:
    text = os.environ.get(name)
    if not text:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise ValueError(f"the environment variable {name} must be a positive number, not {text!r}")
    return value


def fetch(url: str, policy: FetchPolicy | None = None) -> bytes:
    """Return the body of an `http` or `https` URL, within the policy's limits.

    Raises:
        FetchRefusedError: The address is not public, or a limit was exceeded.
        OSError: The network or the server failed.
    """
    from urllib.parse import urljoin

    run = _Fetch(policy or FetchPolicy.from_environment())
    for _ in range(_MAX_REDIRECTS + 1):
        answer = run.get(parse(url))
        if isinstance(answer, bytes):
            return answer
        url = urljoin(url, answer)
        if not url.lower().startswith(("http://", "https://")):
            raise OSError(f"Redirection to url {redact_url(url)!r} is not allowed: use an http or https URL")
    raise OSError(f"more than {_MAX_REDIRECTS} redirects, possibly an infinite loop; the last: {redact_url(url)!r}")


class _Fetch:
    """One fetch with its redirects, under a common deadline."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._deadline = time.monotonic() + policy.timeout

    def get(self, target: Target) -> bytes | str:
        """Return the body, or the location of a redirect."""
        import http.client

        proxy = proxy_for(target)
        addresses = self._checked_addresses(target, proxied=proxy is not None)
        try:
            if proxy is None:
                sock = self._connect(addresses, target.port, target)
                return self._exchange(sock, target, target.path)
            sock = self._connect(self._resolve(proxy.host, proxy.port, target), proxy.port, target)
            if target.scheme == "https":
                self._tunnel(sock, target, addresses[0], proxy)
                return self._exchange(sock, target, target.path)
            # The proxy connects to the host in the request line, so that is the checked address.
            place = f"http://{bracketed(addresses[0])}:{target.port}{target.path}"
            return self._exchange(sock, target, place, proxy.headers)
        except http.client.HTTPException as error:
            raise OSError(f"the server of {target.redacted_url!r} sent an invalid HTTP response: {error!r}") from error
        except TimeoutError as error:
            if time.monotonic() >= self._deadline:
                raise self._timeout_error(target) from error
            raise

    # ---- addresses

    def _checked_addresses(self, target: Target, *, proxied: bool) -> Sequence[str]:
        """Return the addresses of the host, after checking that all of them are allowed.

        Behind a proxy, often only the proxy can resolve names. A name that cannot be checked is rejected.
        """
        try:
            addresses = self._resolve(target.host, target.port, target)
        except OSError as error:
            if not proxied:
                raise
            if self._policy.allow_private:
                return [target.host]
            raise FetchRefusedError(
                f"{target.redacted_url!r} would be fetched through a proxy, but its host cannot be resolved here to "
                "check its address; set FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED to let the proxy resolve it"
            ) from error
        if not self._policy.allow_private:
            for address in addresses:
                if not is_public(ip_address(address.partition("%")[0])):
                    raise FetchRefusedError(
                        f"{target.redacted_url!r} resolves to {address}, which is not a public address; set "
                        "FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED to allow it"
                    )
        return addresses

    def _resolve(self, host: str, port: int, target: Target) -> Sequence[str]:
        """Return all addresses of a host, in the resolver's order.

        `getaddrinfo` has no timeout, so it runs in a thread, which is abandoned at the deadline.
        """
        import socket
        from queue import Empty, SimpleQueue
        from threading import Thread

        answer: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def resolve() -> None:
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
            except Exception as error:
                answer.put(error)

        Thread(target=resolve, name="ferroscope-resolve", daemon=True).start()
        try:
            found = answer.get(timeout=self._remaining(target))
        except Empty:
            raise self._timeout_error(target) from None
        if isinstance(found, UnicodeError):
            raise OSError(f"{host!r} is not a valid host name") from found
        if isinstance(found, Exception):
            raise found
        if not found:
            raise OSError(f"no address was found for the host {host!r}")
        return found

    def _connect(self, addresses: Sequence[str], port: int, target: Target) -> DeadlineSocket:
        import socket

        failure: OSError | None = None
        for index, address in enumerate(addresses):
            # Share the remaining time, so that one unreachable address leaves time for the others.
            timeout = self._remaining(target) / (len(addresses) - index)
            try:
                connection = socket.create_connection((address, port), timeout=timeout)
            except OSError as error:
                failure = error
                continue
            return DeadlineSocket(connection, self._deadline, self._policy.max_bytes + _MAX_OVERHEAD)
        raise failure or OSError(f"no address was found for the host {target.host!r}")

    # ---- HTTP

    def _tunnel(self, sock: DeadlineSocket, target: Target, address: str, proxy: Proxy) -> None:
        """Ask a proxy to connect to an address; afterwards the socket is connected to the target."""
        import http.client

        place = f"{bracketed(address)}:{target.port}"
        head = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *(f"{k}: {v}" for k, v in proxy.headers.items())]
        try:
            sock.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
            response = http.client.HTTPResponse(sock, method="CONNECT")  # type: ignore[arg-type]  # has what it uses
            response.begin()
            if response.status != 200:
                raise OSError(f"the proxy rejected a tunnel to {place}: {response.status} {response.reason}")
        except BaseException:
            sock.end()
            raise

    def _exchange(
        self, sock: DeadlineSocket, target: Target, place: str, headers: dict[str, str] | None = None
    ) -> bytes | str:
        import http.client

        try:
            if target.scheme == "https":
                sock.secure(target.host)
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = sock  # the subset of a socket that it uses
            connection.putrequest("GET", place, skip_host=True, skip_accept_encoding=True)
            fixed = {"Host": target.authority, "User-Agent": "ferroscope", "Accept": "*/*", "Connection": "close"}
            for name, value in (fixed | (headers or {})).items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location is not None:
                # The body of a redirect is not read, because the connection is not reused.
                return location.encode("latin-1", "replace").decode("utf-8", "replace")
            if not 200 <= response.status < 300:
                raise OSError(f"{target.redacted_url!r} returned HTTP status {response.status} {response.reason}")
            return self._body(response, target)
        except TooManyBytesError as error:
            raise self._size_error(target) from error
        finally:
            sock.end()

    def _body(self, response: http.client.HTTPResponse, target: Target) -> bytes:
        limit = self._policy.max_bytes
        if response.length is not None and response.length > limit:
            raise self._size_error(target)
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > limit:
                raise self._size_error(target)
        if response.length:
            raise OSError(f"the body of {target.redacted_url!r} ended {response.length} bytes early")
        return bytes(body)

    # ---- limits

    def _remaining(self, target: Target) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise self._timeout_error(target)
        return remaining

    def _timeout_error(self, target: Target) -> FetchRefusedError:
        return FetchRefusedError(
            f"{target.redacted_url!r} took longer than {self._policy.timeout} seconds; set FERROSCOPE_MEDIA_TIMEOUT to "
            "a longer time"
        )

    def _size_error(self, target: Target) -> FetchRefusedError:
        return FetchRefusedError(
            f"{target.redacted_url!r} has more than {self._policy.max_bytes} bytes; set FERROSCOPE_MEDIA_MAX_BYTES to "
            "a higher limit"
        )
