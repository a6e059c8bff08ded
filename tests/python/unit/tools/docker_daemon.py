"""A part of the Docker daemon's HTTP API on loopback, whose containers are directories of this machine."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class DockerDaemon:
    """Runs the commands of a container as processes, with its directory in place of `/ferroscope-...`.

    Attributes:
        created: The body of each request that created a container.
        removed: The ids of removed containers.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.created: list[dict[str, Any]] = []
        self.removed: list[str] = []
        self.commands: dict[str, list[str]] = {}
        self.statuses: dict[str, int] = {}
        self.processes: list[subprocess.Popen[bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"tcp://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.kill()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def kill(self) -> None:
        """Kill all processes, with those in the background."""
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.processes.clear()

    def arguments(self, exec_id: str) -> list[str]:
        place = str(self.directory)
        return [re.sub(r"^/(?=ferroscope-)", f"{place}/", argument) for argument in self.commands[exec_id]]


def _handler(daemon: DockerDaemon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self.chunked()
            path = re.sub(r"^/v[\d.]+", "", urlsplit(self.path).path)
            match [self.command, *path.strip("/").split("/")]:
                case ["GET", "version"]:
                    self.send({"ApiVersion": "1.47", "MinAPIVersion": "1.24"})
                case ["POST", "containers", "create"]:
                    daemon.created.append(json.loads(body))
                    self.send({"Id": f"c{len(daemon.created)}", "Warnings": []}, 201)
                case ["POST", "containers", _, "start"]:
                    self.send(None, 204)
                case ["GET", "containers", name, "json"]:
                    self.send({"Id": name, "Image": "i", "State": {"Status": "running"}, "Config": {}})
                case ["PUT", "containers", _, "archive"]:
                    assert parse_qs(urlsplit(self.path).query)["path"] == ["/"]
                    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                        tar.extractall(daemon.directory, filter="data")
                    self.send(None)
                case ["POST", "containers", _, "exec"]:
                    exec_id = f"e{len(daemon.commands)}"
                    daemon.commands[exec_id] = json.loads(body)["Cmd"]
                    self.send({"Id": exec_id}, 201)
                case ["POST", "exec", exec_id, "start"]:
                    self.run(exec_id)
                case ["GET", "exec", exec_id, "json"]:
                    self.send({"ExitCode": daemon.statuses.get(exec_id)})
                case ["DELETE", "containers", name]:
                    daemon.removed.append(name)
                    daemon.kill()
                    self.send(None, 204)
                case _:
                    self.send({"message": f"unknown: {self.command} {path}"}, 404)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def chunked(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def send(self, value: object, status: int = 200) -> None:
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def run(self, exec_id: str) -> None:
            """Send the output of the command in the frames of a hijacked connection."""
            self.close_connection = True
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "tcp")
            self.end_headers()
            command = daemon.arguments(exec_id)
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "bufsize": 0}
            with subprocess.Popen(command, start_new_session=True, **pipes) as process:
                daemon.processes.append(process)
                assert process.stdout is not None
                try:
                    while piece := process.stdout.read(65536):
                        self.wfile.write(b"\x01\0\0\0" + len(piece).to_bytes(4, "big") + piece)
                except OSError:  # the client has closed the connection
                    process.kill()
                status = process.wait()
                daemon.statuses[exec_id] = status if status >= 0 else 128 - status

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
