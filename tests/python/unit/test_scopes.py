"""Blocks that end in any order and in any context: `prices.meter` and `llm.context` share one mechanism."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from ferroscope import llm, prices
from ferroscope.llm._context import current_layers
from ferroscope.prices import open_meters


class Scope(AbstractContextManager[Any], AbstractAsyncContextManager[Any], Protocol): ...


@dataclass
class Kind:
    """A public context manager, and the names of the blocks that are active here."""

    opened: Callable[[str], Scope]
    active: Callable[[], list[str]]


NAMES: dict[int, str] = {}


def _meter(name: str) -> Any:
    meter = prices.meter()
    NAMES[id(meter)] = name
    return meter


METER = Kind(_meter, lambda: [NAMES[id(meter)] for meter in open_meters()])
CONTEXT = Kind(
    lambda name: llm.context(provider="openai", model=name),
    lambda: [str(layer.change.model) for layer in current_layers()],
)


@pytest.fixture(params=[METER, CONTEXT], ids=["meter", "context"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def block(kind: Kind, name: str) -> Iterator[None]:
    with kind.opened(name):
        yield


async def ablock(kind: Kind, name: str) -> AsyncIterator[None]:
    async with kind.opened(name):
        yield


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_blocks_in_generators_end_in_any_order(kind: Kind, order: str) -> None:
    generators = {name: block(kind, name) for name in "abc"}
    for generator in generators.values():
        next(generator)
    left = list("abc")
    for name in order:
        assert next(generators[name], None) is None
        left.remove(name)
        assert kind.active() == left


def test_a_block_in_a_block_of_a_generator(kind: Kind) -> None:
    generator = block(kind, "generator")
    with kind.opened("outer"):
        next(generator)
        with kind.opened("inner"):
            generator.close()
            assert kind.active() == ["outer", "inner"]
    assert kind.active() == []


async def test_async_with(kind: Kind) -> None:
    async with kind.opened("a"):
        await asyncio.sleep(0)
        assert kind.active() == ["a"]
    assert kind.active() == []


def test_an_exception_goes_through(kind: Kind) -> None:
    with pytest.raises(KeyError), kind.opened("a"):
        raise KeyError
    assert kind.active() == []


@pytest.mark.parametrize("enter_elsewhere", [True, False])
@pytest.mark.parametrize("exit_elsewhere", [True, False])
def test_a_block_that_ends_in_another_context_ends_everywhere(
    kind: Kind, enter_elsewhere: bool, exit_elsewhere: bool
) -> None:
    """As pytest fixtures, and the `yield` dependencies of FastAPI, which run in the threads of a pool."""
    generator = block(kind, "a")
    first = contextvars.copy_context()
    first.run(next, generator) if enter_elsewhere else next(generator)
    second = contextvars.copy_context()
    with kind.opened("b"):
        if exit_elsewhere:
            second.run(next, generator, None)
        else:
            next(generator, None)
        assert kind.active() == ["b"]
    assert kind.active() == []
    assert first.run(kind.active) == []
    if enter_elsewhere or exit_elsewhere:
        assert second.run(kind.active) == []


def test_a_block_that_ends_in_another_thread(kind: Kind) -> None:
    generator = block(kind, "a")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(next, generator).result()
        assert pool.submit(kind.active).result() == ["a"]
    assert next(generator, None) is None
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(kind.active).result() == []
    assert kind.active() == []


async def test_an_async_generator_that_is_closed_by_another_task(kind: Kind) -> None:
    generator = ablock(kind, "a")
    await anext(generator)
    assert kind.active() == ["a"]
    await asyncio.create_task(generator.aclose())  # type: ignore[attr-defined]
    assert kind.active() == []


async def test_an_async_generator_that_is_left_to_the_garbage_collector(kind: Kind) -> None:
    generator = ablock(kind, "a")
    await anext(generator)
    del generator
    gc.collect()
    for _ in range(3):  # the event loop's hook closes it in a task
        await asyncio.sleep(0)
    assert kind.active() == []


async def test_tasks_that_interleave_do_not_see_each_other(kind: Kind) -> None:
    async def task(name: str) -> None:
        async with asynccontextmanager(ablock)(kind, name):
            for _ in range(3):
                await asyncio.sleep(0)
                assert kind.active() == [name]
        assert kind.active() == []

    await asyncio.gather(*(task(str(number)) for number in range(20)))


async def test_a_task_that_was_started_inside_keeps_the_block(kind: Kind) -> None:
    ended = asyncio.Event()

    async def task() -> list[str]:
        await ended.wait()
        return kind.active()

    with kind.opened("a"):
        started = asyncio.create_task(task())
        await asyncio.sleep(0)
    ended.set()
    assert await started == ["a"]
    assert kind.active() == []


def test_one_object_in_several_blocks(kind: Kind) -> None:
    shared = kind.opened("a")

    def turn() -> Iterator[None]:
        with shared:
            yield

    first, second = turn(), turn()
    other = contextvars.copy_context()
    next(first)
    other.run(next, second)
    next(first, None)
    assert kind.active() == []
    assert other.run(kind.active) == ["a"]
    other.run(next, second, None)
    assert other.run(kind.active) == []
    with shared:
        assert kind.active() == ["a"]


def test_an_exit_without_a_block_does_nothing(kind: Kind) -> None:
    scope = kind.opened("a")
    with ExitStack() as stack:
        stack.push(scope)
        stack.push(scope)
        stack.enter_context(scope)
    assert kind.active() == []
