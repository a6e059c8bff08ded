"""Many browsers on one process of `ferroscope serve`: memory per stream, delay of events, connections left open.

    python benches/python/bench_browsers.py [--browsers N] [--seconds N] [--pace SECONDS] [--tls]

Provider, server and browsers are processes on loopback. Every browser follows a stream of its own on the page's
endpoint. The provider sends an event of each stream in a fixed pace. The delay of an event is the time since the one
before, less the pace. All browsers leave in mid-answer, and the page's streams are stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench_relay import SERVE, cpu_seconds, resident_mb, running
from certificates import certificate
from ferroscope.testing import Answer, SpawnedServer, Stall, Text, Usage

BODY = json.dumps({"messages": [{"role": "user", "content": "Go on."}]}).encode()


class Reader:
    """One browser, with a raw connection."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        self.id = ""
        self.delays: list[float] = []
        self.events = 0

    async def open(self) -> None:
        at = self._address
        self._reader, self._writer = await asyncio.open_connection(at.hostname, at.port)
        head = f"POST /chat HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: {len(BODY)}\r\n\r\n"
        self._writer.write(head.encode() + BODY)
        received = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        assert " 200 " in received.split("\r\n")[0], received
        self.id = received.split("x-stream-id: ")[1].split("\r\n")[0]

    async def read_first(self) -> None:
        await self._reader.readuntil(b'"text-delta"')

    async def read(self, seconds: float) -> None:
        """Read events for a time. The time between two events, less the provider's pace, is the delay."""
        end, last = time.monotonic() + seconds, 0.0
        while (left := end - time.monotonic()) > 0:
            try:
                data = await asyncio.wait_for(self._reader.read(65536), left)
            except TimeoutError:
                return
            assert data, "the server closed the connection"
            now = time.monotonic()
            if count := data.count(b'"text-delta"'):
                self.events += count
                if last:
                    self.delays.append(now - last)
                last = now

    def leave(self) -> None:
        self._writer.transport.abort()


async def stop(address: str, id: str) -> None:
    at = urlsplit(address)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(f"POST /chat/{id}/stop HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: 0\r\n\r\n".encode())
    assert b" 204 " in await reader.readline()
    writer.close()


async def measure(address: str, pid: int, provider: SpawnedServer, options: argparse.Namespace) -> None:
    warm = Reader(address)
    await warm.open()
    await stop(address, warm.id)
    warm.leave()
    empty = resident_mb(pid)
    readers = [Reader(address) for _ in range(options.browsers)]
    for at in range(0, len(readers), 50):
        await asyncio.gather(*(reader.open() for reader in readers[at : at + 50]))
    await asyncio.gather(*(reader.read_first() for reader in readers))
    before = cpu_seconds(pid)
    await asyncio.gather(*(reader.read(options.seconds) for reader in readers))
    used = cpu_seconds(pid) - before
    full = resident_mb(pid)
    events = sum(reader.events for reader in readers)
    gaps = sorted(delay for reader in readers for delay in reader.delays)
    late = [max(gap - options.pace, 0.0) for gap in gaps]
    for reader in readers:
        reader.leave()
    left = time.monotonic()
    for at in range(0, len(readers), 50):
        await asyncio.gather(*(stop(address, reader.id) for reader in readers[at : at + 50]))
    await asyncio.to_thread(provider.wait_closed, 60.0)
    print(f"browsers                          {len(readers):10,}")
    print(f"events                            {events:10,}")
    print(f"CPU per event, in us              {used / max(events, 1) * 1e6:10.1f}")
    print(f"memory per stream, in KB          {(full - empty) * 1000 / len(readers):10.1f}")
    print(f"memory of the process, in MB      {full:10.0f}")
    for share in (0.5, 0.99):
        print(f"delay, {share:.0%} of events, in ms      {late[int(len(late) * share)] * 1000:10.1f}")
    print(f"answers running after all left        0 (after {time.monotonic() - left:.1f} s)")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two events of a stream")
    parser.add_argument("--tls", action="store_true", help="TLS between server and provider")
    options = parser.parse_args(arguments)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536, hard))
    # The streams last until they are stopped.
    count = int(options.seconds / options.pace) + 60
    answer = Answer(Text("word " * count, count), usage=Usage(9, count), delay=options.pace)
    with ExitStack() as stack:
        pem = stack.enter_context(certificate()) if options.tls else None
        provider = stack.enter_context(SpawnedServer(certificate=pem))
        os.environ |= {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": provider.base_url("openai")}
        provider.reply_always(Stall(answer, after=count))
        with running([*SERVE, "--max-streams", str(options.browsers + 1)], "1") as (address, pid):
            asyncio.run(measure(address, pid, provider, options))


if __name__ == "__main__":
    main(sys.argv[1:])
