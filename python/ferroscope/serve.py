"""The service of `ferroscope serve` as an ASGI application, for a server of your own."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._engine.extras import require_package
from ._serve.streams import MAX_STREAMS, new_streams

require_package("starlette", extra="web", user="`ferroscope.serve`")

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["create_app"]


def create_app(
    target: str | Callable[..., Any],
    *,
    key: str | None = None,
    redis: str | None = None,
    max_streams: int = MAX_STREAMS,
    stop_timeout: float = 10.0,
) -> ASGIApp:
    """Return the chat page and the OpenAI-compatible endpoint of a function or a model.

    With a key, requests have to send it. Without one, the `Host` of requests has to be a name of this machine, as for
    `ferroscope serve` on loopback.

    Args:
        target: A decorated function, a generator of steps, `module:function`, or `provider/model`.
        key: The key of the service; by default the variable `FERROSCOPE_SERVE_KEY`.
        redis: The URL of a Redis server for the page's streams. Several processes need it.
        max_streams: The maximum number of the page's answers that run at the same time in a process.
        stop_timeout: The time that running answers of the page have at a shutdown, in seconds.

    Raises:
        FerroscopeError: The target cannot be served, or the key is not one that a header can have.

    Example:
        ```python
        app = create_app("openai/gpt-4o-mini", redis="redis://localhost:6379/0")
        # uvicorn module:app --workers 4 --http httptools
        ```
    """
    from ._serve.app import Service
    from ._serve.guard import check_key
    from ._serve.target import Target, load_target

    found = load_target(target) if isinstance(target, str) else Target(target.__name__, target)
    key = key or os.environ.get("FERROSCOPE_SERVE_KEY", "").strip() or None
    check_key(key or "", "the key of the service")
    streams = new_streams(redis, max_streams)
    return Service(found, streams, key=key, local=key is None, stop_timeout=stop_timeout).app
