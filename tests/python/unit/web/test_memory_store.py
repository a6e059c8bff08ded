"""The store in memory has a bound for all of its streams."""

from __future__ import annotations

import time

import pytest

from ferroscope.web import Item, MemoryStore


async def test_the_streams_that_ended_first_make_room_for_others() -> None:
    store = MemoryStore(max_total_bytes=1000)
    for name in ("a", "b", "running", "c"):
        assert await store.append(name, Item(1, 1, b"x" * 300, is_end=name != "running"))
    assert [name for name in ("a", "b", "running", "c") if await store.last(name)] == ["b", "running", "c"]
    assert await store.append("running", Item(2, 2, b"x" * 500, is_end=False))
    assert [name for name in ("b", "running", "c") if await store.last(name)] == ["running"]


async def test_a_stream_outlives_its_ttl_while_it_is_written_or_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    store = MemoryStore(ttl=60)
    for name in ("silent", "renewed"):
        await store.put(name, b"record")
        assert await store.append(name, Item(1, 1, b"x"))
    for _ in range(3):
        now += 50
        await store.renew("renewed")
    await store.put("another", b"record")  # what has expired goes
    assert await store.get("renewed") == b"record"
    now += 50
    assert await store.append("renewed", Item(2, 2, b"y"))
    now += 50  # an event renews the stream, too
    assert await store.get("renewed") == b"record"
    assert await store.get("silent") is None
    assert not await store.append("silent", Item(2, 2, b"y"))
