"""`llm.override`: a call like another, but for what is changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Unpack, cast

from .._coroutine_function import coroutine_function
from .._engine.options import CallOptions, check_options
from ..core.base._prompts.plan import fn_is_async
from ._context import Layer, current_layers, in_force
from ._options import Change

if TYPE_CHECKING:
    from .._engine.typing import CallOverride
    from .call_response import CallResponse
    from .stream import Stream

# Where an overriding function keeps what it overrides and how, for whoever overrides it again.
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
    check_options(call_options, "llm.override")
    change = Change.of(provider, model, **call_options)
    fn, target = provider_agnostic_call, getattr(provider_agnostic_call, "_original_fn", None)
    added: tuple[Layer, ...] = (Layer(change, target),)
    known = getattr(fn, _OVERRIDDEN, None)
    if known is not None and known[0] is fn:
        # Changes of a changed call come last, or the older ones would undo them.
        _, fn, before = known
        added = (*before, *added)

    call: Any  # Any: attributes are left on it
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
    return cast("Callable[..., Any]", call)


_override.__name__ = _override.__qualname__ = "override"
_override.__doc__ = "Returns a call like the given one, but made with another provider, model, stream, …"

override = cast("CallOverride[CallResponse, Stream]", _override)
"""Returns a call like the given one, but made with another provider, model, stream, response model, …

What is not given stays as it is, with these exceptions, so that the type of the result is always known: of
`stream`, `response_model` and `output_parser`, giving one takes away the other two, and a `response_model` takes
away the tools. `call_params` are replaced, not merged. A client is used for the provider that it was given with:
with another provider and no client, that provider's default client is used.

Calls that the prompt function makes itself are made with the same provider, model, client and parameters; what
is made of their answers stays their own. An override counts more than an `llm.context` around it.

Args:
    provider_agnostic_call: A function decorated with `llm.call`, or any function that calls such functions.
    provider: The provider to call; goes with `model`.
    model: The model to ask; goes with `provider`.
    stream: Whether the answer is streamed.
    tools: What the model may call.
    response_model: What the answer is made into.
    output_parser: What the response is handed to.
    json_mode: Whether the answer is to be JSON.
    client: The client to call with.
    call_params: The call parameters.

Raises:
    ValueError: Only one of provider and model is given.

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
