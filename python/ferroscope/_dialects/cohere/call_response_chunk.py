"""An event of a stream of Cohere's v2 chat, read from the SDK's object."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from ..._lazy import load_name
from ...core.base.call_response_chunk import BaseCallResponseChunk
from ...core.base.types import FinishReason
from ..sdk_model import member, read_json, read_model
from .call_response import common_finish_reasons

if TYPE_CHECKING:
    from cohere import Usage, V2ChatStreamResponse


class ChatV2CallResponseChunk(BaseCallResponseChunk["V2ChatStreamResponse", str]):
    """An event of a stream in Cohere's v2 chat format."""

    __slots__ = ()

    _events: ClassVar[str] = ""
    """The SDK's union of event classes, as `"module:name"`."""

    @classmethod
    def _read(cls, data: bytes) -> V2ChatStreamResponse:
        event = read_json(data)
        kinds = _event_types(cls._events)
        kind = kinds.get(event.get("type"))
        if kind is None:  # an event that the SDK does not know yet; every class accepts unknown members
            unknown: Any = next(iter(kinds.values())).construct(None, **event)
            return unknown  # type: ignore[no-any-return]
        return read_model(kind, data)  # type: ignore[no-any-return]

    @property
    def _any(self) -> Any:  # Any: one of the SDK's event classes, each with members of its own
        return self.chunk

    @property
    def _delta(self) -> Any:
        return getattr(self._any, "delta", None)

    @property
    def _message(self) -> Any:
        return member(self._delta, "message")

    def _content(self) -> str:
        return self._block("text")

    def _block(self, name: str) -> str:
        """Return a member of the content block in the event; empty if there is none."""
        block = member(self._message, "content")
        return "" if isinstance(block, list | str) else member(block, name) or ""

    @property
    def thinking(self) -> str:
        """The part of the thinking or of the tool plan in this event; empty otherwise."""
        plan = member(self._message, "tool_plan") if self._any.type == "tool-plan-delta" else None
        return plan or self._block("thinking")

    @property
    def citations(self) -> list[Any]:  # Any: the SDK's `Citation`
        """The citation in this event; empty otherwise."""
        found = member(self._message, "citations")
        return found if isinstance(found, list) else [] if found is None else [found]

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reason, in the last event; None in others."""
        reason = member(self._delta, "finish_reason")
        return [str(reason)] if reason else None

    @property
    def model(self) -> str | None:
        """The name of the model; None, because Cohere's events do not name one. Those of a gateway may."""
        return getattr(self._any, "model", None)

    @property
    def id(self) -> str | None:
        """The provider's id of the response, in the first event; None in others."""
        return getattr(self._any, "id", None)

    @property
    def usage(self) -> Usage | None:
        """The SDK's usage object, in the last event; None in others."""
        return member(self._delta, "usage")  # type: ignore[no-any-return]

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason in common terms."""
        return common_finish_reasons(self.finish_reasons)


@cache
def _event_types(union: str) -> dict[str, Any]:
    """Return the SDK's class for each type of event."""
    kinds = get_args(get_args(load_name(union))[0])
    return {kind.model_fields["type"].default: kind for kind in kinds}
