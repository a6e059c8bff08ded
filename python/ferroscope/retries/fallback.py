"""Fallbacks to other models when a call fails."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, NotRequired, Protocol, Required, TypeVar, cast, overload

from typing_extensions import ParamSpec, TypedDict

from .. import llm
from .._coroutine_function import coroutine_function
from .._engine.drive import Flow, Outcome, Step, adrive, captured, drive
from .._engine.succession import SuccessiveRun
from .._mapping import add_map
from ..core.base._prompts.plan import fn_is_async
from ..core.base.call_params import CommonCallParams
from ..core.base.retry import Attempt
from ..core.base.structured_stream import BaseStructuredStream
from ..errors import FerroscopeError
from ..llm._context import Layers, current_layers, in_force

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Any: calls have the parameters and results of their functions, and clients are objects of any SDK.


class FallbackDecorator(Protocol):
    """A decorator that adds fallbacks to a call. The parameters stay the same, and the call stays sync or async."""

    @overload
    def __call__(self, fn: Callable[_P, Coroutine[Any, Any, _R]]) -> Callable[_P, Coroutine[Any, Any, _R]]: ...
    @overload
    def __call__(self, fn: Callable[_P, _R]) -> Callable[_P, _R]: ...


class Fallback(TypedDict):
    """A model to fall back to.

    Attributes:
        catch: The exceptions after which the next model is called.
        provider: The name of the provider.
        model: The name of the model.
        call_params: The call parameters; by default those of the call.
        client: The SDK client; by default the provider's default client.
    """

    catch: Required[type[Exception] | tuple[type[Exception], ...]]
    provider: Required[str]
    model: Required[str]
    call_params: NotRequired[CommonCallParams | None]
    client: NotRequired[Any]


class FallbackError(FerroscopeError):
    """The call and all its fallbacks failed.

    The cause is the last exception; the context of each exception is the one before it.

    Attributes:
        caught: The exceptions, in the order of the calls.
    """

    def __init__(self, message: str, caught: Sequence[Exception] = ()) -> None:
        super().__init__(message)
        self.caught = list(caught)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.caught)


def fallback(catch: type[Exception] | tuple[type[Exception], ...], fallbacks: Sequence[Fallback]) -> FallbackDecorator:
    """Return a decorator that calls other models in turn when a call fails.

    The result of a fallback has the list of earlier exceptions as its attribute `_caught`. A stream falls back until
    its first item has been yielded; after that, its errors are raised.

    Args:
        catch: The exceptions of the call itself after which the first fallback is called. Other exceptions are raised.
        fallbacks: The models to call, in order.

    Raises:
        TypeError: The function is a call to a fixed provider; use `llm.call`. Raised at decoration.
        FallbackError: The call and all fallbacks failed. Raised by the call, or by reading its stream.

    Example:
        ```python
        from ferroscope import RateLimitError, llm
        from ferroscope.retries import fallback


        @fallback(
            RateLimitError,
            [{"catch": RateLimitError, "provider": "anthropic", "model": "claude-haiku-4-5"}],
        )
        @llm.call("openai", "gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        print(recommend_book("fantasy").content)
        # > The Name of the Wind
        ```
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        if hasattr(fn, "__mirascope_call__") and not hasattr(fn, "_original_fn"):
            name = getattr(fn, "__qualname__", fn)
            raise TypeError(f"fallback() requires a call that can change its provider: decorate {name} with `llm.call`")
        is_async = fn_is_async(fn)

        def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Attempts:
            return _Attempts(fn, is_async, catch, iter(fallbacks), args, kwargs, current_layers())

        if is_async:

            def start(*args: Any, **kwargs: Any) -> Any:
                return adrive(prepare(args, kwargs).result(partial(fn, *args, **kwargs)))

            call = coroutine_function(start, fn)
        else:

            @wraps(fn)
            def inner(*args: Any, **kwargs: Any) -> Any:
                return drive(prepare(args, kwargs).result(partial(fn, *args, **kwargs)))

            call = inner
        add_map(call)
        return call

    return cast("FallbackDecorator", decorate)


@dataclass(slots=True)
class _Attempts:
    """One call and its fallbacks.

    Attributes:
        fn: The call.
        is_async: Whether the call is async.
        catch: The exceptions of the latest attempt after which the next one is made.
        left: The models that have not been called yet.
        args: The arguments of the call.
        kwargs: The keyword arguments.
        layers: The changes of `llm.context` and `llm.override` that were in force when the call was made.
        caught: The exceptions so far.
    """

    fn: Callable[..., Any]
    is_async: bool
    catch: type[Exception] | tuple[type[Exception], ...]
    left: Iterator[Fallback]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    layers: Layers
    caught: list[Exception] = field(default_factory=list)

    def result(self, step: Step) -> Flow:
        """Yield the steps of the call, and return its result."""
        outcome: Outcome = yield captured(partial(self._in_context, step), is_async=self.is_async)
        result = outcome.value
        if outcome.error is not None:
            result = yield from self.after(outcome.error)
        return _falling_back(result, self)

    def after(self, error: Exception) -> Flow:
        """Yield the steps of the fallbacks after an exception, and return the result of the first one that succeeds."""
        while True:
            self._keep(error)
            backup = next(self.left, None)
            if backup is None:
                raise FallbackError(f"All fallbacks failed:\n{self.caught}", self.caught) from error
            self.catch = backup["catch"]
            outcome: Outcome = yield captured(partial(self._in_context, self._call_of(backup)), is_async=self.is_async)
            if outcome.error is None:
                _set_caught(outcome.value, self.caught)
                return outcome.value
            error = outcome.error

    def _keep(self, error: Exception) -> None:
        if not isinstance(error, self.catch):
            raise error
        if self.caught and error.__context__ is None:
            error.__context__ = self.caught[-1]
        self.caught.append(error)

    def _call_of(self, backup: Fallback) -> Step:
        override: Any = llm.override  # its overloads require options of known types
        call = override(
            self.fn,
            provider=backup["provider"],
            model=backup["model"],
            call_params=backup.get("call_params"),
            client=backup.get("client"),
        )
        return partial(call, *self.args, **self.kwargs)

    def _in_context(self, step: Step) -> Any:
        with in_force(self.layers):
            return step()


def _set_caught(result: Any, caught: list[Exception]) -> None:
    try:
        result._caught = caught
    except (AttributeError, TypeError):  # an object of a builtin type has no attributes
        pass


# ---- streams, whose requests are sent when they are read


def _falling_back(result: Any, attempts: _Attempts) -> Any:
    """Add the fallbacks to a stream; other results are returned as they are."""
    if isinstance(result, llm.Stream | BaseStructuredStream):
        vars(result)["_run"] = SuccessiveRun(_Runs(result, attempts))
    return result


class _Runs:
    """The runs of a stream and of its fallbacks."""

    def __init__(self, stream: Any, attempts: _Attempts) -> None:
        self.run = stream._run
        self._stream = stream
        self._attempts = attempts

    def admission(self) -> Flow:
        yield from ()

    def finish(self) -> None:
        """Nothing is left to note."""

    def attempts(self) -> tuple[Attempt, ...]:
        attempts: tuple[Attempt, ...] = getattr(self.run, "attempts", ())
        return attempts

    def following(self, error: Exception, handed_out: bool) -> Flow:
        if handed_out:
            raise error
        other = yield from self._attempts.after(error)
        self.run = other._run
        _become(self._stream, other)


def _become(stream: Any, other: Any) -> None:
    """Replace the state of a stream with that of another one."""
    kept = {"_run": stream._run}
    if isinstance(stream, BaseStructuredStream):
        _become(stream.stream, other.stream)
        # The inner stream can also be read on its own.
        stream.stream._run = other.stream._run
        kept["stream"] = stream.stream
    vars(stream).update({**vars(other), **kept})
