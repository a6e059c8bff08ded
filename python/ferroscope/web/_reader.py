"""A browser's view of a resumable stream."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Final

from .._engine.web_answer import WebAnswer, logger
from ..core.base.stream_events import WebFormat
from ..errors import StreamInterruptedError
from ._headers import headers_of
from ._store import Item

if TYPE_CHECKING:
    from ._resumable import ResumableStreams

_WAIT_SECONDS: Final = 1.0
_REPORT_SECONDS: Final = 1.0


class StreamReader:
    """The events of a resumable stream after a number. A response of a web framework sends them.

    Attributes:
        id: The id of the stream.
        format: The format of its events.
        status_code: The HTTP status to answer with: 204 if there is nothing after the number and there never will be,
            which keeps an `EventSource` from connecting again.
    """

    def __init__(
        self, streams: ResumableStreams, id: str, format: WebFormat, process: str, after: int, *, is_finished: bool
    ) -> None:
        self._streams = streams
        self._process = process
        self._after = after
        self._reported_at = 0.0
        self.id = id
        self.format: WebFormat = format
        self.status_code = 204 if is_finished else 200

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response, with the id of the stream in `x-stream-id`."""
        return {**headers_of(self.format), "x-stream-id": self.id}

    def abort(self) -> bytes:
        """Return nothing: the stream goes on without this reader."""
        return b""

    async def aiterate_any(self) -> AsyncGenerator[bytes, None]:
        """Yield the events, each exactly once. A reader that leaves does not end the stream."""
        if self.status_code == 204:
            return
        number = self._after
        producer = self._streams.producer(self.id)
        if producer is not None:
            producer.join()
        try:
            while True:
                try:
                    items = await self._items_after(number)
                except Exception as error:
                    logger.error("the store of the stream failed", exc_info=error)
                    yield broken_end(self.format, self.id, number + 1)[0]
                    return
                for item in items:
                    if item.last <= number:
                        continue
                    data = item.data if item.first == number + 1 else events_after(item.data, number)
                    number = item.last
                    yield data
                    if item.is_end:
                        return
        finally:
            if producer is not None:
                producer.leave()
            else:
                await self._streams.report_reader(self._process, self.id)

    async def _items_after(self, number: int) -> Sequence[Item]:
        store = self._streams.store
        producer = self._streams.producer(self.id)
        if producer is not None:
            items = producer.recent_after(number)
            if items is None:
                items = await store.read_after(self.id, number, 0)
            if items:
                return items
            if not producer.task.done():
                await producer.wait(_WAIT_SECONDS)
                return ()
            if producer.failure is not None:
                raise producer.failure
        now = time.monotonic()
        if now >= self._reported_at + _REPORT_SECONDS:
            self._reported_at = now
            await self._streams.report_reader(self._process, self.id)
        items = await store.read_after(self.id, number, _WAIT_SECONDS)
        if not items and not await self._streams.is_alive(self._process):
            # The process that wrote the stream is gone. One reader ends the stream, for all of them.
            data, last = broken_end(self.format, self.id, number + 1)
            await store.append(self.id, Item(number + 1, last, data, is_end=True))
        return items


def broken_end(format: WebFormat, id: str, first: int) -> tuple[bytes, int]:
    """Return the last events of a stream whose process is gone, and the number of the last one."""
    opening = WebAnswer(format, id=id)
    opening.start()
    # The browser has the opening events already.
    answer = WebAnswer(format, id=id, first_event=first - opening.next_event + 1)
    answer.start()
    return answer.fail(StreamInterruptedError("the process that wrote the stream is gone")), answer.next_event - 1


def events_after(data: bytes, number: int) -> bytes:
    """Return the events of an item after a number."""
    line = b"id: %d\n" % (number + 1)
    if data.startswith(line):
        return data
    at = data.find(b"\n\n" + line)
    return data[at + 2 :] if at >= 0 else b""
