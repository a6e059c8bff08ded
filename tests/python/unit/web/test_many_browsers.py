"""Many browsers on one process: what they leave behind at the provider."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from ferroscope.testing import Answer, ProviderServer, Stall, Text

from .serving import served
from .test_gateway import metrics_of

COUNT = 150


def request(path: str, body: object) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


async def first_events(port: int, data: bytes, part: bytes) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open all connections, and return them once each has received a part of its answer."""

    async def follow() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        received = b""
        while part not in received:
            more = await reader.read(65536)
            assert more, received
            received += more
        return reader, writer

    return await asyncio.gather(*(follow() for _ in range(COUNT)))


def test_browsers_that_leave_at_once_leave_no_upstream_open(provider: ProviderServer, tmp_path: Path) -> None:
    provider.reply_always(Stall(Answer(Text("one two three ", 3)), after=2))
    chat = {"model": "fast", "messages": [{"role": "user", "content": "Hi?"}], "stream": True}

    async def follow_and_leave(port: int) -> None:
        for _, writer in await first_events(port, request("/v1/chat/completions", chat), b'"content":"o'):
            writer.transport.abort()

    with served(tmp_path, provider, "app:helper") as (url, _):
        asyncio.run(follow_and_leave(int(url.rpartition(":")[2])))
        provider.wait_closed(120.0)
        assert [request.outcome for request in provider.requests] == ["abandoned"] * COUNT
        assert metrics_of(url)['ferroscope_answers_total{outcome="incomplete"}'] == COUNT


def test_a_stop_of_the_service_ends_the_streams_of_browsers_that_left(provider: ProviderServer, tmp_path: Path) -> None:
    """The page's answers go on without their browsers, up to the limit, and end with the service."""
    provider.reply_always(Stall(Answer(Text("one two three ", 3)), after=2))
    question = {"messages": [{"role": "user", "content": "Hi?"}]}

    async def follow_and_leave(port: int) -> None:
        for _, writer in await first_events(port, request("/chat", question), b'"text-delta"'):
            writer.transport.abort()

    with served(tmp_path, provider, "app:helper", "--stop-timeout", "0") as (url, process):
        asyncio.run(follow_and_leave(int(url.rpartition(":")[2])))
        process.terminate()
        process.wait(120)
        provider.wait_closed(120.0)
        assert [request.outcome for request in provider.requests] == ["abandoned"] * COUNT
