"""A chunk of a stream of Anthropic's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from anthropic import BaseModel
from anthropic.types import (
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
    RawMessageStreamEvent,
)

from ..._dialects.sdk_model import read_json, read_model
from ..base.call_response_chunk import BaseCallResponseChunk
from .call_response import common_finish_reasons

if TYPE_CHECKING:
    from anthropic.types import MessageDeltaUsage, Usage

    from ..base.types import FinishReason as CommonFinishReason

FinishReason: TypeAlias = str
"""A stop reason in Anthropic's words; a newer API may have more of them than the SDK."""

_EVENTS: dict[str, Any] = {  # Any: the SDK's classes have no base that says what they can do
    "message_start": RawMessageStartEvent,
    "content_block_start": RawContentBlockStartEvent,
    "content_block_delta": RawContentBlockDeltaEvent,
    "content_block_stop": RawContentBlockStopEvent,
    "message_delta": RawMessageDeltaEvent,
    "message_stop": RawMessageStopEvent,
}


class AnthropicCallResponseChunk(BaseCallResponseChunk[RawMessageStreamEvent, FinishReason]):
    """A piece of a streamed answer; `chunk` is the SDK's event object, made when it is asked for.

    Example:
        ```python
        from ferroscope.core import anthropic


        @anthropic.call("claude-haiku-4-5", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for chunk, _ in recommend_book("fantasy"):
            print(chunk.content, end="", flush=True)
        ```
    """

    __slots__ = ()

    @classmethod
    def _read(cls, data: bytes) -> RawMessageStreamEvent:
        event = read_json(data)
        kind = _EVENTS.get(event.get("type"))
        if kind is None:  # a `ping`, or an event that the SDK does not know yet
            return cast("RawMessageStreamEvent", BaseModel.construct(None, **event))
        return cast("RawMessageStreamEvent", read_model(kind, data))

    def _delta(self, kind: str) -> Any:
        """The delta of the chunk's block, if it is of that type."""
        delta = getattr(self.chunk, "delta", None) if self.chunk.type == "content_block_delta" else None
        return delta if getattr(delta, "type", None) == kind else None

    def _content(self) -> str:
        return getattr(self._delta("text_delta"), "text", None) or ""

    @property
    def thinking(self) -> str:
        """What the model thought; empty for a chunk that does not say."""
        return getattr(self._delta("thinking_delta"), "thinking", None) or ""

    @property
    def signature(self) -> str:
        """The signature of the thoughts; empty for a chunk that does not bring it."""
        return getattr(self._delta("signature_delta"), "signature", None) or ""

    @property
    def finish_reasons(self) -> list[FinishReason] | None:
        """Why the answer ended, in the chunk that says so."""
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
        """The model that answers, in the chunk that says so: the first."""
        return getattr(self._message, "model", None)

    @property
    def id(self) -> str | None:
        """The provider's id of the response, in the chunk that says so: the first."""
        return getattr(self._message, "id", None)

    @property
    def _message(self) -> Any:
        return getattr(self.chunk, "message", None)

    @property
    def usage(self) -> Usage | MessageDeltaUsage | None:
        """The provider's own account of the tokens, in the chunks that bring one: the first and the last but one.

        The later one is of the whole answer too, but leaves some counts out.
        """
        return cast(
            "Usage | MessageDeltaUsage | None",
            getattr(self._message if self.chunk.type == "message_start" else self.chunk, "usage", None),
        )

    @property
    def common_finish_reasons(self) -> list[CommonFinishReason] | None:
        """Why the answer ended, in the words that all providers share."""
        return common_finish_reasons(self.finish_reasons)
