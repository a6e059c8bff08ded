"""Resumable streams over every store: followed, left, continued, stopped."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ferroscope.testing import Answer, Cut, ProviderServer, Stall, Text
from ferroscope.web import (
    EventsGoneError,
    Item,
    ResumableStreams,
    StreamNotFoundError,
    StreamReader,
    TooManyStreamsError,
)

from .browser import events_of
from .conftest import ask_async, ask_sync

WORDS = "one two three four five six seven eight nine ten "

NewStore = Callable[..., Any]


@asynccontextmanager
async def resumable(new_store: NewStore, **options: Any) -> AsyncIterator[ResumableStreams]:
    streams = ResumableStreams(new_store(), **options)
    try:
        yield streams
    finally:
        await streams.aclose(0)


async def read(reader: StreamReader, count: int | None = None) -> bytes:
    """Read the first items of a reader, or all of them."""
    events = reader.aiterate_any()
    items = []
    try:
        async for item in events:
            items.append(item)
            if len(items) == count:
                break
    finally:
        await events.aclose()
    return b"".join(items)


def numbers(body: bytes) -> list[int]:
    return [number for number, _ in events_of(body)]


async def test_a_reader_that_comes_back_gets_the_rest_exactly_once(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text(WORDS, 10), delay=0.005))
    async with resumable(new_store) as streams:
        reader = await streams.start(await assistant(), owner="me")
        body = await read(reader, 3)
        while not body.endswith(b"[DONE]\n\n"):
            after = numbers(body)[-1]
            body += await read(await streams.follow(reader.id, owner="me", after=str(after)), 2)
        events = events_of(body)
        assert [number for number, _ in events] == list(range(1, len(events) + 1))
        assert "".join(event["delta"] for _, event in events[:-1] if event["type"] == "text-delta") == WORDS
        assert len(provider.requests) == 1
    await close()


async def test_a_reader_that_lost_the_middle_of_an_item_gets_the_missing_events(
    provider: ProviderServer, new_store: NewStore
) -> None:
    """A read of the provider's body is one item of many events; the connection may break inside it."""
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text("word " * 50, 50), coalesce=0))
    async with resumable(new_store) as streams:
        reader = await streams.start(await assistant(), "openai", owner="me")
        whole = await read(reader)
        for after in range(numbers(whole)[-1]):
            rest = await read(await streams.follow(reader.id, owner="me", after=after))
            assert whole.endswith(rest)
            assert numbers(rest)[0] == after + 1
    await close()


async def test_an_answer_goes_on_without_a_reader_and_ends_after_the_grace_period(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text(WORDS, 10), delay=0.01), Stall(Answer(Text(WORDS, 10)), after=3))
    async with resumable(new_store, grace=2.0) as streams:
        finishes = await streams.start(await assistant(), owner="me")
        await read(finishes, 1)
        stalls = await streams.start(await assistant(), owner="me")
        await read(stalls, 1)
        left = time.monotonic()
        await asyncio.to_thread(provider.wait_closed, 60.0)
        first, second = provider.requests
        assert first.outcome == "complete"
        assert second.outcome == "abandoned"
        assert (second.ended_at or 0) - left > 1.0
        assert events_of(await read(await streams.follow(finishes.id, owner="me")))[-2][1]["type"] == "finish"
        body = await read(await streams.follow(stalls.id, owner="me"))
        assert [event for _, event in events_of(body)][-2:] == [{"type": "abort"}, "[DONE]"]
    await close()


async def test_a_connected_reader_keeps_the_answer_beyond_the_grace_period(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Stall(Answer(Text(WORDS, 10)), after=3, seconds=0.5))
    async with resumable(new_store, grace=0.1) as streams:
        body = await read(await streams.start(await assistant(), owner="me"))
        assert events_of(body)[-2][1]["type"] == "finish"
    await close()


@pytest.mark.parametrize(
    ("format", "last"),
    [
        ("vercel", '{"type":"abort"}'),
        ("openai", '"code":"aborted"'),
        ("ag-ui", '"outcome":{"type":"cancelled"}'),
        ("text", "event: abort"),
    ],
)
async def test_stop_closes_the_upstream_and_every_reader_gets_the_abort_event(
    provider: ProviderServer, new_store: NewStore, format: Any, last: str
) -> None:
    assistant, close = ask_async(provider)
    delays: list[float] = []
    async with resumable(new_store) as streams:
        for _ in range(40):  # other programs may use the machine
            provider.reply(Stall(Answer(Text(WORDS, 10)), after=4))
            first = await streams.start(await assistant(), format, owner="me")
            second = await streams.follow(first.id, owner="me")
            reading = [asyncio.create_task(read(first)), asyncio.create_task(read(second))]
            await asyncio.to_thread(provider.wait_requests, len(delays) + 1)
            while await streams.store.last(first.id) is None:
                await asyncio.sleep(0.01)
            asked = time.monotonic()
            await streams.stop(first.id, owner="me")
            await asyncio.to_thread(provider.wait_closed)
            delays.append((provider.requests[-1].ended_at or 0) - asked)
            one, two = await asyncio.gather(*reading)
            assert one == two
            assert last in one.decode()
            assert numbers(one) == list(range(1, len(numbers(one)) + 1)) if format != "text" else True
            if delays[-1] < 0.05:
                break
    assert min(delays) < 0.05, delays
    await close()


async def test_another_owner_cannot_read_or_stop_a_stream(provider: ProviderServer, new_store: NewStore) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text(WORDS, 10), delay=0.01))
    async with resumable(new_store) as streams:
        reader = await streams.start(await assistant(), owner="alice")
        messages = set()
        for id, owner in ((reader.id, "bob"), (reader.id, ""), ("x" * 32, "alice"), ("", "alice"), ("x" * 999, "bob")):
            with pytest.raises(StreamNotFoundError) as followed:
                await streams.follow(id, owner=owner)
            with pytest.raises(StreamNotFoundError) as stopped:
                await streams.stop(id, owner=owner)
            messages |= {str(followed.value), str(stopped.value)}
            assert followed.value.status_code == 404
        assert len(messages) == 1
        assert events_of(await read(reader))[-2][1]["type"] == "finish"
        assert len(reader.id) >= 32
    await close()


async def test_ids_and_numbers_of_two_runs_do_not_mix(provider: ProviderServer, new_store: NewStore) -> None:
    """A run that goes on does not write into another run, and an ended run takes nothing more."""
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text("first " * 10, 10), delay=0.01), Answer(Text("second ", 1)))
    async with resumable(new_store) as streams:
        first = await streams.start(await assistant(), "text", owner="me")
        second = await streams.start(await assistant(), "text", owner="me")
        assert first.id != second.id
        body = await read(second)
        assert b"first" not in body
        (tail,) = await streams.store.read_after(second.id, numbers_of_text(body)[-1] - 1, 0)
        assert tail.is_end
        assert not await streams.store.append(second.id, Item(tail.last + 1, tail.last + 1, b"stale"))
        assert b"second" not in await read(first)
    await close()


def numbers_of_text(body: bytes) -> list[int]:
    return [int(line[4:]) for line in body.split(b"\n") if line.startswith(b"id: ")]


async def test_a_store_takes_only_the_next_number(new_store: NewStore) -> None:
    store = new_store()
    assert not await store.append("s", Item(2, 2, b"b"))
    assert await store.append("s", Item(1, 3, b"a"))
    assert not await store.append("s", Item(3, 4, b"again"))
    assert not await store.append("s", Item(5, 5, b"gap"))
    assert await store.append("s", Item(4, 4, b"z", is_end=True))
    assert [item.data for item in await store.read_after("s", 0, 0)] == [b"a", b"z"]
    assert [item.data for item in await store.read_after("s", 2, 0)] == [b"a", b"z"]
    assert [item.data for item in await store.read_after("s", 3, 0)] == [b"z"]
    assert not await store.read_after("s", 4, 0)
    await store.aclose()


async def test_a_late_reader_of_an_ended_stream_gets_all_of_it_or_a_clear_end(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text("Hello", 1)))
    streams = ResumableStreams(new_store())
    reader = await streams.start(await assistant(), owner="me")
    body = await read(reader)
    assert await read(await streams.follow(reader.id, owner="me")) == body
    for unreadable in ("", "-1", "x", "²", "9" * 5000):
        assert await read(await streams.follow(reader.id, owner="me", after=unreadable)) == body
    after_all = await streams.follow(reader.id, owner="me", after=numbers(body)[-1])
    assert after_all.status_code == 204
    assert await read(after_all) == b""
    with pytest.raises(EventsGoneError) as beyond:
        await streams.follow(reader.id, owner="me", after=numbers(body)[-1] + 5)
    assert beyond.value.status_code == 410
    await streams.aclose(0)
    provider.reply(Answer(Text("Hello", 1)))
    streams = ResumableStreams(new_store(ttl=0.3))
    reader = await streams.start(await assistant(), owner="me")
    await read(reader)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            await streams.follow(reader.id, owner="me")
        except StreamNotFoundError:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the stream did not expire")
    await streams.aclose(0)
    await close()


async def test_readers_that_join_at_any_time_have_every_event_once(
    provider: ProviderServer, new_store: NewStore
) -> None:
    """The answer is written all the time while 100 readers join, half of them through another process's store."""
    assistant, close = ask_async(provider)
    provider.reply(Answer(Text("word " * 300, 300), delay=0.001))
    async with resumable(new_store) as streams, resumable(new_store) as others:
        if not streams.store.is_shared:
            others = streams
        reader = await streams.start(await assistant(), owner="me")
        chosen = random.Random(7)

        async def join(place: ResumableStreams) -> bytes:
            await asyncio.sleep(chosen.random() * 0.4)
            return await read(await place.follow(reader.id, owner="me"))

        bodies = await asyncio.gather(*(join(place) for place in [streams, others] * 50))
        whole = await read(reader)
        assert numbers(whole) == list(range(1, len(numbers(whole)) + 1))
        assert set(bodies) == {whole}
    await close()


async def test_a_broken_answer_is_the_same_error_for_every_reader(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Cut(Answer(Text("word " * 300, 300)), at=9000))
    async with resumable(new_store) as streams:
        reader = await streams.start(await assistant(), owner="me")
        body = await read(reader)
        assert {"type": "error", "errorText": "The answer broke off."} in [event for _, event in events_of(body)]
        assert await read(await streams.follow(reader.id, owner="me")) == body
    await close()


async def test_a_sync_answer_is_resumable(provider: ProviderServer, new_store: NewStore) -> None:
    assistant, close = ask_sync(provider)
    provider.reply(Answer(Text(WORDS, 10)), Stall(Answer(Text(WORDS, 10)), after=3))
    async with resumable(new_store) as streams:
        assert events_of(await read(await streams.start(assistant(), owner="me")))[-2][1]["type"] == "finish"
        stalled = await streams.start(assistant(), owner="me")
        await read(stalled, 1)
        await streams.stop(stalled.id, owner="me")
        await asyncio.to_thread(provider.wait_closed)
        assert [event for _, event in events_of(await read(stalled))][-2:] == [{"type": "abort"}, "[DONE]"]
    close()


async def test_the_oldest_events_are_dropped_and_a_reader_is_told(provider: ProviderServer) -> None:
    from ferroscope.web import MemoryStore

    assistant, close = ask_async(provider)
    provider.reply(Answer(Text("word " * 50, 50), delay=0.001))
    streams = ResumableStreams(MemoryStore(max_bytes=500))
    reader = await streams.start(await assistant(), owner="me")
    body = await read(reader)
    assert numbers(body)[0] == 1
    with pytest.raises(EventsGoneError):
        await streams.follow(reader.id, owner="me", after=2)
    assert body.endswith(await read(await streams.follow(reader.id, owner="me", after=numbers(body)[-1] - 1)))
    await streams.aclose(0)
    await close()


class FailingStore:
    """A store that acknowledges some items and then fails, as one whose server is gone."""

    def __init__(self, store: Any, appends: int) -> None:
        self._store = store
        self._left = appends
        self.is_shared = store.is_shared

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, stream: str, item: Item) -> bool:
        self._left -= 1
        if self._left < 0:
            raise ConnectionError("redis://user:s3cret@db is gone")
        return bool(await self._store.append(stream, item))


async def test_a_store_that_fails_closes_the_upstream_and_readers_are_told(
    provider: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    from ferroscope.web import MemoryStore

    assistant, close = ask_async(provider)
    provider.reply(Stall(Answer(Text(WORDS, 10), delay=0.01), after=8))
    streams = ResumableStreams(FailingStore(MemoryStore(), 3))
    body = await read(await streams.start(await assistant(), owner="me"))
    await asyncio.to_thread(provider.wait_closed)
    events = [event for _, event in events_of(body)]
    assert events[-2:] == [{"type": "error", "errorText": "The answer broke off."}, "[DONE]"]
    assert numbers(body) == list(range(1, len(events) + 1))
    assert b"s3cret" not in body
    assert "the store of the stream failed" in caplog.text
    await streams.aclose(0)
    await close()


class BriefStore:
    """A store whose streams are said to expire soon. It counts renewals, and forwards all else."""

    ttl = 0.03

    def __init__(self, store: Any) -> None:
        self._store = store
        self.renewed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def renew(self, stream: str) -> None:
        await self._store.renew(stream)
        self.renewed.append(stream)


async def test_a_stream_does_not_expire_while_its_provider_is_silent(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    provider.reply(Stall(Answer(Text(WORDS, 10)), after=3))
    async with resumable(lambda: BriefStore(new_store())) as streams:
        store: Any = streams.store
        reader = await streams.start(await assistant(), owner="me")
        while store.renewed.count(reader.id) < 3:
            await asyncio.sleep(0.01)
        await streams.stop(reader.id, owner="me")
        events = events_of(await read(reader))
        assert [event for _, event in events][-2:] == [{"type": "abort"}, "[DONE]"]
        count = len(store.renewed)
        await asyncio.sleep(store.ttl * 3)
        assert len(store.renewed) == count  # an ended stream expires
    await close()


async def test_events_and_renewals_keep_a_stream_in_redis(redis_url: str) -> None:
    from redis import asyncio as aioredis

    from ferroscope.web.redis import RedisStore

    async with aioredis.Redis.from_url(redis_url) as client:
        store = RedisStore(client=client, prefix="renewal:", ttl=600)
        await store.put("a", b"record")
        assert await store.append("a", Item(1, 1, b"x"))
        keys = sorted([key async for key in client.scan_iter("renewal:*")])
        assert len(keys) == 2
        for key in keys:
            await client.pexpire(key, 60_000)
        await store.renew("a")
        assert [await client.pttl(key) > 300_000 for key in keys] == [True, True]
        for key in keys:
            await client.pexpire(key, 60_000)
        assert await store.append("a", Item(2, 2, b"y"))
        assert [await client.pttl(key) > 300_000 for key in keys] == [True, True]
        await client.delete(*keys)


async def test_more_running_streams_than_allowed_are_refused_and_closed(
    provider: ProviderServer, new_store: NewStore
) -> None:
    assistant, close = ask_async(provider)
    stall = Stall(Answer(Text(WORDS, 10)), after=3)
    provider.reply(stall, stall, "Hello.")
    async with resumable(new_store, max_running=2) as streams:
        running = [await streams.start(await assistant(), owner="me") for _ in range(2)]
        with pytest.raises(TooManyStreamsError, match="2 answers are running"):
            await streams.start(await assistant(), owner="me")
        for reader in running:
            while await streams.store.last(reader.id) is None:
                await asyncio.sleep(0.01)
            await streams.stop(reader.id, owner="me")
        await asyncio.to_thread(provider.wait_closed)
        assert [request.outcome for request in provider.requests] == ["abandoned"] * 2  # the third was not sent
        assert b"Hello." in await read(await streams.start(await assistant(), owner="me"))
    await close()
