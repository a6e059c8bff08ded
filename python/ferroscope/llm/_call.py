"""`llm.call`: turn a prompt function into a call to any provider."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Unpack, cast

from .._coroutine_function import coroutine_function
from .._engine.drive import adrive, drive
from .._engine.flow import flow
from .._engine.option_checks import check_function
from .._engine.options import OPTIONS_DOC, CallOptions, check_model, check_options, check_provider
from .._engine.plan import CallPlan, plan_call, render_params
from .._mapping import add_map
from ..core._registry import provider_and_model
from ..core.base._prompts.plan import plan_prompt
from ..core.base._suggestions import function_name
from ..errors import MissingExtraError
from ._common_view import common_view_record
from ._context import Layers, current_layers, in_force
from ._options import Options

if TYPE_CHECKING:
    from .._engine.typing import AgnosticCallDecorator
    from .call_response import CallResponse
    from .stream import Stream

# A program calls a function with few different options. The limit bounds the memory of one that does not.
_MAX_PLANS = 64


class PlannedFunction:
    """A prompt function, with a cache of the plans of its calls."""

    __slots__ = ("_own_plan", "_plans", "fn", "is_async", "options")

    def __init__(self, fn: Callable[..., Any], options: Options) -> None:
        self.fn = fn
        self.options = options
        self.is_async = plan_prompt(fn).is_async
        self._plans: dict[object, CallPlan] = {}
        self._own_plan: CallPlan | None = None
        # The first call raises it instead: that call may use another provider.
        if options.provider is not None:
            with suppress(MissingExtraError):
                self._own_plan = self._plan(options)

    def plan(self, layers: Layers) -> CallPlan:
        """Return the plan of a call under the given changes."""
        if not layers:
            if self._own_plan is None:
                self._own_plan = self._plan(self.options)
            return self._own_plan
        options = self.options
        for layer in layers:
            options = layer.apply(options, self.fn)
        return self._plan(options)

    def _plan(self, options: Options) -> CallPlan:
        try:
            key = options.key()
            known = self._plans.get(key)
        except TypeError:  # an option is not hashable
            return self._with_settings(self._make(options), options)
        if known is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans = {}
            known = self._plans[key] = self._make(options)
        return self._with_settings(known, options)

    def _make(self, options: Options) -> CallPlan:
        if options.provider is None or options.model is None:
            raise ValueError(
                f"llm.call() of `{function_name(self.fn)}` has no provider (provider={options.provider!r}, "
                f"model={options.model!r}): name both, or make the call inside `llm.context(provider=..., model=...)`"
            )
        return plan_call(self.fn, common_view_record(options.provider), options.model, options.planned())

    def _with_settings(self, plan: CallPlan, options: Options) -> CallPlan:
        client, call_params = options.call.get("client"), options.call.get("call_params")
        if client is None and call_params is None:
            return plan
        call_params = call_params if call_params is not None else {}
        params = render_params(call_params, plan.provider)
        return replace(plan, client=client, call_params=call_params, params=params)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make a sync call."""
        return drive(flow(self.plan(current_layers()), args, kwargs))

    async def arun(self, layers: Layers, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make an async call under the given changes, also where other changes are in force."""
        if layers is current_layers():
            return await adrive(flow(self.plan(layers), args, kwargs))
        with in_force(layers):
            return await adrive(flow(self.plan(layers), args, kwargs))


def _call(
    provider: str | None, model: str | None = None, **call_options: Unpack[CallOptions]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    check_provider(provider, model)
    # Often read from the environment: without a provider the module can be imported, and a call raises.
    if provider is not None:
        provider, model = provider_and_model(provider, model)
        check_model(model, "llm.call")
    check_options(call_options, "llm.call")
    options = Options(provider, model, call_options)

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        check_function(fn, "llm.call")
        planned = PlannedFunction(fn, options)
        call: Any  # Any: attributes are set on it

        if planned.is_async:

            def start(*args: Any, **kwargs: Any) -> Any:
                return planned.arun(current_layers(), args, kwargs)

            call = coroutine_function(start, fn)
        else:

            @wraps(fn)
            def inner(*args: Any, **kwargs: Any) -> Any:
                return planned.run(args, kwargs)

            call = inner

        def with_options(**changes: Any) -> Callable[..., Any]:
            changed: dict[str, Any] = {**call_options, **changes}
            return _call(provider, model, **changed)(fn)

        call._model = model
        add_map(call, lambda: planned.plan(current_layers()))
        call._original_fn = fn
        call._original_call_args = options.as_dict()
        call._options = call_options
        call._with_options = with_options
        call.__mirascope_call__ = True  # read by integrations written for v1
        return cast("Callable[..., Any]", call)

    return decorate


_call.__name__ = _call.__qualname__ = "call"
_call.__doc__ = f"""Turn a function that returns a prompt into a call to any provider.

Args:
    provider: The provider (`"openai"`), or provider and model (`"openai/gpt-4o-mini"`).
    model: The name of the model.
{OPTIONS_DOC}
"""

call = cast("AgnosticCallDecorator[CallResponse, Stream]", _call)
"""Turn a function that returns a prompt into a call to any provider.

The decorated function keeps its parameters and stays sync or async. It returns an `llm.CallResponse`, unless
`stream`, `response_model` or `output_parser` changes the result.

Args:
    provider: The provider (`"openai"`), or provider and model (`"openai/gpt-4o-mini"`).
    model: The name of the model.
    stream: Whether the response is streamed; the call then returns an `llm.Stream`. A `StreamConfig` sets options of
        the stream.
    tools: The tools that the model may call: functions, tool classes, pydantic models.
    response_model: The type that the response is parsed into.
    output_parser: A function that converts the `llm.CallResponse`; the call returns its result.
    json_mode: Whether the model must respond with JSON.
    client: The SDK client to use; by default a client that is created once and reused.
    call_params: The parameters that all providers share, or the provider's own.

Raises:
    ValueError: The provider is unknown, or two options exclude each other.
    ferroscope.errors.MissingExtraError: The provider's SDK is not installed; raised by the call.

Example:
    ```python
    from ferroscope import llm


    @llm.call(provider="openai", model="gpt-4o-mini")
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"


    print(recommend_book("fantasy").content)
    ```
"""
