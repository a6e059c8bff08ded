"""The run of a stream that a program creates from chunks, with `stream=` as in Mirascope v1.

The caller's generator yields the pairs, and the run sends no request. For the built-in providers, the core merges the
chunks. For a provider of the program's own, the run adds up the members of the chunks, and the provider's class creates
the message and the response.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, Final

from .._core import StreamDecoder, token_counts
from ..core.base._responses.stream_view import StreamView
from ..core.base._responses.user_provider import usage_json_of
from ..core.base.call_response import AnyCallResponse
from ..core.base.call_response_chunk import AnyCallResponseChunk
from ..core.base.retry import Attempt
from ..core.base.stream import AnyStream
from ..core.base.stream_events import FinishEvent, StreamEvent, TextEvent, ToolEvent, UsageEvent
from ..core.base.tool import BaseTool
from ..prices import Cost, cost_of
from .call import now
from .provider import Provider, registered_record
from .source import ResponseHead

# Any: chunk and tool are the provider's own classes.
_Pair = tuple[Any, Any]
_FIELDS: Final = (
    "metadata",
    "tool_types",
    "prompt_template",
    "fn_args",
    "dynamic_config",
    "messages",
    "call_params",
    "call_kwargs",
    "user_message_param",
)


class _AddedChunks:
    """The sum of the reports of chunks of any class: the text and the counts. Other values replace the earlier ones."""

    reasoning: Final = ""

    def __init__(self) -> None:
        self._texts: list[str] = []  # joined when they are read, because a sum per chunk copies all the text each time
        self.id: str | None = None
        self.model: str | None = None
        self.finish_reasons: list[str] = []
        self._counts: dict[str, float | None] = {"input": None, "cached": None, "output": None}

    def add(self, chunk: AnyCallResponseChunk) -> None:
        """Add a chunk."""
        self._texts.append(chunk.content)
        self.id = chunk.id or self.id
        self.model = chunk.model or self.model
        self.finish_reasons = chunk.finish_reasons or self.finish_reasons
        counts = {"input": chunk.input_tokens, "cached": chunk.cached_tokens, "output": chunk.output_tokens}
        for name, count in counts.items():
            if count is not None:
                earlier = self._counts[name]
                self._counts[name] = count if earlier is None else earlier + count

    @property
    def content(self) -> str:
        """The text of all chunks."""
        if len(self._texts) > 1:
            self._texts = ["".join(self._texts)]
        return self._texts[0] if self._texts else ""

    @property
    def usage(self) -> bytes:
        """The counts as a usage object in JSON."""
        return usage_json_of(*self._counts.values())

    def token_counts(self) -> Mapping[str, int | None]:
        """Return the counts by name."""
        return token_counts(self.usage)


class _DecodedChunks:
    """The chunks of a provider of this package, merged by the core.

    Args:
        record: The provider of the stream's class.
        first: The first chunk, whose class identifies the SDK; None for an empty stream.
    """

    def __init__(self, record: Provider, first: AnyCallResponseChunk | None = None) -> None:
        module = "" if first is None else type(first.chunk).__module__
        known = (record, *registered_record(record.name).alternatives)
        self.record = next((other for other in known if module.startswith(f"{other.sdk}.")), record)
        self.head: ResponseHead | None = None
        self.decoder = StreamDecoder(self.record.dialect.name, **self.record.quirks.decoder_options())
        self.decoder.framed = False

    def add(self, chunk: AnyCallResponseChunk) -> None:
        """Add a chunk."""
        self.decoder.feed_event(self.record.dialect.dump_event(chunk.chunk))
        if self.head is None:
            self.head = getattr(chunk, "_head", None)

    @property
    def content(self) -> str:
        return self.decoder.content

    @property
    def reasoning(self) -> str:
        return self.decoder.reasoning

    @property
    def finish_reasons(self) -> list[str]:
        return self.decoder.finish_reasons

    @property
    def id(self) -> str | None:
        return self.decoder.id or (self.head.id if self.head is not None else None)

    @property
    def model(self) -> str | None:
        return self.decoder.model or (self.head.model if self.head is not None else None)

    def response(self) -> Any:
        """Return the SDK's response object."""
        raw = self.record.dialect.read_response(self.decoder.response())
        if self.head is not None:
            self.head.complete(raw)
        return raw

    def token_counts(self) -> Mapping[str, int | None]:
        """Return the counts by name."""
        return self.decoder.token_counts()


class ChunkRun:
    """The iteration over pairs of chunk and tool that the caller yields.

    Args:
        stream: The stream that the run belongs to. Its attribute `stream` is the caller's generator, sync or async.
    """

    def __init__(self, stream: AnyStream) -> None:
        record = stream._record
        self._stream = stream
        self._record = record
        self._decoded: _DecodedChunks | None = None
        self._added = _AddedChunks()
        self._tool_calls: list[Any] = []  # Any: each provider's own tool calls
        self._begun = False
        self._complete = False
        self.ended = False
        self.start_time = 0.0
        self.end_time = 0.0
        self.attempts: tuple[Attempt, ...] = ()

    @property
    def _pairs(self) -> Any:
        return self._stream.stream

    @property
    def _state(self) -> _AddedChunks | _DecodedChunks:
        return self._decoded or self._added

    @property
    def content(self) -> str:
        return self._state.content

    @property
    def reasoning(self) -> str:
        return self._state.reasoning

    @property
    def id(self) -> str | None:
        return self._state.id

    @property
    def model(self) -> str | None:
        return self._state.model

    @property
    def finish_reasons(self) -> list[str]:
        return self._state.finish_reasons

    def check_kind(self, *, asynchronous: bool, write: str, message: str = "the stream is of the other kind") -> None:
        """Check that the stream is used as its generator is: sync or async.

        Raises:
            AssertionError: It is of the other kind. The class is the one of v1.
        """
        if not hasattr(self._pairs, "__aiter__" if asynchronous else "__iter__"):
            raise AssertionError(f"{message}: its pairs come from {type(self._pairs).__name__!r}; write {write}")

    def add(self, chunk: AnyCallResponseChunk) -> None:
        """Add a chunk to what the stream has received."""
        if self._decoded is None and isinstance(self._record, Provider):
            self._decoded = _DecodedChunks(self._record, chunk)
        self._state.add(chunk)

    def _take(self, pair: _Pair) -> _Pair:
        chunk, tool = pair
        self._stream._update_properties(chunk)
        if tool is not None and getattr(tool, "delta", None) is None:
            self._tool_calls.append(getattr(tool, "tool_call", None))
        return pair

    def _begin(self) -> bool:
        begun, self._begun = self._begun, True
        if not begun and not self.ended:
            self.start_time = now()
            return True
        return False

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self.end_time = now()
            construct = getattr(self._stream, "_construct_message_param", None)
            if construct is not None:
                self._stream._message_param = construct(self._tool_calls or None, self.content)

    def iterate(self) -> Generator[_Pair, None, None]:
        self.check_kind(asynchronous=False, write="`async for`", message="Stream must be a generator for __iter__")
        return self._iterate()

    def _iterate(self) -> Generator[_Pair, None, None]:
        if not self._begin():
            return
        try:
            for pair in self._pairs:
                yield self._take(pair)
            self._complete = True
        finally:
            self.close()

    def aiterate(self) -> AsyncGenerator[_Pair, None]:
        self.check_kind(asynchronous=True, write="`for`", message="Stream must be an async generator for __aiter__")
        return self._aiterate()

    async def _aiterate(self) -> AsyncGenerator[_Pair, None]:
        if not self._begin():
            return
        try:
            async for pair in self._pairs:
                yield self._take(pair)
            self._complete = True
        finally:
            await self.aclose()

    def texts(self) -> Generator[str, None, None]:
        return (chunk.content for chunk, _ in self.iterate() if chunk.content)

    async def atexts(self) -> AsyncGenerator[str, None]:
        async for chunk, _ in self.aiterate():
            if chunk.content:
                yield chunk.content

    def events(self) -> Generator[StreamEvent[Any], None, None]:
        for chunk, tool in self.iterate():
            yield from _events_of(chunk, tool)

    async def aevents(self) -> AsyncGenerator[StreamEvent[Any], None]:
        async for chunk, tool in self.aiterate():
            for event in _events_of(chunk, tool):
                yield event

    def sse(self, format: str, **options: Any) -> StreamView[bytes]:
        raise NotImplementedError(_NO_BYTES.format("sse"))

    def raw(self) -> Generator[bytes, None, None]:
        raise NotImplementedError(_NO_BYTES.format("raw"))

    def araw(self) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError(_NO_BYTES.format("raw"))

    def collect(self) -> AnyCallResponse:
        for _ in self.iterate():
            pass
        return self.response()

    async def acollect(self) -> AnyCallResponse:
        async for _ in self.aiterate():
            pass
        return self.response()

    def close(self) -> None:
        self._end()
        if callable(close := getattr(self._pairs, "close", None)):
            close()

    async def aclose(self) -> None:
        self._end()
        close: Callable[[], Any] | None = getattr(self._pairs, "aclose", None)
        if close is not None:
            await close()

    def response(self) -> AnyCallResponse:
        if not isinstance(self._record, Provider):
            constructed: AnyCallResponse = self._stream.construct_call_response()
            return constructed
        decoded = self._decoded or _DecodedChunks(self._record)
        decoder = decoded.decoder
        fields = {name: getattr(self._stream, name) for name in _FIELDS}
        response: AnyCallResponse = self._stream.call_response_type(
            response=decoded.response(),
            start_time=self.start_time,
            end_time=self.end_time,
            **fields,
        )
        response._set_decoded_usage(decoder.usage, decoder.usage_contradiction)
        if calls := decoder.tool_calls:
            response._set_decoded_calls([call.arguments for call in calls], self._complete)
        return response

    def token_counts(self) -> Mapping[str, int | None]:
        return self._state.token_counts()

    def cost_details(self) -> Cost:
        if isinstance(self._record, Provider):
            return self.response().cost_details
        record, model = self._record, self.model or self._stream.model
        return cost_of(provider=record.price_provider, model=model, usage_json=self._added.usage)


_NO_BYTES: Final = "`stream.{}()` needs the bytes of a response, and this stream has only the caller's chunks"


def _events_of(chunk: AnyCallResponseChunk, tool: BaseTool | None) -> list[StreamEvent[Any]]:
    """Return the typed events of a pair."""
    events: list[StreamEvent[Any]] = [TextEvent(chunk.content)] if chunk.content else []
    if tool is not None and getattr(tool, "delta", None) is None:
        events.append(ToolEvent(tool))
    if reasons := chunk.common_finish_reasons:
        events.append(FinishEvent(reasons))
    if usage := chunk.common_usage:
        events.append(UsageEvent(usage))
    return events
