"""The answer of a stream, as far as it has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._core import StreamDecoder
from ..core.base.call_response import AnyCallResponse
from ..prices import CHARACTERS_PER_TOKEN, Cost, cost
from .error_facts import plain_headers

if TYPE_CHECKING:
    from .call import Call
    from .source import ResponseHead, Source
    from .stream_tools import StreamTools


class StreamAnswer:
    """The state of an answer that arrives in pieces, and what can be read from it at any time.

    Attributes:
        ended: Whether nothing more will arrive.
        start_time: The time when the request was sent, in milliseconds since 1970; 0 before that.
        end_time: The time of the end, likewise.
    """

    __slots__ = (
        "_begin_with",
        "_call",
        "_complete",
        "_decoder",
        "_head",
        "_response",
        "_source",
        "_tools",
        "end_time",
        "ended",
        "start_time",
    )

    def __init__(self, call: Call, begin_with: str) -> None:
        self._call = call
        self._begin_with = begin_with
        options = call.provider.quirks.decoder_options()
        if begin_with:
            options["begin_with"] = begin_with
        self._decoder = StreamDecoder(call.provider.dialect.name, **options, **call.plan.limits)
        self._source: Source | None = None
        self._head: ResponseHead | None = None
        self._complete = False
        self._tools: StreamTools | None = None  # set by ways to iterate that yield tools
        self._response: AnyCallResponse | None = None
        self.ended = False
        self.start_time = 0.0
        self.end_time = 0.0

    @property
    def complete(self) -> bool:
        """Whether the whole answer has been consumed."""
        return self._complete

    @property
    def continues(self) -> bool:
        """Whether the answer continues the text of an earlier one."""
        return bool(self._begin_with)

    @property
    def has_calls(self) -> bool:
        """Whether a tool call has begun."""
        return bool(self._decoder.tool_calls)

    @property
    def is_cached(self) -> bool:
        """Whether the answer comes from a cache."""
        return self._call.cached is not None

    @property
    def was_opened(self) -> bool:
        """Whether a response began."""
        return self._source is not None

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the HTTP response; none if they cannot be had."""
        return plain_headers(getattr(None if self._source is None else self._source.response, "headers", None))

    @property
    def has_output(self) -> bool:
        """Whether any of the answer was received."""
        decoder = self._decoder
        return bool(decoder.content or decoder.reasoning or decoder.tool_calls)

    @property
    def has_response(self) -> bool:
        """Whether any of the answer has arrived."""
        return self._source is not None and self._decoder.events > 0

    @property
    def chunk_count(self) -> int:
        """The number of events that have arrived."""
        return self._decoder.events

    @property
    def arguments(self) -> str:
        """The arguments of the first tool call, exactly as received."""
        calls = self._decoder.tool_calls
        return calls[0].arguments if calls else ""

    @property
    def content(self) -> str:
        return self._decoder.content

    @property
    def id(self) -> str | None:
        return self._decoder.id or (self._head.id if self._head is not None else None)

    @property
    def model(self) -> str | None:
        return self._decoder.model or (self._head.model if self._head is not None else None)

    @property
    def reasoning(self) -> str:
        return self._decoder.reasoning

    @property
    def finish_reasons(self) -> list[str]:
        return self._decoder.finish_reasons

    @property
    def decoder(self) -> StreamDecoder:
        """The decoder of the body."""
        return self._decoder

    @property
    def provider_name(self) -> str:
        """The name of the provider."""
        return self._call.provider.name

    def response(self) -> AnyCallResponse:
        """Return the answer so far, as a response."""
        if self._response is not None:
            return self._response
        ended = self.ended  # read before the state, because another thread may end the stream in the meantime
        raw = self._call.provider.dialect.read_response(self._decoder.response())
        if self._head is not None:
            self._head.complete(raw)
        response = self._call.response(raw, self.start_time, self.end_time)
        response._set_decoded_usage(self._decoder.usage, self._decoder.usage_contradiction)
        if calls := self._decoder.tool_calls:
            was_complete = self._tools is not None and self._tools.has_handed_out(calls[-1].position)
            response._set_decoded_calls([call.arguments for call in calls], self._complete or was_complete)
        if ended:
            self._response = response
        return response

    def token_counts(self) -> Mapping[str, int | None]:
        """Return the counts that the provider has reported so far."""
        return self._decoder.token_counts()

    def cost_details(self) -> Cost:
        """Return the cost so far. It is an estimate if the stream was interrupted before the provider reported its
        usage.
        """
        response = self.response()
        if not self.ended or self._complete or self._source is None or self.is_cached:
            return response.cost_details
        text_length = len(self.content) - len(self._begin_with)
        arguments_length = sum(len(call.arguments) for call in self._decoder.tool_calls)
        received_length = text_length + len(self.reasoning) + arguments_length
        plan, prompt_length = self._call.plan, self._prompt_length()
        # Round up, so that a budget that ended the stream counts as used up.
        tokens = (-(-length // CHARACTERS_PER_TOKEN) for length in (prompt_length, received_length))
        usage = self._call.provider.dialect.estimate_usage(response, *tokens)
        if usage is None:
            return response.cost_details
        model = self.model or plan.model
        return cost(self._call.billed_by(model), model, usage, context={"estimated": True})

    def _prompt_length(self) -> int:
        """Return the length of the messages of the request, in characters."""
        return sum(len(str(message)) for message in self._call.messages) + len(self._begin_with)
