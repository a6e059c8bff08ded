"""`openai.call`, `anthropic.call`, …: one decorator, filled in by a provider's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from ..core.base.stream_config import StreamConfig
from ..core.base.tool import BaseTool
from .flow import adrive, drive, flow
from .plan import CallPlan, plan_call
from .provider import Provider


def call_decorator(provider: Provider) -> Any:  # Any: a `CallDecorator` of the provider's own classes
    """Return the provider's decorator; `_engine.typing.CallDecorator` is its type."""

    def call(
        model: str,
        *,
        stream: bool | StreamConfig = False,
        tools: Sequence[type[BaseTool] | Callable[..., Any]] | None = None,
        response_model: Any | None = None,
        output_parser: Callable[[Any], Any] | None = None,
        json_mode: bool = False,
        client: object | None = None,
        call_params: Mapping[str, Any] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
            plan = plan_call(
                fn,
                provider,
                model,
                stream=stream,
                tools=tools,
                response_model=response_model,
                output_parser=output_parser,
                json_mode=json_mode,
                client=client,
                call_params=call_params,
            )
            return run_plan(plan, fn)

        return decorate

    call.__name__ = call.__qualname__ = f"{provider.name}_call"
    call.__doc__ = f"Turns a function that returns a prompt into a call of {provider.name}."
    return call


def run_plan(plan: CallPlan, fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the parameters of `fn` that makes the planned call."""
    inner: Any  # Any: attributes are left on it

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
