"""A real Redis server of a test run, on a port of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def skip_or_fail(reason: str) -> None:
    """Skip a test whose program is missing, or fail where nothing may be left out."""
    if os.environ.get("FERROSCOPE_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a server without persistence, and yield its URL."""
    program = shutil.which("redis-server")
    if program is None:
        skip_or_fail("redis-server is not installed (Debian: apt-get install redis-server)")
    pytest.importorskip("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = subprocess.Popen([str(program), *options], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(7).startswith(b"+PONG"):
                    return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
