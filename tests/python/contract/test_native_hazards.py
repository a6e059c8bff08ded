"""Rare behaviour of servers and programs: half-closed connections, TLS in single bytes, threads."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ferroscope.testing import ProviderServer
from ferroscope.transport import NativeTransport
from ferroscope.transport._engines import _LoopEngine

from .test_native_transport import OK, STREAMED, Tls, chat, listening, read_request, words

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the native transport is not available there")


@pytest.fixture(params=[name for name in ("httpx", "httpx2") if find_spec(name)])
def library(request: pytest.FixtureRequest) -> Any:
    return import_module(request.param)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    """Start a server for one test, which counts connections: clients of earlier tests may still be open."""
    with ProviderServer() as server:
        yield server


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path)


def test_a_half_closed_connection_is_not_used_again(library: Any) -> None:
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        while read_request(connection):
            connection.sendall(OK)
            connection.shutdown(socket.SHUT_WR)

    async def main(port: int) -> None:
        transport = NativeTransport()
        async with library.AsyncClient(transport=transport) as client:
            for _ in range(3):
                assert (await client.get(f"http://127.0.0.1:{port}/")).text == "ok"
                # The end of the connection may arrive after the response.
                while "0 connections" not in repr(transport):
                    await asyncio.sleep(0.001)

    with listening(serve) as port:
        asyncio.run(main(port))
    assert len(connections) == 3


def test_a_half_close_in_a_body_is_an_error(library: Any) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    async def main(port: int) -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            with pytest.raises(library.RemoteProtocolError):
                await client.get(f"http://127.0.0.1:{port}/")

    with listening(serve) as port:
        asyncio.run(main(port))


def test_tls_may_arrive_in_single_bytes(library: Any, tls: Tls) -> None:
    def trickle(connection: socket.socket) -> None:
        def send_on() -> None:
            with contextlib.suppress(OSError):  # the connection is closed
                while part := connection.recv(65536):
                    server.sendall(part)

        with socket.create_connection(("127.0.0.1", port)) as server:
            threading.Thread(target=send_on, daemon=True).start()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while part := server.recv(65536):
                for at in range(len(part)):
                    connection.sendall(part[at : at + 1])

    async def main(port: int) -> None:
        transport = NativeTransport(verify=str(tls.cafile))
        async with library.AsyncClient(transport=transport) as client:
            for _ in range(2):
                assert (await client.get(f"https://127.0.0.1:{port}/")).text == "ok"

    with listening(tls.serving(tls.context())) as port, listening(trickle) as slow:
        asyncio.run(main(slow))


def test_threads_have_event_loops_of_their_own(library: Any, server: ProviderServer) -> None:
    server.reply_always(words(5))
    client = library.AsyncClient(transport=NativeTransport())
    failed: list[BaseException] = []

    async def main() -> None:
        for _ in range(5):
            responses = await asyncio.gather(*[client.post(chat(server), json=STREAMED) for _ in range(5)])
            assert all(response.content.endswith(b"data: [DONE]\n\n") for response in responses)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    asyncio.run(client.aclose())
    assert failed == []
    server.wait_disconnected()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of what nobody closed
@pytest.mark.timeout(20)
def test_the_collector_may_close_a_pool_while_another_is_opened(
    library: Any, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool of a closed event loop is closed where the collector finds it, which may be inside `open_pool`."""
    server.reply_always(words(5))

    async def ask(client: Any) -> None:
        assert (await client.post(chat(server), json=STREAMED)).content.endswith(b"data: [DONE]\n\n")

    def leave_a_pool() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(ask(library.AsyncClient(transport=NativeTransport())))
        loop.close()

    async def ask_and_close() -> None:
        async with library.AsyncClient(transport=NativeTransport()) as client:
            await ask(client)

    start = _LoopEngine.__init__

    def collecting(self: _LoopEngine, loop: asyncio.AbstractEventLoop) -> None:
        gc.collect()
        start(self, loop)

    gc.disable()
    try:
        leave_a_pool()
        monkeypatch.setattr(_LoopEngine, "__init__", collecting)
        asyncio.run(ask_and_close())
    finally:
        gc.enable()
    server.wait_disconnected()
