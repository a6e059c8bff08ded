"""The call decorators (`openai.call`, `anthropic.call`, ...): one implementation for every provider's record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, Signature
from typing import Any, cast

from .._mapping import add_map
from .drive import Flow, adrive, drive
from .flow import flow
from .options import OPTIONS_DOC, CallOptions, check_options, read_model
from .plan import CallPlan, plan_call
from .provider import AUTO, Provider


def call_decorator(provider: Provider) -> Any:  # Any: a `CallDecorator` of the provider's own classes
    """Return the provider's decorator; `_engine.typing.CallDecorator` is its type."""
    name = f"{provider.name}.call"

    # Any model and any options: both are checked here, with errors that name what to write.
    def call(*args: object, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        model = read_model(args, options, name)
        check_options(options, name)
        return lambda fn: _decorated(fn, provider, model, options)

    def call_of_several(
        *args: object, api: str = AUTO, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        if api != AUTO:
            options["call_params"] = {"api": api, **(options.get("call_params") or {})}
        return call(*args, **options)

    decorator: Any = call_of_several if provider.apis else call  # Any: attributes are left on it
    decorator.__signature__ = _signature(provider)
    decorator.__name__ = decorator.__qualname__ = f"{provider.name}_call"
    decorator.__doc__ = f"""Turn a function that returns a prompt into a call of {provider.name}.

The function keeps its parameters, and whether it is async.

Args:
    model: The name of the model.
{OPTIONS_DOC}
{_api_doc(provider)}"""
    return decorator


def _decorated(
    fn: Callable[..., Any],
    provider: Provider,
    model: str,
    options: dict[str, Any],  # Any: as of `call`
) -> Callable[..., Any]:
    call: Any = run_plan(plan_call(fn, provider, model, cast("CallOptions", options)), fn)
    # `ferroscope serve` makes both kinds of a call: streamed and whole.
    call._options = options
    call._with_options = lambda **changes: _decorated(fn, provider, model, {**options, **changes})
    return call  # type: ignore[no-any-return]


def _signature(provider: Provider) -> Signature:
    """Return the signature that `help` shows: the model, and every option by name."""
    parameters = [Parameter("model", Parameter.POSITIONAL_OR_KEYWORD, annotation="str")]
    if provider.apis:
        parameters.append(Parameter("api", Parameter.KEYWORD_ONLY, default=AUTO, annotation="str"))
    options = Parameter("options", Parameter.VAR_KEYWORD, annotation="Unpack[CallOptions]")
    return Signature([*parameters, options], return_annotation="Callable[[Callable[..., Any]], Callable[..., Any]]")


def _api_doc(provider: Provider) -> str:
    if not provider.apis:
        return ""
    names = ", ".join(f"`{name}`" for name in (provider.api, *provider.apis))
    return f"    api: The API ({names}); by default the model and the call parameters choose it.\n"


def run_plan(plan: CallPlan, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the parameters of `fn` that makes the planned call."""
    call = run_steps(partial(flow, plan), fn, plan.model, is_async=plan.prompt.is_async)
    add_map(call, lambda: plan)
    return call


def run_steps(
    steps: Callable[[tuple[Any, ...], dict[str, Any]], Flow], fn: Callable[..., Any], model: str, *, is_async: bool
) -> Callable[..., Any]:
    """Return a function with the parameters of `fn` that runs the steps of a call with its arguments."""
    inner: Any  # Any: attributes are set on it

    if is_async:

        @wraps(fn)
        async def inner_async(*args: Any, **kwargs: Any) -> Any:
            return await adrive(steps(args, kwargs))

        inner = inner_async
    else:

        @wraps(fn)
        def inner_sync(*args: Any, **kwargs: Any) -> Any:
            return drive(steps(args, kwargs))

        inner = inner_sync
    inner._model = model
    add_map(inner)
    inner.__mirascope_call__ = True  # read by integrations written for v1
    return inner  # type: ignore[no-any-return]
