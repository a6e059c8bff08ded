"""A chunk of a stream of Anthropic's Messages API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from ..._lazy import load_name
from ...core.base.call_response_chunk import BaseCallResponseChunk
from ..sdk_model import read_json, read_model
from .call_response import common_finish_reasons

if TYPE_CHECKING:
    from anthropic.types import MessageDeltaUsage, RawMessageStreamEvent, Usage

    from ...core.base.types import FinishReason as CommonFinishReason

FinishReason: TypeAlias = str
"""A stop reason as Anthropic reports it. The API may have reasons that the installed SDK does not list."""

_EVENTS: Final = {
    "message_start": "anthropic.types:RawMessageStartEvent",
    "content_block_start": "anthropic.types:RawContentBlockStartEvent",
    "content_block_delta": "anthropic.types:RawContentBlockDeltaEvent",
    "content_block_stop": "anthropic.types:RawContentBlockStopEvent",
    "message_delta": "anthropic.types:RawMessageDeltaEvent",
    "message_stop": "anthropic.types:RawMessageStopEvent",
}


class MessagesCallResponseChunk(BaseCallResponseChunk["RawMessageStreamEvent", FinishReason]):
    """A chunk in the Messages format; `chunk` is the SDK's event object, created on first access."""

    __slots__ = ()

    @classmethod
    def _read(cls, data: bytes) -> RawMessageStreamEvent:
        event = read_json(data)
        kind = _EVENTS.get(event.get("type"))
        if kind is None:  # a `ping`, or an event that the installed SDK does not have
            return cast("RawMessageStreamEvent", load_name("anthropic:BaseModel").construct(None, **event))
        return cast("RawMessageStreamEvent", read_model(load_name(kind), data))

    def _delta(self, kind: str) -> Any:
        """Return the delta of a content block if it has the given type, else None."""
        delta = getattr(self.chunk, "delta", None) if self.chunk.type == "content_block_delta" else None
        return delta if getattr(delta, "type", None) == kind else None

    def _content(self) -> str:
        return getattr(self._delta("text_delta"), "text", None) or ""

    @property
    def thinking(self) -> str:
        """The thinking text of the chunk; empty if it has none."""
        return getattr(self._delta("thinking_delta"), "thinking", None) or ""

    @property
    def signature(self) -> str:
        """The signature of a thinking block; empty if the chunk has none."""
        return getattr(self._delta("signature_delta"), "signature", None) or ""

    @property
    def finish_reasons(self) -> list[FinishReason] | None:
        """The stop reason as a list of one, in the chunk that reports it; None in the others."""
        chunk = self.chunk
        if chunk.type == "message_delta":
            reason: str | None = chunk.delta.stop_reason
        elif chunk.type == "message_start" and chunk.message is not None:
            reason = chunk.message.stop_reason
        else:
            reason = None
        return [str(reason)] if reason else None

    @property
    def model(self) -> str | None:
        """The name of the model that responds, in the first chunk; None in the others."""
        return getattr(self._message, "model", None)

    @property
    def id(self) -> str | None:
        """The provider's id of the response, in the first chunk; None in the others."""
        return getattr(self._message, "id", None)

    @property
    def _message(self) -> Any:
        return getattr(self.chunk, "message", None)

    @property
    def usage(self) -> Usage | MessageDeltaUsage | None:
        """The token counts as the provider reports them, in the first chunk and the last but one; None in the others.

        The later chunk counts the complete response, but omits some of the counts.
        """
        return cast(
            "Usage | MessageDeltaUsage | None",
            getattr(self._message if self.chunk.type == "message_start" else self.chunk, "usage", None),
        )

    @property
    def common_finish_reasons(self) -> list[CommonFinishReason] | None:
        """The finish reason in the common vocabulary, as a list of one; None if there is none."""
        return common_finish_reasons(self.finish_reasons)
