"""The driver of one stream: it sends the request, reads the events, and raises the errors of the answer."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from pydantic_core import from_json

from .._core import DecodeError, Event
from ..core.base._responses.stream_view import StreamView
from ..core.base.call_response import AnyCallResponse
from ..core.base.retry import Attempt
from ..core.base.stream import AnyStream
from ..core.base.stream_events import StreamEvent, WebFormat
from ..errors import BudgetExceededError, LimitExceededError, StreamError, StreamInterruptedError
from ..prices import BudgetWatch, budget_watch, record
from ..transport import Interruptible
from . import event_trace
from .batching import ahold_back, hold_back
from .caching import Recorded
from .call import Call, now
from .deadlines import DeadlinePassed
from .drive import Flow, adrive, drive
from .observing import FirstChunkSource
from .reads import END
from .replay_buffer import DEFAULT_BYTES, ReplayBuffer
from .resuming import Resuming
from .sdk import SdkErrors
from .send_errors import add_note
from .source import Blocking, Opened, Replay, Source, open_source
from .stream_answer import StreamAnswer
from .stream_clock import StreamClock
from .stream_events import TypedEvents
from .stream_tools import StreamTools
from .stream_views import Pairs, View, folded, received_by, texts
from .succession import SuccessiveRun


def wrap_run(run: StreamRun | SuccessiveRun, call: Call) -> AnyStream:
    """Return a run as the provider's stream."""
    provider = call.provider
    return provider.stream(run, model=call.plan.model, call_response_type=provider.response, **call.response_fields())


class StreamRun(StreamAnswer):
    """One stream, from its request to its last byte.

    Args:
        call: The call.
        begin_with: The text of an earlier run, which this run continues.
    """

    __slots__ = (
        "_begun",
        "_broken_off",
        "_budget",
        "_clock",
        "_is_lost",
        "_is_open",
        "_observation",
        "_opening_error",
        "_process",
        "_replay_buffer",
        "_request",
        "closed",
    )

    def __init__(self, call: Call, begin_with: str = "") -> None:
        super().__init__(call, begin_with)
        self._clock = StreamClock(call.plan.deadlines, self._decoder)
        self._begun = False
        self._budget: BudgetWatch | None = None
        self._observation = None if call.observation is None else call.observation.fork()
        self._broken_off = False
        size = max(call.plan.replay, 0 if call.cache_entry is None else DEFAULT_BYTES)
        self._replay_buffer = ReplayBuffer(size) if size else None
        self._process = 0
        self._request: Interruptible | None = None  # that another thread may end
        self._is_open = False  # whether `open` has begun the iteration
        self._opening_error: BaseException | None = None
        self._is_lost = False
        self.closed = False

    # ---- one of several requests at the same time

    def open(self) -> None:
        """Send the request of a sync stream and wait for its first data. An iteration begins with it."""
        if not self._begin():
            return
        try:
            self._request = request = Interruptible()
            source = self._open(request.run(self._send))
            if not self.closed:
                reads = source.reads()
                self._source = Opened(source, reads, self._clock.read(source, reads))
        except BaseException as error:
            self._opening_error = error = self._not_opened(error)
            self.close()
            raise error
        self._is_open = True
        if self.closed:
            self.close()

    async def aopen(self) -> None:
        """Send the request of an async stream and wait for its first data."""
        if not self._begin():
            return
        try:
            source = self._open(await self._asend())
            if not self.closed:
                reads = source.areads()
                self._source = Opened(source, reads, await reads.first(self._clock.wait(reads)))
        except BaseException as error:
            self._opening_error = error = self._not_opened(error)
            await self.aclose()
            raise error
        self._is_open = True
        if self.closed:
            await self.aclose()

    def _not_opened(self, error: BaseException) -> BaseException:
        if self._source is not None and isinstance(error, Exception) and not self.closed:
            error = self._interrupted(error)
        self._observe_end(error)
        return error

    def abandon(self) -> None:
        """Close a stream whose answer is not used. Its cost is not known, and is not recorded here."""
        self._is_lost = True
        self.close()

    async def aabandon(self) -> None:
        self._is_lost = True
        await self.aclose()

    # ---- the two drivers

    def iterate(self, view: View | None = None) -> Generator[Any, None, None]:
        """Iterate over a sync stream. The view converts its events into items; by default into pairs of chunk and
        tool.
        """
        self.check_kind(asynchronous=False, write="`async for`", message="Stream must be a generator for __iter__")
        return (self._replay_run() or self)._iterate(view)

    def aiterate(self, view: View | None = None) -> AsyncGenerator[Any, None]:
        """Iterate over an async stream."""
        self.check_kind(asynchronous=True, write="`for`", message="Stream must be an async generator for __aiter__")
        return (self._replay_run() or self)._aiterate(view)

    def check_kind(self, *, asynchronous: bool, write: str, message: str = "the stream is of the other kind") -> None:
        """Check that the stream is used as its function is: sync or async.

        Args:
            asynchronous: Whether it is used as an async one.
            write: What to write if it is the other kind.
            message: The beginning of the error message.

        Raises:
            AssertionError: It is the other kind. The class is the one of v1.
        """
        plan = self._call.plan
        if plan.prompt.is_async is not asynchronous:
            kind = "a sync" if asynchronous else "an async"
            raise AssertionError(f"{message}: `{plan.prompt.name}` is {kind} function; write {write}")

    def _iterate(self, view: View | None) -> Generator[Any, None, None]:
        if not self._begin():
            return
        try:
            source = self._source or self._open(self._send())
            if self.closed:  # another thread closed it during the request
                return
            reads, shown = source.reads(), self._shown(view)
            held, clock = hold_back(reads, self._call.plan.batch), self._clock
            while True:
                try:
                    read = clock.read(source, held)
                except Exception as error:
                    if self.closed:  # `close` was called while an iterator was still in use
                        return
                    raise self._interrupted(error)  # noqa: B904  # it has its cause
                if read is END:
                    break
                yield from shown(source.events(read))
                if self.closed:
                    return
                if self._decoder.done:
                    # Before the drain, because the answer is complete even if the connection fails now.
                    self._end_whole()
                    source.drain(reads)
                    break
            yield from self._last(shown)
        except DecodeError as error:
            raise self._broken(error) from None
        except BaseException as error:
            self._observe_end(error)
            raise
        finally:
            self.close()
        self._report_tools()
        if self._call.extraction is None and self._call.cache_entry is not None:
            self.store()

    async def _aiterate(self, view: View | None) -> AsyncGenerator[Any, None]:
        if not self._begin():
            return
        try:
            source = self._source or self._open(await self._asend())
            if self.closed:  # another task closed it during the request
                return
            reads, shown = source.areads(), self._shown(view)
            held = ahold_back(reads, self._call.plan.batch)
            take, wait = held.take, self._clock.wait(held)
            while True:
                try:
                    read = take()
                    if isinstance(read, bytes):
                        if not read:
                            break
                    else:
                        read = await (read if wait is None else wait(read))
                        if read is None:
                            continue
                        if read is END:
                            break
                except Exception as error:
                    if self.closed:  # `close` was called while an iterator was still in use
                        return
                    raise self._interrupted(error)  # noqa: B904  # it has its cause
                for item in shown(source.events(read)):
                    yield item
                if self.closed:
                    return
                if self._decoder.done:
                    # Before the drain, because the answer is complete even if the connection fails now.
                    self._end_whole()
                    await source.adrain(reads)
                    break
            for item in self._last(shown):
                yield item
        except DecodeError as error:
            raise self._broken(error) from None
        except BaseException as error:
            self._observe_end(error)
            raise
        finally:
            await self.aclose()
        self._report_tools()
        if self._call.extraction is None and self._call.cache_entry is not None:
            await self.astore()

    # ---- ways to iterate

    def viewed(self, new_view: Callable[[], View]) -> Generator[Any, None, None]:
        return self.iterate(new_view())

    def aviewed(self, new_view: Callable[[], View]) -> AsyncGenerator[Any, None]:
        return self.aiterate(new_view())

    def texts(self) -> Generator[str, None, None]:
        return self.iterate(texts)

    def atexts(self) -> AsyncGenerator[str, None]:
        return self.aiterate(texts)

    def events(self) -> Generator[StreamEvent[Any], None, None]:
        run = self._replay_run() or self
        return run.iterate(TypedEvents(run._decoder, run.response, run.open_tools().complete).convert)

    def aevents(self) -> AsyncGenerator[StreamEvent[Any], None]:
        run = self._replay_run() or self
        return run.aiterate(TypedEvents(run._decoder, run.response, run.open_tools().complete).convert)

    def sse(self, format: WebFormat, **options: Any) -> StreamView[bytes]:  # Any: those of `BaseStream.sse`
        from .web_answer import sse_of

        return sse_of(self, format, **options)

    @property
    def replayed(self) -> StreamRun:
        """The run that iterates over the stream next: a replay, if this run is over and kept its body."""
        return self._replay_run() or self

    def raw(self) -> Generator[bytes, None, None]:
        run = self._replay_run() or self
        return run.iterate(received_by(run._decoder))

    def araw(self) -> AsyncGenerator[bytes, None]:
        run = self._replay_run() or self
        return run.aiterate(received_by(run._decoder))

    def collect(self) -> AnyCallResponse:
        """Read a sync stream to its end, without an object for each chunk."""
        self.check_kind(asynchronous=False, write="`await stream.acollect()`")
        if not self.ended:
            self._check_unread()
            for _ in self._iterate(folded):
                pass
        return self.response()

    async def acollect(self) -> AnyCallResponse:
        """Read an async stream to its end, without an object for each chunk."""
        self.check_kind(asynchronous=True, write="`stream.collect()`")
        if not self.ended:
            self._check_unread()
            async for _ in self._aiterate(folded):
                pass
        return self.response()

    def _check_unread(self) -> None:
        if self._begun or self.closed:
            state = "being iterated over" if self._begun else "closed before it was read"
            raise ValueError(f"No stream response: the stream is {state}.")

    def _replay_run(self) -> StreamRun | None:
        """Return a run over the replay buffer, if this run has ended and has one."""
        if not self.ended or self._replay_buffer is None or not self._call.plan.replay:
            return None
        run = StreamRun(self._call)
        run._replay_buffer = None
        run._play(self._replay_buffer.pieces(), self._decoder.framing, self._decoder.framed)
        run._head = self._head
        run._broken_off = not self._complete
        return run

    @classmethod
    def of_recorded(cls, call: Call, recorded: Recorded) -> StreamRun:
        """Return a run over a stream from a cache."""
        call.host = recorded.host
        run = cls(call)
        pieces = recorded.pieces()
        for piece in pieces:
            if run._replay_buffer is not None:
                run._replay_buffer.add(piece)
        run._play(pieces, recorded.framing, recorded.is_framed)
        return run

    def _play(self, pieces: list[bytes | str], framing: Any, is_framed: bool) -> None:
        self._observation = None
        self._decoder.framing, self._decoder.framed = framing, is_framed
        self._clock = StreamClock(None, self._decoder)
        self._source = Replay(pieces, self._decoder)

    # ---- the cache

    def store(self) -> None:
        """Store a whole answer in the cache of the call."""
        drive(self._storing())

    async def astore(self) -> None:
        await adrive(self._storing())

    def _storing(self) -> Flow:
        entry, buffer = self._call.cache_entry, self._replay_buffer
        if entry is None or buffer is None or not self._complete or self._begin_with or self.is_cached:
            return
        with suppress(LimitExceededError):  # it is too long
            decoder = self._decoder
            yield from entry.store(
                Recorded.of_pieces(
                    buffer.pieces(), framing=decoder.framing, is_framed=decoder.framed, host=self._call.host
                )
            )

    # ---- shared by both drivers

    def _begin(self) -> bool:
        """Begin the iteration. Return whether there is anything to iterate over: a stream runs once."""
        if self._opening_error is not None:
            error, self._opening_error = self._opening_error, None
            raise error
        if self._is_open:
            self._is_open = False
            return not self.closed
        if self._begun or self.closed:
            self._log_nothing()
            return False
        self._begun = True
        self._process = os.getpid()
        self.start_time = now()
        self._clock.start()
        return True

    def _log_nothing(self) -> None:
        # Logged, not a warning: to iterate again is harmless, and v1 allowed it without a word.
        state = "has been read already" if self._complete else "is closed" if self.closed else "is being read"
        event_trace.logger.warning(
            "the stream of `%s` %s, and nothing more comes of it: keep what it gave, or write "
            '`stream={"replay": True}` to read it again',
            self._call.plan.prompt.name,
            state,
        )

    def _send(self) -> Any:
        try:
            return self._clock.send(partial(self._call.send, self._observation))
        except DeadlinePassed as error:
            raise self._interrupted(error) from None

    async def _asend(self) -> Any:
        try:
            return await self._clock.asend(partial(self._call.send, self._observation))
        except DeadlinePassed as error:
            raise self._interrupted(error) from None

    def _open(self, sdk_stream: Any) -> Source:
        plan = self._call.plan
        self._head = getattr(sdk_stream, "head", None)
        source = self._source_of(sdk_stream)
        resume = self._call.resume()
        # A replay needs one continuous body, so such a stream is not resumed.
        if resume is not None and self._replay_buffer is None:
            source = Resuming(source, self._decoder, resume, self._source_of, self._is_broken)
        if self._observation is not None:
            source = FirstChunkSource(source, self._observation.first_chunk)
        self._source = source
        meters = self._call.meters
        if meters:
            provider, length = self._call.billed_by(plan.model), self._prompt_length()
            self._budget = budget_watch(provider, plan.model, prompt_characters=length, meters=meters)
        return self._source

    def _source_of(self, sdk_stream: Any) -> Source:
        source = open_source(sdk_stream, self._decoder, self._call.provider, self._replay_buffer)
        blocks = self._call.plan.prompt.is_async and not hasattr(sdk_stream, "__aiter__")
        return Blocking(source) if blocks else source

    def _is_broken(self, error: Exception) -> bool:
        return isinstance(self._errors().of_read(error, str), StreamInterruptedError)

    def _shown(self, view: View | None) -> View:
        """Return the view, or the default one. A budget limits the events that it sees."""
        usual = view or Pairs(self, self._call, self._head).convert
        if event_trace.logger.isEnabledFor(logging.DEBUG):
            plan, provider = self._call.plan, self._call.provider
            usual = event_trace.logged(usual, self._decoder, f"provider {provider.name!r}, model {plan.model!r}")
        budget = self._budget
        return usual if budget is None else lambda events: usual(self._within_budget(events, budget))

    def _within_budget(self, events: Iterable[Event], budget: BudgetWatch) -> Iterator[Event]:
        """Yield the events until the budget is used up."""
        for event in events:
            arguments = sum(len(call.arguments) for call in event.fragments or ())
            try:
                budget.add(len(event.content) + arguments)
            except BudgetExceededError as error:
                self._end()
                error.partial = self.response()
                raise
            yield event

    def open_tools(self) -> StreamTools:
        """Return the tools of the stream. Calls that cannot become a tool are then errors at its end."""
        if self._tools is None:
            self._tools = StreamTools(self._call, self._decoder, self.response)
        return self._tools

    def _last(self, shown: View) -> Iterator[Any]:
        """Yield the items that only the end of the body completes."""
        # After an interruption, the last event may be incomplete.
        if not self._decoder.done and not self._broken_off:
            self._decoder.finish()
            yield from shown(self._decoder)
        self._end_whole()

    def _end_whole(self) -> None:
        self._complete = True
        self._end()
        self._observe_end(None)

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self.end_time = now()
            self._response = None
            # A request that got no response costs nothing, and a replay has already been paid for.
            is_billed = self._source is not None and not isinstance(self._source, Replay) and not self._is_lost
            if self._call.meters and is_billed:
                record(self.cost_details(), self._call.meters)

    def _observe_end(self, error: BaseException | None) -> None:
        observation, self._observation = self._observation, None
        if observation is not None:
            self._end()
            # Leaving the loop early is not an error.
            observation.end_stream(self, None if isinstance(error, GeneratorExit) else error)

    def __del__(self) -> None:
        # An async generator that is collected after its event loop has closed runs no `finally`.
        # The constructor may have failed before it set the attribute.
        if getattr(self, "_observation", None) is not None and self._begun:
            self._observe_end(None)

    def _report_tools(self) -> None:
        if self._tools is None:
            return
        self._tools.finish()
        if self._tools.errors:
            error = self._tools.errors[0]
            error.partial = self.response()  # type: ignore[attr-defined]  # as on a StreamError
            raise error

    # ---- errors

    def _place(self, message: str) -> str:
        model = self.model or self._call.plan.model
        return f"{message}; provider {self._call.provider.name!r}, model {model!r}"

    def _broken(self, error: DecodeError) -> StreamError:
        """Return the exception for an error of the core."""
        kind, message, event, offset, body = error.args
        self._end()
        found = self._errors().of_core(kind, self._place(message), from_json(body) if body else None)
        add_note(found, self._call.where)
        found.event, found.offset, found.partial = event or None, offset, self.response()
        self._observe_end(found)
        return found

    def _interrupted(self, error: Exception) -> Exception:
        """Return the exception for a failed read. An error that is not of the network is returned unchanged."""
        self._end()
        found = self._errors().of_read(error, self._place)
        found.partial = self.response()  # type: ignore[attr-defined]  # as on a StreamError
        if found is not error:
            found.__cause__ = error
        return add_note(found, self._call.where)

    def _errors(self) -> SdkErrors:
        source = self._source
        return SdkErrors(self._call.provider, source.response if source is not None else None)

    # ---- the end

    def close(self) -> None:
        """Close the connection of a sync stream, even while another thread waits for its next read."""
        self.closed = True
        source = self._source
        # In a forked child the connection belongs to the parent, and the locks of its pool may stay locked forever.
        if source is not None and os.getpid() == self._process:
            if not self._complete:
                source.cut()  # closing a socket does not wake a thread that reads from it
            source.close()
        elif self._request is not None and os.getpid() == self._process:
            self._request.cut()
        self._finish_early()

    async def aclose(self) -> None:
        """Close the connection of an async stream."""
        self.closed = True
        self._clock.stop()
        try:
            if self._source is not None:
                await self._source.aclose()
        finally:
            self._finish_early()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The records of requests, which only calls with the option `retry` have."""
        return ()

    def _finish_early(self) -> None:
        # An iterator that is still in use yields nothing more, even from data that has been read.
        with suppress(RuntimeError):  # another thread is decoding; it checks `closed` next
            self._decoder.stop()
        if self._begun:
            self._end()
            self._observe_end(None)
