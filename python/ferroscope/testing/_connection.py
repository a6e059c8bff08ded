"""HTTP/1.1 on one connection: it reads requests, and writes responses in the scripted pieces and pace."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import time
from collections.abc import Callable

from ferroscope.testing._http import Headers, Outcome, Request, Response, phrase_of
from ferroscope.testing._ledger import Ledger

__all__ = ["Connection"]

# Consecutive pieces without a pause are written to the socket together, up to this size. Each piece remains one
# HTTP chunk.
_WRITE_SIZE = 32 * 1024
_MAX_HEAD = 64 * 1024
_HEAD_END = b"\r\n\r\n"


class BadRequest(ValueError):
    """Bytes that are not an HTTP/1.1 request."""


class Connection(asyncio.Protocol):
    """One client connection. Its requests are answered one after the other, as HTTP/1.1 requires."""

    def __init__(
        self, ledger: Ledger, answer: Callable[[Request], Response], open_connections: set[Connection]
    ) -> None:
        self._ledger = ledger
        self._answer = answer
        self._open_connections = open_connections
        self._buffer = bytearray()
        self._number = 0
        self._continued = False
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    # --- called by the event loop ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # Without a write buffer in this process, "sent" means that the operating system has the bytes.
        # A TLS transport of asyncio that may buffer nothing pauses after each write, and does not resume.
        is_tls = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if is_tls else 0, low=0)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._open_connections.add(self)
        self._lost = asyncio.get_running_loop().create_future()
        self._number = self._ledger.connection_opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._task is None:
            self._gone()
        else:  # the stream must end first, so that no open stream is counted without its connection
            self._task.cancel()
            self._task.add_done_callback(lambda _: self._gone())

    def _gone(self) -> None:
        if self._lost is not None:
            self._lost.set_result(None)
        self._open_connections.discard(self)
        self._ledger.connection_closed()

    def eof_received(self) -> bool:
        return False  # HTTP clients never close only the sending half, so the client has left

    def pause_writing(self) -> None:
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next()

    # --- requests -------------------------------------------------------------------------------

    def _next(self) -> None:
        try:
            request = self._read_request()
        except BadRequest as error:
            self._refuse(error)
            return
        if request is not None:
            self._task = asyncio.get_running_loop().create_task(self._serve(request))

    def _read_request(self) -> Request | None:
        head_end = self._buffer.find(_HEAD_END)
        if head_end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise BadRequest("request head is too long")
            return None
        first, _, rest = self._buffer[:head_end].decode("latin-1").partition("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequest(f"not an HTTP/1.1 request line: {first!r}")
        pairs = (line.partition(":") for line in rest.split("\r\n") if line)
        headers = Headers((name.strip(), value.strip()) for name, _, value in pairs)
        if headers.get("expect", "").lower() == "100-continue" and not self._continued and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._continued = True
        start = head_end + len(_HEAD_END)
        if "chunked" in headers.get("transfer-encoding", "").lower():
            found = _read_chunked(self._buffer, start)
            if found is None:
                return None
            body, end = found
        else:
            try:
                end = start + int(headers.get("content-length", "0"))
            except ValueError:
                raise BadRequest(f"not a content-length: {headers['content-length']!r}") from None
            if len(self._buffer) < end:
                return None
            body = bytes(self._buffer[start:end])
        del self._buffer[:end]
        self._continued = False
        path, _, query = words[1].partition("?")
        return Request(
            number=self._ledger.request_number(),
            connection=self._number,
            method=words[0],
            path=path,
            query=query,
            headers=headers,
            body=body,
            received_at=time.monotonic(),
        )

    def _refuse(self, error: BadRequest) -> None:
        transport = self._transport
        if transport is not None:
            text = str(error).encode()
            head = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            transport.write(head % len(text) + text)
            transport.close()

    # --- responses ------------------------------------------------------------------------------

    async def _serve(self, request: Request) -> None:
        outcome: Outcome = "abandoned"
        try:
            response = self._answer(request)
            await self._send(request, response)
            outcome = "complete" if response.ending == "complete" else "cut"
            self._end(request, response)
        finally:
            self._ledger.ended(request, outcome)
        self._task = None
        if self._transport is not None and not self._transport.is_closing():
            self._next()

    async def _send(self, request: Request, response: Response) -> None:
        if response.header_wait:
            await _pause(response.header_wait)
        if response.silent:
            return
        buffer = bytearray(_head(request, response))
        pending = 0
        for piece in response.pieces:
            if piece.wait:
                await self._write(buffer)
                request.bytes_sent += pending
                pending = 0
                buffer.clear()
                await _pause(piece.wait)
            data = piece.data
            if not data:
                continue
            if response.chunked:
                buffer += b"%x\r\n%b\r\n" % (len(data), data)
            else:
                buffer += data
            pending += len(data)
            if len(buffer) >= _WRITE_SIZE:
                await self._write(buffer)
                request.bytes_sent += pending
                pending = 0
                buffer.clear()
        if response.chunked and response.ending == "complete":
            buffer += b"0\r\n\r\n"
        await self._write(buffer)
        request.bytes_sent += pending

    async def _write(self, buffer: bytearray) -> None:
        # The loop reports a broken connection only in its next iteration. Until then, each write would log a warning.
        if self._transport is None or self._transport.is_closing():
            raise asyncio.CancelledError
        if buffer:
            self._transport.write(bytes(buffer))
        while self._drained is not None:
            await self._drained

    def _end(self, request: Request, response: Response) -> None:
        transport = self._transport
        if transport is None:
            return
        if response.ending == "reset":
            sock = transport.get_extra_info("socket")
            # A linger time of zero makes the close a TCP reset.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        elif response.ending == "close" or _closes(request):
            transport.close()

    async def abort(self) -> None:
        """Drop the connection now."""
        if self._transport is not None and self._lost is not None:
            self._transport.abort()
            await self._lost


async def _pause(seconds: float) -> None:
    if seconds == math.inf:
        await asyncio.get_running_loop().create_future()  # until connection_lost cancels the task
    await asyncio.sleep(seconds)


def _closes(request: Request) -> bool:
    return request.headers.get("connection", "").lower() == "close"


def _head(request: Request, response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {phrase_of(response.status)}", f"x-request-id: req_{request.number}"]
    lines += (f"{name}: {value}" for name, value in response.headers)
    if response.chunked:
        lines.append("transfer-encoding: chunked")
    else:
        # Announce the full length of a cut body, so that a client can detect that it is incomplete.
        lines.append(f"content-length: {response.full_length}")
    if _closes(request):
        lines.append("connection: close")
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def _read_chunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    body = bytearray()
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            return None
        try:
            size = int(bytes(buffer[start:line_end]).partition(b";")[0], 16)
        except ValueError:
            raise BadRequest(f"not a chunk size: {bytes(buffer[start:line_end])!r}") from None
        start = line_end + 2
        if len(buffer) < start + size + 2:
            return None
        if size == 0:
            return bytes(body), start + 2
        body += buffer[start : start + size]
        start += size + 2
