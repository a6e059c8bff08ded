"""The responses of the frameworks, from real servers over loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import Any

import pytest

from ferroscope.testing import Answer, Cut, ProviderServer, Stall, Status, Text, Usage
from ferroscope.web import AnswerEvents, Data, DeliveryLimits, finish_streams, sse
from ferroscope.web._wsgi import wsgi_events

from .browser import Browser, events_of
from .conftest import OpenSite, ask_async, ask_sync
from .hosts import SYNC_SITES, Site, starlette_site, uvicorn_server

TEXT = 'Hello\n\n"you"\r, é🙂.'


def text_of(body: bytes) -> str:
    events = [data for _, data in events_of(body)]
    return "".join(event["delta"] for event in events if isinstance(event, dict) and event["type"] == "text-delta")


def test_the_events_arrive_with_the_right_headers(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Answer(Text(TEXT, 4), usage=Usage(10, 20)))
    browser = Browser(open_site() + "/answer")
    browser.read_all()
    assert browser.status == 200
    headers = browser.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert "content-length" not in headers
    assert headers.get("content-encoding", "identity") == "identity"
    assert text_of(browser.body) == TEXT
    events = events_of(browser.body)
    assert [number for number, _ in events] == list(range(1, len(events) + 1))
    assert events[-2][1]["messageMetadata"]["costUsd"] > 0
    browser.leave()


def test_a_header_of_vercel_is_only_in_its_format(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Answer(Text("Hello", 1)))
    browser = Browser(open_site("text") + "/answer")
    browser.read_all()
    assert "x-vercel-ai-ui-message-stream" not in browser.headers
    assert b'data: "Hello"' in browser.body
    browser.leave()


def test_events_arrive_one_by_one(provider: ProviderServer, open_site: OpenSite) -> None:
    """Also if the site compresses its responses and the browser accepts that."""
    provider.reply(Stall(Answer(Text("one two three", 3)), after=2))
    browser = Browser(open_site() + "/answer")
    browser.read_until(b'"text-delta"')  # while the provider is silent
    browser.leave()
    provider.wait_closed()


def test_headers_do_not_wait_for_the_first_token(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Stall(Answer(Text("one two three", 3)), after=0))
    browser = Browser(open_site(limits=DeliveryLimits(heartbeat=600.0)) + "/answer")
    assert browser.status == 200  # while the provider is silent
    browser.leave()
    provider.wait_closed()


def test_leaving_closes_the_silent_upstream_within_50_ms(provider: ProviderServer, open_site: OpenSite) -> None:
    url = open_site(limits=DeliveryLimits(heartbeat=10.0)) + "/answer"
    delays = []
    for _ in range(40):  # other programs may use the machine
        provider.reply(Stall(Answer(Text("one two three", 3)), after=2))
        browser = Browser(url)
        browser.read_until(b'"text-delta"')
        left = browser.leave()
        provider.wait_closed()
        delays.append((provider.requests[-1].ended_at or 0) - left)
        if delays[-1] < 0.05:
            break
    assert min(delays) < 0.05, delays
    assert {request.outcome for request in provider.requests} == {"abandoned"}


def test_leaving_before_the_first_event_closes_the_upstream(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Stall(Answer(Text("one two three", 3)), after=0))
    browser = Browser(open_site(limits=DeliveryLimits(heartbeat=10.0)) + "/answer")
    provider.wait_requests(1)
    browser.leave()
    provider.wait_closed()
    assert provider.requests[0].outcome == "abandoned"


def test_a_silent_answer_has_heartbeats(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Stall(Answer(Text("one two three", 3)), after=2))
    browser = Browser(open_site() + "/answer")
    browser.read_until(b": ping\n\n")
    browser.leave()
    provider.wait_closed()


def test_a_client_that_does_not_read_loses_the_upstream(provider: ProviderServer, open_site: OpenSite) -> None:
    """The limit of a send is one second here, so the connection to the provider is closed before the answer ends."""
    size = 40_000_000
    provider.reply(Answer(Text("x" * size, 4000)))
    browser = Browser(open_site() + "/answer", buffer=4096)
    provider.wait_requests(1)
    provider.wait_closed(60.0)
    assert provider.requests[0].outcome == "abandoned"
    assert provider.requests[0].bytes_sent < size / 2
    browser.leave()


def test_an_error_is_an_event(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Cut(Answer(Text("word " * 300, 300)), at=9000))
    browser = Browser(open_site() + "/answer")
    browser.read_all()
    events = [data for _, data in events_of(browser.body)]
    assert {"type": "error", "errorText": "The answer broke off."} in events
    assert not [event for event in events if isinstance(event, dict) and event["type"] == "finish"]
    browser.leave()


def test_a_refused_request_is_an_event(provider: ProviderServer, open_site: OpenSite) -> None:
    provider.reply(Status(401, "Incorrect API key provided: sk-test-key"))
    browser = Browser(open_site() + "/answer")
    browser.read_all()
    assert b"sk-test-key" not in browser.received
    assert [data["type"] for _, data in events_of(browser.body)[:-1]] == ["start", "error"]
    browser.leave()


def test_a_sync_answer_streams_from_an_async_server(provider: ProviderServer) -> None:
    assistant, close = ask_sync(provider)

    async def call() -> Any:
        return assistant()

    async def nothing() -> None: ...

    with starlette_site(Site(call), nothing) as url:
        provider.reply(Answer(Text(TEXT, 4)), Stall(Answer(Text("one two three", 3)), after=2))
        browser = Browser(url + "/answer")
        browser.read_all()
        assert text_of(browser.body) == TEXT
        browser.leave()
        browser = Browser(url + "/answer")
        browser.read_until(b'"text-delta"')
        browser.leave()
        provider.wait_closed()
    close()


@pytest.mark.parametrize("host", SYNC_SITES)
def test_a_wsgi_server_refuses_an_async_answer(provider: ProviderServer, host: str) -> None:
    from ferroscope.web._wsgi import wsgi_events

    async def steps() -> Any:
        yield Data("a", 1)

    with pytest.raises(TypeError, match="use a sync function, or an ASGI server"):
        wsgi_events(AnswerEvents(steps()), {})


def test_a_graceful_end_lets_answers_finish_and_aborts_the_rest(provider: ProviderServer) -> None:
    pytest.importorskip("starlette")
    assistant, close = ask_async(provider)
    from ferroscope.web.starlette import EventResponse

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/stop":
            await finish_streams(3.0)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        await EventResponse(await assistant())(scope, receive, send)

    with uvicorn_server(app, close) as url:
        provider.reply(Answer(Text("one two three", 3), delay=0.02), Stall(Answer(Text("one two three", 3)), after=2))
        short = Browser(url + "/answer")
        short.read_until(b'"start"')
        long = Browser(url + "/answer")
        long.read_until(b'"text-delta"')
        stop = Browser(url + "/stop")
        assert stop.status == 204
        short.read_all()
        long.read_all()
        assert events_of(short.body)[-2][1]["type"] == "finish"
        assert [data for _, data in events_of(long.body)][-2:] == [{"type": "abort"}, "[DONE]"]
        provider.wait_closed()
        for browser in (short, long, stop):
            browser.leave()


def test_a_stopped_agent_asks_no_further(provider: ProviderServer) -> None:
    """A generator of steps ends with the client; no next call is made."""
    pytest.importorskip("starlette")
    assistant, close = ask_async(provider)
    ended = []

    async def agent() -> Any:
        try:
            while True:
                yield await assistant()
        finally:
            ended.append(time.monotonic())

    async def call() -> Any:
        return agent()

    provider.reply(Answer(Text("one", 1)), Stall(Answer(Text("two three four", 3)), after=2))
    with starlette_site(Site(call), close) as url:
        browser = Browser(url + "/answer")
        browser.read_until(b"two")
        browser.leave()
        provider.wait_closed()
    assert len(provider.requests) == 2
    assert ended


def test_an_abort_after_the_end_adds_nothing() -> None:
    async def steps() -> Any:
        yield Data("a", 1)

    async def main() -> None:
        events = AnswerEvents(steps())
        body = b"".join([data async for data in events.aiterate_any()])
        assert body == b"".join([data async for data in sse(steps(), id=events_of(body)[0][1]["messageId"])])
        assert events.abort() == b""

    asyncio.run(main())


def test_a_wsgi_answer_arrives_in_a_process_with_thousands_of_open_files(provider: ProviderServer) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("the system allows too few open files")
    provider.reply(Answer(Text(TEXT, 4)))
    assistant, close = ask_sync(provider)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    files = [os.dup(0) for _ in range(1100)]
    here, there = socket.socketpair()
    try:
        source = AnswerEvents(assistant(), "vercel")
        assert text_of(b"".join(wsgi_events(source, {"werkzeug.socket": here}))) == TEXT
    finally:
        close()
        here.close()
        there.close()
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
