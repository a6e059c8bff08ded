"""Clients that read what arrived together as one chunk: cheaper, and otherwise as they are."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import select
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
import trustme

from ferroscope._engine.clients import default_client
from ferroscope.core._registry import provider_record
from ferroscope.testing import Answer, Body, Cut, ProviderServer, Stall, Text
from ferroscope.transport import aread_body, cut_read, join_chunks, read_body

from .conftest import Caller, Row

EVENTS = 1000
STREAMED = {"model": "m", "messages": [{"role": "user", "content": "Go on."}], "stream": True}
LIBRARIES = [name for name in ("httpx", "httpx2") if find_spec(name)]


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    return import_module(request.param)


def long_answer() -> Answer:
    return Answer(Text("word " * EVENTS, EVENTS))


@pytest.fixture(params=["by the library", "past it"])
def past(request: pytest.FixtureRequest) -> bool:
    """Whether bodies are read past the HTTP library, as streams are."""
    return bool(request.param == "past it")


def pieces_of(library: Any, kind: str, url: str, *, past: bool, join: bool = True, **options: Any) -> list[bytes]:
    """The pieces in which a client reads a stream."""
    url += "/chat/completions"
    made = join_chunks if join else lambda client: client
    if kind == "sync":
        with made(library.Client(**options)) as client, client.stream("POST", url, json=STREAMED) as response:
            pieces = list(read_body(response) if past else response.iter_bytes())
            assert response.is_closed
            return pieces

    async def read() -> list[bytes]:
        client = made(library.AsyncClient(**options))
        async with client, client.stream("POST", url, json=STREAMED) as response:
            pieces = [piece async for piece in (aread_body(response) if past else response.aiter_bytes())]
            assert response.is_closed
            return pieces

    return asyncio.run(read())


def test_the_same_bytes_come_in_fewer_pieces(library: Any, kind: str, past: bool, server: ProviderServer) -> None:
    server.reply(long_answer(), long_answer())
    url = server.base_url("openai")
    usual = pieces_of(library, kind, url, past=past, join=False)
    joined = pieces_of(library, kind, url, past=past)
    for body in (b"".join(usual), b"".join(joined)):
        assert body.count(b'"word "') == EVENTS
        assert body.endswith(b"data: [DONE]\n\n")
    assert len(usual) > EVENTS
    assert len(joined) < EVENTS / 5


def test_a_stream_that_trickles_comes_as_it_trickles(
    library: Any, kind: str, past: bool, server: ProviderServer
) -> None:
    server.reply(Answer(Text("word " * 5, 5), delay=0.03))
    assert len(pieces_of(library, kind, server.base_url("openai"), past=past)) >= 5


@pytest.mark.parametrize(("how", "error"), [("close", "RemoteProtocolError"), ("reset", "ReadError")])
def test_a_cut_stream_fails_as_it_would(library: Any, kind: str, server: ProviderServer, how: Any, error: str) -> None:
    messages = []
    for join in (False, True):
        server.reply(Cut(long_answer(), at=20_000, how=how))
        with pytest.raises(getattr(library, error)) as caught:
            pieces_of(library, kind, server.base_url("openai"), past=past, join=join)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_a_silent_server_is_waited_for_no_longer(library: Any, kind: str, past: bool, server: ProviderServer) -> None:
    server.reply(Answer(Text("word " * 5, 5), delay=5, first_delay=0))
    with pytest.raises(library.ReadTimeout):
        pieces_of(library, kind, server.base_url("openai"), past=past, timeout=0.2)


def test_a_body_that_is_broken_fails_as_it_would(library: Any, kind: str, past: bool) -> None:
    """Behind chunks that were read past the library comes what it has to refuse."""

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (b"1\r\na\r\n", b"1\r\nb\r\n", b"1\r\nc", b"XX\r\n"):
                time.sleep(0.02)
                connection.sendall(piece)
            time.sleep(0.02)

    messages = []
    for join in (False, True):
        with listening(serve) as port, pytest.raises(library.RemoteProtocolError) as caught:
            pieces_of(library, kind, f"http://127.0.0.1:{port}", past=past, join=join)
        messages.append(str(caught.value))
    assert "malformed chunk footer" in messages[0]
    assert "malformed chunk footer: XX" in messages[1]


class EndsOnce:
    """A network backend, and a connection of it, that fails when it is read behind its end, as one over TLS may."""

    def __init__(self, reads: list[bytes]) -> None:
        self.reads = reads

    def connect_tcp(self, *args: Any, **kwargs: Any) -> EndsOnce:
        return self

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        return self.reads.pop(0)

    def write(self, *args: Any, **kwargs: Any) -> None: ...
    def close(self) -> None: ...
    def get_extra_info(self, info: str) -> Any: ...


class AsyncEndsOnce(EndsOnce):
    async def connect_tcp(self, *args: Any, **kwargs: Any) -> EndsOnce:  # type: ignore[override]
        return self

    async def read(self, *args: Any, **kwargs: Any) -> bytes:  # type: ignore[override]
        return self.reads.pop(0)

    async def write(self, *args: Any, **kwargs: Any) -> None: ...  # type: ignore[override]
    async def aclose(self) -> None: ...


def test_the_end_of_a_connection_is_read_once(library: Any, kind: str, past: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    transport = library.HTTPTransport() if kind == "sync" else library.AsyncHTTPTransport()
    ends = EndsOnce if kind == "sync" else AsyncEndsOnce
    transport._pool._network_backend = ends([head, b"1\r\na\r\n", b"1\r\nb\r\n", b""])
    with pytest.raises(library.RemoteProtocolError, match="incomplete chunked read"):
        pieces_of(library, kind, "http://localhost", past=past, transport=transport)


def test_a_compressed_body_is_read_by_the_library(library: Any, kind: str, past: bool) -> None:
    text = b"data: word\n\n" * EVENTS
    squeezed = gzip.compress(text)

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(squeezed), 40):
                piece = squeezed[start : start + 40]
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")
            connection.recv(65536)

    with listening(serve) as port:
        assert b"".join(pieces_of(library, kind, f"http://127.0.0.1:{port}", past=past)) == text


def test_the_library_sees_only_how_a_body_begins_and_ends(library: Any, server: ProviderServer) -> None:
    server.reply(Answer(Text("word " * 20, 20), delay=0.01))
    url = server.base_url("openai") + "/chat/completions"
    with join_chunks(library.Client()) as client, client.stream("POST", url, json=STREAMED) as response:
        body = b"".join(read_body(response))
        assert body.count(b'"word "') == 20
        assert response.num_bytes_downloaded < len(body) / 2


def test_a_cancellation_ends_the_librarys_frames(library: Any, server: ProviderServer) -> None:
    """Left as they are, each is found by the collector later, and becomes a task of its own."""
    server.reply(Stall(Answer(Text("word " * 20, 20), delay=0.01), after=8))
    url = server.base_url("openai") + "/chat/completions"

    async def main() -> None:
        async with join_chunks(library.AsyncClient()) as client, client.stream("POST", url, json=STREAMED) as response:
            body = aread_body(response)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    async for _ in body:
                        pass
            assert body._reads.ag_frame is None  # type: ignore[attr-defined]

    asyncio.run(main())


def test_who_wraps_a_body_sees_all_of_it(library: Any, server: ProviderServer) -> None:
    seen = []

    class Traced(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __iter__(self) -> Iterator[bytes]:
            for piece in self.stream:
                seen.append(piece)
                yield piece

        def close(self) -> None:
            self.stream.close()

    class Tracing(library.HTTPTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            response = super().handle_request(request)
            response.stream = Traced(response.stream)
            return response

    server.reply(Answer(Text("word " * 20, 20), delay=0.01))
    pieces = pieces_of(library, "sync", server.base_url("openai"), past=True, transport=Tracing())
    assert seen == pieces
    assert len(pieces) > 10


def test_a_body_that_was_put_in_its_place_is_what_is_read(library: Any, server: ProviderServer) -> None:
    """Even where it is of the library's own make."""

    class Redacting(library.HTTPTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            response = super().handle_request(request)
            redacted = (piece.replace(b"word", b"****") for piece in response.stream)
            return library.Response(200, headers=response.headers, content=redacted, extensions=response.extensions)

    server.reply(Answer(Text("word " * 20, 20), delay=0.01))
    pieces = pieces_of(library, "sync", server.base_url("openai"), past=True, transport=Redacting())
    assert b"word" not in b"".join(pieces)


@pytest.mark.parametrize("method", ["iter_bytes", "iter_raw"])
def test_who_patches_a_response_sees_all_of_it(library: Any, kind: str, method: str, server: ProviderServer) -> None:
    seen: list[bytes] = []
    method = method if kind == "sync" else f"a{method}"

    def patch(response: Any) -> None:
        usual = getattr(response, method)

        def patched(*args: Any) -> Iterator[bytes]:
            for piece in usual(*args):
                seen.append(piece)
                yield piece

        async def apatched(*args: Any) -> AsyncIterator[bytes]:
            async for piece in usual(*args):
                seen.append(piece)
                yield piece

        setattr(response, method, patched if kind == "sync" else apatched)

    async def apatch(response: Any) -> None:
        patch(response)

    server.reply(Answer(Text("word " * 20, 20), delay=0.01))
    hooks = {"response": [patch if kind == "sync" else apatch]}
    assert pieces_of(library, kind, server.base_url("openai"), past=True, event_hooks=hooks) == seen
    assert b"".join(seen).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("chunked", [False, True], ids=["a length", "chunks"])
def test_bytes_behind_a_body_answer_no_other_request(library: Any, kind: str, past: bool, chunked: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    body = b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" if chunked else b"Content-Length: 2\r\n\r\nok"
    evil = head + b"Content-Length: 4\r\n\r\nevil"
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        with connection:
            connection.recv(65536)
            connection.sendall(head + body + evil)
            connection.recv(65536)

    def read(response: Any) -> bytes:
        return b"".join(read_body(response) if past else response.iter_bytes())

    async def aread(response: Any) -> bytes:
        return b"".join([piece async for piece in (aread_body(response) if past else response.aiter_bytes())])

    async def asynchronous(url: str) -> list[bytes]:
        bodies = []
        async with join_chunks(library.AsyncClient()) as client:
            for _ in range(3):
                async with client.stream("GET", url) as response:
                    bodies.append(await aread(response))
        return bodies

    def sync(url: str) -> list[bytes]:
        bodies = []
        with join_chunks(library.Client()) as client:
            for _ in range(3):
                with client.stream("GET", url) as response:
                    bodies.append(read(response))
        return bodies

    with listening(serve) as port:
        url = f"http://127.0.0.1:{port}/"
        assert (sync(url) if kind == "sync" else asyncio.run(asynchronous(url))) == [b"ok"] * 3
    assert len(connections) == 3


def test_other_bodies_stay_as_they_are(library: Any, kind: str, past: bool, server: ProviderServer) -> None:
    body = b"1\r\na\r\n0\r\n\r\n" * 1000
    server.reply(Body(body))
    assert b"".join(pieces_of(library, kind, server.base_url("openai"), past=past)) == body


def test_connections_are_used_again(library: Any, past: bool, server: ProviderServer) -> None:
    opened = []
    with join_chunks(library.Client()) as client:
        for _ in range(5):
            server.reply(long_answer())
            with client.stream("POST", server.base_url("openai") + "/chat/completions", json=STREAMED) as response:
                pieces = read_body(response) if past else response.iter_bytes()
                assert b"".join(pieces).count(b'"word "') == EVENTS
            opened.append(server.connections_opened)
    assert opened[1:] == opened[:-1]


@pytest.mark.parametrize("by_a_hook", [False, True], ids=["by us", "by a hook"])
def test_what_comes_behind_a_body_is_not_taken_for_more_of_it(
    library: Any, kind: str, by_a_hook: bool, server: ProviderServer
) -> None:
    """It is the answer to the next request on that connection, which may be another tenant's."""
    url = server.base_url("openai") + "/chat/completions"
    server.reply(long_answer(), Answer(Text("word " * 20, 20), delay=0.01))
    before = server.connections_opened

    def sync() -> tuple[list[bytes], bytes]:
        with join_chunks(library.Client()) as client:
            response = client.send(client.build_request("POST", url, json=STREAMED), stream=True)
            if by_a_hook:
                response.read()
            reads = read_body(response)
            assert b"".join([next(reads)] if by_a_hook else reads).count(b'"word "') == EVENTS
            with client.stream("POST", url, json=STREAMED) as other:
                others = read_body(other)
                first = next(others)
                return list(reads), first + b"".join(others)

    async def asynchronous() -> tuple[list[bytes], bytes]:
        async with join_chunks(library.AsyncClient()) as client:
            response = await client.send(client.build_request("POST", url, json=STREAMED), stream=True)
            if by_a_hook:
                await response.aread()
            reads = aread_body(response)
            whole = [await anext(reads)] if by_a_hook else [piece async for piece in reads]
            assert b"".join(whole).count(b'"word "') == EVENTS
            async with client.stream("POST", url, json=STREAMED) as other:
                others = aread_body(other)
                first = await anext(others)
                return [piece async for piece in reads], first + b"".join([piece async for piece in others])

    more, body = sync() if kind == "sync" else asyncio.run(asynchronous())
    assert more == []
    assert body.count(b'"word "') == 20
    assert server.connections_opened == before + 1


def test_default_clients_join(row: Row, kind: str, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    if not row.wire.on_httpx:
        pytest.skip("its SDK is not on httpx")
    monkeypatch.setenv("FERROSCOPE_TRANSPORT", "httpx")
    clients = provider_record(row.name).clients
    server.reply(long_answer())
    url = server.base_url(row.url_name) + row.wire.path
    headers = {"authorization": "Bearer test-key", "x-api-key": "test-key", "anthropic-version": "2023-06-01"}
    body = {**STREAMED, "max_tokens": EVENTS}

    def sync() -> list[bytes]:
        http = row.wire.http(default_client(clients, asynchronous=False))
        with http.stream("POST", url, json=body, headers=headers) as response:
            return list(response.iter_bytes())

    async def asynchronous() -> list[bytes]:
        http = row.wire.async_http(default_client(clients, asynchronous=True))
        async with http.stream("POST", url, json=body, headers=headers) as response:
            return [piece async for piece in response.aiter_bytes()]

    pieces = sync() if kind == "sync" else asyncio.run(asynchronous())
    assert b"".join(pieces).count(b'"word "') == EVENTS
    assert len(pieces) < EVENTS / 5


def test_a_client_that_the_sdk_fitted_out_joins_too(
    caller: Caller, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROSCOPE_TRANSPORT", "httpx")
    if not caller.wire.on_httpx:
        pytest.skip("its SDK is not on httpx")
    if not caller.wire.marks_own_http:
        pytest.skip("the HTTP client of its SDK's making cannot be told from a program's own")
    if caller.wire.reads_own_clients_by_objects:
        pytest.skip("clients of a program's own are read by their objects")
    client = caller.wire.client(caller.kind, server.base_url(caller.row.url_name), "test-key")
    server.reply(long_answer(), long_answer())
    for _ in range(2):
        assert caller.stream(client=client).content == "word " * EVENTS
        # Once, and not once a call.
        assert type(caller.wire.http(client)._transport._pool._network_backend._backend).__module__.startswith(
            "httpcore"
        )
    caller.run(lambda: caller.wire.close(client), lambda: caller.aclose(client))


def test_an_http_client_of_ones_own_is_left_alone(caller: Caller, server: ProviderServer) -> None:
    if not caller.wire.on_httpx:
        pytest.skip("its SDK is not on httpx")
    if not caller.wire.marks_own_http:
        pytest.skip("its SDK's clients cannot be copied with another HTTP client")
    if caller.wire.reads_own_clients_by_objects:
        pytest.skip("clients of a program's own are read by their objects")
    client = caller.wire.client(caller.kind, server.base_url(caller.row.url_name), "test-key")
    library = import_module(type(client._client).__mro__[-3].__module__.partition(".")[0])
    http = library.Client() if caller.kind == "sync" else library.AsyncClient()
    client = client.with_options(http_client=http)
    usual = http._transport._pool._network_backend
    server.reply(long_answer())
    caller.stream(client=client)
    assert http._transport._pool._network_backend is usual
    assert join_chunks(client) is client
    joined = http._transport._pool._network_backend
    assert joined is not usual
    join_chunks(http)
    assert http._transport._pool._network_backend is joined
    server.reply(long_answer())
    assert caller.stream(client=client).content == "word " * EVENTS
    caller.run(lambda: caller.wire.close(client), lambda: caller.aclose(client))


def test_what_is_no_client_of_httpx_stays_as_it_is() -> None:
    for client in (object(), None):
        assert join_chunks(client) is client


def test_nothing_is_changed_where_the_library_is_not_as_we_know_it(library: Any, server: ProviderServer) -> None:
    class Pool:
        _network_backend = "something else"

    with library.Client() as client:
        client._transport._pool.close()
        client._transport._pool = Pool()
        join_chunks(client)
        assert client._transport._pool._network_backend == "something else"
        del client._transport._pool
        join_chunks(client)
        client._transport = library.MockTransport(lambda request: library.Response(200, text="mocked"))
        assert join_chunks(client).get("http://localhost/").text == "mocked"


# ---- TLS and proxies: connections that the HTTP library makes out of connections


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a port of its own, with a thread for each connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def forward(one: socket.socket, other: socket.socket) -> None:
    """Hands on what either says, until one is done."""
    ends = {one: other, other: one}
    with one, other, contextlib.suppress(OSError):
        while True:
            # TLS may hold bytes that the socket does not show any more.
            pending = [end for end in ends if isinstance(end, ssl.SSLSocket) and end.pending()]
            for end in pending or select.select(list(ends), [], [])[0]:
                if not (data := end.recv(65536)):
                    return
                ends[end].sendall(data)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_port(authority: trustme.CA, server: ProviderServer) -> Iterator[int]:
    """The provider server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    port = server_port(server)

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            tls = context.wrap_socket(connection, server_side=True)
            forward(tls, socket.create_connection(("127.0.0.1", port)))

    with listening(serve) as found:
        yield found


@pytest.fixture
def proxy_port() -> Iterator[int]:
    """A proxy that opens tunnels."""

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        assert head.startswith(b"CONNECT ")
        host, _, port = head.split()[1].decode().partition(":")
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        forward(connection, socket.create_connection((host, int(port))))

    with listening(serve) as found:
        yield found


def server_port(server: ProviderServer) -> int:
    return int(server.base_url("openai").split(":")[2].split("/")[0])


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("through_proxy", [False, True], ids=["directly", "through a proxy"])
def test_tls(
    library: Any,
    kind: str,
    past: bool,
    server: ProviderServer,
    authority: trustme.CA,
    tls_port: int,
    proxy_port: int,
    through_proxy: bool,
) -> None:
    server.reply(long_answer())
    options: dict[str, Any] = {"verify": trusting(authority)}
    if through_proxy:
        options["proxy"] = f"http://127.0.0.1:{proxy_port}"
    path = server.base_url("openai").split("/", 3)[3]
    pieces = pieces_of(library, kind, f"https://127.0.0.1:{tls_port}/{path}", past=past, **options)
    assert b"".join(pieces).count(b'"word "') == EVENTS
    assert len(pieces) < EVENTS / 5


# ---- reads that another thread interrupts


def streamed(client: Any, server: ProviderServer) -> Any:
    return client.stream("POST", server.base_url("openai") + "/chat/completions", json=STREAMED)


def test_a_read_that_waits_is_interrupted(library: Any, past: bool, server: ProviderServer) -> None:
    server.reply(Stall("Hello there", after=1))
    with join_chunks(library.Client()) as client, streamed(client, server) as response:
        pieces = iter(read_body(response) if past else response.iter_bytes())
        assert b"chat.completion.chunk" in next(pieces)
        timer = threading.Timer(0.05, cut_read, [response])
        timer.start()
        with pytest.raises(library.RemoteProtocolError):
            list(pieces)
        timer.join()


def test_an_interruption_between_two_reads_ends_the_next(library: Any, past: bool, server: ProviderServer) -> None:
    server.reply(Stall("Hello there", after=1))
    with join_chunks(library.Client()) as client, streamed(client, server) as response:
        pieces = iter(read_body(response) if past else response.iter_bytes())
        next(pieces)
        assert cut_read(response)
        with pytest.raises(library.RemoteProtocolError):
            list(pieces)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_late_interruption_spares_the_next_request_of_the_connection(
    library: Any, past: bool, when: str, server: ProviderServer
) -> None:
    server.reply("Hello", Answer(Text("a b c d e", 5), delay=0.03))
    with join_chunks(library.Client()) as client:
        with streamed(client, server) as first:
            list(read_body(first) if past else first.iter_bytes())
        connections = server.connections_opened
        if when == "before":
            assert cut_read(first)
        with streamed(client, server) as second:
            pieces = iter(read_body(second) if past else second.iter_bytes())
            body = next(pieces)
            if when == "meanwhile":
                timer = threading.Timer(0.01, cut_read, [first])
                timer.start()
                timer.join()
            body += b"".join(pieces)
        assert body.endswith(b"data: [DONE]\n\n")
        assert server.connections_opened == connections
