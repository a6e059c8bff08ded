"""The provider server: HTTP on loopback, scripted answers, and a record of the requests."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterable, Sequence
from os import PathLike
from types import TracebackType
from typing import Self

from ferroscope.testing._batches import Batches
from ferroscope.testing._connection import Connection
from ferroscope.testing._exchange import Exchange
from ferroscope.testing._http import Request, Response, json_response
from ferroscope.testing._ledger import Ledger, Memory, Scripted
from ferroscope.testing._scripts import NO_RETRY, as_script
from ferroscope.testing._vocabulary import Failure
from ferroscope.testing._wires import ChatServer, base_path, wire_for, wires_with
from ferroscope.testing._wires.gemini_files import GeminiFiles

__all__ = ["Controls", "ProviderServer"]


class Controls:
    """The controls of a running server, in this process or in another."""

    def __init__(self, memory: Memory, servers: Iterable[ChatServer]) -> None:
        self.memory = memory
        """The queue of answers and the record of requests."""
        self._wires = wires_with(servers)
        self._url: str | None = None

    # --- scripting ------------------------------------------------------------------------------

    def reply(self, *answers: Scripted) -> Self:
        """Queue answers for the next requests."""
        self.memory.queue(answers)
        return self

    def reply_always(self, answer: Scripted | None) -> Self:
        """Set the answer for an empty queue; None makes that an error 501."""
        self.memory.set_default(answer)
        return self

    def forget(self) -> None:
        """Clear the queue and the record. Open connections remain, and count as opened."""
        self.memory.forget()

    # --- address --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """`http://host:port`, without a path."""
        if self._url is None:
            raise RuntimeError("the server is not running: use it in a `with` block")
        return self._url

    def base_url(self, provider: str) -> str:
        """Return the base URL for the SDK of `provider`."""
        return self.url + base_path(self._wires, provider)

    # --- record ---------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """The requests so far, oldest first."""
        return list(self.memory.seen().requests)

    @property
    def connections_opened(self) -> int:
        """The number of TCP connections accepted since the start, or since `forget`."""
        return self.memory.seen().connections_opened

    @property
    def open_connections(self) -> int:
        """The number of open TCP connections, including idle ones in a client's pool."""
        return self.memory.seen().open_connections

    @property
    def open_streams(self) -> int:
        """The number of answers that are being sent now."""
        return self.memory.seen().open_streams

    def wait_requests(self, count: int, timeout: float = 20.0) -> list[Request]:
        """Wait until the server has received `count` requests, and return all requests."""
        self.memory.wait("requests", count, timeout)
        return self.requests

    def wait_closed(self, timeout: float = 20.0, *, streams: int = 0) -> None:
        """Wait until at most `streams` answers are still being sent. The others have ended, or their client has
        left.
        """
        self.memory.wait("closed", streams, timeout)

    def wait_disconnected(self, timeout: float = 20.0, *, connections: int = 0) -> None:
        """Wait until at most `connections` connections are open."""
        self.memory.wait("disconnected", connections, timeout)


class ProviderServer(Controls):
    """A server with the providers' wire formats over real HTTP/1.1, in a background thread of this process.

        >>> from openai import OpenAI
        >>> from ferroscope.testing import ProviderServer
        >>> with ProviderServer("Hello there") as server:
        ...     with OpenAI(base_url=server.base_url("openai"), api_key="test") as client:
        ...         asked = [{"role": "user", "content": "Hi"}]
        ...         answer = client.chat.completions.create(model="gpt-5", messages=asked)
        >>> answer.choices[0].message.content
        'Hello there'

    Args:
        answers: The first answers, in order.
        default: The answer when the queue is empty; by default an error 501.
        host: The address to listen on.
        port: The port; 0 for a free one.
        servers: Further OpenAI-compatible servers, beside those that `base_url` knows.
        certificate: The path of a PEM file with a private key and a certificate chain, to serve over TLS.

    Raises:
        OSError: The port is in use, or the certificate cannot be read.

    In CPU measurements, use `SpawnedServer`: its CPU time is not part of this process.
    """

    def __init__(
        self,
        *answers: Scripted,
        default: Scripted | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        servers: Sequence[ChatServer] = (),
        certificate: str | PathLike[str] | None = None,
    ) -> None:
        self._ledger = Ledger(answers, default)
        super().__init__(self._ledger, servers)
        self._host = host
        self._port = port
        self._certificate = certificate
        self._connections: set[Connection] = set()
        self._files = GeminiFiles()
        self.batches = Batches()
        """The jobs of the providers' batch APIs, and how they end."""
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    def __repr__(self) -> str:
        address = "not running" if self._url is None else repr(self._url)
        return f"{type(self).__name__}({address}, {len(self.requests)} requests)"

    def start(self) -> Self:
        """Listen, and return when connections are accepted."""
        if self._thread is not None:
            raise RuntimeError("the server is running already")
        ready = threading.Event()
        failed: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._serve(ready))
            except BaseException as error:  # raised again in `start`
                failed.append(error)
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="ferroscope-testing", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            self.stop()
            raise failed[0]
        return self

    def stop(self) -> None:
        """Close the port and drop all connections."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
        thread.join()
        self._url = self._loop = self._stopped = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        tls = None
        if self._certificate is not None:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(self._certificate)
        server = await loop.create_server(self._connection, self._host, self._port, backlog=4096, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self._loop, self._stopped = loop, stopped
        self._url = f"{'http' if tls is None else 'https'}://{self._host}:{port}"
        ready.set()
        await stopped.wait()
        server.close()
        gone = [connection.abort() for connection in tuple(self._connections)]
        await asyncio.gather(*gone)

    def _connection(self) -> Connection:
        return Connection(self._ledger, self._answer, self._connections)

    def _answer(self, request: Request) -> Response:
        if (response := self._files.respond(request)) is not None:
            self._ledger.begin(request, scripted=False)
            return response
        if (response := self.batches.respond(request, self._answer_inside_job)) is not None:
            self._ledger.begin(request, scripted=False)
            return response
        wire = wire_for(self._wires, request.method, request.path)
        if wire is None:
            self._ledger.begin(request, scripted=False)
            message = f"no provider is served at {request.method} {request.path}"
            return json_response(json.dumps({"error": {"message": message}}).encode(), status=404)
        exchange = Exchange(wire, request)
        try:
            _ = wire.body_of(request)
        except ValueError as error:
            self._ledger.begin(request, scripted=False)
            return exchange.error(Failure(f"the request is not a JSON object: {error}", 400))
        scripted = self._ledger.begin(request, scripted=True)
        if scripted is None:
            return exchange.error(Failure("no answer is scripted for this request", 501), headers=NO_RETRY)
        try:
            return as_script(scripted(request) if callable(scripted) else scripted).respond(exchange)
        except Exception as error:  # the client receives it as a response
            return exchange.error(Failure(f"the script failed: {error!r}", 500), headers=NO_RETRY)

    def _answer_inside_job(self, request: Request) -> Response:
        """Answer a request of a batch job. It is recorded like a request of its own."""
        request.number = self._ledger.request_number()
        response = self._answer(request)
        self._ledger.ended(request, "complete")
        return response
