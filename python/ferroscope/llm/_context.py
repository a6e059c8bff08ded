"""Calls made elsewhere: with another model, another client, other parameters, while a `with` block runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .._scopes import ReentrantScope, Scopes
from ._options import Change, Options

if TYPE_CHECKING:
    from typing import Self

    from ..core.base.call_params import BaseCallParams, CommonCallParams
    from ..core.base.types import LocalProvider, Provider


@dataclass(frozen=True, slots=True)
class Layer:
    """A change that is in force, and for which function.

    Attributes:
        change: The change.
        target: The prompt function whose call it is for; the others see only its settings. None means all.
    """

    change: Change
    target: Callable[..., Any] | None

    def apply(self, options: Options, fn: Callable[..., Any]) -> Options:
        """The options of the call of a function, changed."""
        change = self.change if self.target is None or self.target is fn else self.change.settings()
        return change.apply(options)


Layers: TypeAlias = tuple[Layer, ...]

_SCOPES: Final = Scopes[Layer]("ferroscope.llm.context")

current_layers = _SCOPES.active
"""Return the changes in force here, the outermost first."""

in_force = _SCOPES.replaced
"""Make exactly these changes in force inside a `with` block."""


class LLMContext:
    """What `llm.context` gives: changes that are in force inside a `with` block."""

    __slots__ = ("_change", "_scope")

    def __init__(self, change: Change) -> None:
        self._change = change
        self._scope = ReentrantScope(_SCOPES, Layer(change, None))

    @property
    def provider(self) -> str | None:
        """The provider that is called inside the block."""
        return self._change.provider

    @property
    def model(self) -> str | None:
        """The model that is asked inside the block."""
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
) -> LLMContext:
    """Has the `llm` calls inside a `with` block made with another model.

    It is in force where it was entered: in this thread, or in this task and the tasks started inside the
    block. An async call keeps the context in which it was called, wherever it is awaited; a stream keeps that
    of its call. To carry it into a thread of your own, run `contextvars.copy_context().run` there
    (`asyncio.to_thread` does).

    Args:
        provider: The provider to call.
        model: The model to ask.
        client: The client to call with; by default the provider's. A client that a decorator or an outer
            block gave serves only its own provider.
        call_params: Replaces the call parameters.

    Raises:
        ValueError: Only one of provider and model is given.

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
    return LLMContext(Change.of(provider, model, client=client, call_params=call_params))
