"""Real servers of the frameworks on loopback, each with the same routes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ferroscope.web import DeliveryLimits

LIMITS = DeliveryLimits(heartbeat=0.2, send=1.0)


@dataclass
class Site:
    """The functions behind the routes, and the limits of their deliveries."""

    assistant: Callable[[], Any]  # returns the answer, or an awaitable of it
    format: Any = "vercel"
    limits: DeliveryLimits = field(default_factory=lambda: LIMITS)


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        yield listener


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def uvicorn_server(app: Any, before_stop: Callable[[], Any] | None = None, **options: Any) -> Iterator[str]:
    """Run an ASGI application under uvicorn with httptools, in a thread."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("httptools")
    options = {"http": "httptools", "lifespan": "off", "timeout_graceful_shutdown": 1, "loop": "asyncio", **options}
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, **options))

    async def serve() -> None:
        await server.serve(sockets=[listener])
        if before_stop is not None:
            await before_stop()

    with listening() as listener:
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def starlette_site(site: Site, close: Callable[[], Any]) -> Iterator[str]:
    applications = pytest.importorskip("starlette.applications")
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.routing import Route

    from ferroscope.web.starlette import EventResponse

    async def answer(request: Any) -> Any:
        return EventResponse(await site.assistant(), site.format, limits=site.limits)

    app = applications.Starlette(routes=[Route("/answer", answer)], middleware=[Middleware(GZipMiddleware)])
    with uvicorn_server(app, close) as url:
        yield url


@contextmanager
def fastapi_site(site: Site, close: Callable[[], Any]) -> Iterator[str]:
    fastapi = pytest.importorskip("fastapi")
    from ferroscope.web.starlette import EventResponse

    app = fastapi.FastAPI()

    @app.get("/answer")
    async def answer() -> EventResponse:
        return EventResponse(await site.assistant(), site.format, limits=site.limits)

    with uvicorn_server(app, close) as url:
        yield url


@contextmanager
def aiohttp_site(site: Site, close: Callable[[], Any]) -> Iterator[str]:
    web = pytest.importorskip("aiohttp.web")
    from ferroscope.web.aiohttp import send_events

    async def answer(request: Any) -> Any:
        return await send_events(request, await site.assistant(), site.format, limits=site.limits)

    async def serve() -> None:
        stopped.loop = asyncio.get_running_loop()
        app = web.Application()
        app.router.add_get("/answer", answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        ready.set()
        await stopped.event.wait()
        await runner.cleanup()
        await close()

    class stopped:  # a namespace
        event = asyncio.Event()
        loop: asyncio.AbstractEventLoop

    ready = threading.Event()
    with listening() as listener:
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        ready.wait()
        try:
            yield url_of(listener)
        finally:
            stopped.loop.call_soon_threadsafe(stopped.event.set)
            thread.join()


def _django_app(site: Site, asgi: bool) -> Any:
    pytest.importorskip("django")
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="x",
            ROOT_URLCONF=None,
            MIDDLEWARE=["django.middleware.gzip.GZipMiddleware"],
            LOGGING_CONFIG=None,
        )
        import django

        django.setup()
    from django.urls import path

    from ferroscope.web.django import event_response

    async def answer(request: Any) -> Any:
        return event_response(request, await site.assistant(), site.format, limits=site.limits)

    def answer_sync(request: Any) -> Any:
        return event_response(request, site.assistant(), site.format, limits=site.limits)

    class Urls:
        urlpatterns = [path("answer", answer if asgi else answer_sync)]

    settings.ROOT_URLCONF = Urls
    from django.urls import clear_url_caches, set_urlconf

    clear_url_caches()
    set_urlconf(None)
    if asgi:
        from django.core.handlers.asgi import ASGIHandler

        return ASGIHandler()
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()


@contextmanager
def django_site(site: Site, close: Callable[[], Any]) -> Iterator[str]:
    with uvicorn_server(_django_app(site, asgi=True), close) as url:
        yield url


@contextmanager
def werkzeug_server(app: Any) -> Iterator[str]:
    serving = pytest.importorskip("werkzeug.serving")

    class Quiet(serving.WSGIRequestHandler):  # type: ignore[name-defined, misc]
        protocol_version = "HTTP/1.1"

        def log(self, *args: Any) -> None: ...

    server = serving.make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def flask_site(site: Site, close: Callable[[], Any]) -> Iterator[str]:
    flask = pytest.importorskip("flask")
    from ferroscope.web.flask import event_response

    app = flask.Flask("site")

    @app.get("/answer")
    def answer() -> Any:
        return event_response(site.assistant(), site.format, limits=site.limits)

    with werkzeug_server(app) as url:
        yield url


@contextmanager
def django_wsgi_site(site: Site, close: Callable[[], Any]) -> Iterator[str]:
    with werkzeug_server(_django_app(site, asgi=False)) as url:
        yield url


ASYNC_SITES = {
    "starlette": starlette_site,
    "fastapi": fastapi_site,
    "aiohttp": aiohttp_site,
    "django": django_site,
}
SYNC_SITES = {"flask": flask_site, "django-wsgi": django_wsgi_site}
