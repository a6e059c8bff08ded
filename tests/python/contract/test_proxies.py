"""HTTP proxies of the native transport, against a proxy that listens on loopback."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ferroscope.testing import ProviderServer
from ferroscope.transport import NativeTransport, adapt_client

from .test_native_transport import OK, Tls, answering, answering_all, listening, read_request, words

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the native transport is not available there")


@pytest.fixture(params=[name for name in ("httpx", "httpx2") if find_spec(name)])
def library(request: pytest.FixtureRequest) -> Any:
    return import_module(request.param)


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path)


@dataclass
class HttpProxy:
    """A proxy that forwards requests and opens tunnels.

    Attributes:
        port: The port that it listens on.
        credentials: The `user:password` that it asks for; None for nothing.
        requests: The head of each request that it received.
        pieces: Whether its answers to `CONNECT` arrive byte by byte.
    """

    port: int = 0
    credentials: str | None = None
    requests: list[bytes] = field(default_factory=list)
    pieces: bool = False

    def serve(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            self.requests.append(request.partition(b"\r\n\r\n")[0])
            if self.credentials is not None and not self._is_authorized(request):
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _ = request.split(b" ", 2)
            if method == b"CONNECT":
                host, _, port = target.decode().rpartition(":")
                with socket.create_connection((host.strip("[]"), int(port))) as server:
                    answer = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n"
                    for piece in [answer[at : at + 1] for at in range(len(answer))] if self.pieces else [answer]:
                        connection.sendall(piece)
                    relay(connection, server)
                return
            _, _, host, path = target.decode().split("/", 3)
            name, _, port = host.partition(":")
            with socket.create_connection((name, int(port))) as server:
                head, separator, body = request.partition(b"\r\n\r\n")
                hop = (b"proxy-", b"connection:")
                lines = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(hop)]
                first = b"%b /%b HTTP/1.1" % (method, path.encode())
                server.sendall(b"\r\n".join([first, *lines, b"Connection: close"]) + separator + body)
                while part := server.recv(65536):
                    connection.sendall(part)

    def _is_authorized(self, request: bytes) -> bool:
        expected = b"proxy-authorization: basic " + b64encode((self.credentials or "").encode()).lower()
        return expected in request.lower()


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on in both directions until one side ends."""
    pairs = {one: other, other: one}
    while True:
        for ready in select.select(list(pairs), [], [])[0]:
            part = ready.recv(65536)
            if not part:
                with suppress(OSError):
                    pairs[ready].shutdown(socket.SHUT_WR)
                return
            pairs[ready].sendall(part)


@pytest.fixture
def proxy() -> Iterator[HttpProxy]:
    made = HttpProxy()
    with listening(made.serve) as made.port:
        yield made


async def get(library: Any, url: str, transport: NativeTransport, times: int = 1) -> list[str]:
    async with library.AsyncClient(transport=transport) as client:
        return [(await client.get(url)).text for _ in range(times)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("pieces", [False, True], ids=["at once", "byte by byte"])
def test_a_tunnel_is_opened_and_used_again(library: Any, tls: Tls, proxy: HttpProxy, host: str, pieces: bool) -> None:
    proxy.pieces = pieces
    with listening(tls.serving(tls.context())) as port:
        transport = NativeTransport(verify=str(tls.cafile), proxy=f"http://{host}:{proxy.port}")
        assert asyncio.run(get(library, f"https://localhost:{port}/path", transport, 3)) == ["ok"] * 3
    assert proxy.requests == [b"CONNECT localhost:%d HTTP/1.1\r\nHost: localhost:%d" % (port, port)]


def test_each_server_has_a_tunnel_of_its_own(library: Any, tls: Tls, proxy: HttpProxy) -> None:
    async def main(*ports: int) -> None:
        transport = NativeTransport(verify=str(tls.cafile), proxy=f"http://127.0.0.1:{proxy.port}")
        async with library.AsyncClient(transport=transport) as client:
            for port in (*ports, *ports):
                assert (await client.get(f"https://localhost:{port}")).text == str(port)

    def named(port: list[int]) -> Any:
        def serve(connection: Any) -> None:
            while read_request(connection):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(port[0])), port[0]))

        return serve

    first: list[int] = []
    second: list[int] = []
    with (
        listening(tls.serving(tls.context(), named(first))) as one,
        listening(tls.serving(tls.context(), named(second))) as other,
    ):
        first.append(one)
        second.append(other)
        asyncio.run(main(one, other))
    assert len(proxy.requests) == 2


def test_the_certificate_is_checked_through_the_tunnel(library: Any, tls: Tls, proxy: HttpProxy) -> None:
    with listening(tls.serving(tls.context("other.example"))) as port:
        transport = NativeTransport(verify=str(tls.cafile), proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(library.ConnectError, match="certificate"):
            asyncio.run(get(library, f"https://localhost:{port}", transport))


def test_a_request_without_tls_is_forwarded(library: Any, proxy: HttpProxy) -> None:
    with listening(answering_all()) as port:
        transport = NativeTransport(proxy=f"http://user:pass%2Fword@127.0.0.1:{proxy.port}")
        assert asyncio.run(get(library, f"http://127.0.0.1:{port}/a/path?query=1", transport)) == ["ok"]
    head = proxy.requests[0]
    assert head.startswith(b"GET http://127.0.0.1:%d/a/path?query=1 HTTP/1.1\r\n" % port)
    assert b"\r\nHost: 127.0.0.1:%d\r\n" % port in head
    assert b"\r\nProxy-Authorization: Basic " + b64encode(b"user:pass/word") in head


@pytest.mark.parametrize("credentials", ["user:secret", "user:", "a b:p@ss"])
def test_the_proxy_gets_its_credentials_and_the_server_does_not(
    library: Any, tls: Tls, proxy: HttpProxy, credentials: str
) -> None:
    proxy.credentials = credentials
    received = []

    def serve(connection: Any) -> None:
        while request := read_request(connection):
            received.append(request)
            connection.sendall(OK)

    user, _, password = credentials.replace("@", "%40").replace(" ", "%20").partition(":")
    with listening(tls.serving(tls.context(), serve)) as port:
        url = f"http://{user}:{password}@127.0.0.1:{proxy.port}"
        transport = NativeTransport(verify=str(tls.cafile), proxy=url)
        assert asyncio.run(get(library, f"https://localhost:{port}", transport)) == ["ok"]
        assert b"roxy-" not in b"".join(received)
        assert password not in repr(vars(transport)["_proxy"]) or not password


def test_a_proxy_that_refuses_is_a_proxy_error(library: Any, proxy: HttpProxy) -> None:
    proxy.credentials = "user:secret"
    transport = NativeTransport(proxy=f"http://user:wrong@127.0.0.1:{proxy.port}")
    with pytest.raises(library.ProxyError, match=r"^407 Proxy Authentication Required$") as caught:
        asyncio.run(get(library, "https://models.example", transport))
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "closed the connection before its answer to CONNECT"),
        (b"HTTP/1.1 200 ", "closed the connection before its answer to CONNECT"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", "^502 Bad Gateway$"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "bytes follow its answer to CONNECT"),
        (b"SSH-2.0-server\r\n\r\n", "the proxy 127.0.0.1:"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000, "the proxy 127.0.0.1:"),
    ],
    ids=["nothing", "half a line", "an error", "more than an answer", "another protocol", "a head without an end"],
)
def test_what_is_no_tunnel_is_a_proxy_error(library: Any, answer: bytes, error: str) -> None:
    with listening(answering(answer)) as port, pytest.raises(library.ProxyError, match=error):
        asyncio.run(get(library, "https://models.example", NativeTransport(proxy=f"http://127.0.0.1:{port}")))


def test_a_proxy_that_is_not_there_is_a_connect_error(library: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(library.ConnectError, match=f"cannot connect to 127.0.0.1:{port}"):
        asyncio.run(get(library, "https://models.example", NativeTransport(proxy=f"http://127.0.0.1:{port}")))


def test_a_proxy_that_does_not_answer_is_a_connect_timeout(library: Any) -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    async def main(port: int) -> None:
        transport = NativeTransport(proxy=f"http://127.0.0.1:{port}")
        async with library.AsyncClient(transport=transport, timeout=0.1) as client:
            with pytest.raises(library.ConnectTimeout):
                await client.get("https://models.example")
            connections, idle, queued = next(iter(transport._pools.values())).counts()
            assert (connections, idle, queued) == (0, 0, 0)

    with listening(silent) as port:
        asyncio.run(main(port))


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "127.0.0.1:1", "http://"])
def test_other_proxies_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the native transport uses proxies such as 'http://proxy:3128'"):
        NativeTransport(proxy=url)


# ---- the environment, read by the HTTP library


@pytest.mark.parametrize(
    ("environment", "url", "proxied"),
    [
        ({"HTTP_PROXY": "{proxy}"}, "http://127.0.0.1", True),
        ({"ALL_PROXY": "{proxy}"}, "http://127.0.0.1", True),
        ({"HTTPS_PROXY": "{proxy}"}, "http://127.0.0.1", False),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "localhost,127.0.0.1"}, "http://127.0.0.1", False),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, "http://localhost", True),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "*"}, "http://127.0.0.1", False),
        ({"http_proxy": "{proxy}", "no_proxy": "example.com"}, "http://127.0.0.1", True),
    ],
)
def test_the_environment_names_proxies(
    library: Any,
    proxy: HttpProxy,
    environment: dict[str, str],
    url: str,
    proxied: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ferroscope.transport")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(proxy=f"http://127.0.0.1:{proxy.port}"))

    async def main(port: int) -> None:
        async with adapt_client(library.AsyncClient()) as client:
            assert (await client.get(f"{url}:{port}/")).text == "ok"
            used = client._transport_for_url(library.URL(f"{url}:{port}/"))
            assert type(used) is NativeTransport

    with listening(answering_all()) as port:
        asyncio.run(main(port))
    assert bool(proxy.requests) is proxied
    assert caplog.text == ""


def test_a_socks_proxy_stays_with_the_library(
    library: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("socksio")
    caplog.set_level(logging.DEBUG, "ferroscope.transport")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")

    async def main() -> None:
        async with adapt_client(library.AsyncClient()) as client:
            used = client._transport_for_url(library.URL("https://models.example"))
            assert type(used).__name__ == "AsyncHTTPTransport"

    asyncio.run(main())
    assert "stays the transport: a SOCKS proxy" in caplog.text


def test_a_stream_through_a_tunnel(library: Any, tls: Tls, proxy: HttpProxy, server: ProviderServer) -> None:
    """The TLS server passes the request on to the testing server, which has no TLS."""
    server.reply(words(200))

    def unwrapped(connection: Any) -> None:
        with socket.create_connection(("127.0.0.1", urlsplit(server.base_url("openai")).port or 0)) as plain:
            request = read_request(connection)
            plain.sendall(request)
            while part := plain.recv(65536):
                connection.sendall(part)
                if b"[DONE]" in part:
                    return

    async def main(port: int) -> str:
        transport = NativeTransport(verify=str(tls.cafile), proxy=f"http://127.0.0.1:{proxy.port}")
        path = server.base_url("openai").split("/", 3)[3]
        body = {"model": "m", "messages": [{"role": "user", "content": "Go on."}], "stream": True}
        async with library.AsyncClient(transport=transport) as client:
            url = f"https://localhost:{port}/{path}/chat/completions"
            async with client.stream("POST", url, json=body) as response:
                return b"".join([read async for read in response.aiter_raw()]).decode()

    with listening(tls.serving(tls.context(), unwrapped)) as port:
        text = asyncio.run(main(port))
    assert text.count('"word ') == 200
