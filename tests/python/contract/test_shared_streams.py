"""Streams that several threads look at, that a fork copies, and that share an HTTP/2 connection."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import trustme

from ferroscope.testing import Answer, Text, Usage

from .conftest import Caller

COUNT = 30_000


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_other_threads_read_the_state_while_one_collects(caller: Caller) -> None:
    count = COUNT if caller.wire.reads_bytes else COUNT // 100
    caller.server.reply(Answer(Text("word " * count, count), usage=Usage(10, count)))
    stream = caller.call("Go on.", stream=True)
    errors: list[BaseException] = []
    lengths: list[list[int]] = [[], []]
    ended = threading.Event()

    def look(lengths: list[int]) -> None:
        try:
            while not ended.is_set():
                lengths.append(len(stream.content))
                _ = stream.usage, stream.cost, stream.finish_reasons, stream.model, stream.id
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=look, args=(seen,)) for seen in lengths]
    try:
        for thread in threads:
            thread.start()
        response = stream.collect()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert errors == []
    assert response.content == "word " * count
    assert all(seen == sorted(seen) for seen in lengths)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_forked_child_leaves_the_streams_of_its_parent_alone(caller: Caller) -> None:
    caller.server.reply(Answer(Text("word " * 50, 50), delay=0.01))
    iterator = iter(caller.call("Go on.", stream=True))
    text = next(chunk.content for chunk, _ in iterator if chunk.content)
    if (child := os.fork()) == 0:
        try:
            del iterator
            gc.collect()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert text + "".join(chunk.content for chunk, _ in iterator) == "word " * 50


# ---- HTTP/2


class Http2Server:
    """One connection of HTTP/2. Its streams have an event each, and do not end."""

    def __init__(self, authority: trustme.CA) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.context)
        self.context.set_alpn_protocols(["h2"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.reset: list[tuple[int, int]] = []
        self.noticed = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def serve(self) -> None:
        import h2.config
        import h2.connection
        import h2.events

        accepted, _ = self.listener.accept()
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        with self.context.wrap_socket(accepted, server_side=True) as connection:
            state.initiate_connection()
            connection.sendall(state.data_to_send())
            while data := connection.recv(65536):
                for event in state.receive_data(data):
                    if isinstance(event, h2.events.StreamEnded):
                        state.send_headers(event.stream_id, [(":status", "200"), ("content-type", "text/event-stream")])
                        chunk = b'{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}'
                        state.send_data(event.stream_id, b"data: " + chunk + b"\n\n")
                    if isinstance(event, h2.events.StreamReset):
                        self.reset.append((event.stream_id, int(event.error_code)))
                        self.noticed.set()
                connection.sendall(state.data_to_send())


@pytest.fixture
def http2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Http2Server]:
    pytest.importorskip("h2")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    server = Http2Server(authority)
    yield server
    server.listener.close()


def test_leaving_an_http2_stream_resets_it(kind: str, http2: Http2Server) -> None:
    """And leaves the other streams of its connection alone."""
    openai = pytest.importorskip("openai")
    from ferroscope.core.openai import call

    library = import_module(openai.OpenAI(api_key="k")._client.__class__.__mro__[-3].__module__.partition(".")[0])

    def sync() -> None:
        with library.Client(http2=True) as http:
            client = openai.OpenAI(base_url=http2.url, api_key="test-key", http_client=http)

            @call("m", stream=True, client=client)
            def hello() -> str:
                return "Hello"

            streams = [iter(hello()) for _ in range(2)]
            for stream in streams:
                next(stream)
            streams[0].close()  # type: ignore[attr-defined]
            assert http2.noticed.wait(2)
            assert http2.reset == [(1, 8)]

    async def asynchronous() -> None:
        async with library.AsyncClient(http2=True) as http:
            client = openai.AsyncOpenAI(base_url=http2.url, api_key="test-key", http_client=http)

            @call("m", stream=True, client=client)
            async def hello() -> str:
                return "Hello"

            streams: list[Any] = [aiter(await hello()) for _ in range(2)]
            for stream in streams:
                await anext(stream)
            await streams[0].aclose()
            assert await asyncio.to_thread(http2.noticed.wait, 2)
            assert http2.reset == [(1, 8)]
            await streams[1].aclose()

    sync() if kind == "sync" else asyncio.run(asynchronous())
