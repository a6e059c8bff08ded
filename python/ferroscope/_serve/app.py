"""The application: the page, its streams, the OpenAI-compatible endpoint, health and metrics."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..web import EventsGoneError, ResumableStreams, StreamNotFoundError, TooManyStreamsError, finish_streams
from ..web.starlette import EventResponse
from .completions import Completions, counted, error_response
from .guard import Guard
from .metrics import Metrics
from .requests import RequestError, read_body, read_messages
from .target import Target

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# The service has one user, or users who share its key; ids of streams cannot be guessed.
_OWNER: Final = "page"
_RETRY_SECONDS: Final = 5


class Service:
    """The application of a target, with its streams."""

    def __init__(
        self,
        target: Target,
        streams: ResumableStreams,
        *,
        key: str | None,
        local: bool,
        stop_timeout: float = 10.0,
    ) -> None:
        self._target = target
        self._stop_timeout = stop_timeout
        self.streams = streams
        self.metrics = Metrics()
        self._started = int(time.time())
        completions = Completions(target, self.metrics)
        routes = [
            Route("/", self._page),
            Route("/health", self._health),
            Route("/metrics", self._metrics),
            Route("/v1/models", self._models),
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/chat", self._start, methods=["POST"]),
            Route("/chat/{id}", self._follow),
            Route("/chat/{id}/stop", self._stop, methods=["POST"]),
        ]
        self.app: ASGIApp = Guard(
            Starlette(routes=routes, lifespan=self._lifespan),
            {("POST", "/v1/chat/completions"): completions},
            key=key,
            local=local,
            refused=lambda status: self.metrics.count("refused", status),
        )

    async def close(self, timeout: float) -> None:
        """Wait for the running answers, and end the rest with the abort event of their format.

        Args:
            timeout: The time to wait, in seconds.
        """
        await asyncio.gather(self.streams.aclose(timeout), finish_streams(timeout))

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self.close(self._stop_timeout)

    async def _page(self, request: Request) -> Response:
        page, policy = page_and_policy()
        headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-cache",
        }
        return HTMLResponse(page.replace("{{name}}", _escape(self._target.name)), headers=headers)

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _metrics(self, request: Request) -> Response:
        return PlainTextResponse(self.metrics.text())

    async def _models(self, request: Request) -> Response:
        model = {"id": self._target.name, "object": "model", "created": self._started, "owned_by": "ferroscope"}
        return JSONResponse({"object": "list", "data": [model]})

    async def _start(self, request: Request) -> Response:
        try:
            found: Any = orjson.loads(await read_body(request))
            messages = read_messages(found.get("messages") if isinstance(found, dict) else None)
        except RequestError as error:
            self.metrics.count("chat", error.status)
            return error_response(error.status, str(error), "invalid_request", error.param)
        except ClientDisconnect:
            return Response(status_code=499)
        except ValueError:
            self.metrics.count("chat", 400)
            return error_response(400, "the body is not JSON", "invalid_request")
        steps = counted(self._target.steps(messages, {}), self.metrics)
        try:
            reader = await self.streams.start(steps, "vercel", owner=_OWNER)
        except TooManyStreamsError as error:
            self.metrics.count("chat", error.status_code)
            response = error_response(error.status_code, f"{error}. Try again later.", "too_many_streams")
            response.headers["retry-after"] = str(_RETRY_SECONDS)
            return response
        self.metrics.count("chat", 200)
        return EventResponse(reader)

    async def _follow(self, request: Request) -> Response:
        after = request.headers.get("last-event-id")
        try:
            reader = await self.streams.follow(request.path_params["id"], owner=_OWNER, after=after)
        except (StreamNotFoundError, EventsGoneError) as error:
            return error_response(error.status_code, str(error), "stream_not_found")
        return EventResponse(reader)

    async def _stop(self, request: Request) -> Response:
        try:
            await self.streams.stop(request.path_params["id"], owner=_OWNER)
        except StreamNotFoundError as error:
            return error_response(404, str(error), "stream_not_found")
        return Response(status_code=204)


@cache
def page_and_policy() -> tuple[str, str]:
    """Return the page, and the policy that allows its own script and style only."""
    page = (files("ferroscope") / "_serve" / "page.html").read_text("utf-8")
    hashes = {
        tag: "".join(f" 'sha256-{_hash(text)}'" for text in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL))
        for tag in ("script", "style")
    }
    policy = (
        f"default-src 'none'; script-src{hashes['script']}; style-src{hashes['style']}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
