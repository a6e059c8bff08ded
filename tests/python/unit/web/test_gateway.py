"""`ferroscope serve` as a gateway: what reaches the provider, the client, the log and the metrics."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from ferroscope.testing import Answer, Body, Cut, ProviderServer, Stall, Status, Text, ToolCall, ToolCalls, Usage

from .browser import Browser
from .serving import served

MESSAGES = [{"role": "user", "content": "Hi?"}]


@pytest.fixture
def provider(own_provider: ProviderServer) -> ProviderServer:
    own_provider.wait_closed()
    own_provider.forget()
    return own_provider


def post(url: str, **fields: object) -> Browser:
    body = json.dumps({"model": "fast", "messages": MESSAGES, **fields}).encode()
    return Browser(url + "/v1/chat/completions", method="POST", body=body, headers={"connection": "close"})


def read_to_end(browser: Browser) -> str:
    while data := browser.socket.recv(65536):
        browser.received += data
    browser.leave()
    return browser.body.decode()


def metrics_of(url: str) -> dict[str, float]:
    """Return the metrics, once no answer is running."""
    end = time.monotonic() + 60
    while True:
        text = Browser.get(url + "/metrics").decode()
        found = {name: float(value) for name, value in re.findall(r"^(ferroscope_\S+) (\S+)\r?$", text, re.MULTILINE)}
        if not found["ferroscope_running_answers"]:
            return found
        assert time.monotonic() < end, text
        time.sleep(0.02)


# A first chunk that has only the role.
ROLE = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"inner-name","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'  # noqa: E501  # one line


@pytest.mark.parametrize("how", ["reset", "close"])
def test_an_answer_that_breaks_after_the_role_is_an_error(provider: ProviderServer, helper: str, how: str) -> None:
    body = Body(ROLE + ROLE, content_type="text/event-stream")
    provider.reply(Cut(body, at=len(ROLE), how=how))  # type: ignore[arg-type]
    shown = read_to_end(post(helper, stream=True))
    assert '"code":"stream_interrupted"' in shown
    assert '"finish_reason":"' not in shown
    assert "[DONE]" not in shown
    assert "inner-name" not in shown


def test_a_body_that_ends_without_a_finish_reason_is_an_error(provider: ProviderServer, helper: str) -> None:
    """An answer without a finish reason is an error, although the provider closed the connection in order."""
    provider.reply(Body(ROLE, content_type="text/event-stream"))
    shown = read_to_end(post(helper, stream=True))
    assert '"code":"stream_interrupted"' in shown
    assert '"finish_reason":"' not in shown
    assert "[DONE]" not in shown


def test_a_client_that_leaves_in_a_tool_call_causes_no_next_turn(provider: ProviderServer, helper: str) -> None:
    call = Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"}, chunks=3)))
    provider.reply(Stall(call, after=3), "Sunny.")
    browser = post(helper, stream=True)
    provider.wait_requests(1, 20.0)
    browser.leave()
    provider.wait_closed()
    metrics_of(helper)
    assert [request.outcome for request in provider.requests] == ["abandoned"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_whose_client_left_is_counted_once(provider: ProviderServer, tmp_path: Path, stream: bool) -> None:
    """The tokens are at least those that the provider had counted when the client left."""
    pytest.importorskip("anthropic")
    with served(tmp_path, provider, "app:claude") as (url, _):
        provider.reply(Stall(Answer(Text("one two three four", 4), usage=Usage(10, 20)), after=4 if stream else 0))
        browser = post(url, stream=stream)
        provider.wait_requests(1, 20.0)
        if stream:
            browser.read_until(b"one")
        browser.leave()
        provider.wait_closed()
        metrics = metrics_of(url)
        assert metrics['ferroscope_answers_total{outcome="incomplete"}'] == 1
        assert 'ferroscope_answers_total{outcome="complete"}' not in metrics
        assert metrics['ferroscope_tokens_total{kind="input"}'] == (10 if stream else 0)
        assert (metrics["ferroscope_cost_usd_total"] > 0) is stream
    assert len(provider.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_are_asked_for_and_counted_without_a_request_of_the_client(
    provider: ProviderServer, helper: str, stream: bool
) -> None:
    before = metrics_of(helper).get('ferroscope_tokens_total{kind="input"}', 0)
    provider.reply(Answer(Text("Hello."), usage=Usage(1000, 20)))
    shown = read_to_end(post(helper, stream=stream))
    assert ('"prompt_tokens":1000' in shown) is not stream
    if stream:
        assert provider.requests[0].json["stream_options"] == {"include_usage": True}
    assert metrics_of(helper)['ferroscope_tokens_total{kind="input"}'] - before == 1000


@pytest.mark.parametrize("stream", [False, True])
def test_a_service_without_a_key_of_the_provider_sends_nothing(
    provider: ProviderServer, tmp_path: Path, stream: bool
) -> None:
    with served(tmp_path, provider, "app:helper", OPENAI_API_KEY="") as (url, _):
        browser = post(url, stream=stream)
        assert browser.status == (200 if stream else 500)
        shown = read_to_end(browser)
    assert "The service is not set up to use the provider." in shown
    assert "[DONE]" not in shown
    assert not provider.requests


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_in_the_text_of_an_error_reaches_neither_the_client_nor_the_log(
    provider: ProviderServer, tmp_path: Path, stream: bool
) -> None:
    headers = {"set-cookie": "session=upstream", "openai-organization": "org-upstream"}
    fault = Status(401, "Incorrect API key provided: sk-secret-key, sk-secr**yz. org-upstream", headers=headers)
    with served(tmp_path, provider, "app:helper", OPENAI_LOG="debug") as (url, process):
        provider.reply(fault, fault, fault)
        browser = post(url, stream=stream)
        read_to_end(browser)
        process.terminate()
        process.wait(60)
        assert process.stderr is not None
        log = process.stderr.read()
    received = browser.received.decode()
    for secret in ("sk-secret", "upstream", "127.0.0.1", "openai-organization", "set-cookie"):
        assert secret not in received
    assert "Incorrect API key provided" in log
    assert "sk-secret" not in log


def test_headers_of_the_provider_stay_on_the_server(provider: ProviderServer, helper: str) -> None:
    """The provider's cookies and the name of its organization are not the client's."""
    chunk = ROLE.replace(b'"content":""', b'"content":"Hi"').replace(b"null", b'"stop"')
    body = chunk + b"data: [DONE]\n\n"
    headers = {"set-cookie": "session=upstream", "openai-organization": "org-upstream"}
    provider.reply(Body(body, content_type="text/event-stream", headers=headers))
    browser = post(helper, stream=True)
    assert "[DONE]" in read_to_end(browser)
    assert "upstream" not in browser.received.decode()


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_does_not_have_the_name_of_the_inner_model(
    provider: ProviderServer, helper: str, stream: bool
) -> None:
    provider.reply(Status(404, "The model 'inner-name' does not exist", code="model_not_found"))
    shown = read_to_end(post(helper, stream=stream))
    assert "error" in shown
    assert "inner-name" not in shown
    assert "gpt-4o-mini" not in shown


def test_a_page_that_sends_back_half_a_tool_call_runs_no_tool(provider: ProviderServer, helper: str) -> None:
    """An unfinished part of Vercel's messages, and a call whose arguments end early, are history and not calls."""
    part = {"type": "tool-weather", "toolCallId": "call_1", "state": "input-streaming", "input": {"city": "Os"}}
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Os'}}
    for number, message in enumerate(
        ({"role": "assistant", "parts": [part]}, {"role": "assistant", "content": None, "tool_calls": [call]})
    ):
        provider.reply("Hello.")
        browser = post(helper, messages=[*MESSAGES, message, {"role": "user", "content": "And now?"}])
        status = browser.status
        read_to_end(browser)
        sent = [request.body.decode() for request in provider.requests[number:]]
        assert status in (200, 400)
        assert len(sent) == (1 if status == 200 else 0)
        assert "sun in Os" not in "".join(sent)
