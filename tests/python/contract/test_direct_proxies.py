"""Requests that are sent without the SDK through an HTTP proxy, against the same requests through the SDK."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import pytest
import trustme

from ferroscope import errors
from ferroscope.testing import Answer, Status, Text, Usage
from ferroscope.transport import send_directly

from .conftest import Caller, for_rows
from .test_direct import SOON, VARYING, client_of, facts_of_error, outcome, responses_of_sdk
from .test_joined_chunks import authority, tls_port  # noqa: F401
from .test_native_transport import listening, read_request
from .test_proxies import HttpProxy, proxy  # noqa: F401

pytestmark = for_rows(lambda row: row.label in ("openai", "openai-responses", "anthropic"))

HELLO = Answer(Text("Hello there."), usage=Usage(9, 3))
VARIABLES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
both_forms = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def tls_url(
    caller: Caller,
    authority: trustme.CA,  # noqa: F811
    tls_port: int,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The address of the server behind TLS, whose certificate is trusted."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return f"https://127.0.0.1:{tls_port}/{caller.server.base_url(caller.row.url_name).split('/', 3)[3]}"


def heads(requests: list[bytes]) -> list[list[str]]:
    """Return the heads of requests in the order of their headers, without those that vary."""
    heads = []
    for head in requests:
        first, *lines = head.decode().split("\r\n")
        headers = [line.split(": ", 1) for line in lines]
        heads.append([first, *(f"{name.lower()}: {value}" for name, value in headers if name.lower() not in VARYING)])
    return heads


WAYS = ("0", "1")
"""The values of `FERROSCOPE_DIRECT`: through the SDK, and directly."""


def call_twice(caller: Caller, client: Any, stream: bool) -> None:
    call = caller.decorate(lambda: "Say hello", client=client, stream=stream)
    for _ in range(2):
        answer = call()
        if stream:
            caller.consume(answer)
        assert answer.content == "Hello there."


@both_forms
@pytest.mark.parametrize("excluded", ["", "127.0.0.1"], ids=["every host", "other hosts"])
def test_a_forwarding_proxy_receives_the_requests_that_the_sdk_sends(
    caller: Caller,
    proxy: HttpProxy,  # noqa: F811
    excluded: str,
    stream: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, caller.wire.sdk)
    caller.server.reply_always(HELLO)
    monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", excluded)
    received = {}
    for way in WAYS:
        monkeypatch.setenv("FERROSCOPE_DIRECT", way)
        proxy.requests.clear()
        caplog.clear()
        with client_of(caller) as client:
            call_twice(caller, client, stream)
        received[way] = heads(proxy.requests)
        assert bool(responses_of_sdk(caplog, caller.wire.sdk)) is (way == "0")
    assert received["1"] == received["0"]
    assert bool(received["1"]) is not bool(excluded)


# ---- servers behind TLS, which the proxy opens a tunnel to


@both_forms
def test_a_tunnel_of_a_proxy_with_a_password_carries_the_requests_that_the_sdk_sends(
    caller: Caller,
    proxy: HttpProxy,  # noqa: F811
    tls_url: str,
    stream: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, caller.wire.sdk)
    proxy.credentials = "user:p@ss"
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    found = {}
    for way in WAYS:
        monkeypatch.setenv("FERROSCOPE_DIRECT", way)
        proxy.requests.clear()
        caplog.clear()
        caller.server.forget()
        caller.server.reply_always(HELLO)
        with client_of(caller, url=tls_url) as client:
            call_twice(caller, client, stream)
        (tunnel,) = proxy.requests
        requests = [(it.method, it.path, list(it.headers.items()), it.json) for it in caller.server.requests]
        # The HTTP library also sends the header `Accept` with CONNECT, which has no meaning there.
        found[way] = tunnel.decode().replace("\r\nAccept: */*", ""), requests
        assert bool(responses_of_sdk(caplog, caller.wire.sdk)) is (way == "0")
    assert found["1"] == found["0"]
    assert len(found["1"][1]) == 2
    assert "proxy-authorization" not in str(found["1"][1]).lower()


def test_a_marked_client_uses_a_tunnel_without_the_variable(
    caller: Caller,
    proxy: HttpProxy,  # noqa: F811
    tls_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, caller.wire.sdk)
    monkeypatch.delenv("FERROSCOPE_DIRECT", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    caller.server.reply_always(HELLO)
    with client_of(caller, url=tls_url) as client:
        call_twice(caller, send_directly(client), stream=False)
    assert len(proxy.requests) == 1
    assert responses_of_sdk(caplog, caller.wire.sdk) == []


@both_forms
@pytest.mark.parametrize("after", [0, 1], ids=["the first call", "the second call"])
def test_an_error_of_a_server_behind_a_tunnel_is_the_error_of_the_sdk(
    caller: Caller,
    proxy: HttpProxy,  # noqa: F811
    tls_url: str,
    stream: bool,
    after: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    found = []
    for way in WAYS:
        monkeypatch.setenv("FERROSCOPE_DIRECT", way)
        caller.server.forget()
        caller.server.reply(*[HELLO] * after, Status(429, headers=SOON), Status(400, "Too long.", headers=SOON))
        with client_of(caller, url=tls_url, max_retries=1) as client:
            found.append([outcome(caller, stream, client=client) for _ in range(after + 1)])
    assert found[1] == found[0]
    assert "BadRequestError" in found[1][-1]["classes"]


REFUSALS = {
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    "403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nForbidden",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
}


@both_forms
@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_tunnel_is_the_error_of_the_sdk(
    caller: Caller, answer: bytes, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        attempts.append(read_request(connection))
        connection.sendall(answer)

    found = []
    with listening(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret-word@127.0.0.1:{port}")
        for way in WAYS:
            monkeypatch.setenv("FERROSCOPE_DIRECT", way)
            attempts.clear()
            with (
                client_of(caller, url="https://models.example/v1", max_retries=0) as client,
                pytest.raises(errors.APIConnectionError) as caught,
            ):
                answered(caller, client, stream)
            cause = caught.value.__cause__
            assert "secret-word" not in f"{caught.value}{caught.value!r}{cause}{cause!r}"
            found.append((facts_of_error(caught.value), type(cause), str(cause), len(attempts)))
    assert found[1] == found[0]
    assert found[1][2:] == (answer.split(b"\r\n")[0].decode().removeprefix("HTTP/1.1 "), 1)


def answered(caller: Caller, client: Any, stream: bool) -> None:
    if stream:
        caller.stream("Say hello", client=client)
    else:
        caller.call("Say hello", client=client)


def test_a_wrong_password_of_a_proxy_is_retried_as_by_the_sdk(
    caller: Caller,
    proxy: HttpProxy,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.credentials = "user:right"
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:wrong@127.0.0.1:{proxy.port}")
    attempts = []
    for way in WAYS:
        monkeypatch.setenv("FERROSCOPE_DIRECT", way)
        proxy.requests.clear()
        with (
            client_of(caller, url="https://models.example/v1", max_retries=1) as client,
            pytest.raises(errors.APIConnectionError),
        ):
            caller.call("Say hello", client=client)
        attempts.append([request.split(b"\r\n")[0] for request in proxy.requests])
    assert attempts == [[b"CONNECT models.example:443 HTTP/1.1"] * 2] * 2


def test_the_certificate_of_the_server_is_checked_through_a_tunnel(
    caller: Caller,
    proxy: HttpProxy,  # noqa: F811
    tls_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("FERROSCOPE_DIRECT", "1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with (
        client_of(caller, url=tls_url, max_retries=0) as client,
        pytest.raises(errors.APIConnectionError) as caught,
    ):
        caller.call("Say hello", client=client)
    assert "certificate verify failed" in str(caught.value.__cause__)
    assert len(proxy.requests) == 1
    assert caller.server.requests == []
