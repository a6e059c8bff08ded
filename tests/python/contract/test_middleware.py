"""Hooks around calls: which one runs, with what, and when."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import errors
from ferroscope.core.base import BaseCallResponse, BaseStream
from ferroscope.core.base.structured_stream import BaseStructuredStream
from ferroscope.integrations import middleware_factory
from ferroscope.testing import Answer, Cut, Status, Text

from .conftest import Caller

HOOKS = ("call_response", "stream", "response_model", "structured_stream")
EMMA = Answer(Text('{"title": "Emma"}'))


class Book(BaseModel):
    title: str


class Log(list[Any]):
    """What happened, in order."""

    @contextmanager
    def manager(self, fn: Callable[..., Any]) -> Generator[str, None, None]:
        self.append(("enter", fn.__name__))
        try:
            yield "context"
        except BaseException as error:
            self.append(("exit", type(error).__name__))
            raise
        else:
            self.append(("exit", None))

    def middleware(self, kind: str, *hooks: str, error: Any = None) -> Callable[[Any], Any]:
        suffix = "" if kind == "sync" else "_async"
        chosen: dict[str, Any] = {f"handle_{name}{suffix}": self.hook(kind, name) for name in hooks or HOOKS}
        if error is not None:
            chosen[f"handle_error{suffix}"] = self.hook(kind, "error", error)
        return middleware_factory(custom_context_manager=self.manager, **chosen)

    def hook(self, kind: str, name: str, action: Any = lambda error: None) -> Any:
        def sync(result: Any, fn: Any, context: Any) -> Any:
            self.append((name, result, fn.__name__, context))
            return action(result) if name == "error" else None

        async def asynchronous(result: Any, fn: Any, context: Any) -> Any:
            return sync(result, fn, context)

        return sync if kind == "sync" else asynchronous


@pytest.fixture
def log() -> Log:
    return Log()


def hello() -> str:
    return "Say hello"


def refuse(error: Exception) -> Any:
    raise RuntimeError("translated") from error


def test_a_response_reaches_its_hook_inside_the_context(caller: Caller, log: Log) -> None:
    caller.server.reply(Answer("Hello"))
    response = caller.decorate(hello, around=log.middleware(caller.kind))()
    assert isinstance(response, BaseCallResponse)
    assert response.content == "Hello"
    assert log == [("enter", "hello"), ("call_response", response, "hello", "context"), ("exit", None)]


def test_a_response_model_reaches_its_hook(caller: Caller, log: Log) -> None:
    caller.server.reply(EMMA)
    book = caller.decorate(hello, around=log.middleware(caller.kind), response_model=Book, json_mode=True)()
    assert book == Book(title="Emma")
    assert log == [("enter", "hello"), ("response_model", book, "hello", "context"), ("exit", None)]


def test_a_response_reaches_no_hook_of_response_models(caller: Caller, log: Log) -> None:
    caller.server.reply(Answer("Hello"))
    caller.decorate(hello, around=log.middleware(caller.kind, "response_model"))()
    assert log == [("enter", "hello"), ("exit", None)]


@pytest.mark.parametrize("way", ["pairs", "text", "events", "collect"])
def test_the_hook_of_a_stream_runs_when_the_stream_has_ended(caller: Caller, log: Log, way: str) -> None:
    caller.server.reply(Answer(Text("Hello", ["Hel", "lo"])))
    stream = caller.decorate(hello, around=log.middleware(caller.kind), stream=True)()
    assert isinstance(stream, BaseStream)
    assert log == [("enter", "hello")]
    if way == "collect":
        caller.run(stream.collect, stream.acollect)
    else:
        caller.consume({"pairs": lambda: stream, "text": stream.text, "events": stream.events}[way]())
    assert log == [("enter", "hello"), ("stream", stream, "hello", "context"), ("exit", None)]
    assert stream.construct_call_response().content == "Hello"


def test_the_hook_of_a_structured_stream_runs_with_the_whole_model(caller: Caller, log: Log) -> None:
    caller.server.reply(EMMA)
    around = log.middleware(caller.kind)
    stream = caller.decorate(hello, around=around, stream=True, response_model=Book, json_mode=True)()
    assert isinstance(stream, BaseStructuredStream)
    caller.consume(stream)
    assert log == [("enter", "hello"), ("structured_stream", stream, "hello", "context"), ("exit", None)]
    assert stream.constructed_response_model == Book(title="Emma")


def test_a_stream_that_is_left_runs_its_hook_once(caller: Caller, log: Log) -> None:
    caller.server.reply(Answer(Text("word " * 50)))
    stream = caller.decorate(hello, around=log.middleware(caller.kind, error=refuse), stream=True)()

    def sync() -> None:
        with stream:
            for chunk, _ in stream:
                if chunk.content:
                    break

    async def asynchronous() -> None:
        async with stream:
            async for chunk, _ in stream:
                if chunk.content:
                    break

    caller.run(sync, asynchronous)
    assert log == [("enter", "hello"), ("stream", stream, "hello", "context"), ("exit", None)]


def test_an_error_without_its_hook_passes_and_exits_the_context(caller: Caller, log: Log) -> None:
    caller.server.reply(Status(400, "No."))
    with pytest.raises(errors.APIStatusError) as caught:
        caller.decorate(hello, around=log.middleware(caller.kind))()
    assert log == [("enter", "hello"), ("exit", type(caught.value).__name__)]


def test_what_the_hook_of_errors_returns_is_the_result(caller: Caller, log: Log) -> None:
    caller.server.reply(Status(400, "No."))
    result = caller.decorate(hello, around=log.middleware(caller.kind, error=lambda error: "instead"))()
    assert result == "instead"
    assert [entry[0] for entry in log] == ["enter", "error", "exit"]
    assert isinstance(log[1][1], errors.APIStatusError)
    assert log[2] == ("exit", None)


def test_the_hook_of_errors_may_raise_another(caller: Caller, log: Log) -> None:
    caller.server.reply(Status(400, "No."))
    with pytest.raises(RuntimeError, match="translated"):
        caller.decorate(hello, around=log.middleware(caller.kind, error=refuse))()
    assert [entry[0] for entry in log] == ["enter", "error", "exit"]
    assert log[2] == ("exit", "RuntimeError")


@pytest.mark.parametrize("action", [lambda error: None, refuse], ids=["handled", "translated"])
def test_an_error_in_a_stream_reaches_both_hooks(caller: Caller, log: Log, action: Any) -> None:
    caller.server.reply(Cut(Answer(Text("word " * 500)), at=9000, how="close"))
    stream = caller.decorate(hello, around=log.middleware(caller.kind, error=action), stream=True)()
    if action is refuse:
        with pytest.raises(RuntimeError, match="translated"):
            caller.consume(stream)
    else:
        caller.consume(stream)
    assert [entry[0] for entry in log] == ["enter", "error", "stream", "exit"]
    assert isinstance(log[1][1], errors.StreamError)
    assert log[3] == ("exit", "RuntimeError" if action is refuse else None)
    assert stream.content.startswith("word")


def test_an_error_in_a_hook_exits_the_context(caller: Caller, log: Log) -> None:
    caller.server.reply(Answer("Hello"))

    def fail(*args: Any) -> Any:
        raise ValueError("hook")

    suffix = "" if caller.kind == "sync" else "_async"
    around = middleware_factory(custom_context_manager=log.manager, **{f"handle_call_response{suffix}": fail})
    with pytest.raises(ValueError, match="hook"):
        caller.decorate(hello, around=around)()
    assert log == [("enter", "hello"), ("exit", "ValueError")]


def test_an_interrupt_exits_the_context_once(caller: Caller, log: Log) -> None:
    def interrupted() -> str:
        raise KeyboardInterrupt

    call = caller.decorate(interrupted, around=log.middleware(caller.kind, error=lambda error: "instead"))
    with pytest.raises(KeyboardInterrupt):
        call()
    assert log == [("enter", "interrupted"), ("exit", "KeyboardInterrupt")]


def test_a_custom_decorator_wraps_the_call_and_the_iteration(caller: Caller, log: Log) -> None:
    caller.server.reply(Answer("Hello"))

    def decorator(fn: Any) -> Any:
        def wrap(inner: Any) -> Any:
            def traced(*args: Any, **kwargs: Any) -> Any:
                log.append((fn.__name__, inner.__name__))
                return inner(*args, **kwargs)

            return traced

        return wrap

    stream = caller.decorate(hello, around=middleware_factory(custom_decorator=decorator), stream=True)()
    assert "".join(chunk.content for chunk, _ in caller.consume(stream)) == "Hello"
    assert [name for name, _ in log] == ["hello", "hello"]


def test_the_function_keeps_its_name_and_documentation(caller: Caller, log: Log) -> None:
    def documented() -> str:
        """Say hello."""
        return "Say hello"

    names: list[Any] = []

    def around(call: Any) -> Any:
        wrapped = log.middleware(caller.kind)(call)
        names.append((wrapped.__name__, wrapped.__doc__, wrapped.__mirascope_call__))
        return wrapped

    caller.decorate(documented, around=around)
    assert names == [("documented", "Say hello.", True)]
