"""The store of resumable streams: an append-only log per stream, records with an expiry, and mailboxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Item:
    """Some events of a stream, in the order of their numbers.

    Attributes:
        first: The number of the first event.
        last: The number of the last event.
        data: The events, as sent to browsers.
        is_end: Whether these are the last events of the stream.
    """

    first: int
    last: int
    data: bytes
    is_end: bool = False


class EventStore(Protocol):
    """A store of resumable streams. Only `append` and `read_after` handle events.

    Attributes:
        is_shared: Whether several processes use the store, which then exchange messages and watch each other.
        ttl: The time for which a stream is kept after its last event, in seconds.
    """

    is_shared: bool
    ttl: float

    async def append(self, stream: str, item: Item) -> bool:
        """Append events, and return after the store has acknowledged them.

        Return False, and store nothing, if the stream has ended, or if the numbers do not continue the stored ones:
        another process has ended the stream.
        """
        ...

    async def read_after(self, stream: str, number: int, timeout: float) -> Sequence[Item]:
        """Return the items with events after `number`. Wait up to `timeout` seconds for the first one."""
        ...

    async def renew(self, stream: str) -> None:
        """Keep the events and the record of a running stream for another `ttl` seconds."""
        ...

    async def last(self, stream: str) -> Item | None:
        """Return the last item of a stream."""
        ...

    async def put(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Store a record for `ttl` seconds; by default as long as a stream's events are kept after its last one."""
        ...

    async def get(self, key: str) -> bytes | None:
        """Return a record; None if there is none, or it has expired."""
        ...

    async def send(self, mailbox: str, message: bytes) -> None:
        """Add a message to a mailbox."""
        ...

    async def receive(self, mailbox: str, timeout: float) -> bytes | None:
        """Return the next message of a mailbox. Wait up to `timeout` seconds for it."""
        ...

    async def aclose(self) -> None:
        """Close the connections to the store."""
        ...
