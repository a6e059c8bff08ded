"""A piece of a streamed answer, in the shape that all providers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, cast

from typing_extensions import TypeVar

from ._responses.identity import NO_PROVIDER, Identity
from ._responses.token_counts import TokenProperties, read_token_counts
from .types import FinishReason, Provider

_ChunkT = TypeVar("_ChunkT", default=Any)
_FinishReasonT = TypeVar("_FinishReasonT", default=str)


class ChunkEvent(Protocol):
    """What a chunk stands for: an event of the stream, as the core hands it out."""

    @property
    def content(self) -> str:
        """Text that the event added."""
        ...

    @property
    def data(self) -> bytes:
        """The event's data, JSON text."""
        ...


class BaseCallResponseChunk(TokenProperties, Generic[_ChunkT, _FinishReasonT], ABC):
    """A piece of a streamed answer.

    It costs next to nothing until more than `content` is asked for: the SDK's own object is made then.
    """

    __slots__ = ("_chunk", "_event")

    _chunk: _ChunkT | None
    _record: ClassVar[Identity] = NO_PROVIDER

    def __init__(self, _event: ChunkEvent | None = None, *, chunk: _ChunkT | None = None) -> None:
        self._event = _event
        self._chunk = chunk

    @property
    def provider(self) -> Provider:
        """The name of the provider."""
        return cast("Provider", self._record.name)

    @property
    def chunk(self) -> _ChunkT:
        """The SDK's own chunk object."""
        if self._chunk is None:
            self._chunk = self._read(b"{}" if self._event is None else self._event.data)
        return self._chunk

    @classmethod
    @abstractmethod
    def _read(cls, data: bytes) -> _ChunkT:
        """The SDK's object for the data of an event."""

    @property
    def content(self) -> str:
        """Text that the chunk added; empty if it has none."""
        return self._event.content if self._event is not None else self._content()

    @abstractmethod
    def _content(self) -> str:
        """The text of a chunk that was made of an SDK's object."""

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return f"{type(self).__name__}(content={self.content!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.chunk == getattr(other, "chunk", None)

    __hash__ = None  # type: ignore[assignment]  # as pydantic models: equal by value, so not hashable

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.chunk)

    def model_dump(self) -> dict[str, object]:
        """The chunk and what is read from it, as plain values."""
        chunk: Any = self.chunk  # Any: SDKs give models or dicts
        return {
            "chunk": chunk.model_dump() if hasattr(chunk, "model_dump") else chunk,
            "content": self.content,
            "finish_reasons": self.finish_reasons,
            "model": self.model,
            "id": self.id,
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "output_tokens": self.output_tokens,
        }

    @property
    @abstractmethod
    def finish_reasons(self) -> list[_FinishReasonT] | None:
        """Why choices ended with this chunk, in the provider's own words; None if none did."""

    @property
    @abstractmethod
    def model(self) -> str | None:
        """The model that answers."""

    @property
    @abstractmethod
    def id(self) -> str | None:
        """The provider's id of the response."""

    @property
    @abstractmethod
    def usage(self) -> Any:  # Any: each provider's own object
        """The provider's own account of the tokens, in the chunk that brings it."""

    @property
    def _token_counts(self) -> Mapping[str, int | None]:
        return read_token_counts(self.usage)

    @property
    @abstractmethod
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """Why choices ended, in the words that all providers share."""


def _rebuild(kind: type[AnyCallResponseChunk], chunk: object) -> AnyCallResponseChunk:
    return kind(chunk=chunk)


AnyCallResponseChunk: TypeAlias = BaseCallResponseChunk[Any, Any]
"""A chunk of whichever provider."""
