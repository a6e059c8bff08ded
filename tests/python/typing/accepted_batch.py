"""Uses of `map` and `ferroscope.batch` that the type checkers must understand."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

from pydantic import BaseModel

from ferroscope import llm
from ferroscope.batch import AsyncRowResults, RowResult, RowResults, map_rows
from ferroscope.core import openai
from ferroscope.core.openai import OpenAICallResponse
from ferroscope.retries import RateLimit, Retry


class Book(BaseModel):
    title: str


@llm.call("openai", "gpt-4o-mini")
def plain(genre: str) -> str:
    return genre


@openai.call("gpt-4o-mini")
async def plain_async(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", response_model=Book)
def book(genre: str) -> str:
    return genre


rows = [{"genre": "fantasy"}]
assert_type(plain.map(rows), RowResults[llm.CallResponse])
assert_type(plain_async.map("rows.jsonl", concurrency=100), AsyncRowResults[OpenAICallResponse])
assert_type(book.map(rows, retry=Retry(attempts=2), rate_limit=RateLimit(requests_per_minute=5)), RowResults[Book])
assert_type(map_rows(book, rows, ordered=False), RowResults[Book])
assert_type(map_rows(plain_async, rows, budget_usd="0.5", deadline=60), AsyncRowResults[OpenAICallResponse])
assert_type(map_rows(llm.override(plain, provider="openai", model="gpt-4o"), rows), RowResults[llm.CallResponse])
assert_type(plain.__name__, str)


def use(results: RowResults[Book]) -> None:
    for result in results:
        assert_type(result, RowResult[Book])
        assert_type(result.value, Book | None)
        assert_type(result.result(), Book)
        assert_type(result.cost, Decimal | None)


async def use_async() -> None:
    async for result in plain_async.map(rows):
        assert_type(result.result(), OpenAICallResponse)
    assert_type(await plain_async.map(rows).collect(), list[RowResult[OpenAICallResponse]])


class Librarian:
    @openai.call("gpt-4o-mini")
    def ask(self, genre: str) -> str:
        return genre

    @llm.call("openai", "gpt-4o-mini")
    async def aask(self, genre: str) -> str:
        return genre


assert_type(Librarian().ask("fantasy"), OpenAICallResponse)
assert_type(Librarian.ask(Librarian(), "fantasy"), OpenAICallResponse)


async def methods() -> None:
    assert_type(await Librarian().aask(genre="fantasy"), llm.CallResponse)
