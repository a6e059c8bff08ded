"""The store of resumable streams in Redis, for several processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .._engine.extras import require_package
from ._store import Item

require_package("redis", extra="redis", user="`ferroscope.web.redis`")

from redis import asyncio as aioredis  # noqa: E402  # checked above

# One step, so that no other process can write between the check and the append. The id of an entry is the number of
# its last event. https://redis.io/docs/latest/commands/xadd/
_APPEND: Final = """
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = 0
if top then
    last = tonumber(string.match(top[1], '^%d+'))
    if top[2][6] == '1' then return 0 end
end
if tonumber(ARGV[1]) ~= last + 1 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], ARGV[2] .. '-0', 'f', ARGV[1], 'd', ARGV[3], 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return 1
"""
# A connection waits this long at most, so that limits of the network's time-outs do not matter.
_MAX_WAIT: Final = 2.0


class RedisStore:
    """A store in Redis Streams. Every process of a service has one, with the same prefix.

    Args:
        url: The URL of the server, such as `redis://localhost:6379/0`.
        prefix: The prefix of all keys.
        ttl: The time for which a stream is kept after its last event, in seconds.
        max_items: The approximate number of reads of a provider's body in a stream. The oldest are dropped first.
        client: A client to use in place of one for the URL. Closing the store leaves it open.
    """

    is_shared = True

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        prefix: str = "ferroscope:",
        ttl: float = 600.0,
        max_items: int = 20_000,
        client: aioredis.Redis | None = None,
    ) -> None:
        self._owns_client = client is None
        # Any: redis-py's types do not know whether a command is awaited
        self._redis: Any = aioredis.Redis.from_url(url, socket_timeout=_MAX_WAIT + 8) if client is None else client
        self._prefix = prefix
        self.ttl = ttl
        self._max_items = max_items
        self._append = self._redis.register_script(_APPEND)

    async def append(self, stream: str, item: Item) -> bool:
        """Append events; see `EventStore.append`."""
        keys = [self._log(stream), self._record(stream)]
        end, ttl = int(item.is_end), int(self.ttl * 1000)
        added = await self._append(keys, [item.first, item.last, item.data, end, self._max_items, ttl])
        return bool(added)

    async def read_after(self, stream: str, number: int, timeout: float) -> Sequence[Item]:
        """Return the items with events after a number; see `EventStore.read_after`."""
        block = int(min(timeout, _MAX_WAIT) * 1000) or None
        found = await self._redis.xread({self._log(stream): f"{number}-0"}, count=1000, block=block)
        if not found:
            return ()
        # RESP3 answers with a dict, RESP2 with a list.
        entries = next(iter(found.values())) if isinstance(found, dict) else found[0][1]
        if entries and isinstance(entries[0], list):
            (entries,) = entries
        return [_item(*entry) for entry in entries]

    async def renew(self, stream: str) -> None:
        """Keep a running stream for another `ttl` seconds."""
        ttl = int(self.ttl * 1000)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.pexpire(self._log(stream), ttl)
            pipeline.pexpire(self._record(stream), ttl)
            await pipeline.execute()

    async def last(self, stream: str) -> Item | None:
        """Return the last item of a stream."""
        found = await self._redis.xrevrange(self._log(stream), count=1)
        return _item(*found[0]) if found else None

    async def put(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Store a record; see `EventStore.put`."""
        await self._redis.set(self._record(key), value, px=int((self.ttl if ttl is None else ttl) * 1000))

    async def get(self, key: str) -> bytes | None:
        """Return a record; None if there is none, or it has expired."""
        found = await self._redis.get(self._record(key))
        return found.encode() if isinstance(found, str) else found

    async def send(self, mailbox: str, message: bytes) -> None:
        """Add a message to a mailbox. It expires with the streams."""
        key = self._mailbox(mailbox)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.rpush(key, message)
            pipeline.pexpire(key, int(self.ttl * 1000))
            await pipeline.execute()

    async def receive(self, mailbox: str, timeout: float) -> bytes | None:
        """Return the next message of a mailbox; see `EventStore.receive`."""
        found = await self._redis.blpop([self._mailbox(mailbox)], timeout=min(timeout, _MAX_WAIT))
        return None if found is None else bytes(found[1])

    async def aclose(self) -> None:
        """Close the connections, unless the client is the program's own."""
        if self._owns_client:
            await self._redis.aclose()

    def _log(self, stream: str) -> str:
        # The braces keep the keys of one stream on one node of a cluster.
        return f"{self._prefix}{{{stream}}}:events"

    def _record(self, key: str) -> str:
        return f"{self._prefix}{{{key}}}:record"

    def _mailbox(self, mailbox: str) -> str:
        return f"{self._prefix}{{{mailbox}}}:messages"


def _item(number: Any, fields: dict[Any, Any]) -> Item:  # Any: bytes or str, as the client is set up
    values = {_bytes(name): _bytes(value) for name, value in fields.items()}
    last = int(_bytes(number).split(b"-")[0])
    return Item(int(values[b"f"]), last, values[b"d"], values[b"e"] == b"1")


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
