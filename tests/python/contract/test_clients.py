"""Which client sends a call, and what becomes of its errors."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ferroscope.core.base import BaseMessageParam
from ferroscope.testing import Answer, ProviderServer, Status

from .conftest import Caller


@contextmanager
def sdk_client(caller: Caller, url: str, key: str = "other-key") -> Iterator[Any]:
    client = caller.wire.client(caller.kind, url, key)
    yield client
    caller.run(lambda: caller.wire.close(client), lambda: caller.aclose(client))


def test_the_default_client_is_made_once(caller: Caller) -> None:
    """v1 made one per call, at 34 ms each (D18)."""
    caller.server.reply("one", "two", "three")
    call = caller.decorate(lambda: "Say hello")
    call()
    opened = caller.server.connections_opened
    call()
    call()
    assert caller.server.connections_opened == opened


def test_a_changed_key_is_noticed(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.server.reply("one", "two")
    call = caller.decorate(lambda: "Say hello")
    call()
    monkeypatch.setenv(caller.row.key_variable, "another-key")
    call()
    assert [caller.wire.key(request.headers) for request in caller.server.requests[-2:]] == ["test-key", "another-key"]


def test_a_replaced_client_closes_its_connections(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    if caller.kind == "async":
        pytest.skip("async clients are closed with their loop: see test_engine_clients")
    caller.server.reply("one", "two")
    call = caller.decorate(lambda: "Say hello")
    name = caller.row.key_variable
    monkeypatch.setenv(name, "a-key-for-one-call")
    call()
    connected = caller.server.open_connections
    monkeypatch.setenv(name, "another-key")
    call()
    gc.collect()
    caller.server.wait_disconnected(timeout=1, connections=connected)


def test_a_dynamic_client_serves_one_call_only(caller: Caller) -> None:
    """v1 went on using it for every later call, whoever's it was (D15)."""
    with ProviderServer() as other, sdk_client(caller, other.base_url(caller.row.url_name)) as client:
        other.reply("from the other")
        caller.server.reply("from the first")

        def prompt(mine: bool) -> Any:
            messages = [BaseMessageParam(role="user", content="Who are you?")]
            return {"messages": messages, "client": client} if mine else {"messages": messages}

        call = caller.decorate(prompt)
        assert call(True).content == "from the other"
        assert call(False).content == "from the first"
        assert len(other.requests) == 1


def test_the_decorators_client_is_used_as_it_is(caller: Caller) -> None:
    caller.server.reply("Hello")
    url = caller.server.base_url(caller.row.url_name)
    with sdk_client(caller, url, key="decorators-key") as client:
        caller.call("Say hello", client=client)
    assert caller.wire.key(caller.server.requests[-1].headers) == "decorators-key"


@pytest.mark.parametrize("streamed", [False, True])
def test_status_errors_are_the_sdks_own_and_tell_no_key(
    caller: Caller, streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(caller.row.key_variable, "sk-very-secret-key")
    caller.server.reply(Status(401, "Incorrect API key provided."))
    with pytest.raises(caller.wire.error("AuthenticationError")) as caught:
        if streamed:
            caller.stream()
        else:
            caller.call("Say hello")
    assert caught.value.status_code == 401
    if caller.wire.shows_message:
        assert "Incorrect API key provided." in str(caught.value)
    assert "very-secret" not in str(caught.value) + repr(caught.value)


def test_the_sdk_retries(caller: Caller) -> None:
    caller.server.reply(Status(429, retry_after=0), Answer("Hello"))
    assert caller.stream().content == "Hello"
    assert [caller.wire.is_streamed(request) for request in caller.server.requests] == [True, True]


def test_the_kind_of_a_call_is_the_kind_of_its_function(caller: Caller) -> None:
    decorator = caller.row.decorator(caller.row.model)

    async def asynchronous(topic: str, *, count: int = 1) -> str:
        """Says something."""
        return topic

    call = decorator(asynchronous)
    assert inspect.iscoroutinefunction(call)
    assert inspect.signature(call) == inspect.signature(asynchronous)
    assert (call.__name__, call.__doc__) == ("asynchronous", "Says something.")
    assert call.__wrapped__ is asynchronous
    assert (call._model, call.__mirascope_call__) == (caller.row.model, True)
    assert not inspect.iscoroutinefunction(decorator(lambda: "x"))


@pytest.mark.parametrize("kind", ["async"], indirect=True)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_sync_client_serves_an_async_function(caller: Caller, streamed: bool) -> None:
    caller.server.reply("Hello", "Hello again")
    client = caller.wire.client("sync", caller.server.base_url(caller.row.url_name), "test-key")
    for expected in ("Hello", "Hello again"):
        answer = caller.stream(client=client) if streamed else caller.call("Say hello", client=client)
        assert answer.content == expected
    caller.await_(caller.aclose(client))
