"""Keys do not come out where nobody looks for them: in what is printed, logged, pickled or raised."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.core.base import BaseMessageParam
from ferroscope.testing import Answer, Cut, Status, Text

from .conftest import Caller

SECRET = "sk-very-secret-key"
HEADERS = {"x-tenant-key": SECRET}
PARAMS = {"extra_headers": HEADERS, "max_tokens": 100}


@pytest.fixture(autouse=True)
def _secret_key(caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv(caller.row.key_variable, SECRET)
    caplog.set_level(logging.DEBUG)


def logged_by_us(caplog: pytest.LogCaptureFixture) -> str:
    """What the SDKs log of their requests is theirs to answer for."""
    return "".join(record.getMessage() for record in caplog.records if record.name.startswith("ferroscope"))


def now() -> str:
    """Tells the time."""
    return "noon"


def prompt() -> Any:
    message = BaseMessageParam(role="user", content="Say hello")
    return {"messages": [message], "call_params": PARAMS}


def plain_prompt() -> Any:
    return {"messages": prompt()["messages"]}


def prompt_of(caller: Caller) -> Any:
    """A prompt with a key in its headers, where the SDK takes headers of a call."""
    return prompt if caller.wire.takes_headers else plain_prompt


def test_responses_do_not_show_the_headers_of_their_calls(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    if not caller.wire.takes_headers:
        pytest.skip("a call has no headers of its own")
    caller.server.reply("Hello", "Hello")
    stream = caller.stream(prompt, call_params=PARAMS)
    assert caller.server.requests[-1].headers["x-tenant-key"] == SECRET
    response = caller.call(prompt, call_params=PARAMS)
    for shown in (response, stream, stream.construct_call_response(), stream._run, stream._run._call):
        assert SECRET not in repr(shown) + str(shown)
    assert SECRET not in logged_by_us(caplog)
    assert response.call_kwargs["extra_headers"] == HEADERS  # whoever asks for them gets them


def test_pickled_responses_leave_the_keys_behind(caller: Caller) -> None:
    caller.server.reply("Hello")
    response = caller.call(prompt_of(caller), call_params=PARAMS if caller.wire.takes_headers else {})
    pickled = pickle.dumps(response)
    assert SECRET.encode() not in pickled
    assert pickle.loads(pickled).content == "Hello"
    if caller.wire.takes_headers:
        assert response.call_kwargs["extra_headers"] == HEADERS


def test_json_has_neither_keys_nor_clients(caller: Caller) -> None:
    """v1 could not write a response with a client, tools or any object of the program's among what was handed in."""
    client = caller.wire.client(caller.kind, caller.server.base_url(caller.row.url_name), SECRET)

    class Librarian:
        def ask(self, image: bytes, used: object) -> Any:
            return {**prompt_of(caller)(), "tools": [now], "client": client}

    caller.server.reply("Hello")
    response = caller.decorate(Librarian.ask)(Librarian(), b"\x89PNG", client)
    written = response.model_dump_json()
    dumped = json.loads(written)
    assert SECRET not in written
    assert dumped["content"] == "Hello"
    assert dumped["dynamic_config"]["tools"] == [f"<{__name__}.now>"]
    assert "client" not in dumped["dynamic_config"]
    name = f"<{type(client).__module__}.{type(client).__qualname__}>"
    assert {**dumped["fn_args"], "self": None} == {"self": None, "image": "iVBORw==", "used": name}
    caller.run(lambda: caller.wire.close(client), lambda: caller.aclose(client))


def test_errors_tell_no_key_and_travel_without_it(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caller.server.reply(Cut(Answer(Text("word " * 200)), at=3000, how="close"), Status(401, "Wrong key."))
    raised: list[Exception] = []
    for expected in (errors.StreamInterruptedError, errors.AuthenticationError):
        with pytest.raises(expected) as caught:
            caller.stream(prompt_of(caller))
        raised.append(caught.value)
    for error in raised:
        shown = repr(error) + str(error) + "".join(traceback.format_exception(error))
        assert SECRET not in shown + repr(getattr(error, "partial", None))
        pickled = pickle.dumps(error)
        assert SECRET.encode() not in pickled
        again = pickle.loads(pickled)
        if caller.wire.has_classes:
            assert type(again) is type(error)
        assert type(again).__name__ == type(error).__name__
        assert isinstance(again, errors.StreamInterruptedError | errors.AuthenticationError)
        assert str(again) == str(error)
    interrupted = pickle.loads(pickle.dumps(raised[0]))
    assert interrupted.partial.content.startswith("word ")
    assert pickle.loads(pickle.dumps(raised[1])).status_code == 401
    assert SECRET not in logged_by_us(caplog)
