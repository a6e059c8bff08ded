"""Calls made elsewhere: with another model, another client, other parameters, while a `with` block runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

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
        owner: What put it there, and takes it away again.
    """

    change: Change
    target: Callable[..., Any] | None
    owner: object

    def apply(self, options: Options, fn: Callable[..., Any]) -> Options:
        """The options of the call of a function, changed."""
        change = self.change if self.target is None or self.target is fn else self.change.settings()
        return change.apply(options)


Layers: TypeAlias = tuple[Layer, ...]

_layers: ContextVar[Layers] = ContextVar("ferroscope.llm.context", default=())


def current_layers() -> Layers:
    """The changes in force here, the outermost first."""
    return _layers.get()


@contextmanager
def in_force(layers: Layers) -> Iterator[None]:
    """Has exactly these changes in force."""
    before = _layers.get()
    _layers.set(layers)
    try:
        yield
    finally:
        _layers.set(before)


class LLMContext:
    """What `llm.context` gives: changes that are in force inside a `with` block."""

    __slots__ = ("_change",)

    def __init__(self, change: Change) -> None:
        self._change = change

    @property
    def provider(self) -> str | None:
        """The provider that is called inside the block."""
        return self._change.provider

    @property
    def model(self) -> str | None:
        """The model that is asked inside the block."""
        return self._change.model

    def __enter__(self) -> Self:
        _layers.set((*_layers.get(), Layer(self._change, None, self)))
        return self

    def __exit__(self, *exc_info: object) -> Literal[False]:
        # Not back to what was there before: blocks in generators that take turns end in any order, and
        # each must take away its own layer only.
        layers = _layers.get()
        for index in reversed(range(len(layers))):
            if layers[index].owner is self:
                _layers.set(layers[:index] + layers[index + 1 :])
                break
        return False


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
    return LLMContext(Change(provider=provider or None, model=model or None, client=client, call_params=call_params))
