"""A server of paced streams for `bench_streams_tls.py`. Every event contains its time of sending.

    python benches/python/_paced_server.py CERTIFICATE [RATE]

Prints its port. Streams of the model `short` are finite and sent at once. All others are endless, with RATE events per
second.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import ssl
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SHORT = 20


def event(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


BEFORE, AFTER = event("TIME").split(b"TIME")


class Connection(asyncio.Protocol):
    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if not found or len(body) < int(length or 0):
            return
        self.received = b""
        self.transport.write(HEAD)
        if json.loads(body)["model"] == "short":
            events = [event(f"word {number} ") for number in range(SHORT)]
            events += [event("", "stop"), b"data: [DONE]\n\n"]
            self.transport.write(b"".join(map(chunk, events)) + b"0\r\n\r\n")
        else:
            self.pacer.add(self)


class Pacer:
    """The sender of an event on every stream, each at its own time."""

    def __init__(self, rate: float) -> None:
        self.period = 1 / rate
        self.due: list[tuple[float, int, Connection]] = []

    def add(self, connection: Connection) -> None:
        heapq.heappush(self.due, (time.monotonic() + random.random() * self.period, id(connection), connection))

    async def run(self) -> None:
        while True:
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                at, key, connection = heapq.heappop(self.due)
                if connection.transport is not None:
                    data = BEFORE + b"%.6f " % time.monotonic() + AFTER
                    connection.transport.write(chunk(data))
                    heapq.heappush(self.due, (at + self.period, key, connection))
            await asyncio.sleep(0.0005)


async def main(certificate: str, rate: float) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    pacer = Pacer(rate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(pacer), "127.0.0.1", 0, ssl=context, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await pacer.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 2.0))
