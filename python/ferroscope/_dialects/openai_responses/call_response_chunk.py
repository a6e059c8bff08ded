"""An event of a stream of the Responses API, read from the SDK's object."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, get_args, get_origin

from ..._lazy import load_name
from ...core.base.call_response_chunk import BaseCallResponseChunk
from ...core.base.types import FinishReason
from ..sdk_model import read_json, read_model
from .reading import calls_of, common_finish_reasons, finish_reasons_of, member

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent, ResponseUsage

_THOUGHTS: Final = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})


class ResponsesCallResponseChunk(BaseCallResponseChunk["ResponseStreamEvent", str]):
    """An event of a stream of the Responses API, for any provider."""

    __slots__ = ()

    _events: ClassVar[str] = "openai.types.responses:ResponseStreamEvent"

    @classmethod
    def _read(cls, data: bytes) -> ResponseStreamEvent:
        event = read_json(data)
        kind = _event_types().get(event.get("type"))
        if kind is None:  # an event that the SDK does not know yet
            from openai import BaseModel

            unknown: Any = BaseModel.construct(None, **event)
            return unknown  # type: ignore[no-any-return]
        return read_model(kind, data)  # type: ignore[no-any-return]

    @property
    def _any(self) -> Any:  # Any: one of the SDK's event classes, each with members of its own
        return self.chunk

    @property
    def _response(self) -> Any:
        """The response object in the event; None for events without one."""
        return getattr(self._any, "response", None)

    def _content(self) -> str:
        return getattr(self._any, "delta", "") if self._any.type == "response.output_text.delta" else ""

    @property
    def thinking(self) -> str:
        """The part of a reasoning summary, or of the reasoning, in this event; empty otherwise."""
        return getattr(self._any, "delta", "") if self._any.type in _THOUGHTS else ""

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reason, in the last event; None in others."""
        return finish_reasons_of(self._response) or None

    @property
    def model(self) -> str | None:
        """The model, in events with a response object."""
        return getattr(self._response, "model", None)

    @property
    def id(self) -> str | None:
        """The provider's id of the response, in events with a response object."""
        return getattr(self._response, "id", None)

    @property
    def usage(self) -> ResponseUsage | None:
        """The provider's usage object, in the last event."""
        return member(self._response, "usage")  # type: ignore[no-any-return]

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reasons in common terms."""
        return common_finish_reasons(self.finish_reasons, calls=bool(calls_of(self._response)))


@cache
def _event_types() -> dict[str, Any]:
    """Return the SDK's classes of events by type."""
    found: dict[str, Any] = {}
    union = load_name(ResponsesCallResponseChunk._events)
    while get_origin(union) is not None and hasattr(union, "__metadata__"):  # Annotated
        union = get_args(union)[0]
    for kind in get_args(union):
        literal = kind.model_fields["type"].annotation
        assert get_origin(literal) is Literal
        found |= dict.fromkeys(get_args(literal), kind)
    return found
