"""The native transport below clients of httpx and httpx2: connections, TLS, timeouts, faults, forks and threads."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import gzip
import logging
import os
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import trustme

from ferroscope._engine.clients import default_client
from ferroscope.testing import Answer, Body, Cut, HangUp, ProviderServer, SlowHeaders, Stall, Status, Text
from ferroscope.transport import NativeTransport, adapt_client
from ferroscope.transport._joined import http_clients_of

from .conftest import Caller

LIBRARIES = [name for name in ("httpx", "httpx2") if find_spec(name)]
STREAMED = {"model": "m", "messages": [{"role": "user", "content": "Go on."}], "stream": True}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the native transport is not available there")


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    """Start a server for one test, which counts connections: clients of earlier tests may still be open."""
    with ProviderServer() as server:
        yield server


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    return import_module(request.param)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(main)


def chat(server: ProviderServer) -> str:
    return server.base_url("openai") + "/chat/completions"


def words(count: int, **options: Any) -> Answer:
    return Answer(Text("word " * count, count), **options)


# ---- servers of sockets


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server with a thread per connection. It waits for all of them at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def guarded(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=guarded, args=(connection,), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def read_request(connection: socket.socket) -> bytes:
    """Read one request with its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (part := connection.recv(65536)):
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        if not (part := connection.recv(65536)):
            return b""
        body += part
    return head + b"\r\n\r\n" + body


def answering(*pieces: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    """A server that answers the first request with these pieces, and closes the connection."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return serve


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering_all(answer: bytes = OK) -> Callable[[socket.socket], None]:
    """A server that answers every request of a connection alike."""

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(answer)

    return serve


# ---- the wire, with the HTTP library's own transport as oracle

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
RESPONSES = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\nx-two:  2 \r\n\r\nhello",
    "no body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an error": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\nRetry-After: 1\r\n\r\nwait",
    "no reason": b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na",
    "another reason": b"HTTP/1.1 200 Gut so\r\nContent-Length: 1\r\n\r\na",
    "chunks": CHUNKED + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
    "capital chunks": CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"1\r\na\r\n0\r\nDigest: x\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "an older version": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "interim responses": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK,
    "lone line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "a folded header": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-One: a\r\n b\r\n\r\na",
    "obsolete text": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-One: \xe4\r\n\r\na",
    "chunks and a length": CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"hello" * 100),
    "cookies": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    # What is refused.
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    "an unfinished chunk": CHUNKED + b"5\r\nhel",
    "unfinished chunks": CHUNKED + b"5\r\nhello\r\n",
    "a bad size": CHUNKED + b"x\r\nhello\r\n",
    "a bad footer": CHUNKED + b"1\r\naXX",
    "bad trailers": CHUNKED + b"0\r\nA b\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a bad header": b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nA : c\r\n\r\n",
    "a null": b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\na",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000,
}


@pytest.mark.parametrize("pieces", ["whole", "in halves", "byte by byte"])
@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_is_read_as_the_library_reads_it(library: Any, name: str, pieces: str) -> None:
    response = RESPONSES[name]
    if pieces == "byte by byte" and len(response) > 1000:
        pytest.skip("too many pieces")
    size = {"whole": len(response) or 1, "in halves": len(response) // 2 + 1, "byte by byte": 1}[pieces]
    parts = [response[start : start + size] for start in range(0, len(response), size)]
    pause = 0.002 if pieces == "in halves" else 0

    async def read(client: Any, url: str) -> Any:
        found: dict[str, Any] = {}
        body = b""
        async with client:
            try:
                async with client.stream("POST", url, json={}) as response:
                    found = {
                        "status": response.status_code,
                        "reason": response.reason_phrase,
                        "version": response.http_version,
                        "headers": response.headers.multi_items(),
                    }
                    async for piece in response.aiter_bytes():
                        body += piece
            except library.HTTPError as error:
                return found, body, type(error)
        return found, body, None

    results = []
    for transport in (library.AsyncHTTPTransport(), NativeTransport()):
        with listening(answering(*parts, pause=pause)) as port:
            results.append(run(read(library.AsyncClient(transport=transport), f"http://127.0.0.1:{port}/")))
    usual, native = results
    if usual[2] is not None and native[2] is not None:
        assert native[2] is usual[2]
        assert native[1].startswith(usual[1])
    else:
        assert native == usual


def test_requests_arrive_as_the_library_sends_them(library: Any) -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            requests.append(request)
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def send(transport: Any, url: str) -> None:
        async with library.AsyncClient(transport=transport, headers={"X-Key": "value"}) as client:
            await client.get(url + "?a=b%20c&d=\u00e4")
            await client.post(url, json={"a": ["b"] * 20_000})
            await client.put(url, content=b"")
            await client.head(url)
            await client.request("PURGE", url)

    with listening(serve) as port:
        for transport in (library.AsyncHTTPTransport(), NativeTransport()):
            run(send(transport, f"http://127.0.0.1:{port}/path"))
    usual, native = requests[: len(requests) // 2], requests[len(requests) // 2 :]
    assert native == usual
    assert len(native) == 5


@pytest.mark.parametrize(
    "request_options",
    [{"headers": {"X-Key": "secret\r\nX-Other: 1"}}, {"headers": {"X Key": "secret"}}, {"method": "GET /"}],
    ids=["a line break", "a header name", "a method"],
)
def test_what_could_be_two_requests_is_never_sent(library: Any, request_options: dict[str, Any]) -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        received.append(connection.recv(65536))

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            options = {"method": "GET", "url": f"http://127.0.0.1:{port}/", **request_options}
            with pytest.raises(library.LocalProtocolError) as caught:
                await client.request(**options)
            assert "secret" not in str(caught.value)

    with listening(serve) as port:
        run(main(port))
    assert b"".join(received) == b""


# ---- connections


def test_connections_are_used_again(library: Any, server: ProviderServer) -> None:
    before = server.connections_opened
    server.reply(*[words(5)] * 5, Status(400), words(5))

    async def main() -> None:
        transport = NativeTransport()
        async with library.AsyncClient(transport=transport) as client:
            for _ in range(7):
                response = await client.post(chat(server), json=STREAMED)
                assert response.extensions["http_version"] == b"HTTP/1.1"
            assert repr(transport) == "<NativeTransport: 1 connections (1 idle), 0 requests waiting>"
        server.wait_disconnected()

    run(main())
    assert server.connections_opened == before + 1


@pytest.mark.parametrize("behind", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"x"])
@pytest.mark.parametrize("late", [False, True], ids=["with the body", "later"])
def test_bytes_behind_a_body_answer_no_other_request(library: Any, behind: bytes, late: bool) -> None:
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        if read_request(connection):
            connection.sendall(OK if late else OK + behind)
            if late:
                time.sleep(0.05)
                connection.sendall(behind)
            read_request(connection)

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            for _ in range(3):
                assert (await client.get(f"http://127.0.0.1:{port}/")).content == b"ok"
                await asyncio.sleep(0.1 if late else 0)

    with listening(serve) as port:
        run(main(port))
    assert len(connections) == 3


def test_a_connection_that_the_server_closed_while_idle_is_not_used(library: Any) -> None:
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        read_request(connection)
        connection.sendall(OK)

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            for _ in range(5):
                assert (await client.get(f"http://127.0.0.1:{port}/")).content == b"ok"
                time.sleep(0.03)  # the loop must not notice it in the meantime

    with listening(serve) as port:
        run(main(port))
    assert len(connections) == 5


def test_an_answer_before_the_end_of_the_request_is_read(library: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            response = await client.post(f"http://127.0.0.1:{port}/", content=b"a" * 50_000_000)
            assert (response.status_code, response.content) == (413, b"large")

    with listening(serve) as port:
        run(main(port))


def test_a_slow_reader_slows_the_server_down(library: Any) -> None:
    total, sent = 64 * 1024 * 1024, 0

    def serve(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        piece = b"a" * 65536
        while sent < total:
            connection.sendall(piece)
            sent += len(piece)

    async def main(port: int) -> None:
        client = library.AsyncClient(transport=NativeTransport())
        async with client, client.stream("GET", f"http://127.0.0.1:{port}/") as response:
            await asyncio.sleep(0.3)
            at_first, received = sent, 0
            async for piece in response.aiter_raw():
                received += len(piece)
            assert received == total
            assert at_first < total / 2

    with listening(serve) as port:
        run(main(port))


def test_the_pool_has_limits_and_a_queue(library: Any, server: ProviderServer) -> None:
    before = server.connections_opened
    server.reply(*[words(5, delay=0.01)] * 12)

    async def main() -> None:
        transport = NativeTransport(limits=library.Limits(max_connections=3, max_keepalive_connections=1))
        async with library.AsyncClient(transport=transport) as client:
            posts = [client.post(chat(server), json=STREAMED) for _ in range(12)]
            assert [response.status_code for response in await asyncio.gather(*posts)] == [200] * 12
            assert repr(transport) == "<NativeTransport: 1 connections (1 idle), 0 requests waiting>"

    run(main())
    assert server.connections_opened == before + 3


def test_an_idle_connection_expires(library: Any, server: ProviderServer) -> None:
    server.reply(words(5))

    async def main() -> None:
        transport = NativeTransport(limits=library.Limits(keepalive_expiry=0.05))
        async with library.AsyncClient(transport=transport) as client:
            await client.post(chat(server), json=STREAMED)
            await asyncio.to_thread(server.wait_disconnected, 2)
            assert repr(transport) == "<NativeTransport: 0 connections (0 idle), 0 requests waiting>"

    run(main())


def test_an_idle_connection_to_another_server_makes_room(library: Any) -> None:
    async def main(one: int, other: int) -> None:
        limits = library.Limits(max_connections=1)
        async with library.AsyncClient(transport=NativeTransport(limits=limits)) as client:
            for port in (one, other, one):
                assert (await client.get(f"http://127.0.0.1:{port}/")).content == b"ok"

    with listening(answering_all()) as one, listening(answering_all()) as other:
        run(main(one, other))


def test_names_are_looked_up_and_every_address_is_tried(library: Any, server: ProviderServer) -> None:
    server.reply(words(5))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        usual = loop.getaddrinfo

        async def getaddrinfo(host: Any, port: Any, **options: Any) -> Any:
            found = await usual("127.0.0.1", port, **options)
            dead = socket.create_server(("127.0.0.1", 0))
            refused = dead.getsockname()
            dead.close()
            return [(*found[0][:4], refused), (*found[0][:4], ("::1", found[0][4][1], 0, 0)), *found]

        loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]
        async with library.AsyncClient(transport=NativeTransport()) as client:
            response = await client.post(chat(server).replace("127.0.0.1", "models.example"), json=STREAMED)
            assert response.status_code == 200

    run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_that_is_not_there_is_a_connect_error(library: Any, host: str) -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()

    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            with pytest.raises(library.ConnectError, match=host) as caught:
                await client.get(f"http://{host}:{port}/")
            assert caught.value.request.url.host == host

    run(main())


# ---- timeouts


async def timed_out(library: Any, error: str, url: str, transport: Any = None, **options: Any) -> str:
    async with library.AsyncClient(transport=transport or NativeTransport()) as client:
        start = time.monotonic()
        with pytest.raises(getattr(library, error)) as caught:
            await client.post(url, **options)
        assert time.monotonic() - start < 2
        return str(caught.value)


def test_a_server_that_does_not_answer_is_a_read_timeout(library: Any, server: ProviderServer) -> None:
    server.reply(SlowHeaders(words(5)), Stall(words(5), after=2))
    timeout = library.Timeout(5, read=0.1)
    for _ in range(2):
        message = run(timed_out(library, "ReadTimeout", chat(server), json=STREAMED, timeout=timeout))
        assert message.endswith("for 0.1 s")
    server.wait_disconnected()


def test_a_slow_consumer_is_no_slow_server(library: Any, server: ProviderServer) -> None:
    server.reply(words(4, delay=0.15, first_delay=0))

    async def main() -> None:
        timeout = library.Timeout(5, read=0.25)
        client = library.AsyncClient(transport=NativeTransport(), timeout=timeout)
        async with client, client.stream("POST", chat(server), json=STREAMED) as response:
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) < 500:
                    await asyncio.sleep(0.4)
            assert body.count(b'"word "') == 4

    run(main())


def test_a_server_that_reads_nothing_is_a_write_timeout(library: Any) -> None:
    released = threading.Event()

    def serve(connection: socket.socket) -> None:
        released.wait(5)

    with listening(serve) as port:
        timeout = library.Timeout(5, write=0.1)
        message = run(
            timed_out(library, "WriteTimeout", f"http://127.0.0.1:{port}/", content=b"a" * 50_000_000, timeout=timeout)
        )
        released.set()
    assert "read nothing of the request for 0.1 s" in message


def test_a_pool_without_a_free_connection_is_a_pool_timeout(library: Any, server: ProviderServer) -> None:
    server.reply(Stall(words(5), after=2), words(5))

    async def main() -> None:
        transport = NativeTransport(limits=library.Limits(max_connections=1))
        async with library.AsyncClient(transport=transport) as client:
            async with client.stream("POST", chat(server), json=STREAMED):
                with pytest.raises(library.PoolTimeout):
                    await client.post(chat(server), json=STREAMED, timeout=library.Timeout(5, pool=0.1))
                assert repr(transport) == "<NativeTransport: 1 connections (0 idle), 0 requests waiting>"
            assert (await client.post(chat(server), json=STREAMED)).status_code == 200

    run(main())


def test_a_handshake_that_does_not_end_is_a_connect_timeout(library: Any) -> None:
    released = threading.Event()

    def serve(connection: socket.socket) -> None:
        released.wait(5)

    with listening(serve) as port:
        timeout = library.Timeout(5, connect=0.1)
        run(timed_out(library, "ConnectTimeout", f"https://127.0.0.1:{port}/", timeout=timeout))
        released.set()


def test_a_name_that_is_not_found_in_time_is_a_connect_timeout(library: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def getaddrinfo(*args: Any, **options: Any) -> Any:
            await asyncio.sleep(10)

        loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]
        timeout = library.Timeout(5, connect=0.1)
        await timed_out(library, "ConnectTimeout", "http://models.example/", timeout=timeout)

    run(main())


# ---- faults


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Cut(words(1000), at=20_000, how="reset"), "ReadError"),
        (Cut(words(1000), at=20_000, how="close"), "RemoteProtocolError"),
        (HangUp(), "ReadError"),
    ],
    ids=["reset", "closed", "hung up"],
)
def test_a_broken_connection_is_the_librarys_error(
    library: Any, answer: Any, error: str, server: ProviderServer
) -> None:
    server.reply(answer, words(5))

    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            with pytest.raises(getattr(library, error)):
                await client.post(chat(server), json=STREAMED)
            assert (await client.post(chat(server), json=STREAMED)).status_code == 200

    run(main())


def test_a_thousand_random_cancellations_leave_nothing(library: Any, server: ProviderServer) -> None:
    chosen = random.Random(17)
    server.reply_always(words(6, delay=0.004))

    async def main() -> None:
        transport = NativeTransport(limits=library.Limits(max_connections=20))
        async with library.AsyncClient(transport=transport) as client:

            async def post() -> None:
                async with client.stream("POST", chat(server), json=STREAMED) as response:
                    async for _ in response.aiter_raw():
                        pass

            async def cancelled() -> None:
                task = asyncio.create_task(post())
                await asyncio.sleep(chosen.random() * 0.06)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

            for _ in range(20):
                await asyncio.gather(*[cancelled() for _ in range(50)])
            await asyncio.gather(*[post() for _ in range(40)])
            await asyncio.sleep(0)
            connections, idle, queued = next(iter(transport._pools.values())).counts()
            assert connections == idle <= 20
            assert queued == 0
        await asyncio.to_thread(server.wait_disconnected)

    run(main())
    assert server.open_connections == 0


def test_cancelled_calls_leave_the_pool_of_the_sdks_client_usable(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FERROSCOPE_TRANSPORT", raising=False)
    chosen = random.Random(1)
    # Cancelled while it waits for a connection, a request in httpcore 1.0.9 leaves one in the pool that is never used.
    base_client = import_module("openai._base_client")
    limits = base_client.DEFAULT_CONNECTION_LIMITS
    monkeypatch.setattr(base_client, "DEFAULT_CONNECTION_LIMITS", type(limits)(max_connections=4))
    server.reply_always(words(3))
    client = import_module("openai").AsyncOpenAI(api_key="k", base_url=server.base_url("openai"), max_retries=0)

    @import_module("ferroscope.core.openai").call("m", stream=True, client=client)
    async def hello() -> str:
        return "Say hello"

    async def read() -> str:
        return "".join([text async for text in (await hello()).text()])

    async def main() -> None:
        for _ in range(100):
            tasks = [asyncio.create_task(read()) for _ in range(10)]
            for task in tasks:
                await asyncio.sleep(chosen.random() * 0.003)
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert await asyncio.wait_for(asyncio.gather(*[read() for _ in range(10)]), 20) == ["word " * 3] * 10
        await client.close()
        await asyncio.to_thread(server.wait_disconnected)

    run(main())


def test_a_response_that_nobody_closes_is_closed_with_its_objects(library: Any, server: ProviderServer) -> None:
    server.reply(Stall(words(5), after=2))

    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            response = await client.send(client.build_request("POST", chat(server), json=STREAMED), stream=True)
            known = weakref.ref(response)
            del response
            gc.collect()
            assert known() is None
            await asyncio.to_thread(server.wait_closed)

    run(main())


def test_a_response_is_read_by_one_task(library: Any, server: ProviderServer) -> None:
    server.reply(Stall(words(5), after=0))

    async def main() -> None:
        client = library.AsyncClient(transport=NativeTransport())
        async with client, client.stream("POST", chat(server), json=STREAMED) as response:
            take = response.stream._stream.take
            first = take()
            with pytest.raises(RuntimeError, match="already reading the response"):
                take()
            assert first.cancelled()

    run(main())


# ---- event loops, threads, processes


def test_one_client_serves_several_event_loops(library: Any, server: ProviderServer) -> None:
    server.reply_always(words(5))
    client = library.AsyncClient(transport=NativeTransport())

    async def main() -> None:
        assert (await client.post(chat(server), json=STREAMED)).status_code == 200

    for _ in range(3):
        run(main())
    threads = [threading.Thread(target=run, args=(main(),)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(client.aclose())
    server.wait_disconnected()


def test_an_engine_ends_with_its_last_transport(library: Any, server: ProviderServer) -> None:
    server.reply_always(words(5))

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        watched = set(loop._selector.get_map())
        for _ in range(3):
            async with library.AsyncClient(transport=NativeTransport()) as client:
                await client.post(chat(server), json=STREAMED)
                assert len(set(loop._selector.get_map())) == len(watched) + 1
        assert set(loop._selector.get_map()) == watched

    run(main())


def test_closing_a_transport_ends_its_responses(library: Any, server: ProviderServer) -> None:
    server.reply(Stall(words(5), after=2))

    async def main() -> None:
        client = library.AsyncClient(transport=NativeTransport())
        task = asyncio.create_task(client.post(chat(server), json=STREAMED))
        await asyncio.to_thread(server.wait_requests, 1)
        await client.aclose()
        with pytest.raises(library.ReadError, match="closed"):
            await task

    run(main())


PROGRAMS = {
    "a fork": """
import asyncio, os, sys, httpx2 as library
from ferroscope.transport import NativeTransport

async def main(url):
    async with library.AsyncClient(transport=NativeTransport()) as client:
        response = await client.send(client.build_request("POST", url, json=BODY), stream=True)
        reads = response.aiter_raw()
        await anext(reads)
        if (child := os.fork()) == 0:
            try:
                del reads
                await response.aclose()
                await client.aclose()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        body = b"".join([piece async for piece in reads])
        assert body.endswith(b"[DONE]\\n\\n"), body

def again(url):
    async def main():
        async with library.AsyncClient(transport=NativeTransport()) as client:
            assert (await client.post(url, json=BODY)).status_code == 200
    if (child := os.fork()) == 0:
        try:
            asyncio.run(main())
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0

asyncio.run(main(sys.argv[1]))
again(sys.argv[1])
""",
    "an exit in the middle": """
import asyncio, sys, httpx2 as library
from ferroscope.transport import NativeTransport

async def main(url):
    global client, response
    client = library.AsyncClient(transport=NativeTransport())
    response = await client.send(client.build_request("POST", url, json=BODY), stream=True)
    await anext(response.aiter_raw())

loop = asyncio.new_event_loop()
loop.run_until_complete(main(sys.argv[1]))
""",
    "a cycle": """
import asyncio, gc, sys, httpx2 as library
from ferroscope.transport import NativeTransport

async def main(url):
    client = library.AsyncClient(transport=NativeTransport())
    response = await client.send(client.build_request("POST", url, json=BODY), stream=True)
    client.own = client, response
    await anext(response.aiter_raw())

for _ in range(3):
    asyncio.run(main(sys.argv[1]))
    gc.collect()
gc.collect()
from ferroscope._core import HttpEngine, HttpExchange
from ferroscope.transport import _engines
_engines._engines.clear()
gc.collect()
left = [found for found in gc.get_objects() if type(found) in (HttpEngine, HttpExchange)]
assert not left, left
""",
    "uvloop": """
import asyncio, sys, httpx2 as library, uvloop
from ferroscope.transport import NativeTransport

async def main(url):
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
    async with library.AsyncClient(transport=NativeTransport()) as client:
        for _ in range(3):
            response = await client.post(url, json=BODY)
            assert response.content.endswith(b"[DONE]\\n\\n")
        try:
            await client.post(url.replace("/chat/completions", "/slow"), json=BODY, timeout=0.1)
        except library.ReadTimeout:
            pass
        assert repr(client._transport).startswith("<NativeTransport: 1 connections"), client._transport

uvloop.run(main(sys.argv[1]))
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_process(name: str, server: ProviderServer) -> None:
    if name == "uvloop":
        pytest.importorskip("uvloop")
    pytest.importorskip("httpx2")
    server.reply_always(words(20, delay=0.02))
    program = f"BODY = {STREAMED!r}\n" + PROGRAMS[name]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, chat(server)], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    server.wait_disconnected()


# ---- TLS


class Tls:
    """A server behind TLS, with an authority of its own."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.cafile = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(self.cafile)

    def context(self, *names: str, authority: trustme.CA | None = None, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = (authority or self.authority).issue_cert(*(names or ("127.0.0.1", "localhost")), **options)
        issued.configure_cert(context)
        return context

    def serving(
        self, context: ssl.SSLContext, serve: Callable[[ssl.SSLSocket], None] | None = None
    ) -> Callable[[socket.socket], None]:
        def encrypted(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as tls:
                if serve is not None:
                    serve(tls)
                else:
                    while read_request(tls):
                        tls.sendall(OK)

        return encrypted


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path)


async def get(library: Any, url: str, transport: NativeTransport, **options: Any) -> Any:
    async with library.AsyncClient(transport=transport) as client:
        return await client.get(url, **options)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls(library: Any, tls: Tls, version: ssl.TLSVersion, host: str) -> None:
    context = tls.context()
    context.minimum_version = context.maximum_version = version
    connections = []

    def serve(connection: ssl.SSLSocket) -> None:
        connections.append(connection)
        while request := read_request(connection):
            body = request.partition(b"\r\n\r\n")[2]
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def main(port: int) -> None:
        transport = NativeTransport(verify=str(tls.cafile))
        async with library.AsyncClient(transport=transport) as client:
            for size in (0, 1, 3_000_000, 7):
                body = os.urandom(size)
                async with client.stream("POST", f"https://{host}:{port}/", content=body) as response:
                    stream = response.extensions["network_stream"]
                    name = {"TLSv1_2": "TLSv1_2", "TLSv1_3": "TLSv1_3"}[version.name]
                    assert size < 100 or stream.get_extra_info("tls_version") == name
                    assert await response.aread() == body

    with listening(tls.serving(context, serve)) as port:
        run(main(port))
    assert len(connections) == 1


def test_the_trust_store_can_be_named_in_the_environment(
    library: Any, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(tls.serving(tls.context())) as port:
        url = f"https://127.0.0.1:{port}/"
        with pytest.raises(library.ConnectError, match="certificate verify failed"):
            run(get(library, url, NativeTransport()))
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.cafile))
        assert run(get(library, url, NativeTransport())).content == b"ok"


def test_a_certificate_that_is_not_valid_is_refused(library: Any, tls: Tls) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    contexts = {
        "UnknownIssuer": tls.context(authority=trustme.CA()),
        "expired": tls.context(not_after=past),
        "not valid for name": tls.context("models.example"),
    }
    for message, context in contexts.items():
        with listening(tls.serving(context)) as port, pytest.raises(library.ConnectError) as caught:
            run(get(library, f"https://127.0.0.1:{port}/", NativeTransport(verify=str(tls.cafile))))
        assert "certificate verify failed" in str(caught.value)
        assert message in str(caught.value)


def test_the_server_name_can_be_given(library: Any, tls: Tls) -> None:
    context = tls.context("models.example")
    names: list[Any] = []
    context.sni_callback = lambda tls, name, context: names.append(name)
    with listening(tls.serving(context)) as port:
        transport = NativeTransport(verify=str(tls.cafile))
        extensions = {"sni_hostname": "models.example"}
        assert run(get(library, f"https://127.0.0.1:{port}/", transport, extensions=extensions)).content == b"ok"
    assert names == ["models.example"]


def test_a_client_certificate_is_sent(library: Any, tls: Tls, tmp_path: Path) -> None:
    context = tls.context()
    context.verify_mode = ssl.CERT_REQUIRED
    tls.authority.configure_trust(context)
    issued = tls.authority.issue_cert("client@models.example")
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    for blob in issued.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    issued.private_key_pem.write_to_path(key)
    with listening(tls.serving(context)) as port:
        url = f"https://127.0.0.1:{port}/"
        transport = NativeTransport(verify=str(tls.cafile), cert=(str(certificate), str(key)))
        assert run(get(library, url, transport)).content == b"ok"
        with pytest.raises((library.ReadError, library.RemoteProtocolError, library.ConnectError)):
            run(get(library, url, NativeTransport(verify=str(tls.cafile))))


@pytest.mark.parametrize(
    ("answer", "notified", "error"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nhello", True, None),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", False, "close_notify"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", False, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", False, "complete message body"),
    ],
    ids=["announced", "cut without a length", "cut behind the body", "cut in the body"],
)
def test_an_end_without_close_notify(library: Any, tls: Tls, answer: bytes, notified: bool, error: str | None) -> None:
    def serve(connection: ssl.SSLSocket) -> None:
        read_request(connection)
        connection.sendall(answer)
        if notified:
            with contextlib.suppress(OSError):
                connection.unwrap()
        connection.close()

    with listening(tls.serving(tls.context(), serve)) as port:
        url, transport = f"https://127.0.0.1:{port}/", NativeTransport(verify=str(tls.cafile))
        if error is None:
            assert run(get(library, url, transport)).content == b"hello"
        else:
            with pytest.raises(library.RemoteProtocolError, match=error):
                run(get(library, url, transport))


def test_no_tls_at_all_is_a_connect_error(library: Any, tls: Tls) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)

    with listening(serve) as port, pytest.raises(library.ConnectError):
        run(get(library, f"https://127.0.0.1:{port}/", NativeTransport(verify=str(tls.cafile))))


def test_an_old_tls_version_is_refused(library: Any, tls: Tls) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        # A ServerHello of TLS 1.0.
        hello = b"\x02\x00\x00\x26\x03\x01" + bytes(32) + b"\x00\x00\x2f\x00"
        connection.sendall(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
        connection.recv(65536)

    with listening(serve) as port, pytest.raises(library.ConnectError):
        run(get(library, f"https://127.0.0.1:{port}/", NativeTransport(verify=str(tls.cafile))))


def test_a_missing_trust_store_names_the_file(library: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ferroscope.transport")
    transport = NativeTransport(verify=str(tmp_path / "none.pem"))
    with pytest.warns(DeprecationWarning, match="verify"), pytest.raises(OSError):
        run(get(library, "https://127.0.0.1:1/", transport))
    assert "none.pem" in caplog.text


# ---- requests for the library's own transport


async def stream_of_bytes() -> AsyncIterator[bytes]:
    yield b"{}"


def insecure() -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest.mark.parametrize(
    ("settings", "options", "reason"),
    [
        ({"verify": False}, {}, "certificates are not checked"),
        ({"verify": insecure()}, {}, "a custom SSLContext"),
        ({}, {"content": stream_of_bytes}, "the body of the request is a stream"),
        ({}, {"files": {"file": b"text"}}, "the body of the request is a stream"),
        ({}, {"headers": {"upgrade": "websocket"}}, "more than a request and a response"),
        ({}, {"extensions": {"trace": lambda *args: asyncio.sleep(0)}}, "the trace extension"),
    ],
    ids=["verify=False", "an SSLContext", "a stream", "files", "an upgrade", "a trace"],
)
def test_the_library_sends_what_is_not_native(
    library: Any,
    settings: dict[str, Any],
    options: dict[str, Any],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ferroscope.transport")
    if callable(content := options.get("content")):
        options = {"content": content()}

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport(**settings)) as client:
            for _ in range(2):
                response = await client.post(f"http://127.0.0.1:{port}/", **options)
                assert response.content == b"ok"
                options.pop("content", None)

    def serve(connection: socket.socket) -> None:
        # Chunked requests have no length: the end of the body is enough here.
        received = b""
        while part := connection.recv(65536):
            received += part
            if b"\r\n\r\n" in received:
                connection.sendall(OK)
                received = b""

    with listening(serve) as port:
        run(main(port))
    lines = [record for record in caplog.records if record.name == "ferroscope.transport"]
    assert [record.levelno for record in lines] == [logging.DEBUG]
    assert reason in lines[0].getMessage()


def test_a_patched_transport_sees_every_request(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tracing and mocking libraries patch it."""
    seen = []

    async def patched(self: Any, request: Any) -> Any:
        seen.append(request.url.path)
        return library.Response(200, text="patched")

    monkeypatch.setattr(library.AsyncHTTPTransport, "handle_async_request", patched)

    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            assert (await client.get("http://models.example/a")).text == "patched"

    run(main())
    assert seen == ["/a"]


def test_trio_runs_over_the_library(library: Any, server: ProviderServer) -> None:
    trio = pytest.importorskip("trio")
    server.reply(words(5))

    async def main() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            assert (await client.post(chat(server), json=STREAMED)).status_code == 200

    trio.run(main)


def test_large_bodies_and_compressed_ones(library: Any, server: ProviderServer) -> None:
    body = os.urandom(5_000_000)
    server.reply(Body(body))

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            assert (await client.post(chat(server), json=STREAMED)).content == body
            response = await client.get(f"http://127.0.0.1:{port}/")
            assert response.text == "hello" * 1000
            async with client.stream("GET", f"http://127.0.0.1:{port}/") as response:
                assert gzip.decompress(b"".join([piece async for piece in response.aiter_raw()])) == b"hello" * 1000

    squeezed = gzip.compress(b"hello" * 1000)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(squeezed) + squeezed
    with listening(answering_all(answer)) as port:
        run(main(port))


# ---- the clients of SDKs


def sdk_client(caller: Caller, **options: Any) -> Any:
    if caller.kind == "sync" or caller.row.mount == "azure-inference":
        pytest.skip("not an async client of httpx")
    client = caller.wire.client(caller.kind, caller.server.base_url(caller.row.url_name), "test-key")
    if not hasattr(getattr(client, "_client", None), "_transport"):
        pytest.skip("not a client of httpx")
    return client.with_options(**options) if options else client


def test_a_client_whose_http_client_the_sdk_made_becomes_native(caller: Caller) -> None:
    client = sdk_client(caller)
    caller.server.reply(words(100), "whole")
    assert caller.stream(client=client).content == "word " * 100
    assert type(client._client._transport) is NativeTransport
    assert caller.call(client=client).content == "whole"
    caller.await_(client.close())


def test_a_given_http_client_keeps_its_transport(caller: Caller) -> None:
    client = sdk_client(caller)
    http = import_module(type(client._client).__mro__[-3].__module__.partition(".")[0]).AsyncClient()
    usual = http._transport
    client = client.with_options(http_client=http)
    caller.server.reply(words(100))
    assert caller.stream(client=client).content == "word " * 100
    assert http._transport is usual
    caller.await_(client.close())


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("variable", "value", "native"),
    [("FERROSCOPE_TRANSPORT", "httpx", False), ("HTTPS_PROXY", "http://127.0.0.1:1", True), ("X", "", True)],
    ids=["switched off", "a proxy", "as usual"],
)
def test_default_clients(
    name: str,
    variable: str,
    value: str,
    native: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ferroscope.transport")
    provider = import_module(f"ferroscope.core.{name}._provider")
    clients = getattr(provider, name.upper()).clients
    monkeypatch.setenv(f"{name.upper()}_API_KEY", "test-key")
    monkeypatch.setenv(variable, value)

    async def main() -> None:
        http = default_client(clients, asynchronous=True)._client  # type: ignore[attr-defined]
        assert (type(http._transport) is NativeTransport) is native
        if variable == "HTTPS_PROXY" and not http._mounts:
            pytest.skip("this version of the SDK does not read the proxies of the environment")
        if variable == "HTTPS_PROXY":
            proxied = http._transport_for_url(type(http.base_url)("https://models.example"))
            assert type(proxied) is NativeTransport
            assert proxied is not http._transport

    run(main())


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_every_default_client_of_httpx_becomes_native(caller: Caller) -> None:
    """Wherever its SDK keeps the HTTP client."""
    if not caller.wire.on_httpx:
        pytest.skip("the SDK's async client is one of aiohttp")
    caller.server.reply(words(100), words(100))
    assert caller.stream().content == "word " * 100

    async def transports() -> list[Any]:
        caches = import_module("ferroscope._engine.clients")._caches
        clients = [client for _, client in caches.of(asyncio.get_running_loop()).clients.values()]
        return [http._transport for client in clients for http in http_clients_of(client) if "Async" in repr(http)]

    found = caller.await_(transports())
    assert found
    assert {type(transport) for transport in found} == {NativeTransport}


def test_a_mechanism_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, server: ProviderServer) -> None:
    openai = pytest.importorskip("openai")
    monkeypatch.setenv("FERROSCOPE_TRANSPORT", "httpx")
    monkeypatch.setenv("FERROSCOPE_JOIN_CHUNKS", "0")
    with openai.OpenAI(api_key="test-key", base_url=server.base_url("openai")) as client:
        usual = client._client._transport._pool._network_backend
        adapt_client(client)
        assert client._client._transport._pool._network_backend is usual


def test_the_drain_of_a_stream_keeps_its_connection(caller: Caller) -> None:
    client = sdk_client(caller)
    late = Stall(words(5), after=99, seconds=0.02)
    before = caller.server.connections_opened
    caller.server.reply(late, late, late)
    for _ in range(3):
        assert caller.stream(client=client).content == "word " * 5
    assert caller.server.connections_opened == before + 1
    caller.await_(client.close())
