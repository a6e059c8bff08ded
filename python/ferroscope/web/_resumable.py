"""Streams that survive their connection: browsers follow them, leave, and come back."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

import orjson
from typing_extensions import Unpack

from .._engine.web_answer import logger
from ..core.base.stream_events import WebFormat
from ._errors import EventsGoneError, StreamNotFoundError, TooManyStreamsError
from ._events import Answer, AnswerEvents, EventOptions
from ._memory_store import MemoryStore
from ._producer import Producer
from ._reader import StreamReader
from ._store import EventStore

_STOP: Final = b"stop "
_SEEN: Final = b"seen "


@dataclass(frozen=True, slots=True)
class _Record:
    owner: str
    format: WebFormat
    process: str


class ResumableStreams:
    """Streams whose events go through a store, so that a browser can continue after the last event that it has.

    An answer goes on for a grace period after its last reader has left. `stop` ends it at once. Every process of a
    service has one object of this class, used in one event loop.

    Args:
        store: The store; by default one in memory, for one process.
        grace: The time for which an answer goes on without a reader, in seconds.
        lease: The time after which the streams of a silent process count as broken, in seconds.
        max_running: The maximum number of answers that run at the same time in this process; no limit by default.

    Example:
        ```python
        streams = ResumableStreams()


        @app.post("/chat")
        async def chat(question: str, user: User) -> EventResponse:
            return EventResponse(await streams.start(await assistant(question), "vercel", owner=user.id))


        @app.get("/chat/{id}")
        async def resume(id: str, user: User, last_event_id: Annotated[str | None, Header()] = None) -> EventResponse:
            return EventResponse(await streams.follow(id, owner=user.id, after=last_event_id))


        @app.post("/chat/{id}/stop")
        async def stop(id: str, user: User) -> None:
            await streams.stop(id, owner=user.id)
        ```
    """

    def __init__(
        self,
        store: EventStore | None = None,
        *,
        grace: float = 30.0,
        lease: float = 10.0,
        max_running: int | None = None,
    ) -> None:
        self.store: EventStore = MemoryStore() if store is None else store
        self._grace = grace
        self._lease = lease
        self._max_running = max_running
        self._starting = 0
        self._process = secrets.token_urlsafe(12)
        self._producers: dict[str, Producer] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(
        self, answer: Answer, format: WebFormat = "vercel", *, owner: str, **options: Unpack[EventOptions]
    ) -> StreamReader:
        """Start to read an answer, and return a reader of its events from the first one on.

        Args:
            answer: A stream, or a generator of steps.
            format: As of `stream.sse`.
            owner: Who may follow and stop the stream, such as a user's id.
            options: The options of `ferroscope.web.sse`.

        Returns:
            The reader. Its `id` is the unguessable id of the stream, which the response has in `x-stream-id`.

        Raises:
            TooManyStreamsError: `max_running` answers are running. The answer is closed.
        """
        options["first_event"] = 1
        events = AnswerEvents(answer, format, **options)
        id = secrets.token_urlsafe(24)
        if self._max_running is not None and len(self._producers) + self._starting >= self._max_running:
            await events.aclose()
            raise TooManyStreamsError(f"{self._max_running} answers are running, which is the limit of this service")
        self._starting += 1
        try:
            await self._serve()
            await self.store.put(id, orjson.dumps(asdict(_Record(owner, format, self._process))))
            self._producers[id] = Producer(id, events, self.store, self._grace, lambda id: self._forget(id))
        finally:
            self._starting -= 1
        return StreamReader(self, id, format, self._process, 0, is_finished=False)

    async def follow(self, id: str, *, owner: str, after: int | str | None = None) -> StreamReader:
        """Return a reader of the events after a number, such as the header `Last-Event-ID`.

        Raises:
            StreamNotFoundError: The owner has no such stream, or it has expired.
            EventsGoneError: The store does not have the events after the number any more.
        """
        record = await self._record(id, owner)
        # A browser may send any text in the header. Numbers of events are short.
        is_number = isinstance(after, int) or (after and len(after) < 19 and after.isascii() and after.isdigit())
        number = int(after) if after is not None and is_number else 0
        tail = await self.store.last(id)
        is_finished = False
        if tail is None:
            is_gone = number > 0
        elif number >= tail.last:
            is_finished, is_gone = tail.is_end, number > tail.last
        else:
            items = await self.store.read_after(id, number, 0)
            is_gone = not items or items[0].first > number + 1
        if is_gone:
            raise EventsGoneError(f"the store has no events after {number} that continue the stream")
        return StreamReader(self, id, record.format, record.process, number, is_finished=is_finished)

    async def stop(self, id: str, *, owner: str) -> None:
        """Close the connection to the provider. Every reader gets the abort event of the format.

        Raises:
            StreamNotFoundError: The owner has no such stream, or it has expired.
        """
        record = await self._record(id, owner)
        producer = self._producers.get(id)
        if producer is not None:
            producer.stop()
            await asyncio.wait((producer.task,))
        elif record.process != self._process and self.store.is_shared:
            await self.store.send(record.process, _STOP + id.encode())

    async def aclose(self, timeout: float = 10.0) -> None:
        """Wait for the running answers, and end the rest with the abort event. Then close the store.

        Args:
            timeout: The time to wait, in seconds.
        """
        tasks = [producer.task for producer in self._producers.values()]
        if tasks and timeout > 0:
            await asyncio.wait(tasks, timeout=timeout)
        running = list(self._producers.values())
        for producer in running:
            producer.stop()
        if running:
            await asyncio.wait([producer.task for producer in running])
        pending, self._tasks = set(self._tasks), []
        while pending:
            # Before Python 3.12, `asyncio.wait_for` in a store's client loses a cancellation that meets an answer.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)
        await self.store.aclose()

    # ---- used by readers

    def producer(self, id: str) -> Producer | None:
        """Return the producer of a stream, if it runs in this process."""
        return self._producers.get(id)

    async def report_reader(self, process: str, id: str) -> None:
        """Tell the process that writes a stream that a reader is there."""
        if self.store.is_shared and process != self._process:
            with suppress(Exception):  # the reader finds out itself if the store is gone
                await self.store.send(process, _SEEN + id.encode())

    async def is_alive(self, process: str) -> bool:
        """Return whether a process still writes its streams."""
        if process == self._process:
            return False  # a stream of this process that has no producer has ended
        return not self.store.is_shared or await self.store.get(process) is not None

    # ---- between processes

    async def _serve(self) -> None:
        if not self._tasks and self.store.is_shared:
            await self.store.put(self._process, b"alive", self._lease)
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._renew_lease()), loop.create_task(self._receive())]

    async def _renew_lease(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 4)
            try:
                await self.store.put(self._process, b"alive", self._lease)
            except Exception as error:
                logger.error("the lease of this process could not be renewed", exc_info=error)

    async def _receive(self) -> None:
        while True:
            try:
                message = await self.store.receive(self._process, 60.0)
            except Exception as error:
                logger.error("messages of other processes could not be read", exc_info=error)
                await asyncio.sleep(0.5)
                continue
            if message is None:
                continue
            verb, _, id = message.partition(b" ")
            producer = self._producers.get(id.decode())
            if producer is not None and verb == _STOP.strip():
                producer.stop()
            elif producer is not None:
                producer.see()

    async def _record(self, id: str, owner: str) -> _Record:
        found = await self.store.get(id) if id and len(id) < 100 else None
        record = None
        if found is not None:
            with suppress(ValueError, TypeError):  # the record of a process
                record = _Record(**orjson.loads(found))
        if record is None or not hmac.compare_digest(record.owner.encode(), owner.encode()):
            raise StreamNotFoundError("there is no such stream")
        return record

    def _forget(self, id: str) -> None:
        self._producers.pop(id, None)
