"""A chunk of a chat-completions stream, read from the SDK's object."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from typing_extensions import TypeVar

from ..._lazy import load_name
from ...core.base.call_response_chunk import BaseCallResponseChunk
from ...core.base.types import FinishReason
from ..sdk_model import member, read_model
from .call_response import common_finish_reasons, thinking, usage_of, word

if TYPE_CHECKING:
    from openai.types.completion_usage import CompletionUsage

_ChunkT = TypeVar("_ChunkT", default=Any)
_FinishReasonT = TypeVar("_FinishReasonT", default=str)


class ChatCallResponseChunk(BaseCallResponseChunk[_ChunkT, _FinishReasonT], Generic[_ChunkT, _FinishReasonT]):
    """A chunk in the chat-completions format, for any provider."""

    __slots__ = ()

    _sdk_type: ClassVar[str] = "openai.types.chat:ChatCompletionChunk"
    """The SDK's class of chunks, as `"module:name"`."""

    @classmethod
    def _read(cls, data: bytes) -> _ChunkT:
        chunk: _ChunkT = read_model(load_name(cls._sdk_type), data)
        return chunk

    @property
    def _any(self) -> Any:  # Any: the SDK's `ChatCompletionChunk`, or one like it
        return self.chunk

    @property
    def _delta(self) -> Any:
        choices = self._any.choices
        return getattr(choices[0], "delta", None) if choices else None

    def _content(self) -> str:
        content = getattr(self._delta, "content", None)
        return content if isinstance(content, str) else ""

    @property
    def finish_reasons(self) -> list[_FinishReasonT] | None:
        """The finish reasons in this chunk; None if it has none."""
        choices = self._any.choices or []
        found = [word(reason) for choice in choices if (reason := getattr(choice, "finish_reason", None))]
        return cast("list[_FinishReasonT]", found) or None

    @property
    def model(self) -> str | None:
        """The name of the model."""
        return getattr(self._any, "model", None)

    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return getattr(self._any, "id", None)

    @property
    def usage(self) -> CompletionUsage | None:
        """The provider's usage object, in the chunk that carries it; None in others."""
        return usage_of(self._any, self._record.quirks)

    @property
    def thinking(self) -> str:
        """The reasoning in this chunk, from servers that show it; empty otherwise."""
        return thinking(self._delta, self._record.quirks)

    @property
    def audio(self) -> bytes | None:
        """The audio in this chunk; None if there is none."""
        data = member(getattr(self._delta, "audio", None), "data")
        return base64.b64decode(data) if data else None

    @property
    def audio_transcript(self) -> str | None:
        """The transcript in this chunk; it may arrive before its audio."""
        return cast("str | None", member(getattr(self._delta, "audio", None), "transcript"))

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reasons in common terms."""
        return common_finish_reasons(cast("list[str] | None", self.finish_reasons), self._record.quirks)
