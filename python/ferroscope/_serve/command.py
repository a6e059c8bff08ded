"""The command `ferroscope serve`."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

from .._engine.extras import require_package
from ..errors import FerroscopeError
from .streams import MAX_STREAMS, new_streams


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("target", metavar="TARGET", help="module:function, or provider/model")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port; 0 for a free one (default: %(default)s)")
    parser.add_argument("--key-file", type=Path, help="a file with the key that requests have to send")
    parser.add_argument("--redis", metavar="URL", help="keep the page's streams in Redis, for several processes")
    parser.add_argument(
        "--max-streams", type=_positive, default=MAX_STREAMS, metavar="N",
        help="the answers of the page that may run at the same time; others get the status 503 (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--stop-timeout", type=float, default=10.0, metavar="SECONDS",
        help="how long running answers may take at a stop (default: %(default)s)",
    )  # fmt: skip


def run_serve(arguments: argparse.Namespace, call: Any = None) -> int:  # Any: a decorated function
    """Serve until the process is stopped, and return the exit status.

    Args:
        arguments: The arguments of the command.
        call: The function to serve, in place of the target's.
    """
    try:
        for module in ("starlette", "uvicorn", "httptools"):
            require_package(module, extra="web", user="`ferroscope serve`")
        from .guard import is_loopback
        from .target import Target, load_target

        target = load_target(arguments.target) if call is None else Target(arguments.target, call)
        key = _key(arguments.key_file)
        local = is_loopback(arguments.host)
        if key is None and not local:
            raise FerroscopeError(
                f"{arguments.host} can be reached from other machines: set FERROSCOPE_SERVE_KEY, or use --key-file"
            )
        from .app import Service

        service = Service(target, new_streams(arguments.redis, arguments.max_streams), key=key, local=local)
    except (FerroscopeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    # The process serves this one function. What the direct way cannot send goes through the SDK.
    os.environ.setdefault("FERROSCOPE_DIRECT", "1")
    return asyncio.run(_serve(service, arguments))


def serve_function(call: Any, *, port: int) -> int:  # Any: a decorated function
    """Serve a function on loopback until the process is stopped, and return the exit status."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run_serve(parser.parse_args([call.__name__, "--port", str(port)]), call)


async def _serve(service: Any, arguments: argparse.Namespace) -> int:
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for server in self.servers:
                server.close()
            await service.close(arguments.stop_timeout)
            await super().shutdown(sockets)

    try:
        listener = open_listener(arguments.host, arguments.port)
    except OSError as error:
        print(f"{arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        service.app,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    address = arguments.host.strip("[]")
    host = f"[{address}]" if ":" in address else address
    print(f"Serving {arguments.target} at http://{host}:{listener.getsockname()[1]}", flush=True)
    await Server(config).serve(sockets=[listener])
    return 0


def open_listener(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: A name or an address. An IPv6 address may have brackets.
        port: The port; 0 for a free one.

    Raises:
        OSError: The address cannot be used.
    """
    host = host.strip("[]")
    # asyncio switches off Nagle's algorithm only where the protocol is known to be TCP. With it, each response would
    # wait for the client's delayed acknowledgement, about 40 ms.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("the number has to be 1 or more")
    return number


def _key(path: Path | None) -> str | None:
    if path is None:
        source, key = "FERROSCOPE_SERVE_KEY", os.environ.get("FERROSCOPE_SERVE_KEY", "").strip()
    else:
        # Every byte is a character of Latin-1. The check below names what is wrong.
        source, key = str(path), path.read_text("latin-1").strip()
        if not key:
            raise FerroscopeError(f"{path}: the file is empty")
    from .guard import check_key

    check_key(key, source)
    return key or None
