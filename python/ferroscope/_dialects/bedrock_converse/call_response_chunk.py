"""A chunk of a stream in the Converse format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypeVar

from ...core.base.call_response_chunk import BaseCallResponseChunk
from ...core.base.types import FinishReason as CommonFinishReason
from .blobs import read_event
from .call_response import common_finish_reasons, request_id
from .types import Usage

if TYPE_CHECKING:
    from ...core.base.call_response_chunk import ChunkEvent
    from .stream import Head

_ChunkT = TypeVar("_ChunkT", default=dict[str, Any])  # Any: JSON of the API
_FinishReasonT = TypeVar("_FinishReasonT", default=str)


class ConverseCallResponseChunk(BaseCallResponseChunk[_ChunkT, _FinishReasonT], Generic[_ChunkT, _FinishReasonT]):
    """A chunk in the Converse format; `chunk` is the event of the SDK, with `model` and `responseMetadata` added."""

    __slots__ = ("_head",)

    def __init__(
        self, _event: ChunkEvent | None = None, *, chunk: _ChunkT | None = None, head: Head | None = None
    ) -> None:
        self._event = _event
        self._chunk = chunk
        self._head = head

    @property
    def chunk(self) -> _ChunkT:
        """The event of the SDK, with the model of the request and the metadata of the response."""
        if self._chunk is None:
            event: Any = self._read(b"{}" if self._event is None else self._event.data)
            if self._head is not None:
                event.update(self._head.members)
            self._chunk = event
        return cast("_ChunkT", self._chunk)

    @classmethod
    def _read(cls, data: bytes) -> _ChunkT:
        event: Any = read_event(data)
        chunk: _ChunkT = event
        return chunk

    def _member(self, *path: str) -> Any:  # Any: JSON of the API
        value: Any = self.chunk
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _content(self) -> str:
        return self._member("contentBlockDelta", "delta", "text") or ""

    @property
    def thinking(self) -> str:
        """The reasoning in the chunk; empty if it has none."""
        return self._member("contentBlockDelta", "delta", "reasoningContent", "text") or ""

    @property
    def signature(self) -> str:
        """The signature of the reasoning in the chunk; empty if it has none."""
        return self._member("contentBlockDelta", "delta", "reasoningContent", "signature") or ""

    @property
    def finish_reasons(self) -> list[_FinishReasonT] | None:
        """The stop reason, in the chunk that carries it; None in others."""
        reason = self._member("messageStop", "stopReason")
        return [reason] if reason else None

    @property
    def model(self) -> str | None:
        """The model of the request, because events do not name it."""
        return self._member("model")  # type: ignore[no-any-return]

    @property
    def id(self) -> str | None:
        """The id of the request, from the header of the response."""
        return request_id(self._member("responseMetadata"))

    @property
    def usage(self) -> Usage | None:
        """The token counts, in the chunk that carries them; None in others."""
        return self._member("metadata", "usage")  # type: ignore[no-any-return]

    @property
    def common_finish_reasons(self) -> list[CommonFinishReason] | None:
        """The stop reason in common terms; None if it has no common form."""
        return common_finish_reasons(self.finish_reasons)  # type: ignore[arg-type]  # the values are strings
