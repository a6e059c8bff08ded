"""What goes wrong in a call is one tree, and the SDK's own exception all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

import ferroscope
from ferroscope import errors, llm
from ferroscope._engine.common_errors import unify_exception
from ferroscope.core import openai as provider
from ferroscope.testing import Answer, Cut, HangUp, ProviderServer, SlowHeaders, Status, StreamError, Text

STATUSES = {
    400: ("BadRequestError", errors.APIStatusError),
    401: ("AuthenticationError", errors.APIStatusError),
    403: ("PermissionDeniedError", errors.APIStatusError),
    404: ("NotFoundError", errors.APIStatusError),
    409: ("ConflictError", errors.APIStatusError),
    422: ("UnprocessableEntityError", errors.APIStatusError),
    429: ("RateLimitError", errors.APIStatusError),
    500: ("InternalServerError", errors.APIStatusError),
    503: ("InternalServerError", errors.APIStatusError),
    418: ("APIStatusError", errors.APIError),
}
CALLS: dict[str, Callable[..., Any]] = {"llm": llm.call("openai/m"), "provider": provider.call("m")}


@pytest.fixture(params=["sync", "async", "sync stream", "async stream"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(server: ProviderServer, kind: str, decorator: str = "llm", timeout: float = 5) -> str:
    """One call without retries, read to its end."""
    options: dict[str, Any] = {"base_url": server.base_url("openai"), "api_key": "k", "max_retries": 0}
    options["timeout"] = timeout
    stream = kind.endswith("stream")
    call: Any = {"llm": llm.call("openai", "m", stream=stream), "provider": provider.call("m", stream=stream)}[
        decorator
    ]
    if kind.startswith("sync"):
        with OpenAI(**options) as client:
            answer = call(lambda: {"client": client, "messages": [{"role": "user", "content": "Hi"}]})()
            return str((answer.collect() if stream else answer).content)

    async def ask_async() -> str:
        async with AsyncOpenAI(**options) as client:

            @call  # type: ignore[untyped-decorator]
            async def prompt() -> Any:
                return {"client": client, "messages": [{"role": "user", "content": "Hi"}]}

            answer = await prompt()
            return str((await answer.acollect() if stream else answer).content)

    return asyncio.run(ask_async())


@pytest.mark.parametrize("decorator", CALLS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_the_sdks_exception_and_ours(
    status: int, kind: str, decorator: str, server: ProviderServer
) -> None:
    name, above = STATUSES[status]
    ours, theirs = getattr(errors, name), getattr(openai, name)
    server.reply(Status(status, "No.", code="nope"))
    with pytest.raises(theirs) as raised:
        ask(server, kind, decorator)
    error: Any = raised.value
    assert isinstance(error, ours)
    assert isinstance(error, above)
    assert isinstance(error, errors.FerroscopeError)
    assert (type(error).__name__, error.status_code, error.code) == (name, status, "nope")
    assert "No." in error.message
    assert error.response.status_code == status
    assert error.request.method == "POST"
    assert isinstance(error.body, dict)
    assert error.body["message"] == "No."
    assert error.body["code"] == "nope"


def test_no_connection_is_the_sdks_exception_and_ours(kind: str, server: ProviderServer) -> None:
    server.reply(HangUp())
    with pytest.raises(openai.APIConnectionError) as raised:
        ask(server, kind)
    assert isinstance(raised.value, errors.APIConnectionError)
    assert not isinstance(raised.value, errors.APITimeoutError)
    assert raised.value.__cause__ is not None


def test_no_answer_in_time_is_the_sdks_exception_and_ours(kind: str, server: ProviderServer) -> None:
    server.reply(SlowHeaders("Hello", seconds=0.5))
    with pytest.raises(openai.APITimeoutError) as raised:
        ask(server, kind, timeout=0.1)
    assert isinstance(raised.value, errors.APITimeoutError)


@pytest.mark.parametrize("kind", ["sync stream", "async stream"])
def test_errors_inside_a_stream_are_in_the_tree_too(kind: str, server: ProviderServer) -> None:
    server.reply(Cut(Answer(Text("Hello there, all of you")), at=700), StreamError("Hello there", after=2))
    with pytest.raises(errors.APIConnectionError) as broken:
        ask(server, kind)
    assert isinstance(broken.value, openai.APIConnectionError)
    assert isinstance(broken.value, errors.StreamInterruptedError)
    assert broken.value.partial is not None
    with pytest.raises(errors.APIError) as reported:
        ask(server, kind)
    assert isinstance(reported.value, errors.ProviderStreamError)
    assert isinstance(reported.value, openai.APIError)


def test_the_common_classes_are_names_of_the_package() -> None:
    for name in errors.__all__:
        assert getattr(ferroscope, name) is getattr(errors, name)


@pytest.mark.parametrize(
    ("members", "ours"),
    [
        ({"status_code": 429}, errors.RateLimitError),
        ({"code": 503}, errors.InternalServerError),
        ({"code": 451}, errors.APIStatusError),
        ({"code": "nope"}, None),
        ({}, None),
    ],
)
def test_an_sdk_with_names_of_its_own_is_known_by_the_status(members: dict[str, Any], ours: type | None) -> None:
    class ClientError(Exception):
        __module__ = "some_sdk.errors"

    error = ClientError("no")
    vars(error).update(members)
    unify_exception(error, "some_sdk.client")
    found = [kind for kind in type(error).__mro__ if kind.__module__ == "ferroscope.errors"]
    assert isinstance(error, ClientError)
    assert str(error) == "no"
    assert (ours in found) if ours else (found == [])
    if isinstance(error, errors.APIStatusError):
        assert error.status_code in (429, 503, 451, 403)


def test_what_is_no_error_of_the_sdk_is_left_alone(server: ProviderServer) -> None:
    class NotFoundError(Exception):
        status_code = 404

    class Client:
        class chat:
            class completions:
                @staticmethod
                def create(**kwargs: Any) -> Any:
                    raise NotFoundError

    with pytest.raises(NotFoundError) as raised:
        llm.call("openai", "m", client=Client())(lambda: "Hi")()
    assert type(raised.value) is NotFoundError
