"""Reads the bytes behind a URL that may come from outside: one deadline, a size limit, no private addresses.

The server that runs a prompt can reach what the author of a URL cannot: cloud metadata, databases, the loopback
interface. So a URL is parsed once, its host is resolved once, every address is checked, and the connection goes to a
checked address. Each redirect goes through the same steps. A proxy is asked for the checked address, never for the
name, which it could resolve to another one.

The deadline covers everything: DNS, connect, TLS handshake, headers, bodies, trailers and redirects.

The limits come from the environment, read at each fetch:

- `FERROSCOPE_MEDIA_TIMEOUT`: seconds for the whole fetch
- `FERROSCOPE_MEDIA_MAX_BYTES`: size of the largest body that is read
- `FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED`: private, loopback and link-local addresses are allowed

Fetching is plain synchronous code; the async drivers run it in a thread.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from .fetch_target import FetchRefusedError, Proxy, Target, bracketed, parse, proxy_for, shown_url
from .fetch_wire import TooMuchError, Wire
from .public_address import is_public

if TYPE_CHECKING:
    import http.client
    from collections.abc import Sequence

_CHUNK: Final = 64 * 1024
_MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Beside the body: status lines, headers, chunk sizes, trailers.
_MAX_OVERHEAD: Final = 1024 * 1024


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
        """Read the limits from the environment; a variable that is not set keeps its default.

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
        raise ValueError(f"the environment variable {name} is {text!r}, not a positive number")
    return value


def fetch(url: str, policy: FetchPolicy | None = None) -> bytes:
    """Read the body behind an `http(s)` URL within the policy's limits.

    Raises:
        FetchRefusedError: The address is not public, or a limit was passed.
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
            raise OSError(f"Redirection to url {shown_url(url)!r} is not allowed: it is not an http or https URL")
    raise OSError(f"more than {_MAX_REDIRECTS} redirects, which may be an infinite loop; the last: {shown_url(url)!r}")


class _Fetch:
    """One fetch with its redirects, under one deadline."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._deadline = time.monotonic() + policy.timeout

    def get(self, target: Target) -> bytes | str:
        """Return the body; for a redirect, its location."""
        import http.client

        proxy = proxy_for(target)
        addresses = self._checked(target, proxied=proxy is not None)
        try:
            if proxy is None:
                wire = self._connect(addresses, target.port, target)
                return self._exchange(wire, target, target.path)
            wire = self._connect(self._resolve(proxy.host, proxy.port, target), proxy.port, target)
            if target.scheme == "https":
                self._tunnel(wire, target, addresses[0], proxy)
                return self._exchange(wire, target, target.path)
            # The proxy connects to what the request line has, and that is the checked address.
            place = f"http://{bracketed(addresses[0])}:{target.port}{target.path}"
            return self._exchange(wire, target, place, proxy.headers)
        except http.client.HTTPException as error:
            raise OSError(f"the server of {target.shown!r} sent no valid HTTP response: {error!r}") from error
        except TimeoutError as error:
            if time.monotonic() >= self._deadline:
                raise self._too_slow(target) from error
            raise

    # ---- where to

    def _checked(self, target: Target, *, proxied: bool) -> Sequence[str]:
        """Return the addresses of the host, all of which may be reached.

        Behind a proxy often only the proxy can resolve names. A name that cannot be checked is refused.
        """
        try:
            addresses = self._resolve(target.host, target.port, target)
        except OSError as error:
            if not proxied:
                raise
            if self._policy.allow_private:
                return [target.host]
            raise FetchRefusedError(
                f"{target.shown!r} would be read through a proxy, and its host cannot be resolved here to check its "
                "address; set FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED to leave that to the proxy"
            ) from error
        if not self._policy.allow_private:
            for address in addresses:
                if not is_public(ip_address(address.partition("%")[0])):
                    raise FetchRefusedError(
                        f"{target.shown!r} leads to {address}, which is not a public address; set "
                        "FERROSCOPE_MEDIA_ALLOW_PRIVATE=ENABLED if that is meant"
                    )
        return addresses

    def _resolve(self, host: str, port: int, target: Target) -> Sequence[str]:
        """Return all addresses of a host, in the resolver's order.

        `getaddrinfo` takes no timeout, so it runs in a thread, which is left behind at the deadline.
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
            raise self._too_slow(target) from None
        if isinstance(found, UnicodeError):
            raise OSError(f"{host!r} is not a host name") from found
        if isinstance(found, Exception):
            raise found
        if not found:
            raise OSError(f"{host!r} has no address")
        return found

    def _connect(self, addresses: Sequence[str], port: int, target: Target) -> Wire:
        import socket

        failure: OSError | None = None
        for index, address in enumerate(addresses):
            # One address that does not answer leaves time for the others.
            patience = self._remaining(target) / (len(addresses) - index)
            try:
                connection = socket.create_connection((address, port), timeout=patience)
            except OSError as error:
                failure = error
                continue
            return Wire(connection, self._deadline, self._policy.max_bytes + _MAX_OVERHEAD)
        raise failure or OSError(f"{target.host!r} has no address")

    # ---- HTTP

    def _tunnel(self, wire: Wire, target: Target, address: str, proxy: Proxy) -> None:
        """Have a proxy connect to an address; what follows on the wire is between the target and us."""
        import http.client

        place = f"{bracketed(address)}:{target.port}"
        head = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *(f"{k}: {v}" for k, v in proxy.headers.items())]
        try:
            wire.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
            response = http.client.HTTPResponse(wire, method="CONNECT")  # type: ignore[arg-type]  # the part of a socket that it uses
            response.begin()
            if response.status != 200:
                raise OSError(f"the proxy refused a tunnel to {place}: {response.status} {response.reason}")
        except BaseException:
            wire.end()
            raise

    def _exchange(self, wire: Wire, target: Target, place: str, headers: dict[str, str] | None = None) -> bytes | str:
        import http.client

        try:
            if target.scheme == "https":
                wire.secure(target.host)
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = wire  # the part of a socket that it uses
            connection.putrequest("GET", place, skip_host=True, skip_accept_encoding=True)
            fixed = {"Host": target.authority, "User-Agent": "ferroscope", "Accept": "*/*", "Connection": "close"}
            for name, value in (fixed | (headers or {})).items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location is not None:
                # Its body is not read: the connection is not used again.
                return location.encode("latin-1", "replace").decode("utf-8", "replace")
            if not 200 <= response.status < 300:
                raise OSError(f"{target.shown!r} was answered with HTTP status {response.status} {response.reason}")
            return self._body(response, target)
        except TooMuchError as error:
            raise self._too_large(target) from error
        finally:
            wire.end()

    def _body(self, response: http.client.HTTPResponse, target: Target) -> bytes:
        limit = self._policy.max_bytes
        if response.length is not None and response.length > limit:
            raise self._too_large(target)
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > limit:
                raise self._too_large(target)
        if response.length:
            raise OSError(f"the body of {target.shown!r} ended {response.length} bytes early")
        return bytes(body)

    # ---- limits

    def _remaining(self, target: Target) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise self._too_slow(target)
        return remaining

    def _too_slow(self, target: Target) -> FetchRefusedError:
        return FetchRefusedError(
            f"{target.shown!r} took longer than {self._policy.timeout} seconds; set FERROSCOPE_MEDIA_TIMEOUT to wait "
            "longer"
        )

    def _too_large(self, target: Target) -> FetchRefusedError:
        return FetchRefusedError(
            f"{target.shown!r} has more than {self._policy.max_bytes} bytes; set FERROSCOPE_MEDIA_MAX_BYTES to read it"
        )
