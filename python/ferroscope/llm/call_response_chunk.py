"""The chunk of a streamed `llm` call, the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.base.call_response_chunk import AnyCallResponseChunk, BaseCallResponseChunk, ChunkEvent
from ..core.base.types import FinishReason, Usage


class CallResponseChunk(BaseCallResponseChunk[object, FinishReason]):
    """A chunk of a streamed response, in the form that all providers share.

    Attributes that only the provider's chunk has can be read from it too.
    """

    __slots__ = ("_provider_chunk",)

    # Any: each provider's own class.
    _kind: ClassVar[type[AnyCallResponseChunk]]

    def __init__(
        self,
        _event: ChunkEvent | None = None,
        *,
        response: AnyCallResponseChunk | None = None,
        head: object = None,
    ) -> None:
        if head is not None:  # of the streams of a provider whose events do not name the response
            response = self._kind(_event, head=head)  # type: ignore[call-arg]
        self._event = _event
        self._chunk = None
        self._provider_chunk = response

    @property
    def _response(self) -> AnyCallResponseChunk:
        """The chunk in the provider's own class."""
        if self._provider_chunk is None:
            self._provider_chunk = self._kind(self._event)
        return self._provider_chunk

    @property
    def chunk(self) -> object:
        """The SDK's own chunk object."""
        return self._response.chunk

    @classmethod
    def _read(cls, data: bytes) -> Any:
        return cls._kind._read(data)

    def _content(self) -> str:
        return self._response.content

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self._response,)

    @property
    def finish_reasons(self) -> list[FinishReason] | None:
        """The finish reasons of the choices that end with this chunk; None if no choice ends."""
        return self._response.common_finish_reasons

    @property
    def model(self) -> str | None:
        """The name of the model that responds."""
        return self._response.model

    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return self._response.id

    @property
    def usage(self) -> Usage | None:
        """The token counts of the call, in the chunk that reports them; None in the others."""
        return self._response.common_usage

    @property
    def _token_counts(self) -> Mapping[str, int | None]:
        return self._response._token_counts

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The same as `finish_reasons`."""
        return self._response.common_finish_reasons

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name.startswith("__") or name in ("_kind", "_provider_chunk"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return getattr(self._response, name)


def _rebuild(chunk: AnyCallResponseChunk) -> CallResponseChunk:
    return CallResponseChunk(response=chunk)
