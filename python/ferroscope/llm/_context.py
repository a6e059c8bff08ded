"""`llm.context`: another model, client or parameters for the calls inside a `with` block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .._engine.option_checks import check_values
from .._scopes import ReentrantScope, Scopes
from ._options import Change, Options

if TYPE_CHECKING:
    from typing import Self

    from ..cache import Cache
    from ..core.base.call_params import BaseCallParams, CommonCallParams
    from ..core.base.retry import RateLimit, Retry
    from ..core.base.types import LocalProvider, Provider


@dataclass(frozen=True, slots=True)
class Layer:
    """A change of call options, and the function that it applies to.

    Attributes:
        change: The change.
        target: The prompt function whose call is changed; nested calls get only the settings of the change (client,
            parameters). None applies the whole change to all calls.
    """

    change: Change
    target: Callable[..., Any] | None

    def apply(self, options: Options, fn: Callable[..., Any]) -> Options:
        """Return the options of a function's call with this change applied."""
        change = self.change if self.target is None or self.target is fn else self.change.settings()
        return change.apply(options)


Layers: TypeAlias = tuple[Layer, ...]

_SCOPES: Final = Scopes[Layer]("ferroscope.llm.context")

current_layers = _SCOPES.active
"""Return the changes in force in the current context, the outermost first."""

in_force = _SCOPES.replaced
"""Replace the changes in force inside a `with` block."""


class LLMContext:
    """The context manager that `llm.context` returns."""

    __slots__ = ("_change", "_scope")

    def __init__(self, change: Change) -> None:
        self._change = change
        self._scope = ReentrantScope(_SCOPES, Layer(change, None))

    @property
    def provider(self) -> str | None:
        """The provider of the calls inside the block."""
        return self._change.provider

    @property
    def model(self) -> str | None:
        """The model of the calls inside the block."""
        return self._change.model

    def __enter__(self) -> Self:
        self._scope.enter()
        return self

    def __exit__(self, *exc_info: object) -> Literal[False]:
        self._scope.exit()
        return False

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *exc_info: object) -> Literal[False]:
        return self.__exit__()


def context(
    *,
    provider: Provider | LocalProvider,
    model: str,
    client: object | None = None,
    call_params: CommonCallParams | BaseCallParams | None = None,
    retry: int | Retry | None = None,
    rate_limit: RateLimit | None = None,
    cache: Cache | Literal["memory"] | None = None,
) -> LLMContext:
    """Change the model, client or parameters of the `llm` calls inside a `with` block.

    The change is in force in the thread or task that enters the block, and in tasks that are started inside the block.
    An async call uses the context in which it was called, wherever it is awaited; a stream uses the context of its
    call. To use the change in another thread, run `contextvars.copy_context().run` there (`asyncio.to_thread` does).

    Args:
        provider: The name of the provider.
        model: The name of the model.
        client: The SDK client to use; by default the provider's. A client from a decorator or an outer block is only
            used for its own provider.
        call_params: The call parameters; they replace those of the decorator.
        retry: How often a request may be sent after failures: a number, or a `Retry`.
        rate_limit: How much may be sent in a minute.
        cache: A cache that answers repeated requests.

    Raises:
        ValueError: Only one of `provider` and `model` is passed.

    Example:
        ```python
        from ferroscope import llm


        @llm.call(provider="openai", model="gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        with llm.context(provider="anthropic", model="claude-3-5-sonnet-latest"):
            response = recommend_book("fantasy")
        ```
    """
    if bool(provider) != bool(model):
        raise ValueError("Provider and model must both be specified if either is specified.")
    check_values({"client": client, "call_params": call_params}, "llm.context")
    change = Change.of(
        provider, model, client=client, call_params=call_params, retry=retry, rate_limit=rate_limit, cache=cache
    )
    return LLMContext(change)
