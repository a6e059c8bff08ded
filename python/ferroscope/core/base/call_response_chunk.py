"""A chunk of a streamed response, in the form that all providers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, cast

from typing_extensions import TypeVar

from ..._core import token_counts
from ._responses.identity import NO_PROVIDER, Identity
from ._responses.token_counts import TokenProperties, read_token_counts
from ._responses.user_provider import UserProvider, claim, counts_json
from .types import FinishReason, Provider

_ChunkT = TypeVar("_ChunkT", default=Any)
_FinishReasonT = TypeVar("_FinishReasonT", default=str)


class ChunkEvent(Protocol):
    """An event of the stream, as the core emits it."""

    @property
    def content(self) -> str:
        """The text that the event adds."""
        ...

    @property
    def data(self) -> bytes:
        """The event's data as JSON text."""
        ...


class BaseCallResponseChunk(TokenProperties, Generic[_ChunkT, _FinishReasonT], ABC):
    """A chunk of a streamed response.

    Only `content` is available at once. The SDK's own object is created on the first access to any other property.
    """

    __slots__ = ("_chunk", "_event")

    _chunk: _ChunkT | None
    _record: ClassVar[Identity] = NO_PROVIDER
    _provider: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: class keywords of any base
        super().__init_subclass__(**kwargs)
        claim(cls)

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
    def _read(cls, data: bytes) -> _ChunkT:
        """Return the SDK's object for the data of an event, in classes whose chunks the core decodes."""
        raise NotImplementedError(f"`{cls.__name__}` is created with `chunk=`; it cannot decode the data of an event")

    @property
    def content(self) -> str:
        """The text that the chunk adds; empty if it has none."""
        return self._event.content if self._event is not None else self._content()

    def _content(self) -> str:
        """Return the text of a chunk that was created from an SDK object."""
        raise NotImplementedError(f"`{type(self).__name__}` must define the property `content`")

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return f"{type(self).__name__}(content={self.content!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.chunk == getattr(other, "chunk", None)

    __hash__ = None  # type: ignore[assignment]  # like pydantic models: equal by value, so not hashable

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.chunk)

    def model_dump(self) -> dict[str, object]:
        """Return the chunk and its properties as plain values."""
        chunk: Any = self.chunk  # Any: a model or a dict, depending on the SDK
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
        """The finish reasons of choices that end with this chunk, as the provider reports them; None if none ends."""

    @property
    @abstractmethod
    def model(self) -> str | None:
        """The name of the model that responds."""

    @property
    @abstractmethod
    def id(self) -> str | None:
        """The provider's id of the response."""

    @property
    @abstractmethod
    def usage(self) -> object:
        """The token counts as the provider reports them, in the chunk that contains them."""

    @property
    def _token_counts(self) -> Mapping[str, int | None]:
        record = self._record
        if isinstance(record, UserProvider) and record.has_counts:
            return token_counts(counts_json(self))
        return read_token_counts(self.usage)

    @property
    @abstractmethod
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reasons of choices that end with this chunk, in the common vocabulary; None if none ends."""


def _rebuild(kind: type[AnyCallResponseChunk], chunk: object) -> AnyCallResponseChunk:
    return kind(chunk=chunk)


AnyCallResponseChunk: TypeAlias = BaseCallResponseChunk[Any, Any]
"""A chunk of any provider."""
