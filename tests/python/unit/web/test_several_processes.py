"""Resumable streams of two server processes that share a real Redis server."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ferroscope.testing import Answer, ProviderServer, Stall, Text

from .browser import Browser, events_of

WORDS = "".join(f"word{number:03} " for number in range(100))
ME = {"x-user": "me"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def provider(own_provider: ProviderServer) -> ProviderServer:
    own_provider.forget()
    return own_provider


# Processes take seconds to start, so all tests share two. The last test kills one of them.
@pytest.fixture(scope="module")
def service(own_provider: ProviderServer, redis_url: str) -> Iterator[Any]:
    for module in ("uvicorn", "starlette", "httptools"):
        pytest.importorskip(module)
    prefix = f"test-{secrets.token_hex(4)}:"
    program = Path(__file__).with_name("service.py")

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, str(program), str(port), own_provider.base_url("openai"), redis_url, prefix]
        )
        running.append(process)
        return f"http://127.0.0.1:{port}", process

    running: list[subprocess.Popen[bytes]] = []
    (one, first), (two, second) = start(), start()
    try:
        for url in (one, two):
            wait_for(url)
        yield SimpleNamespace(one=one, two=two, first=first, second=second)
    finally:
        for process in running:
            process.kill()
            process.wait()


def wait_for(url: str) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def text_of(body: bytes) -> str:
    events = [event for _, event in events_of(body) if isinstance(event, dict)]
    return "".join(event["delta"] for event in events if event["type"] == "text-delta")


def whole_events(body: bytes) -> bytes:
    return body[: body.rfind(b"\n\n") + 2]


def test_another_process_continues_the_stream(provider: ProviderServer, service: Any) -> None:
    provider.reply(Answer(Text(WORDS, 100), delay=0.01))
    first = Browser(service.one + "/chat", method="POST", body=b"{}", headers=ME)
    first.read_until(b"word020 ")
    id = first.headers["x-stream-id"]
    first.leave()
    start = whole_events(first.body)
    after = str(events_of(start)[-1][0])
    second = Browser(f"{service.two}/chat/{id}", headers={**ME, "last-event-id": after})
    second.read_all()
    events = events_of(start + second.body)
    assert [number for number, _ in events] == list(range(1, len(events) + 1))
    assert text_of(start + second.body) == WORDS
    assert events[-1][1] == "[DONE]"
    assert len(provider.requests) == 1
    stranger = Browser(f"{service.two}/chat/{id}", headers={"x-user": "you"})
    assert stranger.status == 404
    second.leave()
    stranger.leave()


def test_a_reader_of_another_process_keeps_the_answer_going(provider: ProviderServer, service: Any) -> None:
    """The answer takes longer than the grace period, and the first process has no reader."""
    provider.reply(Answer(Text(WORDS, 100), delay=0.065))
    first = Browser(service.one + "/chat", method="POST", body=b"{}", headers=ME)
    first.read_until(b"word001 ")
    second = Browser(f"{service.two}/chat/{first.headers['x-stream-id']}", headers=ME)
    second.read_until(b"word001 ")
    first.leave()
    second.read_all()
    assert text_of(second.body) == WORDS
    second.leave()
    assert provider.requests[0].outcome == "complete"


def test_stop_reaches_the_other_process(provider: ProviderServer, service: Any) -> None:
    delays = []
    for _ in range(40):  # other programs may use the machine
        provider.reply(Stall(Answer(Text(WORDS, 100)), after=20))
        first = Browser(service.one + "/chat", method="POST", body=b"{}", headers=ME)
        first.read_until(b"word015 ")
        id = first.headers["x-stream-id"]
        second = Browser(f"{service.two}/chat/{id}", headers=ME)
        second.read_until(b"word015 ")
        stranger = Browser(f"{service.two}/chat/{id}/stop", method="POST", body=b"{}", headers={"x-user": "you"})
        assert stranger.status == 404
        asked = time.monotonic()
        stop = Browser(f"{service.two}/chat/{id}/stop", method="POST", body=b"{}", headers=ME)
        assert stop.status == 204
        provider.wait_closed()
        delays.append((provider.requests[-1].ended_at or 0) - asked)
        for browser in (first, second):
            browser.read_all()
            assert [event for _, event in events_of(browser.body)][-2:] == [{"type": "abort"}, "[DONE]"]
        for browser in (first, second, stranger, stop):
            browser.leave()
        if delays[-1] < 0.05:
            break
    assert min(delays) < 0.05, delays


def test_readers_of_a_killed_process_are_told_and_lose_nothing_that_was_stored(
    provider: ProviderServer, service: Any
) -> None:
    provider.reply(Answer(Text(WORDS * 10, 1000), delay=0.02))  # it is still written at the kill
    first = Browser(service.one + "/chat", method="POST", body=b"{}", headers=ME)
    first.read_until(b"word005 ")
    id = first.headers["x-stream-id"]
    followers = [Browser(f"{service.two}/chat/{id}", headers=ME) for _ in range(2)]
    followers[0].read_until(b"word020 ")
    first.read_until(b"word020 ")
    service.first.kill()
    with pytest.raises((EOFError, ConnectionResetError)):
        first.read_until(b"never")
    provider.wait_closed()
    start = whole_events(first.body)
    after = str(events_of(start)[-1][0])
    back = Browser(f"{service.two}/chat/{id}", headers={**ME, "last-event-id": after})
    for browser in (*followers, back):
        browser.read_all()
    one, two = (follower.body for follower in followers)
    assert one == two == start + back.body
    events = events_of(one)
    assert [number for number, _ in events] == list(range(1, len(events) + 1))
    assert [event for _, event in events][-2:] == [{"type": "error", "errorText": "The answer broke off."}, "[DONE]"]
    assert (WORDS * 10).startswith(text_of(one))
    for browser in (first, *followers, back):
        browser.leave()
