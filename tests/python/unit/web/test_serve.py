"""`ferroscope serve`: OpenAI clients, guards, errors, and a graceful stop, over loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferroscope.testing import Answer, Cut, HangUp, ProviderServer, Stall, Status, Text, ToolCall, ToolCalls, Usage

from .browser import Browser
from .serving import environment, follow_and_stop, running, served

TEXT = 'Hello\n\n"you"\r, é🙂.'


@pytest.fixture
def provider(own_provider: ProviderServer) -> ProviderServer:
    own_provider.wait_closed()
    own_provider.forget()
    return own_provider


# A process takes seconds to start, so the tests of one target share it.
@pytest.fixture(scope="module")
def assistant(own_provider: ProviderServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("app"), own_provider, "app:assistant") as (url, _):
        yield url


@pytest.fixture(params=["assistant", "helper"])
def url(request: pytest.FixtureRequest) -> str:
    """A sync function with a text, and an async one with messages and tools."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    from openai import OpenAI

    with OpenAI(base_url=url + "/v1", api_key="client-key", max_retries=0) as client:
        yield client


def ask(client: Any, **options: Any) -> Any:
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi?"}]
    return client.chat.completions.create(model="fast", messages=messages, **options)


def post(url: str, body: bytes, **headers: str) -> Browser:
    return Browser(url, method="POST", body=body, headers=headers)


REQUEST = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "Hi?"}]}).encode()


def test_the_openai_sdk_reads_a_whole_answer(provider: ProviderServer, client: Any) -> None:
    provider.reply(Answer(Text(TEXT, 3), usage=Usage(10, 20), model="inner-name"))
    answer = ask(client)
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "fast"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 20)
    assert "inner-name" not in answer.model_dump_json()


@pytest.mark.parametrize("include_usage", [False, True])
def test_the_openai_sdk_reads_a_stream(provider: ProviderServer, client: Any, include_usage: bool) -> None:
    provider.reply(Answer(Text(TEXT, 3), usage=Usage(10, 20), model="inner-name"))
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    chunks = list(ask(client, stream=True, **options))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert {chunk.model for chunk in chunks} == {"fast"}
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    if include_usage:
        assert chunks[-1].choices == []
        assert chunks[-1].usage.completion_tokens == 20
    else:
        assert {chunk.usage for chunk in chunks} == {None}


def test_the_models_list_the_function(helper: str) -> None:
    from openai import OpenAI

    with OpenAI(base_url=helper + "/v1", api_key="k") as client:
        assert [model.id for model in client.models.list()] == ["helper"]


def test_the_function_gets_the_last_text(provider: ProviderServer, assistant: str) -> None:
    provider.reply("Hello")
    browser = post(assistant + "/v1/chat/completions", REQUEST)
    assert browser.status == 200
    browser.leave()
    assert provider.requests[0].json["messages"] == [{"role": "user", "content": "Answer: Hi?"}]


@pytest.mark.parametrize("stream", [False, True])
def test_tools_run_on_the_server(provider: ProviderServer, helper: str, stream: bool) -> None:
    from openai import OpenAI

    provider.reply(
        Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"})), usage=Usage(10, 20)),
        Answer(Text("Sunny."), usage=Usage(30, 5)),
    )
    with OpenAI(base_url=helper + "/v1", api_key="k", max_retries=0) as client:
        if stream:
            chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Sunny."
            assert not [chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.tool_calls]
            usage = chunks[-1].usage
        else:
            answer = ask(client)
            assert answer.choices[0].message.content == "Sunny."
            usage = answer.usage
    assert usage.total_tokens == 65
    assert provider.requests[1].json["messages"][-1]["content"] == "sun in Oslo"


def test_an_answer_that_breaks_is_an_error_without_a_finish_reason(provider: ProviderServer, client: Any) -> None:
    from openai import APIError

    provider.reply(Cut(Answer(Text("word " * 300, 300)), at=9000))
    chunks = []
    with pytest.raises(APIError, match="The answer broke off"):
        for chunk in ask(client, stream=True):
            chunks.append(chunk)  # what arrived before the error
    assert "word" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert not [chunk for chunk in chunks if chunk.choices[0].finish_reason]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Status(401, "Incorrect API key provided: sk-secret-key"), 500),
        (Status(429, "slow down, org-123"), 429),
        (Status(400, "bad sk-secret-key"), 400),
        (HangUp(), 502),
    ],
)
def test_errors_name_no_key_and_no_host(provider: ProviderServer, assistant: str, fault: Any, status: int) -> None:
    provider.reply(*[fault] * 4)
    browser = post(assistant + "/v1/chat/completions", REQUEST)
    assert browser.status == status
    browser.read_until(b"}}")
    for secret in (b"sk-secret", b"org-123", b"127.0.0.1", b"Traceback", b"set-cookie"):
        assert secret not in browser.received
    browser.leave()


def test_headers_of_the_client_are_not_sent_on(provider: ProviderServer, assistant: str) -> None:
    provider.reply("Hello")
    canaries = {
        name: f"canary-{number}"
        for number, name in enumerate(("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "x-custom"))
    }
    browser = post(assistant + "/v1/chat/completions", REQUEST, **canaries)
    assert browser.status == 200
    browser.leave()
    sent = dict(provider.requests[0].headers)
    assert "canary" not in json.dumps(sent)
    assert sent["authorization"] == "Bearer sk-secret-key"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_closes_the_upstream(provider: ProviderServer, url: str, stream: bool) -> None:
    body = json.dumps({**json.loads(REQUEST), "stream": stream}).encode()
    delays = []
    for _ in range(40):  # other programs may use the machine
        provider.reply(Stall(Answer(Text("one two three", 3)), after=0))
        browser = post(url + "/v1/chat/completions", body)
        provider.wait_requests(len(delays) + 1, 20.0)
        left = browser.leave()
        provider.wait_closed()
        delays.append((provider.requests[-1].ended_at or 0) - left)
        if delays[-1] < 0.1:
            break
    assert min(delays) < 0.1, delays
    assert len(provider.requests) == len(delays)  # no retry


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages"),
        ({"model": None}, "model"),
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(
    provider: ProviderServer, assistant: str, change: dict[str, Any], param: str
) -> None:
    browser = post(assistant + "/v1/chat/completions", json.dumps({**json.loads(REQUEST), **change}).encode())
    assert browser.status == 400
    browser.read_until(b"}}")
    assert json.loads(browser.body)["error"]["param"] == param
    browser.leave()
    assert not provider.requests


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(assistant: str, path: str) -> None:
    browser = Browser(assistant + path, method="POST", headers={"content-length": str(64 * 1024 * 1024 + 1)})
    assert browser.status == 413
    browser.leave()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
def test_a_chunked_body_that_is_too_large_is_refused(assistant: str, path: str) -> None:
    browser = Browser(assistant + path, method="POST", headers={"transfer-encoding": "chunked"})
    piece = b"%x\r\n%b\r\n" % (1 << 20, b" " * (1 << 20))
    for _ in range(64):
        browser.socket.sendall(piece)
    browser.socket.sendall(b"1\r\n \r\n")
    assert browser.status == 413
    browser.leave()


def test_another_web_page_cannot_use_the_service(provider: ProviderServer, assistant: str) -> None:
    for headers in (
        {"host": "evil.example"},
        {"host": "evil.example:8000"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ):
        for path in ("/v1/chat/completions", "/chat"):
            browser = post(assistant + path, REQUEST, **headers)
            assert browser.status == 403, (path, headers)
            browser.leave()
    for host in ("localhost:1234", "127.0.0.1", "127.0.0.2:8000", "[::1]:80"):
        browser = Browser(assistant + "/health", headers={"host": host})
        assert browser.status == 200
        browser.leave()
    assert not provider.requests


def test_health_and_metrics(provider: ProviderServer, assistant: str) -> None:
    provider.reply(Answer(Text("Hello"), usage=Usage(1000, 20)))
    browser = post(assistant + "/v1/chat/completions", REQUEST)
    browser.read_until(b"Hello")
    browser.leave()
    end = time.monotonic() + 60  # the answer ends a moment after its last byte
    while time.monotonic() < end and b"running_answers 0" not in Browser.get(assistant + "/metrics"):
        time.sleep(0.02)
    for path, part in (
        ("/health", b'{"status":"ok"}'),
        ("/metrics", b'ferroscope_requests_total{endpoint="completions",status="200"}'),
        ("/metrics", b'ferroscope_tokens_total{kind="input"}'),
        ("/metrics", b"ferroscope_running_answers 0"),
    ):
        browser = Browser(assistant + path)
        browser.read_until(part)
        browser.leave()


def test_the_page_allows_its_own_script_only(assistant: str) -> None:
    browser = Browser(assistant + "/")
    browser.read_until(b"</html>")
    policy = browser.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"sk-secret" not in browser.received
    assert b"<h1>assistant</h1>" in browser.received
    browser.leave()


def test_the_streams_of_the_page_resume_and_stop(provider: ProviderServer, helper: str) -> None:
    id, last = follow_and_stop(provider, helper, helper)
    unknown = Browser(f"{helper}/chat/{'x' * 32}")
    assert unknown.status == 404
    whole = Browser(f"{helper}/chat/{id}", headers={"last-event-id": str(last)})
    assert whole.status == 204
    beyond = Browser(f"{helper}/chat/{id}", headers={"last-event-id": str(last + 9)})
    assert beyond.status == 410
    for browser in (unknown, whole, beyond):
        browser.leave()


def test_another_provider_is_behind_the_same_endpoint(provider: ProviderServer, tmp_path: Path) -> None:
    pytest.importorskip("anthropic")
    from openai import OpenAI

    with served(tmp_path, provider, "app:claude") as (url, _):
        provider.reply(Answer(Text(TEXT, 3), usage=Usage(10, 20)), Answer(Text(TEXT, 3), usage=Usage(10, 20)))
        with OpenAI(base_url=url + "/v1", api_key="k", max_retries=0) as client:
            assert ask(client).choices[0].message.content == TEXT
            chunks = list(ask(client, stream=True))
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT


def test_a_model_takes_the_common_parameters(provider: ProviderServer, tmp_path: Path) -> None:
    from openai import OpenAI

    with served(tmp_path, provider, "openai/gpt-4o-mini") as (url, _):
        provider.reply("Hello", "Hello")
        with OpenAI(base_url=url + "/v1", api_key="k", max_retries=0) as client:
            assert ask(client, temperature=0.5, max_tokens=7).choices[0].message.content == "Hello"
            list(ask(client, temperature=0.5, stream=True))
            assert [model.id for model in client.models.list()] == ["openai/gpt-4o-mini"]
    first, second = provider.requests
    assert (first.json["temperature"], first.json["max_tokens"]) == (0.5, 7)
    assert second.json["temperature"] == 0.5
    assert [message["role"] for message in first.json["messages"]] == ["system", "user"]


def test_a_key_is_required_beyond_loopback(provider: ProviderServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("right-key\n")
    with served(tmp_path, provider, "app:helper", "--host", "0.0.0.0", "--key-file", str(key)) as (url, _):
        url = url.replace("0.0.0.0", "127.0.0.1")
        for path, method in (("/v1/chat/completions", "POST"), ("/v1/models", "GET"), ("/metrics", "GET")):
            for authorization in ("", "Bearer wrong-key", "right-key"):
                headers = {"authorization": authorization} if authorization else {}
                browser = Browser(url + path, method=method, body=REQUEST, headers=headers)
                assert browser.status == 401
                browser.leave()
        assert not provider.requests
        provider.reply("Hello")
        browser = post(url + "/v1/chat/completions", REQUEST, authorization="Bearer right-key")
        assert browser.status == 200
        browser.leave()
        for path in ("/health", "/"):
            browser = Browser(url + path)
            assert browser.status == 200
            browser.leave()


def test_a_stop_lets_an_answer_finish_and_aborts_the_rest(provider: ProviderServer, tmp_path: Path) -> None:
    with served(tmp_path, provider, "app:helper", "--stop-timeout", "5") as (url, process):
        provider.reply(Answer(Text("one two three", 3), delay=0.05), Stall(Answer(Text("one two three", 3)), after=2))
        body = json.dumps({**json.loads(REQUEST), "stream": True}).encode()
        short = post(url + "/v1/chat/completions", body)
        provider.wait_requests(1, 20.0)
        long = post(url + "/v1/chat/completions", body)
        provider.wait_requests(2, 20.0)
        for browser in (short, long):
            browser.read_until(b"data: ")
        process.send_signal(signal.SIGTERM)
        assert b"[DONE]" in short.read_all()
        assert b'"code":"aborted"' in long.read_all()
        provider.wait_closed()
        process.wait(60)
        for browser in (short, long):
            browser.leave()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("app:number", "response_model"),
        ("app:untyped", "annotate its first parameter"),
        ("app:two", "'other' has no default"),
        ("app:blind", "annotate its parameter as a list"),
        ("app:plain", "decorate it"),
        ("app:nothing", "has no 'nothing'"),
        ("nowhere:nothing", "the module 'nowhere' does not exist"),
        ("nothing", "write `module:function` or `provider/model`"),
        ("opena/gpt-4o", "did you mean 'openai'"),
    ],
)
def test_what_cannot_be_served_is_refused_at_start(
    target: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("starlette")
    pytest.importorskip("openai")
    from ferroscope.__main__ import main

    environment(tmp_path, None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert main(["serve", target]) == 1
    finally:
        sys.modules.pop("app", None)
    assert message in capsys.readouterr().err


def test_the_demo_has_a_page_with_a_tool(tmp_path: Path) -> None:
    from openai import OpenAI

    with running(["demo", "--page", "--port", "0"], tmp_path, environment(tmp_path, None)) as (url, _):
        with OpenAI(base_url=url + "/v1", api_key="any") as client:
            messages: Any = [{"role": "user", "content": "What is the weather in Lisbon?"}]
            answer = client.chat.completions.create(model="any", messages=messages)
        assert answer.choices[0].message.content == "It is sunny, 24 degrees in Lisbon."
        assert b"<h1>assistant</h1>" in Browser.get(url + "/")


def test_an_address_of_the_network_without_a_key_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferroscope", "serve", "app:helper", "--host", "0.0.0.0"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment(tmp_path, None), capture_output=True, text=True)
    assert ran.returncode == 1
    assert "FERROSCOPE_SERVE_KEY" in ran.stderr


def test_threads_of_the_test_are_gone() -> None:
    assert not [thread for thread in threading.enumerate() if thread.name == "ferroscope-events"]
