"""A server on loopback with the pages that the web tools request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PAGE = b"""<html><head><title>T</title><script>alert(1)</script></head><body>
<nav>Menu</nav><header>Top</header>
<main><h1>Title</h1><p>First.</p><script>x()</script><p>Caf\xe9</p></main>
<footer>Bottom</footer></body></html>"""


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    url: str = ""
    other_origin: str = ""
    seen: list[Seen] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.seen.append(Seen(self.command, self.path, headers, body))
            path = self.path.partition("?")[0]
            try:
                getattr(self, path.strip("/").replace("/", "_"), self.missing)()
            except (BrokenPipeError, ConnectionResetError):
                pass

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = answer

        def send(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in ({"Content_Length": str(len(body))} | headers).items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def missing(self) -> None:
            self.send(404, b"no such page")

        def echo(self) -> None:
            seen = site.seen[-1]
            text = {"method": seen.method, "path": seen.path, "body": seen.body.decode()}
            self.send(200, json.dumps(text).encode(), Content_Type="application/json")

        def page(self) -> None:
            self.send(200, PAGE, Content_Type="text/html; charset=iso-8859-1")

        def empty(self) -> None:
            self.send(200, b"<script>only()</script>", Content_Type="text/html")

        def to_echo(self) -> None:
            self.send(302, Location="/echo")

        def to_echo_307(self) -> None:
            self.send(307, Location="/echo")

        def to_metadata(self) -> None:
            self.send(302, Location="http://169.254.169.254/latest/meta-data/")

        def to_other_origin(self) -> None:
            self.send(302, Location=f"{site.other_origin}/echo")

        def to_file(self) -> None:
            self.send(302, Location="file:///etc/passwd")

        def loop(self) -> None:
            self.send(302, Location="/loop")

        def promises_10_gb(self) -> None:
            self.send(200, Content_Length=str(10 * 1024**3))

        def endless(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not site.stopping.is_set():
                self.wfile.write(b"x" * 65536)

        def drips(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not site.stopping.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()

        def drips_headers(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
            while not site.stopping.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()

        def gzipped(self) -> None:
            self.send(200, b"\x1f\x8b", Content_Encoding="gzip")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler(site)) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
    for thread in threads:
        thread.start()
    site.url, site.other_origin = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    yield site
    site.stopping.set()
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()
