"""The tools of a stream. Each complete call becomes a tool once; an incomplete call is an error at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .._core import Event, JsonError, StreamDecoder, ToolCallDelta
from ..core.base._tools.arguments import CUT_OFF, cut_off_error, failed_response_error, is_empty
from ..core.base._tools.binding import unbound_tool_type
from ..core.base._tools.call import Fragments
from ..core.base.call_response import AnyCallResponse
from ..core.base.tool import BaseTool
from ..errors import ToolArgumentsError, UnknownToolError
from .partial import PartialReader

if TYPE_CHECKING:
    from .call import Call

_EXCERPT = 80


class StreamTools:
    """The factory of the tools of one stream.

    Attributes:
        errors: The errors of calls that could not become a tool. The stream raises the first one at its end, so that
            no chunk is lost.
    """

    __slots__ = ("_call", "_decoder", "_growing", "_handed_out", "_response", "errors")

    def __init__(self, call: Call, decoder: StreamDecoder, response: Callable[[], AnyCallResponse]) -> None:
        self._call = call
        self._decoder = decoder
        self._response = response
        self._growing: dict[int, tuple[PartialReader[BaseTool], list[str]]] = {}
        self._handed_out: dict[int, str] = {}  # the arguments, by position
        self.errors: list[Exception] = []

    def of_event(self, event: Event) -> Iterator[BaseTool]:
        """Yield the tools that an event completes, and the partial tools that it extends."""
        if self._call.plan.partial_tools:
            for call in event.fragments or ():
                yield from self._partial(call)
        for call in event.tool_calls or ():
            yield from self.complete(call)

    def complete(self, call: ToolCallDelta) -> Iterator[BaseTool]:
        """Yield the tool for a complete call. An invalid call adds to `errors` instead."""
        if not self._call.tools:
            return
        self._handed_out[call.position] = call.arguments
        tool_type = self._type(call.name)
        try:
            if tool_type is None:
                raise UnknownToolError(
                    f"Unknown tool type in stream: {call.name} (call {call.id!r})",
                    name=call.name,
                    call_id=call.id,
                    arguments=call.arguments,
                )
            if is_empty(call.arguments) and (reason := self._cut_off_reason(call)):
                raise cut_off_error(call.id, call.name, call.arguments, reason)
            yield tool_type.from_arguments(id=call.id, name=call.name, arguments=call.arguments)
        except ValueError as error:  # the errors of pydantic and of Ferroscope are ValueErrors
            self.errors.append(error)

    def has_handed_out(self, position: int) -> bool:
        """Return whether the call at that position was complete."""
        return position in self._handed_out

    def finish(self) -> None:
        """Find the calls that were cut off, that went on after they were complete, and those of a failed answer."""
        if not self._call.tools or not (calls := self._decoder.tool_calls):
            return
        failure = self._response()._failure_reason
        for call in calls:
            handed_out = self._handed_out.get(call.position)
            if failure is not None:
                self.errors.append(failed_response_error(call.id, call.name, call.arguments, failure))
            elif handed_out is None:
                # JSON that cannot be read has an error of its own, with the place.
                for _ in self.complete(call):
                    reason = self._cut_off_reason(call) or "incomplete"
                    self.errors.append(cut_off_error(call.id, call.name, call.arguments, reason))
            elif call.arguments.startswith(handed_out) and (rest := call.arguments[len(handed_out) :].strip()):
                self.errors.append(
                    ToolArgumentsError(
                        f"tool {call.name!r}, call {call.id!r}: the arguments continue after their JSON object was "
                        f"complete, with {rest[:_EXCERPT]!r}",
                        name=call.name,
                        call_id=call.id,
                        arguments=call.arguments,
                    )
                )

    def _cut_off_reason(self, call: ToolCallDelta) -> str | None:
        """Return the reason why a call is incomplete, as far as the events so far report it."""
        last = self._decoder.tool_calls[-1].position == call.position
        if not last and call.arguments.strip():
            return None  # an empty object, followed by another call
        reasons = self._response().common_finish_reasons
        if reasons:
            return next((reason for reason in reasons[:1] if reason in CUT_OFF), None)
        # If a client yields the stream as objects, only the finish reason marks the end.
        return None if self._decoder.framed or self._decoder.finish_reasons else "no finish reason"

    def _partial(self, call: ToolCallDelta) -> Iterator[BaseTool]:
        tool_type = self._type(call.name)
        if tool_type is None or not call.arguments:
            return
        if call.position not in self._growing:
            self._growing[call.position] = PartialReader(unbound_tool_type(tool_type) or tool_type), []
        reader, pieces = self._growing[call.position]
        pieces.append(call.arguments)
        try:
            reader.feed(call.arguments)
        except JsonError:  # the complete tool reports the error
            return
        if reader.value is not None:
            known = Fragments(pieces, len(pieces))
            yield tool_type.partial_from_values(
                reader.value, id=call.id, name=call.name, delta=call.arguments, arguments=known
            )

    def _type(self, name: str) -> type[BaseTool] | None:
        return next((tool for tool in self._call.tools if tool._name() == name), None)
