"""Middleware around calls: hooks that run with the result of a call, or when its stream has ended.

```python
from ferroscope.integrations import middleware_factory

saved = []

with_saving = middleware_factory(handle_call_response=lambda response, fn, context: saved.append(response.cost))
```
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from .._mapping import add_map
from ..core.base.call_response import AnyCallResponse, BaseCallResponse
from ..core.base.stream import AnyStream, BaseStream
from ..core.base.structured_stream import BaseStructuredStream
from ..core.base.types import BaseType

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")

# Any: the wrapped function has any parameters and any of the results of a call.
_Fn: TypeAlias = Callable[..., Any]
_ResponseModel: TypeAlias = BaseModel | BaseType
_Steps: TypeAlias = Generator[Callable[[], Any], Any, Any]
_BASE_TYPES = (str, int, float, bool, bytes, list, set, tuple, dict)


@contextmanager
def default_context_manager(fn: _Fn) -> Generator[None, None, None]:
    """Yield None: the context of hooks without a context manager."""
    yield None


def middleware_factory(
    *,
    custom_context_manager: Callable[[_Fn], AbstractContextManager[_T]] = default_context_manager,  # type: ignore[assignment]  # `_T` is None then
    custom_decorator: Callable[[_Fn], Callable[[_Fn], _Fn]] | None = None,
    handle_call_response: Callable[[AnyCallResponse, _Fn, _T | None], None] | None = None,
    handle_call_response_async: Callable[[AnyCallResponse, _Fn, _T | None], Awaitable[None]] | None = None,
    handle_stream: Callable[[AnyStream, _Fn, _T | None], None] | None = None,
    handle_stream_async: Callable[[AnyStream, _Fn, _T | None], Awaitable[None]] | None = None,
    handle_response_model: Callable[[_ResponseModel, _Fn, _T | None], None] | None = None,
    handle_response_model_async: Callable[[_ResponseModel, _Fn, _T | None], Awaitable[None]] | None = None,
    handle_structured_stream: Callable[[BaseStructuredStream[Any], _Fn, _T | None], None] | None = None,
    handle_structured_stream_async: Callable[[BaseStructuredStream[Any], _Fn, _T | None], Awaitable[None]]
    | None = None,
    handle_error: Callable[[Exception, _Fn, _T | None], Any] | None = None,
    handle_error_async: Callable[[Exception, _Fn, _T | None], Awaitable[Any]] | None = None,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that runs hooks around calls.

    Every hook is called with the result (or the error), the decorated function and the value of the context manager.
    Sync calls run the hooks without `_async`, async calls those with it. The context manager is entered before the
    call and exits once, after the hooks. The hooks of streams run when iteration ends: at the end of the stream,
    when the loop is left, and after an error.

    Args:
        custom_context_manager: Makes the context manager of one call from the function.
        custom_decorator: Makes, from the function, a decorator for the wrapped call and for the iteration of streams.
        handle_call_response: Runs with each response.
        handle_call_response_async: The same for async calls.
        handle_stream: Runs with each stream that has ended.
        handle_stream_async: The same for async calls.
        handle_response_model: Runs with each instance of a response model.
        handle_response_model_async: The same for async calls.
        handle_structured_stream: Runs with each structured stream that has ended.
        handle_structured_stream_async: The same for async calls.
        handle_error: Runs with an exception. Its result is the result of the call; in a stream it ends the iteration.
        handle_error_async: The same for async calls.

    Example:
        ```python
        from ferroscope.core import openai
        from ferroscope.integrations import middleware_factory


        def print_cost(response, fn, context):
            print(fn.__name__, response.cost)


        @middleware_factory(handle_call_response=print_cost)
        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """
    sync = _Hooks(handle_call_response, handle_stream, handle_response_model, handle_structured_stream, handle_error)
    asynchronous = _Hooks(
        handle_call_response_async,
        handle_stream_async,
        handle_response_model_async,
        handle_structured_stream_async,
        handle_error_async,
    )

    def decorate(fn: _Fn) -> _Fn:
        inner: _Fn
        if iscoroutinefunction(fn):

            @wraps(fn)
            async def inner_async(*args: Any, **kwargs: Any) -> Any:
                scope = _Scope(fn, custom_context_manager(fn), custom_decorator, asynchronous)
                return await _adrive(scope.call(args, kwargs))

            inner = inner_async
        else:

            @wraps(fn)
            def inner_sync(*args: Any, **kwargs: Any) -> Any:
                scope = _Scope(fn, custom_context_manager(fn), custom_decorator, sync)
                return _drive(scope.call(args, kwargs))

            inner = inner_sync
        call = custom_decorator(fn)(inner) if custom_decorator is not None else inner
        if hasattr(fn, "map"):
            add_map(call)
        return call

    return cast("Callable[[Callable[_P, _R]], Callable[_P, _R]]", decorate)


@dataclass(frozen=True, slots=True)
class _Hooks:
    """The hooks of calls of one kind, sync or async."""

    call_response: Callable[..., Any] | None
    stream: Callable[..., Any] | None
    response_model: Callable[..., Any] | None
    structured_stream: Callable[..., Any] | None
    error: Callable[..., Any] | None

    def of(self, result: object) -> Callable[..., Any] | None:
        """Return the hook for a result."""
        if isinstance(result, BaseCallResponse):
            return self.call_response
        if isinstance(result, BaseStream):
            return self.stream
        if isinstance(result, BaseStructuredStream):
            return self.structured_stream
        return self.response_model if isinstance(result, (BaseModel, *_BASE_TYPES)) else None


class _Scope(Generic[_T]):
    """The hooks and the context manager around one call, until its result or the end of its stream."""

    def __init__(
        self,
        fn: _Fn,
        manager: AbstractContextManager[_T],
        decorator: Callable[[_Fn], Callable[[_Fn], _Fn]] | None,
        hooks: _Hooks,
    ) -> None:
        self._fn = fn
        self._manager = manager
        self._decorator = decorator
        self._hooks = hooks
        self._context: _T | None = None
        self._stream: AnyStream | BaseStructuredStream[Any] | None = None
        self._exited = False

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Steps:
        """Make the call, and run the hook for its result."""
        self._context = self._manager.__enter__()
        try:
            try:
                result = yield partial(self._fn, *args, **kwargs)
            except Exception as error:
                if self._hooks.error is None:
                    raise
                result = yield partial(self._hooks.error, error, self._fn, self._context)
            else:
                if isinstance(result, (BaseStream, BaseStructuredStream)):
                    self._follow(result)
                    return result
                hook = self._hooks.of(result)
                if hook is not None:
                    yield partial(hook, result, self._fn, self._context)
        except BaseException as error:
            self._exit(error)
            raise
        self._exit(None)
        return result

    def _follow(self, stream: Any) -> None:  # Any: a stream of either kind, whose run is replaced
        self._stream = stream
        run = stream._run = _FollowedRun(stream._run, self)
        kind = type(stream)
        if methods := run.own_iteration(kind):
            stream.__class__ = kind = _subclass(kind, methods)
        if self._decorator is not None:
            # As in v1, a decorator such as a tracer's sees the iteration as a generator function.
            methods = {name: self._decorator(self._fn)(_iteration(kind, name)) for name in ("__iter__", "__aiter__")}
            stream.__class__ = _subclass(kind, methods)

    def end(self, error: BaseException | None) -> _Steps:
        """Run the hooks of a stream that has ended, once; returns whether a hook has handled the error."""
        if self._exited:
            return False
        self._exited = True
        handled = False
        try:
            if isinstance(error, Exception) and self._hooks.error is not None:
                yield partial(self._hooks.error, error, self._fn, self._context)
                handled = True
        except Exception as raised:
            error = raised
            raise
        finally:
            hook = self._hooks.of(self._stream)
            try:
                if hook is not None:
                    yield partial(hook, self._stream, self._fn, self._context)
            except Exception as raised:
                handled, error = False, raised
                raise
            finally:
                self._exit(None if handled else error)
        return handled

    def _exit(self, error: BaseException | None) -> None:
        left = isinstance(error, GeneratorExit)  # the program left the loop, which is no failure
        if error is None or left:
            self._manager.__exit__(None, None, None)
        else:
            self._manager.__exit__(type(error), error, error.__traceback__)


class _FollowedRun:
    """The run of a stream, with hooks at its end."""

    def __init__(self, run: Any, scope: _Scope[Any]) -> None:  # Any: the run of either kind of stream
        self._run = run
        self._scope = scope

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def iterate(self, *args: Any) -> Generator[Any, None, None]:
        return self._follow(self._run.iterate(*args))

    def texts(self) -> Generator[str, None, None]:
        return self._follow(self._run.texts())

    def events(self) -> Generator[Any, None, None]:
        return self._follow(self._run.events())

    def aiterate(self, *args: Any) -> AsyncGenerator[Any, None]:
        return self._afollow(self._run.aiterate(*args))

    def atexts(self) -> AsyncGenerator[str, None]:
        return self._afollow(self._run.atexts())

    def aevents(self) -> AsyncGenerator[Any, None]:
        return self._afollow(self._run.aevents())

    def collect(self) -> AnyCallResponse:
        return cast("AnyCallResponse", _drive(self._collect(self._run.collect)))

    async def acollect(self) -> AnyCallResponse:
        return cast("AnyCallResponse", await _adrive(self._collect(self._run.acollect)))

    def close(self) -> None:
        self._run.close()
        _drive(self._scope.end(None))

    async def aclose(self) -> None:
        await self._run.aclose()
        await _adrive(self._scope.end(None))

    def own_iteration(self, kind: type[Any]) -> dict[str, _Fn]:
        """Return the methods of a program's stream class that iterates by itself, followed by the hooks."""
        methods: dict[str, _Fn] = {}
        for name, follow in (("__iter__", self._follow), ("__aiter__", self._afollow)):
            method: Any = getattr(kind, name)
            if not method.__module__.startswith(BaseStream.__module__.partition(".")[0]):
                methods[name] = _followed(method, follow)
        return methods

    def _follow(self, items: Generator[Any, None, None]) -> Generator[Any, None, None]:
        try:
            yield from items
        except BaseException as error:
            if not _drive(self._scope.end(error)):
                raise
        else:
            _drive(self._scope.end(None))

    async def _afollow(self, items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(items):
                async for item in items:
                    yield item
        except BaseException as error:
            if not await _adrive(self._scope.end(error)):
                raise
        else:
            await _adrive(self._scope.end(None))

    def _collect(self, collect: Callable[[], Any]) -> _Steps:
        try:
            response = yield collect
        except BaseException as error:
            if not (yield from self._scope.end(error)):
                raise
            return self._run.response()
        yield from self._scope.end(None)
        return response


def _followed(method: _Fn, follow: Callable[[Any], Any]) -> _Fn:
    def iteration(self: Any) -> Any:
        return follow(method(self))

    return iteration


def _subclass(kind: type[Any], methods: Mapping[str, _Fn]) -> type[Any]:
    return type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__})


def _iteration(kind: type[Any], name: str) -> _Fn:
    """Return a method of a stream class as a generator function."""
    method = getattr(kind, name)
    if name == "__iter__":

        def iterate(self: Any) -> Generator[Any, None, None]:
            yield from method(self)

        return iterate

    async def aiterate(self: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(method(self)) as items:
            async for item in items:
                yield item

    return aiterate


def _drive(steps: _Steps) -> Any:
    """Run the steps of a sync call; an exception of a step is raised inside the generator."""
    try:
        step = next(steps)
        while True:
            try:
                result = step()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return end.value


async def _adrive(steps: _Steps) -> Any:
    """Run the steps of an async call, and await what they return."""
    try:
        step = next(steps)
        while True:
            try:
                result = step()
                if isawaitable(result):
                    result = await result
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return end.value
