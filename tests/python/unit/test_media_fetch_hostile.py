"""Fetching from servers that mean harm: the deadline, the limits and the gate have no way around them."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import trustme

from ferroscope.core.base._media import fetch as fetch_module
from ferroscope.core.base._media.fetch import FetchPolicy, FetchRefusedError, fetch

BRIEF = FetchPolicy(allow_private=True, timeout=0.4, max_bytes=1024 * 1024)
PATIENT = FetchPolicy(allow_private=True, timeout=20, max_bytes=1024 * 1024)
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 4\r\n\r\nbody"
# A script: for the head of a request, the pieces to send, each at once or after a pause.
Script = Callable[[str], Iterator[bytes]]
PAUSE = b""


class Server:
    """A TCP server on this machine that sends what its script yields."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self._script, self._tls = script, tls
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    self._answer(connection)
            except OSError:
                return

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(4096)
            if not received:
                return
            head += received
        self.requests.append(head.decode("latin-1"))
        for piece in self._script(self.requests[-1]):
            if self._stopping.wait(0.01 if piece is PAUSE else 0):
                return
            connection.sendall(piece)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(script: Script | bytes, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server((lambda _: iter([script])) if isinstance(script, bytes) else script, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names and the addresses that the resolver has for them; all others are as they are."""
    known: dict[str, str] = {}
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        return resolve(known.get(host, host), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def drip(head: bytes, drops: bytes) -> Script:
    """The head at once, and then byte by byte without an end."""

    def script(_: str) -> Iterator[bytes]:
        yield head
        while True:
            for index in range(len(drops)):
                yield PAUSE
                yield drops[index : index + 1]

    return script


def flood(head: bytes, water: bytes) -> Script:
    """The head, and then as fast as it goes without an end."""

    def script(_: str) -> Iterator[bytes]:
        yield head
        while True:
            yield water

    return script


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "silence": drip(b"", b""),
    "status line": drip(b"", b"H"),
    "headers": drip(OK, b"X-Drop: a\r\n"),
    "one header": drip(OK + b"X-Drop: ", b"a"),
    "100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": drip(OK + b"Content-Length: 1000\r\n\r\n", b"a"),
    "body without length": drip(OK + b"\r\n", b"a"),
    "chunks": drip(CHUNKED, b"1\r\na\r\n"),
    "chunk size": drip(CHUNKED, b"0"),
    "chunk extension": drip(CHUNKED + b"1;", b"a"),
    "trailers": drip(CHUNKED + b"1\r\na\r\n0\r\n", b"X-Drop: a\r\n"),
}


def silent(script: Script) -> Script:
    def wait(head: str) -> Iterator[bytes]:
        while True:
            yield PAUSE

    return wait if script is SLOW["silence"] else script


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.slow
def test_a_server_that_drips_is_left_at_the_deadline(serve: Callable[..., Server], name: str) -> None:
    server = serve(silent(SLOW[name]))
    begin = time.monotonic()
    with pytest.raises(FetchRefusedError, match=r"took longer than 0\.4 seconds; set FERROSCOPE_MEDIA_TIMEOUT"):
        fetch(server.url, BRIEF)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "script",
    [
        flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        flood(OK + b"\r\n", b"a" * 65536),
        flood(CHUNKED, b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        flood(CHUNKED, b"1\r\na\r\n" * 10000),
        flood(CHUNKED + b"1\r\na\r\n0\r\n", b"X-Water: a\r\n" * 1000),
    ],
    ids=["100 Continue", "body", "chunks", "small chunks", "trailers"],
)
def test_a_server_that_floods_is_left_at_the_limit(serve: Callable[..., Server], script: Script) -> None:
    with pytest.raises(FetchRefusedError, match="has more than 1048576 bytes; set FERROSCOPE_MEDIA_MAX_BYTES"):
        fetch(serve(script).url, PATIENT)


@pytest.mark.parametrize("script", [flood(OK + b"X: ", b"a" * 65536), flood(OK, b"X: a\r\n" * 200)])
def test_headers_without_an_end_are_an_error(serve: Callable[..., Server], script: Script) -> None:
    with pytest.raises(OSError, match="sent an invalid HTTP response"):
        fetch(serve(script).url, PATIENT)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_body_of_a_redirect_is_not_read(serve: Callable[..., Server], status: int) -> None:
    def script(head: str) -> Iterator[bytes]:
        if head.startswith("GET /there "):
            yield WHOLE
            return
        yield b"HTTP/1.1 %d Moved\r\nLocation: /there\r\n\r\n" % status
        while True:
            yield b"a" * 65536

    assert fetch(serve(script).url, PATIENT) == b"body"


def test_slow_redirects_have_one_deadline_together(serve: Callable[..., Server]) -> None:
    def script(head: str) -> Iterator[bytes]:
        yield from [PAUSE] * 10
        yield b"HTTP/1.1 302 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"

    begin = time.monotonic()
    with pytest.raises(FetchRefusedError, match=r"took longer than 0\.4 seconds"):
        fetch(serve(script).url, BRIEF)
    assert time.monotonic() - begin < 5


def test_a_tls_handshake_that_does_not_end(serve: Callable[..., Server]) -> None:
    server = serve(silent(SLOW["silence"]))
    with pytest.raises(FetchRefusedError, match=r"took longer than 0\.4 seconds"):
        fetch(server.url.replace("http:", "https:"), BRIEF)


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ended = threading.Event(), threading.Event()

    def getaddrinfo(*args: object, **kwargs: object) -> object:
        asked.set()
        ended.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(FetchRefusedError, match=r"took longer than 0\.4 seconds"):
        fetch("http://slow.example/", BRIEF)
    assert asked.is_set()
    ended.set()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse what the backlog has no room for")
def test_a_host_that_does_not_accept_connections() -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        with pytest.raises(FetchRefusedError, match=r"took longer than 0\.4 seconds"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", BRIEF)
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 10\r\n\r\nbody",
        CHUNKED + b"5\r\nbo",
        b"",
        b"<html>",
        b"HTTP/1.1 999999 ?\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_or_is_none(serve: Callable[..., Server], answer: bytes) -> None:
    with pytest.raises(OSError, match=r"ended 6 bytes early|sent an invalid HTTP response"):
        fetch(serve(answer).url, PATIENT)


# ---- the gate

PRIVATE = [
    "127.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "0xa9fea9fe",
    "169.254.169.254.",
    "169。254。169。254",
    "１６９.254.169.254",
    "169.254.169%2e254",
    "%31%36%39.254.169.254",
    "8.8.8.8%00.169.254.169.254",
    "8.8.8.8\\@169.254.169.254",
    "8.8.8.8@169.254.169.254",
    "user:password@169.254.169.254",
    "[::1]",
    "[::ffff:169.254.169.254]",
    "[::169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[fe80::1%25lo]",
    "[v1.a]",
    "a..b",
    ".",
    "a b",
    "localhost",
    "LOCALHOST.",
]


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("host", PRIVATE)
def test_no_spelling_of_a_private_host_is_reached(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, host: str, proxied: bool
) -> None:
    proxy = serve(WHOLE)
    if proxied:
        monkeypatch.setenv("http_proxy", proxy.url)
    for url in (f"http://{host}/latest/meta-data", f"http://{host}:{proxy.port}/"):
        with pytest.raises((FetchRefusedError, OSError)) as caught:
            fetch(url, FetchPolicy(timeout=20))
        assert "password" not in str(caught.value)
    assert proxy.requests == []


@pytest.mark.parametrize("host", ["169.254.169%2e254", "127.0.0.1\\", "a@127.0.0.1", "a b", "a..b"])
def test_a_host_with_two_readings_is_refused_where_private_addresses_are_allowed_too(host: str) -> None:
    with pytest.raises(FetchRefusedError, match=r"has a host |contains a user name|is not a URL"):
        fetch(f"http://{host}/", PATIENT)


@pytest.mark.parametrize("port", ["x", "99999", "-1"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(FetchRefusedError, match="is not a URL"):
        fetch(f"http://127.0.0.1:{port}/", PATIENT)


def test_a_name_with_one_private_address_is_refused(names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*args: object, **kwargs: object) -> object:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(FetchRefusedError, match=r"'http://two\.example/a\?…' resolves to 10\.0\.0\.1"):
        fetch("http://two.example/a?signature=secret", FetchPolicy())


def test_the_request_of_an_international_name(serve: Callable[..., Server], names: dict[str, str]) -> None:
    server = serve(WHOLE)
    names["xn--bcher-kva.example"] = "127.0.0.1"
    assert fetch(f"http://Bücher.example.:{server.port}/ä b?q=ü%20#part", PATIENT) == b"body"
    line, *headers = server.requests[0].split("\r\n")
    assert line == "GET /%C3%A4%20b?q=%C3%BC%20 HTTP/1.1"
    assert f"Host: xn--bcher-kva.example:{server.port}" in headers


# ---- proxies

PUBLIC = "93.184.216.34"


def test_a_proxy_is_asked_for_the_checked_address(
    serve: Callable[..., Server], names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(WHOLE)
    names["media.example"] = PUBLIC
    monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://me:pass%20word@"))
    assert fetch("http://media.example/a?b=c", FetchPolicy()) == b"body"
    line, *headers = proxy.requests[0].split("\r\n")
    assert line == f"GET http://{PUBLIC}:80/a?b=c HTTP/1.1"
    assert "Host: media.example" in headers
    assert "Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in headers


def test_a_redirect_behind_a_proxy_is_checked(
    serve: Callable[..., Server], names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(b"HTTP/1.1 302 Moved\r\nLocation: http://169.254.169%2e254/\r\nContent-Length: 0\r\n\r\n")
    names["media.example"] = PUBLIC
    monkeypatch.setenv("http_proxy", proxy.url)
    with pytest.raises(FetchRefusedError, match="has a host with characters that are not valid in a host name"):
        fetch("http://media.example/", FetchPolicy())
    assert len(proxy.requests) == 1


def test_a_name_that_only_the_proxy_can_resolve(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(WHOLE)
    monkeypatch.setenv("http_proxy", proxy.url)
    with pytest.raises(FetchRefusedError, match="cannot be resolved here to check its address"):
        fetch("http://only.invalid/", FetchPolicy())
    assert proxy.requests == []
    assert fetch("http://only.invalid/", PATIENT) == b"body"
    assert proxy.requests[0].startswith("GET http://only.invalid:80/ HTTP/1.1\r\n")


def test_hosts_without_the_proxy(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch(serve(WHOLE).url, PATIENT) == b"body"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "https://127.0.0.1:9"])
def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(FetchRefusedError, match="through a proxy that is not an http:// proxy"):
        fetch("http://127.0.0.1/", PATIENT)


# ---- TLS


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def context(authority: trustme.CA, *hosts: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*hosts).configure_cert(context)
    return context


def test_the_certificate_is_checked_for_the_name(
    serve: Callable[..., Server], names: dict[str, str], authority: trustme.CA
) -> None:
    server = serve(WHOLE, context(authority, "media.example"))
    names |= {"media.example": "127.0.0.1", "other.example": "127.0.0.1"}
    assert fetch(f"https://media.example.:{server.port}/", PATIENT) == b"body"
    with pytest.raises(ssl.SSLCertVerificationError, match=r"other\.example"):
        fetch(f"https://other.example:{server.port}/", PATIENT)


def test_a_tunnel_leads_to_the_checked_address_and_the_name_is_checked_at_its_end(
    serve: Callable[..., Server],
    names: dict[str, str],
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(WHOLE, context(authority, "media.example"))
    names["media.example"] = "127.0.0.1"
    monkeypatch.setattr(fetch_module, "is_public", lambda address: str(address) == "127.0.0.1")
    seen: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=_tunnel, args=(listener, server.port, seen))
        thread.start()
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{listener.getsockname()[1]}")
        assert fetch("https://media.example/a", FetchPolicy(timeout=20)) == b"body"
        thread.join()
    assert seen[0].startswith("CONNECT 127.0.0.1:443 HTTP/1.1\r\n")
    assert "media.example" not in seen[0]
    assert server.requests[0].startswith("GET /a HTTP/1.1\r\n")


def _tunnel(listener: socket.socket, port: int, seen: list[str]) -> None:
    """A proxy with one tunnel, which leads to a port of this machine."""
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        seen.append(client.recv(65536).decode())
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def pump(source: socket.socket, sink: socket.socket) -> None:
            try:
                while received := source.recv(65536):
                    sink.sendall(received)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                return

        back = threading.Thread(target=pump, args=(server, client))
        back.start()
        pump(client, server)
        back.join()


def test_a_tunnel_that_is_refused(
    serve: Callable[..., Server], names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    names["media.example"] = PUBLIC
    monkeypatch.setenv("https_proxy", proxy.url)
    with pytest.raises(OSError, match=rf"the proxy rejected a tunnel to {PUBLIC}:443: 403 Forbidden"):
        fetch("https://media.example/", FetchPolicy())


# ---- the environment


@pytest.mark.parametrize("name", ["FERROSCOPE_MEDIA_TIMEOUT", "FERROSCOPE_MEDIA_MAX_BYTES"])
@pytest.mark.parametrize("value", ["x", "-1", "0", "nan", "inf"])
def test_a_limit_that_is_no_number(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"the environment variable {name} must be a positive number, not '{value}'"):
        FetchPolicy.from_environment()
