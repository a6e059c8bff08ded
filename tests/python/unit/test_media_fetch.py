"""Fetching a URL: what is read, what is refused, and when it gives up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest

from ferroscope.core.base._media.fetch import FetchPolicy, FetchRefusedError, fetch, is_public

BODY = bytes(range(256)) * 300
OPEN = FetchPolicy(allow_private=True, timeout=10)


class Site(BaseHTTPRequestHandler):
    """A small web site on this machine."""

    def do_GET(self) -> None:
        match self.path:
            case "/body":
                self.send(200, {"Content-Length": str(len(BODY))}, BODY)
            case "/unannounced":
                self.send(200, {}, BODY)
            case "/moved":
                self.send(302, {"Location": "/body", "Content-Length": "0"})
            case "/outside":
                self.send(302, {"Location": "http://10.0.0.1/", "Content-Length": "0"})
            case "/file":
                self.send(302, {"Location": "file:///etc/passwd", "Content-Length": "0"})
            case "/round":
                self.send(302, {"Location": "/round", "Content-Length": "0"})
            case "/slow":
                self.send(200, {"Content-Length": "100"}, b"a")
                while not self.server.stopping.wait(0.05):  # type: ignore[attr-defined]
                    try:
                        self.wfile.write(b"a")
                    except OSError:
                        return
            case _:
                self.send(404, {"Content-Length": "0"})

    def send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.stopping = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stopping.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("path", ["/body", "/unannounced", "/moved"])
def test_a_body_is_read_whole(site: str, path: str) -> None:
    assert fetch(site + path, OPEN) == BODY


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0.0.0.0"])
def test_this_machine_is_not_reached_by_default(site: str, host: str) -> None:
    url = site.replace("127.0.0.1", host) + "/body"
    with pytest.raises(FetchRefusedError, match="not a public address; set FERROSCOPE_MEDIA_ALLOW_PRIVATE"):
        fetch(url)


def test_the_switch_in_the_environment(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROSCOPE_MEDIA_ALLOW_PRIVATE", "ENABLED")
    assert fetch(f"{site}/body") == BODY


def test_a_redirect_is_checked_too(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The first host counts as public here, as an attacker's would be.
    import ferroscope.core.base._media.fetch as module

    monkeypatch.setattr(module, "is_public", lambda address: str(address) == "127.0.0.1")
    assert fetch(f"{site}/body") == BODY
    with pytest.raises(FetchRefusedError, match=r"'http://10\.0\.0\.1/' resolves to 10\.0\.0\.1"):
        fetch(f"{site}/outside")


def test_the_connection_goes_to_the_address_that_was_checked(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its mind between the check and the connection (DNS rebinding) gains nothing."""
    answers = ["127.0.0.1", "192.0.2.1"]
    resolve = socket.getaddrinfo

    def rebinding(host: str, *args: object, **kwargs: object) -> object:
        if host == "rebinding.example":
            host = answers.pop(0)
        return resolve(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert fetch(site.replace("127.0.0.1", "rebinding.example") + "/body", OPEN) == BODY
    assert answers == ["192.0.2.1"]


def test_a_redirect_to_a_file_is_refused(site: str) -> None:
    with pytest.raises(OSError, match="Redirection to url 'file:///etc/passwd' is not allowed"):
        fetch(f"{site}/file", OPEN)


def test_a_redirect_that_never_ends_is_given_up(site: str) -> None:
    with pytest.raises(OSError, match="infinite loop"):
        fetch(f"{site}/round", OPEN)


@pytest.mark.parametrize("path", ["/body", "/unannounced"])
def test_a_body_that_is_too_large_is_refused(site: str, path: str) -> None:
    with pytest.raises(FetchRefusedError, match="has more than 1000 bytes"):
        fetch(site + path, FetchPolicy(allow_private=True, max_bytes=1000))


def test_a_body_that_only_trickles_is_given_up_at_the_deadline(site: str) -> None:
    begin = time.monotonic()
    with pytest.raises(FetchRefusedError, match=r"took longer than 0\.3 seconds"):
        fetch(f"{site}/slow", FetchPolicy(allow_private=True, timeout=0.3))
    assert time.monotonic() - begin < 5


def test_a_status_of_failure_is_the_server_s_error(site: str) -> None:
    with pytest.raises(OSError, match="404"):
        fetch(f"{site}/nothing", OPEN)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/a", "http:///a"])
def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises((FetchRefusedError, OSError)):
        fetch(url, OPEN)


PUBLIC = """
8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 198.17.255.255 198.20.0.1
223.255.255.255 2606:4700:4700::1111 2a00::1 2001:200::1 3fff:1000::1 3ffe::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
2002:808:808::1 2a00::5efe:8.8.8.8
"""
NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::8.8.8.8
::10.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:8.8.8.8 ::ffff:0:169.254.169.254 64:ff9b::10.0.0.1
64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8 64:ff9b:1::169.254.169.254 100::1 100:0:0:1::1 2001::1
2001:0:808:808::f7f7:f7f7 2001:0:808:808::5601:5601 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:a00:1::
2002:a9fe:a9fe::1 2a00::5efe:10.0.0.1 2a00::200:5efe:169.254.169.254 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 8000::1
fc00::1 fd00:ec2::254 fe80::1 fe80::1%1 fec0::1 ff02::1 ff0e::1
"""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *((address, True) for address in PUBLIC.split()),
        *((address, False) for address in NOT_PUBLIC.split()),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
