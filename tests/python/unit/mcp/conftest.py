"""MCP servers as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("mcp")

from mcp import StdioServerParameters

from ferroscope.mcp.client import ServerConnection, sse_client, stdio_client, streamable_http_client

SERVER = Path(__file__).with_name("server_all.py")
Connect = Callable[[], ServerConnection]


class HttpServer:
    """A server on a loopback port, which can be stopped and started again on the same port."""

    def __init__(self, transport: str, environment: dict[str, str]) -> None:
        self.transport = transport
        self.environment = environment
        self.process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{'sse' if self.transport == 'sse' else 'mcp'}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, SERVER, self.transport, str(self.port)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        # The server prints its port when it listens.
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def connect(self) -> ServerConnection:
        return (sse_client if self.transport == "sse" else streamable_http_client)(self.url)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A file that grows by one byte for each recorded call."""
    path = tmp_path / "calls"
    path.touch()
    return path


@pytest.fixture
def environment(calls: Path) -> dict[str, str]:
    return {**os.environ, "CALLS": str(calls)}


@pytest.fixture(params=["sse", "http"])
def http_server(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[HttpServer]:
    server = HttpServer(request.param, environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def stdio(environment: dict[str, str]) -> Connect:
    parameters = StdioServerParameters(command=sys.executable, args=[str(SERVER), "stdio"], env=environment)
    return lambda: stdio_client(parameters)


@pytest.fixture(params=["stdio", "sse", "http"])
def connect(request: pytest.FixtureRequest, stdio: Connect, environment: dict[str, str]) -> Iterator[Connect]:
    """Connect to a server over each transport."""
    if request.param == "stdio":
        yield stdio
        return
    server = HttpServer(request.param, environment)
    server.start()
    try:
        yield server.connect
    finally:
        server.stop()
