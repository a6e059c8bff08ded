"""Requests that are sent without the SDK, against the same requests through it."""

from __future__ import annotations

import gzip
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from ferroscope import errors
from ferroscope.testing import Answer, Body, Garbage, HangUp, ProviderServer, SlowHeaders, Status, Text, ToolCall, Usage
from ferroscope.transport import join_chunks, send_directly

from .conftest import Caller, for_rows

# The tests below run a second time, with every request sent directly.
from .test_calls import (  # noqa: F401
    test_a_body_that_is_no_response_is_an_error_that_shows_it,
    test_a_response_dumps_and_pickles,
    test_a_response_says_what_the_model_said,
    test_dynamic_config_sets_up_this_call_only,
)
from .test_clients import test_a_changed_key_is_noticed, test_the_default_client_is_made_once  # noqa: F401
from .test_endings import (  # noqa: F401
    test_a_server_that_does_not_close_its_answer_delays_little,
    test_a_terminator_that_comes_late_saves_the_connection,
    test_an_exception_in_the_loop_closes_the_connection,
    test_another_thread_closes_a_stream_that_waits,
    test_cancelling_closes_the_connection,
    test_ctrl_c_while_waiting_closes_the_connection,
    test_the_end_of_an_answer_is_not_the_end_of_its_connection,
)
from .test_joined_chunks import authority, tls_port  # noqa: F401
from .test_reported_errors import (  # noqa: F401
    no_collection,
    test_a_body_that_cannot_be_read_is_an_api_error,
    test_an_error_in_place_of_a_stream_is_raised,
)
from .test_retries import (  # noqa: F401
    test_a_stream_that_fails_before_its_first_text_is_requested_again,
    test_the_attempts_are_the_requests,
    test_the_wait_is_the_one_that_the_server_asks_for,
)
from .test_streams import (  # noqa: F401
    test_a_cut_connection_loses_nothing,
    test_a_stream_ends_as_the_response_without_streaming,
    test_an_error_inside_the_stream_is_the_sdks_too,
    test_break_closes_the_connection_at_once,
    test_close_ends_a_stream_that_is_still_referred_to,
    test_silence_is_a_timeout_of_the_sdk,
    test_ten_streams_use_one_connection,
)
from .test_tools import (  # noqa: F401
    test_an_agent_loop_ends_with_the_answer,
    test_parallel_calls_arrive_whole_in_every_wire_shape,
)

pytestmark = for_rows(lambda row: row.label in ("openai", "openai-responses", "anthropic"))

LOGGER = "ferroscope.transport"
# The time, and the length of a body, which old HTTP libraries write with spaces.
VARYING = {"content-length", "date"}


@pytest.fixture(autouse=True)
def _directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROSCOPE_DIRECT", "1")


@contextmanager
def client_of(caller: Caller, *, url: str = "", **options: Any) -> Iterator[Any]:
    client = caller.wire.client(caller.kind, url or caller.server.base_url(caller.row.url_name), "the-key")
    yield client.with_options(**options) if options else client
    caller.run(lambda: caller.wire.close(client), lambda: caller.aclose(client))


def facts_of_error(error: Any) -> dict[str, Any]:
    """What a program can see of an exception of the SDK."""
    response, request = getattr(error, "response", None), getattr(error, "request", None)
    names = ("status_code", "body", "request_id", "code", "param", "type", "message")
    return {
        "classes": [kind.__name__ for kind in type(error).__mro__],
        "text": str(error),
        "notes": getattr(error, "__notes__", []),
        **{name: getattr(error, name, None) for name in names},
        "response": response and (response.status_code, headers_of(response.headers), response.text),
        "request": request and (request.method, str(request.url), headers_of(request.headers)),
    }


def headers_of(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in VARYING}


def outcome(caller: Caller, stream: bool, **options: Any) -> dict[str, Any]:
    """What a call returned or raised, and the requests that the server received for it."""
    before = len(caller.server.requests)
    facts: dict[str, Any]
    try:
        if stream:
            run = caller.stream("Say hello", **options)
            facts = {"text": run.content, "object": run.construct_call_response().response.model_dump()}
        else:
            response = caller.call("Say hello", **options)
            facts = {"text": response.content, "object": response.response.model_dump()}
            facts["request id"] = getattr(response.response, "_request_id", None)
    except Exception as error:
        facts = facts_of_error(error)
    facts["requests"] = [
        (request.method, request.path, headers_of(request.headers), request.json)
        for request in caller.server.requests[before:]
    ]
    return without_numbers(facts)  # type: ignore[no-any-return]


def without_numbers(value: Any) -> Any:
    """The value without the numbers that the server counts up in its ids."""
    if isinstance(value, str):
        return re.sub(r"\b(chatcmpl-|req_|resp_|msg_|fc_|rs_)\d+", r"\1N", value)
    if isinstance(value, dict):
        return {name: without_numbers(item) for name, item in value.items()}
    return type(value)(map(without_numbers, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Encoded:
    """An answer with a compressed body."""

    def respond(self, exchange: Any) -> Any:
        response = Answer(Text("Hello there."), usage=Usage(9, 3)).respond(exchange)
        body = gzip.compress(b"".join(piece.data for piece in response.pieces))
        pieces = (replace(response.pieces[0], data=body),)
        return replace(response, pieces=pieces, headers=(*response.headers, ("content-encoding", "gzip")))


IDS = {"x-request-id": "req_1", "request-id": "req_1"}
SOON = {**IDS, "retry-after-ms": "5"}
HELLO = Answer(Text("Hello there."), usage=Usage(9, 3))
LONG = Answer(Text("word " * 500), delay=0.01)

# The answers of the server, and the SDK's number of retries.
CASES: dict[str, tuple[list[Any], int]] = {
    "text": ([HELLO], 2),
    "a tool call": ([Answer(ToolCall("weather", {"city": "Zürich"}))], 2),
    "compressed": ([Encoded()], 2),
    "429 until the last retry": ([Status(429, headers=SOON)] * 3, 2),
    "a wait in seconds": ([Status(429, retry_after=0.01, headers=IDS), HELLO], 1),
    "the server asks for a retry": ([Status(400, headers={**SOON, "x-should-retry": "true"}), HELLO], 1),
    "the server asks for no retry": ([Status(500, headers={**SOON, "x-should-retry": "false"})], 1),
    "an error with a code": ([Status(400, "Too long.", type="invalid", code="too_long", param="messages")], 0),
    "an error that is a string": ([Status(400, body={"error": "No."}, headers=IDS)], 0),
    "an error of another shape": ([Status(400, body={"detail": [1, {"x": "y"}]}, headers=IDS)], 0),
    "a page": ([Garbage("html")], 0),
    "no JSON": ([Body(b"{")], 0),
    "other JSON": ([Body(b"[1]")], 0),
    "a connection without an answer": ([HangUp()], 0),
    "a connection without an answer, and again": ([HangUp(), HELLO], 1),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("answers", "retries"), CASES.values(), ids=CASES)
def test_the_outcome_is_that_of_the_sdk(
    caller: Caller, answers: list[Any], retries: int, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for value in ("0", "1"):
        monkeypatch.setenv("FERROSCOPE_DIRECT", value)
        caller.server.forget()
        caller.server.reply(*answers)
        with client_of(caller, max_retries=retries) as client:
            found.append(outcome(caller, stream, client=client))
    assert found[1] == found[0]
    assert len(found[1]["requests"]) == len(answers)


STATUSES = (400, 401, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("retries", [0, 1])
def test_every_status_is_the_error_of_the_sdk(
    caller: Caller, stream: bool, retries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[dict[int, Any]] = []
    for value in ("0", "1"):
        monkeypatch.setenv("FERROSCOPE_DIRECT", value)
        with client_of(caller, max_retries=retries) as client:
            of_status = {}
            for status in STATUSES:
                caller.server.forget()
                caller.server.reply(Status(status, "The reason.", headers=SOON), HELLO)
                of_status[status] = outcome(caller, stream, client=client)
            found.append(of_status)
    assert found[1] == found[0]
    again = {status for status, facts in found[1].items() if len(facts["requests"]) == 2}
    assert again == ({408, 409, 429, 500, 502, 503, 504, 529} if retries else set())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_port_without_a_server_is_the_same_error(
    caller: Caller, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    found = []
    for value in ("0", "1"):
        monkeypatch.setenv("FERROSCOPE_DIRECT", value)
        with client_of(caller, url=f"http://127.0.0.1:{port}/v1", max_retries=0) as client:
            found.append(outcome(caller, stream, client=client))
    assert found[1] == found[0]
    assert "APIConnectionError" in found[1]["classes"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("place", ["client", "call"])
def test_a_silent_server_is_the_same_timeout(
    caller: Caller, stream: bool, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    options: dict[str, Any] = {"max_retries": 0, **({"timeout": 0.05} if place == "client" else {})}
    params = {"call_params": {"timeout": 0.05}} if place == "call" else {}
    for value in ("0", "1"):
        monkeypatch.setenv("FERROSCOPE_DIRECT", value)
        caller.server.forget()
        caller.server.reply(SlowHeaders("Hello"))
        with client_of(caller, **options) as client:
            found.append(outcome(caller, stream, client=client, **params))
    assert found[1] == found[0]
    assert "APITimeoutError" in found[1]["classes"]


PARAMETERS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 0.5},
    "headers": {"extra_headers": {"x-mine": "mine", "x-stainless-retry-count": "7"}},
    "a header less": {"extra_headers": {"user-agent": "mine"}},
    "a query": {"extra_query": {"trace": "a b"}},
    "a member of the body": {"extra_body": {"beta": {"on": True}}},
}


@pytest.mark.parametrize("params", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_change_the_request_as_with_the_sdk(
    caller: Caller, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for value in ("0", "1"):
        monkeypatch.setenv("FERROSCOPE_DIRECT", value)
        caller.server.forget()
        caller.server.reply(HELLO)
        with client_of(caller) as client:
            found.append(outcome(caller, False, client=client, call_params=params))
    assert found[1] == found[0]
    assert len(found[1]["requests"]) == 1


# ---- when the SDK is used, and when not


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith("the SDK sends")]


def responses_of_sdk(caplog: pytest.LogCaptureFixture, package: str) -> list[str]:
    """The lines about responses that the SDK logged."""
    lines = [it.getMessage() for it in caplog.records if it.name.startswith(package)]
    return [line for line in lines if line.startswith(("HTTP Response:", "HTTP Request:"))]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_sdk_builds_one_request_and_sends_none(
    caller: Caller, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caller.server.reply_always(HELLO)
    with client_of(caller) as client:
        call = caller.decorate(lambda genre: f"Recommend a {genre} book", client=client, stream=stream)
        for genre in ("quiet", "loud", "long"):
            result = call(genre)
            if stream:
                caller.consume(result)
    package = caller.wire.sdk
    built = [it for it in caplog.records if it.name.startswith(package) and it.getMessage().startswith("Sending HTTP")]
    assert len(built) <= 1  # old versions log nothing then
    assert responses_of_sdk(caplog, package) == []
    assert reasons(caplog) == []
    assert len(caller.server.requests) == 3
    sent = [it for it in caplog.records if it.getMessage().startswith("HTTP Request: POST")]
    assert len(sent) == 3  # as the HTTP library logs them


def test_a_client_is_sent_directly_without_the_variable(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, caller.wire.sdk)
    for value, responses in ((None, 0), ("0", 1)):
        caplog.clear()
        if value is None:
            monkeypatch.delenv("FERROSCOPE_DIRECT")
        else:
            monkeypatch.setenv("FERROSCOPE_DIRECT", value)
        caller.server.reply(HELLO)
        with client_of(caller) as client:
            assert send_directly(client) is client
            assert caller.call("Say hello", client=client).content == "Hello there."
        assert len(responses_of_sdk(caplog, caller.wire.sdk)) == responses


def hooked(client: Any) -> None:
    client._client.event_hooks["request"].append(lambda request: None)


def replaced(client: Any) -> None:
    resource = client.messages if hasattr(client, "messages") else client.chat.completions
    resource.create = resource.create
    if hasattr(client, "responses"):
        client.responses.create = client.responses.create


def own_class(client: Any) -> None:
    client.__class__ = type("Mine", (type(client),), {})


REASONS = {
    "hooks": (hooked, "the HTTP client has event hooks"),
    "a method of the program": (replaced, "was replaced"),
}


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.parametrize(("change", "reason"), REASONS.values(), ids=REASONS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_client_that_sees_its_requests_uses_the_sdk(
    caller: Caller, change: Any, reason: str, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    caller.server.reply_always(HELLO)
    with client_of(caller) as client:
        call = caller.decorate(lambda: "Say hello", client=client)
        if when == "after":
            call()
            assert reasons(caplog) == []
        change(client)
        assert call().content == "Hello there."
    assert reason in reasons(caplog)[0]
    assert f"provider {caller.row.name!r}" in reasons(caplog)[0]


def test_a_subclass_of_a_client_uses_the_sdk(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, caller.wire.sdk)
    caller.server.reply(HELLO)
    with client_of(caller) as client:
        own_class(client)
        assert caller.call("Say hello", client=client).content == "Hello there."
    assert len(responses_of_sdk(caplog, caller.wire.sdk)) == 1


def test_a_value_that_the_sdk_writes_in_its_own_way_goes_through_the_sdk(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    caller.server.reply(HELLO)
    response = caller.call("Say hello", call_params={"extra_body": {"numbers": {1: "one"}}})
    assert response.content == "Hello there."
    assert caller.server.requests[-1].json["numbers"] == {"1": "one"}
    assert "the SDK writes in its own way" in reasons(caplog)[0]


def test_a_client_that_changes_changes_its_next_request(caller: Caller) -> None:
    caller.server.reply_always(HELLO)
    with client_of(caller) as client:
        call = caller.decorate(lambda: "Say hello", client=client)
        call()
        client.api_key = "a-newer-key"
        call()
        client.timeout = 7.5
        call()
    sent = [caller.wire.key(request.headers) for request in caller.server.requests]
    assert sent == ["the-key", "a-newer-key", "a-newer-key"]
    assert caller.server.requests[-1].headers.get("x-stainless-read-timeout") in ("7.5", None)  # not in old versions


def test_cookies_are_sent_back(caller: Caller) -> None:
    @dataclass(frozen=True)
    class WithCookie:
        def respond(self, exchange: Any) -> Any:
            response = HELLO.respond(exchange)
            return replace(response, headers=(*response.headers, ("set-cookie", "session=abc; Path=/")))

    caller.server.reply(WithCookie(), HELLO, HELLO)
    with client_of(caller) as client:
        call = caller.decorate(lambda: "Say hello", client=client)
        for _ in range(3):
            call()
    cookies = [request.headers.get("cookie") for request in caller.server.requests]
    assert cookies == [None, "session=abc", "session=abc"]


@pytest.mark.parametrize("is_trusted", [True, False], ids=["trusted", "not trusted"])
def test_certificates_are_checked(
    caller: Caller,
    authority: trustme.CA,  # noqa: F811
    tls_port: int,  # noqa: F811
    is_trusted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    trusted = authority if is_trusted else trustme.CA()
    trusted.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    path = caller.server.base_url(caller.row.url_name).split("/", 3)[3]
    caller.server.reply_always(HELLO)
    with client_of(caller, url=f"https://127.0.0.1:{tls_port}/{path}", max_retries=0) as client:
        call = caller.decorate(lambda: "Say hello", client=client)
        if is_trusted:
            assert [call().content, call().content] == ["Hello there."] * 2
        else:
            with pytest.raises(errors.APIConnectionError) as caught:
                call()
            assert "certificate verify failed" in str(caught.value.__cause__)
    assert reasons(caplog) == []
    assert len(caller.server.requests) == 2 * is_trusted


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_threads_share_a_client(caller: Caller) -> None:
    caller.server.reply_always(Answer(Text("word " * 50), delay=0.001))
    texts: list[str] = []
    with client_of(caller) as client:
        call = caller.decorate(lambda: "Say hello", client=client, stream=True)

        def work() -> None:
            for _ in range(4):
                texts.append("".join(chunk.content for chunk, _ in call()))

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert texts == ["word " * 50] * 24


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_connections_of_its_own(caller: Caller) -> None:
    program = """
import os, sys
from ferroscope.testing import ProviderServer
from ferroscope import llm
with ProviderServer() as server:
    server.reply_always("Hello there.")
    os.environ[sys.argv[2]] = server.base_url(sys.argv[3])
    call = llm.call(sys.argv[1])(lambda: "Say hello")
    assert call().content == "Hello there."
    child = os.fork()
    if not child:
        os._exit(0 if call().content == "Hello there." else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert call().content == "Hello there."
    assert server.connections_opened == 2, server.connections_opened
"""
    url = next(name for name in caller.row.environment if name.endswith("URL"))
    arguments = [f"{caller.row.name}/{caller.row.model}", url, caller.row.name]
    subprocess.run([sys.executable, "-W", "ignore", "-c", program, *arguments], check=True, timeout=30)


def test_joined_clients_stay_as_they_are(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """Other functions for clients work on one whose requests are sent directly."""
    caller.server.reply_always(HELLO)
    with client_of(caller) as client:
        call = caller.decorate(lambda: "Say hello", client=client, stream=True)
        caller.consume(call())
        assert join_chunks(client) is client
        caller.consume(call())
        caller.server.reply(Status(429, headers=SOON), HELLO)
        stream = call()
        caller.consume(stream)
        assert stream.content == "Hello there."


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_closing_a_client_closes_its_connections_at_once(caller: Caller, stream: bool) -> None:
    """No cycle of references may keep a connection open until the next collection."""
    with ProviderServer() as server:
        with client_of(caller, url=server.base_url(caller.row.url_name), max_retries=0) as client:
            call = caller.decorate(lambda: "Say hello", client=client, stream=stream)
            server.reply(HELLO, Status(400))
            answer = call()
            if stream:
                caller.consume(answer)
            with pytest.raises(errors.BadRequestError):
                caller.consume(call()) if stream else call()
            assert server.open_connections
        server.wait_disconnected()


def limited(client: Any, connections: int) -> Any:
    """Limit the connections of a client. The SDKs have no public option for it."""
    client._client._transport._pool._max_connections = connections
    return client


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.parametrize("direct", ["0", "1"], ids=["the SDK", "directly"])
def test_a_request_waits_for_a_connection_of_the_pool(
    caller: Caller, direct: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROSCOPE_DIRECT", direct)
    caller.server.reply(LONG, HELLO)
    with client_of(caller, max_retries=0) as client:
        limited(client, 1)
        opened = caller.decorate(lambda: "Say hello", client=client, stream=True)()
        chunks = iter(opened)  # to drop it would close the stream
        assert next(chunks)
        hasty = client.with_options(timeout=type(client.timeout)(20, pool=0.01))
        with pytest.raises(errors.APITimeoutError) as caught:
            caller.call("Say hello", client=hasty)
        assert type(caught.value.__cause__).__name__ == "PoolTimeout"
        assert len(caller.server.requests) == 1
        opened.close()
        assert caller.call("Say hello", client=hasty).content == "Hello there."


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_threads_share_the_connections_of_the_limit(caller: Caller) -> None:
    texts: list[str] = []
    with ProviderServer() as server:
        server.reply_always(HELLO)
        with client_of(caller, url=server.base_url(caller.row.url_name)) as client:
            limited(client, 2)
            call = caller.decorate(lambda: "Say hello", client=client)
            threads = [threading.Thread(target=lambda: texts.append(call().content)) for _ in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
        assert texts == ["Hello there."] * 12
        assert server.connections_opened <= 2
