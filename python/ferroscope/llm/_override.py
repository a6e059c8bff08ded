"""`llm.override`: derive a call from another one, with changed options."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import TYPE_CHECKING, Any, Unpack, cast

from .._coroutine_function import coroutine_function
from .._engine.options import CallOptions, check_options
from .._mapping import add_map, planned
from ..core.base._prompts.callers import callers_level
from ..core.base._prompts.plan import fn_is_async
from ..core.base._suggestions import function_name, shortened
from ._context import Layer, current_layers, in_force
from ._options import Change

if TYPE_CHECKING:
    from .._engine.override_typing import CallOverride
    from .._engine.plan import CallPlan
    from .call_response import CallResponse
    from .stream import Stream

# The attribute of an overriding function that records the original call and its changes.
_OVERRIDDEN = "__ferroscope_override__"


def _override(
    provider_agnostic_call: Callable[..., Any],
    *,
    provider: str | None = None,
    model: str | None = None,
    **call_options: Unpack[CallOptions],
) -> Callable[..., Any]:
    if bool(provider) != bool(model):
        raise ValueError("Provider and model must both be overridden if either is overridden.")
    check_options(call_options, "llm.override", ("provider", "model"))
    check_overridable(provider_agnostic_call)
    change = Change.of(provider, model, **call_options)
    fn, target = provider_agnostic_call, getattr(provider_agnostic_call, "_original_fn", None)
    added: tuple[Layer, ...] = (Layer(change, target),)
    known = getattr(fn, _OVERRIDDEN, None)
    if known is not None and known[0] is fn:
        # The newest changes come last, so that they win over the older ones.
        _, fn, before = known
        added = (*before, *added)

    call: Any  # Any: attributes are set on it
    if fn_is_async(fn):

        async def run(layers: tuple[Layer, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            with in_force(layers):
                return await fn(*args, **kwargs)

        def start(*args: Any, **kwargs: Any) -> Any:
            return run((*current_layers(), *added), args, kwargs)

        call = coroutine_function(start, fn)
    else:

        @wraps(fn)
        def inner(*args: Any, **kwargs: Any) -> Any:
            with in_force((*current_layers(), *added)):
                return fn(*args, **kwargs)

        call = inner
    setattr(call, _OVERRIDDEN, (call, fn, added))
    _add_map(call, fn, added)
    return cast("Callable[..., Any]", call)


def _add_map(call: Callable[..., Any], fn: Callable[..., Any], added: tuple[Layer, ...]) -> None:
    """Add the method `map` to a function that overrides another one."""
    original = planned(fn)
    if original is None:
        add_map(call)
        return

    def scope() -> AbstractContextManager[object]:
        return in_force((*current_layers(), *added))

    def plan() -> CallPlan:
        with scope():
            return original.plan()

    add_map(call, plan, scope)


def check_overridable(fn: object) -> None:
    """Check that a function can be overridden.

    Raises:
        TypeError: It is not a function.
    """
    if not callable(fn):
        raise TypeError(f"llm.override() takes a function that `llm.call` decorates, not {shortened(fn)}")
    if getattr(fn, "__mirascope_call__", False) and not hasattr(fn, "_original_fn"):
        warnings.warn(
            f"llm.override() does not change `{function_name(fn)}`, which is a call of one provider: decorate it with "
            "`llm.call` instead",
            UserWarning,
            stacklevel=callers_level(),
        )


_override.__name__ = _override.__qualname__ = "override"
_override.__doc__ = "Return a call like the given one with another provider, model or other options."

override = cast("CallOverride[CallResponse, Stream]", _override)
"""Return a call like the given one with another provider, model or other options.

Options that are left out stay as they are, with two exceptions, which keep the type of the result predictable:
`stream`, `response_model` and `output_parser` exclude each other, so setting one removes the other two; and a
`response_model` removes the tools. `call_params` are replaced, not merged. A client belongs to the provider that it
was passed with: with another provider and no client, that provider's default client is used.

Calls inside the prompt function use the same provider, model, client and parameters, but keep their own result
options. An override takes precedence over an enclosing `llm.context`.

Args:
    provider_agnostic_call: A function decorated with `llm.call`, or any function that calls such functions.
    provider: The name of the provider; requires `model`.
    model: The name of the model; requires `provider`.
    stream: Whether the response is streamed.
    tools: The tools that the model may call.
    response_model: The type that the response is parsed into.
    output_parser: A function that converts the response.
    json_mode: Whether the model must respond with JSON.
    client: The SDK client to use.
    call_params: The call parameters.

Raises:
    ValueError: Only one of `provider` and `model` is passed.

Example:
    ```python
    from ferroscope import llm


    @llm.call(provider="openai", model="gpt-4o-mini")
    def recommend_book(genre: str) -> str:
        return f"Recommend a {genre} book"


    ask_claude = llm.override(recommend_book, provider="anthropic", model="claude-3-5-sonnet-latest")
    print(ask_claude("fantasy").content)
    ```
"""
