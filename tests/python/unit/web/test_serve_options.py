"""The options of `ferroscope serve`, and its application under servers of the user."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ferroscope.testing import Answer, ProviderServer, Stall, Text

from .browser import Browser, events_of
from .serving import environment, follow_and_stop, served

REQUEST = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "Hi?"}]}).encode()


def post(url: str, body: bytes = REQUEST, **headers: str) -> Browser:
    return Browser(url, method="POST", body=body, headers=headers)


def content(url: str, **headers: str) -> Any:
    """Return the text of an answer without streaming."""
    browser = post(url + "/v1/chat/completions", REQUEST, connection="close", **headers)
    while data := browser.socket.recv(65536):
        browser.received += data
    assert browser.status == 200, browser.received
    browser.leave()
    return json.loads(browser.body)["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfe\x00", "visible ASCII"),
        ("clé-secrète".encode(), "visible ASCII"),
        (b"secret-one\nsecret-two", "visible ASCII"),
        (b"secret one", "visible ASCII"),
    ],
)
def test_a_key_file_that_has_no_key_is_refused_without_showing_it(
    key: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("starlette")
    pytest.importorskip("openai")
    from ferroscope.__main__ import main

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-key")
    file = tmp_path / "key"
    file.write_bytes(key)
    assert main(["serve", "openai/gpt-4o-mini", "--port", "0", "--key-file", str(file)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert str(file) in error
    assert "secr" not in error


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_limit_of_streams_below_one_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    from ferroscope.__main__ import main

    with pytest.raises(SystemExit):
        main(["serve", "openai/gpt-4o-mini", "--max-streams", number])
    assert "--max-streams" in capsys.readouterr().err


def test_the_scheme_of_the_key_is_case_insensitive(provider: ProviderServer, tmp_path: Path) -> None:
    with served(tmp_path, provider, "app:helper", FERROSCOPE_SERVE_KEY="right-key") as (url, _):
        for authorization, status in (
            ("Bearer right-key", 200),
            ("bearer right-key", 200),
            ("BEARER  right-key", 200),
            ("Basic right-key", 401),
            ("right-key", 401),
            ("Bearer", 401),
            ("Bearer RIGHT-KEY", 401),
        ):
            browser = Browser(url + "/v1/models", headers={"authorization": authorization})
            assert browser.status == status, authorization
            browser.leave()


def test_more_streams_of_the_page_than_allowed_are_refused(provider: ProviderServer, tmp_path: Path) -> None:
    question = json.dumps({"messages": [{"role": "user", "content": "Hi?"}]}).encode()
    provider.reply(*[Stall(Answer(Text("one two three ", 3)), after=2)] * 2, "Hello.")
    with served(tmp_path, provider, "app:helper", "--max-streams", "2") as (url, _):
        running = [post(url + "/chat", question) for _ in range(2)]
        for browser in running:
            browser.read_until(b"text-delta")
        refused = post(url + "/chat", question)
        assert refused.status == 503
        assert refused.headers["retry-after"] == "5"
        error = json.loads(refused.read_until(b"}}").partition(b"\r\n\r\n")[2])["error"]
        assert error["code"] == "too_many_streams"
        assert "2 answers are running" in error["message"]
        assert len(provider.requests) == 2
        stop = post(f"{url}/chat/{running[0].headers['x-stream-id']}/stop", b"{}")
        assert stop.status == 204
        running[0].read_all()
        again = post(url + "/chat", question)  # there is room
        assert again.status == 200
        assert b"Hello." in again.read_all()
        for browser in (*running, refused, stop, again):
            browser.leave()


def test_ipv6_addresses(provider: ProviderServer, tmp_path: Path) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    for number, host in enumerate(("::1", "[::1]")):
        folder = tmp_path / str(number)
        folder.mkdir()
        provider.reply("Hello")
        with served(folder, provider, "app:helper", "--host", host) as (url, _):
            assert url.startswith("http://[::1]:")
            assert content(url) == "Hello"


async def test_responses_do_not_wait_for_acknowledgements() -> None:
    """asyncio leaves Nagle's algorithm on for the connections of a listener without a protocol."""
    from ferroscope._serve.command import open_listener

    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = open_listener("127.0.0.1", 0)
    async with await asyncio.start_server(connected, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await accepted
        writer.close()
        await writer.wait_closed()


def test_a_stream_of_the_page_continues_in_another_process(
    provider: ProviderServer, redis_url: str, tmp_path: Path
) -> None:
    database = redis_url.removesuffix("/0") + "/7"
    with (
        served(tmp_path, provider, "app:helper", "--redis", database) as (first, _),
        served(tmp_path, provider, "app:helper", "--redis", database) as (second, _),
    ):
        follow_and_stop(provider, first, second)
    assert len(provider.requests) == 1


SITE = """
from ferroscope.serve import create_app

import app

application = create_app(app.helper, key={key!r}, redis={redis!r})
"""


@contextmanager
def asgi_server(folder: Path, provider: ProviderServer, command: list[str], port: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=folder, env=environment(folder, provider), stderr=subprocess.PIPE
    )
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])
def test_the_application_runs_under_a_server_of_the_user(
    provider: ProviderServer, redis_url: str, tmp_path: Path, server: str
) -> None:
    """Two processes of one service: the page's streams are in Redis, so that either may continue them."""
    for module in ("starlette", "uvicorn", "httptools"):
        pytest.importorskip(module)
    port = free_port()
    if server == "gunicorn":
        pytest.importorskip("gunicorn")
        pytest.importorskip("uvicorn_worker")
        bound = f"127.0.0.1:{port}"
        command = ["gunicorn", "-w", "2", "-k", "uvicorn_worker.UvicornWorker", "-b", bound, "site_app:application"]
        command += ["--graceful-timeout", "5", "--log-level", "error"]
    else:
        command = ["uvicorn", "--workers", "2", "--port", str(port), "--log-level", "error", "site_app:application"]
    key = secrets.token_hex(8)
    (tmp_path / "site_app.py").write_text(SITE.format(key=key, redis=redis_url.removesuffix("/0") + "/6"))
    with asgi_server(tmp_path, provider, command, port) as url:
        refused = Browser(url + "/v1/models")
        assert refused.status == 401
        refused.leave()
        provider.reply("Hello", Answer(Text("one two three ", 3)))
        assert content(url, authorization=f"Bearer {key}") == "Hello"
        question = json.dumps({"messages": [{"role": "user", "content": "Hi?"}]}).encode()
        start = post(url + "/chat", question, authorization=f"Bearer {key}")
        whole = start.read_all()
        for _ in range(4):  # either process
            back = Browser(
                f"{url}/chat/{start.headers['x-stream-id']}",
                headers={"authorization": f"Bearer {key}", "last-event-id": "2"},
            )
            back.read_all()
            assert events_of(back.body) == events_of(start.body)[2:]
            back.leave()
        start.leave()
    assert b"[DONE]" in whole


def test_the_application_reads_its_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("starlette")
    pytest.importorskip("openai")
    from ferroscope.errors import FerroscopeError
    from ferroscope.serve import create_app

    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", "sk-secret-key")
    with pytest.raises(FerroscopeError, match="visible ASCII"):
        create_app("openai/gpt-4o-mini", key="two words")
    with pytest.raises(FerroscopeError, match="provider/model"):
        create_app("nothing")
