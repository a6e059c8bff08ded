"""`fn.map`: every row has a result, in order or as they come, and one bad row does not stop the rest."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import BadRequestError, MissingApiKeyError, UnknownPriceError, llm, prices
from ferroscope.batch import MapStats, RowResult, map_rows
from ferroscope.core import openai
from ferroscope.retries import RateLimit, Retry, fallback
from ferroscope.testing import Answer, HangUp, Json, ProviderServer, Status
from ferroscope.testing._http import Request

Collect = Callable[..., tuple[list[RowResult[Any]], MapStats]]
PRICE = Decimal("0.0000135")  # of the server's default usage, with gpt-4o-mini


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def decorated(kind: str, **options: Any) -> Any:
    """Return a function of either kind that repeats its row's text in the prompt."""
    if kind == "sync":

        @openai.call("gpt-4o-mini", **options)
        def call(text: str) -> str:
            return f"Repeat: {text}"

        return call

    @openai.call("gpt-4o-mini", **options)
    async def call_async(text: str) -> str:
        return f"Repeat: {text}"

    return call_async


def collect(fn: Any, rows: Any, **options: Any) -> tuple[list[RowResult[Any]], MapStats]:
    """Run a function of either kind over rows."""
    results = map_rows(fn, rows, **options)
    if hasattr(results, "__iter__"):
        return list(results), results.stats

    async def main() -> list[RowResult[Any]]:
        return await results.collect()

    return asyncio.run(main()), results.stats


def texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"row {number}"} for number in range(count)]


def echo(request: Request) -> str:
    return request.json["messages"][-1]["content"].removeprefix("Repeat: ")


def test_results_are_in_order_and_complete(server: ProviderServer, kind: str) -> None:
    def answer(request: Request) -> Answer:
        # Early rows are slower, so that later ones overtake them.
        return Answer(echo(request), delay=0.02 if echo(request).endswith(("0", "1")) else 0)

    server.reply_always(answer)
    results, stats = collect(decorated(kind), texts(60), concurrency=8)
    found = [(one.index, one.key, one.row, one.value.content, one.error, one.attempts, one.cost) for one in results]
    rows = texts(60)
    assert found == [(n, str(n), rows[n], f"row {n}", None, 1, PRICE) for n in range(60)]
    assert (stats.total, stats.done, stats.failed, stats.requests) == (60, 60, 0, 60)
    assert (stats.input_tokens, stats.output_tokens, stats.cost) == (600, 1200, 60 * PRICE)
    assert stats.stopped is None


def test_results_as_they_come(server: ProviderServer, kind: str) -> None:

    def answer(request: Request) -> Answer:
        return Answer(echo(request), delay=0.3 if echo(request) == "row 0" else 0)

    server.reply_always(answer)
    results, _ = collect(decorated(kind), texts(10), concurrency=4, ordered=False)
    assert results[0].index != 0
    assert {one.index for one in results} == set(range(10))


def test_one_bad_row_does_not_stop_the_rest(server: ProviderServer, kind: str) -> None:
    def answer(request: Request) -> Any:
        return Status(400, "too long") if echo(request) == "row 500" else echo(request)

    server.reply_always(answer)
    results, stats = collect(decorated(kind), texts(1000), concurrency=32)
    (failed,) = [one for one in results if not one.ok]
    assert (failed.index, failed.value, failed.attempts) == (500, None, 1)
    assert isinstance(failed.error, BadRequestError)
    with pytest.raises(BadRequestError, match="too long"):
        failed.result()
    assert (len(results), stats.done, stats.failed) == (1000, 999, 1)


BAD_ROWS = {
    "a number": (123, TypeError, "must be a mapping"),
    "another column": ({"title": "x"}, TypeError, r"none of the arguments \['text'\]"),
    "an empty row": ({}, TypeError, "none of the arguments"),
    "None": (None, TypeError, "must be a mapping"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_row_that_does_not_fit_fails_alone(server: ProviderServer, kind: str, name: str) -> None:
    row, error, message = BAD_ROWS[name]
    results, stats = collect(decorated(kind), [{"text": "a"}, row, {"text": "b", "other": 1}])
    assert [one.ok for one in results] == [True, False, True]
    assert results[1].row == row
    with pytest.raises(error, match=message):
        results[1].result()
    assert (len(server.requests), stats.requests) == (2, 2)


def test_a_storm_of_rate_limits_loses_no_row(server: ProviderServer, kind: str) -> None:
    server.reply(*[Status(429, retry_after=0.05)] * 40)
    results, stats = collect(decorated(kind, retry=2), texts(30), concurrency=20)
    assert [one.index for one in results if one.ok] == list(range(30))
    assert len(server.requests) == stats.requests == 70
    assert stats.rate_limited >= 1


def test_a_storm_without_a_requested_wait_loses_no_row(server: ProviderServer, kind: str) -> None:
    """Also where no attempt of a call is successful: a row that waits has not failed."""
    server.reply(*[Status(429)] * 16)
    results, stats = collect(decorated(kind, retry=1), texts(15), concurrency=15)
    assert [one.ok for one in results] == [True] * 15
    assert len(server.requests) == stats.requests == 31


def test_a_spent_quota_is_a_failure(server: ProviderServer, kind: str) -> None:
    spent = Status(429, "quota", code="insufficient_quota")
    server.reply_always(spent)
    results, _ = collect(decorated(kind, retry=3), texts(3))
    assert [one.ok for one in results] == [False] * 3
    assert len(server.requests) == 3


def test_the_option_retry_replaces_that_of_the_decorator(server: ProviderServer, kind: str) -> None:
    server.reply(HangUp(), Status(500))
    results, stats = collect(decorated(kind), texts(1), retry=Retry(attempts=3, wait=0, jitter=0))
    assert (results[0].ok, results[0].attempts, stats.retried) == (True, 3, 2)
    server.reply(Status(500), Status(500))
    results, _ = collect(decorated(kind, retry=5), texts(1), retry=1)
    assert (results[0].ok, results[0].attempts) == (False, 1)


def test_a_rate_limit_paces_the_rows(server: ProviderServer, kind: str) -> None:
    limit = RateLimit(requests_per_minute=4, period=0.2)
    _, stats = collect(decorated(kind), texts(10), rate_limit=limit)
    assert stats.done == 10
    assert stats.seconds >= 0.4


class Book(BaseModel):
    title: str


def test_response_models_and_invalid_answers(server: ProviderServer, kind: str) -> None:
    server.reply(Json({"title": "Dune"}), "no JSON")
    results, _ = collect(decorated(kind, response_model=Book, json_mode=True), texts(2), concurrency=1)
    assert (results[0].value, results[1].ok) == (Book(title="Dune"), False)
    assert [one.cost for one in results] == [PRICE, PRICE]


def test_the_budget_bounds_the_cost(server: ProviderServer, kind: str) -> None:
    results, stats = collect(decorated(kind), texts(200), concurrency=4, budget_usd=20 * PRICE)
    assert stats.stopped == "budget"
    assert 20 * PRICE <= stats.cost <= 23 * PRICE
    assert len(results) == len(server.requests) == stats.requests


def test_a_model_without_a_price_ends_a_run_with_a_budget(server: ProviderServer, kind: str) -> None:
    call = llm.override(_agnostic(kind), provider="openai", model="unheard-of-1")
    with pytest.raises(UnknownPriceError):
        collect(call, texts(10), budget_usd=1)
    _, stats = collect(call, texts(10), budget_usd=1, allow_unpriced=True)
    assert (stats.done, stats.unpriced) == (10, 10)


def _agnostic(kind: str, **options: Any) -> Any:
    if kind == "sync":

        @llm.call("openai", "gpt-4o-mini", **options)
        def call(text: str) -> str:
            return f"Repeat: {text}"

        return call

    @llm.call("openai", "gpt-4o-mini", **options)
    async def call_async(text: str) -> str:
        return f"Repeat: {text}"

    return call_async


def test_the_deadline_ends_the_run(server: ProviderServer, kind: str) -> None:
    server.reply_always(Answer("x", delay=0.05))
    results, stats = collect(decorated(kind), texts(10_000), concurrency=4, deadline=0.4)
    assert stats.stopped == "deadline"
    assert 0 < len(results) < 100
    assert [one.index for one in results] == sorted(one.index for one in results)


def test_a_run_ends_after_a_number_of_failures(server: ProviderServer, kind: str) -> None:
    server.reply_always(Status(400, "bad"))
    results, stats = collect(decorated(kind), texts(1000), concurrency=2, max_failures=5)
    assert stats.stopped == "failures"
    assert 5 <= len(results) <= 6


def test_rows_of_a_wrapper_go_through_it_with_map_rows_only(server: ProviderServer) -> None:
    call = decorated("sync")
    seen: list[str] = []

    @functools.wraps(call)
    def wrapper(text: str) -> Any:
        seen.append(text)
        return call(text)

    assert all(one.ok for one in map_rows(wrapper, texts(2)))
    assert len(seen) == 2
    # Python copies the attribute, and it cannot know its new owner.
    assert all(one.ok for one in wrapper.map(texts(2)))
    assert len(seen) == 2
    assert len(server.requests) == 4


def test_a_missing_key_ends_the_run(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingApiKeyError):
        collect(decorated(kind), texts(1000))


def test_a_broken_input_ends_the_run_after_its_rows(server: ProviderServer, kind: str) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield from texts(5)
        raise OSError("the disk is gone")

    seen = []
    results = map_rows(decorated(kind), rows())
    with pytest.raises(OSError, match="the disk is gone"):
        if hasattr(results, "__iter__"):
            seen += iter(results)
        else:

            async def main() -> None:
                async for result in results:
                    seen.append(result)

            asyncio.run(main())
    assert [one.index for one in seen] == [0, 1, 2, 3, 4]


def test_rows_are_drawn_as_slots_become_free(server: ProviderServer, kind: str) -> None:
    drawn = received = most = 0

    def rows() -> Iterator[dict[str, str]]:
        nonlocal drawn, most
        for row in texts(300):
            drawn += 1
            most = max(most, drawn - received)
            yield row

    results = map_rows(decorated(kind), rows(), concurrency=5, window=20)
    if hasattr(results, "__iter__"):
        for _ in results:
            received += 1
    else:

        async def main() -> None:
            nonlocal received
            async for _ in results:
                received += 1

        asyncio.run(main())
    # A chunk of results counts as received before the program has seen each of them.
    assert received == 300
    assert most <= 40


def test_an_async_iterable_of_rows(server: ProviderServer) -> None:
    async def rows() -> AsyncIterator[dict[str, str]]:
        for row in texts(50):
            await asyncio.sleep(0)
            yield row

    results, _ = collect(decorated("async"), rows(), concurrency=7)
    assert [one.index for one in results] == list(range(50))
    results, _ = collect(decorated("sync"), rows(), concurrency=7)
    assert [one.index for one in results] == list(range(50))


def test_leaving_early_ends_the_run(server: ProviderServer, kind: str) -> None:
    results = map_rows(decorated(kind), texts(10_000), concurrency=4, window=8)
    if hasattr(results, "__iter__"):
        with results:
            for result in results:
                if result.index == 10:
                    break
    else:

        async def main() -> None:
            async with results:
                async for result in results:
                    if result.index == 10:
                        break
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(main())
    assert results.stats.stopped == "closed"
    assert len(server.requests) < 100
    assert not [one for one in threading.enumerate() if one.name == "ferroscope-map-loop"]


def test_overrides_and_context_apply_to_every_row(server: ProviderServer, kind: str) -> None:
    call = _agnostic(kind)
    collect(llm.override(call, provider="openai", model="gpt-4o"), texts(3))
    with llm.context(provider="openai", model="gpt-4.1"):
        results = call.map(texts(2))
        _ = list(results) if hasattr(results, "__iter__") else asyncio.run(results.collect())
    assert [one.json["model"] for one in server.requests] == ["gpt-4o"] * 3 + ["gpt-4.1"] * 2


def test_fallbacks_apply_to_every_row(server: ProviderServer, kind: str) -> None:
    server.reply_always(lambda one: Status(400, "no") if one.json["model"] == "gpt-4o-mini" else "Yes")
    rescue = [{"catch": BadRequestError, "provider": "openai", "model": "gpt-4o"}]
    call = fallback(BadRequestError, rescue)(_agnostic(kind))
    results = call.map(texts(2))
    found = list(results) if hasattr(results, "__iter__") else asyncio.run(results.collect())
    assert [one.value.content for one in found] == ["Yes", "Yes"]
    assert [one.json["model"] for one in server.requests].count("gpt-4o") == 2


def test_open_meters_count_the_rows(server: ProviderServer, kind: str) -> None:
    with prices.meter() as spent:
        collect(decorated(kind), texts(7))
    assert (spent.calls, spent.total) == (7, 7 * PRICE)


def test_any_function_can_be_mapped(server: ProviderServer, kind: str) -> None:
    call = decorated(kind)
    if kind == "sync":

        def twice(text: str) -> str:
            return call(text).content + call(text).content

        fn: Any = twice
    else:

        async def twice_async(text: str) -> str:
            return (await call(text)).content + (await call(text)).content

        fn = twice_async
    results, _ = collect(fn, texts(3))
    assert [(one.value, one.attempts, one.cost) for one in results] == [("HelloHello", 2, 2 * PRICE)] * 3
    with pytest.raises(TypeError, match="set them where its calls are decorated"):
        map_rows(fn, texts(3), retry=2)


def test_bound_methods_can_be_mapped(server: ProviderServer) -> None:
    class Librarian:
        name = "Ann"

        @openai.call("gpt-4o-mini")
        def ask(self, text: str) -> str:
            return f"{self.name}: {text}"

    results, _ = collect(Librarian().ask, texts(2), concurrency=1)
    assert [one.ok for one in results] == [True, True]
    assert server.requests[1].json["messages"][-1]["content"] == "Ann: row 1"


BAD_OPTIONS = {
    "concurrency": ({"concurrency": 0}, ValueError, "`concurrency` must be a whole number of at least 1"),
    "window": ({"concurrency": 8, "window": 7}, ValueError, "`window` must be a whole number of at least 8"),
    "deadline": ({"deadline": 0}, ValueError, "more than 0 seconds"),
    "failures": ({"max_failures": 0}, ValueError, "`max_failures`"),
    "unknown": ({"concurency": 8}, TypeError, "unknown options of `map_rows`: concurency"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_invalid_options_are_refused(kind: str, name: str) -> None:
    options, error, message = BAD_OPTIONS[name]
    with pytest.raises(error, match=message):
        map_rows(decorated(kind), texts(1), **options)


def test_streams_and_single_rows_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="remove `stream`"):
        map_rows(decorated(kind, stream=True), texts(1))
    with pytest.raises(TypeError, match="put a single row into a list"):
        map_rows(decorated(kind), {"text": "a"})


@pytest.mark.slow
def test_the_memory_does_not_grow_with_the_rows(server: ProviderServer) -> None:
    """The rows fail before a request, so that many of them are quick."""

    def size_after(count: int) -> int:
        rows = ({"other": number} for number in range(count))
        tracemalloc.start()
        for _ in map_rows(decorated("sync"), rows, concurrency=4):
            pass
        gc.collect()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    size_after(100)
    # A program that kept the results would need about 20 MB more.
    assert size_after(20_000) < size_after(4_000) + 2_000_000
