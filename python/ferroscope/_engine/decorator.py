"""The call decorators (`openai.call`, `anthropic.call`, ...): one implementation for every provider's record."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Unpack

from .drive import adrive, drive
from .flow import flow
from .options import OPTIONS_DOC, CallOptions, check_model, check_options
from .plan import CallPlan, plan_call
from .provider import AUTO, Provider


def call_decorator(provider: Provider) -> Any:  # Any: a `CallDecorator` of the provider's own classes
    """Return the provider's decorator; `_engine.typing.CallDecorator` is its type."""
    name = f"{provider.name}.call"

    def call(model: str, **options: Unpack[CallOptions]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        check_model(model, name)
        check_options(options, name)
        return lambda fn: run_plan(plan_call(fn, provider, model, options), fn)

    def call_of_several(
        model: str, *, api: str = AUTO, **options: Unpack[CallOptions]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        if api != AUTO:
            options["call_params"] = {"api": api, **(options.get("call_params") or {})}
        return call(model, **options)

    decorator = call_of_several if provider.apis else call
    decorator.__name__ = decorator.__qualname__ = f"{provider.name}_call"
    decorator.__doc__ = f"""Turn a function that returns a prompt into a call of {provider.name}.

The function keeps its parameters, and whether it is async.

Args:
    model: The name of the model.
{OPTIONS_DOC}
{_api_doc(provider)}"""
    return decorator


def _api_doc(provider: Provider) -> str:
    if not provider.apis:
        return ""
    names = ", ".join(f"`{name}`" for name in (provider.api, *provider.apis))
    return f"    api: The API ({names}); by default the model and the call parameters choose it.\n"


def run_plan(plan: CallPlan, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the parameters of `fn` that makes the planned call."""
    inner: Any  # Any: attributes are set on it

    if plan.prompt.is_async:

        @wraps(fn)
        async def inner_async(*args: Any, **kwargs: Any) -> Any:
            return await adrive(flow(plan, args, kwargs))

        inner = inner_async
    else:

        @wraps(fn)
        def inner_sync(*args: Any, **kwargs: Any) -> Any:
            return drive(flow(plan, args, kwargs))

        inner = inner_sync
    inner._model = plan.model
    inner.__mirascope_call__ = True  # read by integrations written for v1
    return inner  # type: ignore[no-any-return]
