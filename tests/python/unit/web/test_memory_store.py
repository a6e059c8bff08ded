"""The store in memory has a bound for all of its streams."""

from __future__ import annotations

from ferroscope.web import Item, MemoryStore


async def test_the_streams_that_ended_first_make_room_for_others() -> None:
    store = MemoryStore(max_total_bytes=1000)
    for name in ("a", "b", "running", "c"):
        assert await store.append(name, Item(1, 1, b"x" * 300, is_end=name != "running"))
    assert [name for name in ("a", "b", "running", "c") if await store.last(name)] == ["b", "running", "c"]
    assert await store.append("running", Item(2, 2, b"x" * 500, is_end=False))
    assert [name for name in ("b", "running", "c") if await store.last(name)] == ["running"]
