"""The command `ferroscope serve`."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._engine.extras import require_package
from ..errors import FerroscopeError

if TYPE_CHECKING:
    from ..web import ResumableStreams


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("target", metavar="TARGET", help="module:function, or provider/model")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port; 0 for a free one (default: %(default)s)")
    parser.add_argument("--key-file", type=Path, help="a file with the key that requests have to send")
    parser.add_argument("--redis", metavar="URL", help="keep the page's streams in Redis, for several processes")
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

        service = Service(target, _streams(arguments.redis), key=key, local=local)
    except (FerroscopeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return asyncio.run(_serve(service, arguments))


def serve_function(call: Any, *, port: int) -> int:  # Any: a decorated function
    """Serve a function on loopback until the process is stopped, and return the exit status."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run_serve(parser.parse_args([call.__name__, "--port", str(port)]), call)


async def _serve(service: Any, arguments: argparse.Namespace) -> int:
    import uvicorn

    from ..web import finish_streams

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for server in self.servers:
                server.close()
            await asyncio.gather(service.streams.aclose(arguments.stop_timeout), finish_streams(arguments.stop_timeout))
            await super().shutdown(sockets)

    family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((arguments.host.strip("[]"), arguments.port))
    except OSError as error:
        print(f"{arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        listener.close()
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
    listener.listen(2048)
    host = f"[{arguments.host}]" if family == socket.AF_INET6 else arguments.host
    print(f"Serving {arguments.target} at http://{host}:{listener.getsockname()[1]}", flush=True)
    await Server(config).serve(sockets=[listener])
    return 0


def _key(path: Path | None) -> str | None:
    key = path.read_text().strip() if path is not None else os.environ.get("FERROSCOPE_SERVE_KEY", "").strip()
    if path is not None and not key:
        raise FerroscopeError(f"{path}: the file is empty")
    return key or None


def _streams(redis: str | None) -> ResumableStreams:
    from ..web import ResumableStreams

    if redis is None:
        return ResumableStreams()
    from ..web.redis import RedisStore

    return ResumableStreams(RedisStore(redis))
