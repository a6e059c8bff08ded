"""Response models that the type checkers must understand."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Generic, Literal, Optional, TypeVar, assert_type

from pydantic import BaseModel, Field, RootModel

from ferroscope.core import FromCallArgs, openai
from ferroscope.core.base import BaseStructuredStream


class Book(BaseModel):
    genre: Annotated[str, FromCallArgs()]
    title: str


class Genre(Enum):
    NOVEL = "novel"


class Names(RootModel[list[str]]):
    pass


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@openai.call("gpt-4o-mini", response_model=Book)
def recommend(genre: str, *, n: int = 1) -> str:
    return genre * n


assert_type(recommend("fantasy", n=2), Book)


@openai.call("gpt-4o-mini", response_model=Book, json_mode=True)
async def recommend_async(genre: str) -> str:
    return genre


def prompt(genre: str) -> str:
    return genre


call = openai.call
assert_type(call("m", response_model=str)(prompt)("x"), str)
assert_type(call("m", response_model=list[str])(prompt)("x"), list[str])
assert_type(call("m", response_model=dict[str, list[Book]])(prompt)("x"), dict[str, list[Book]])
assert_type(call("m", response_model=tuple[str, int])(prompt)("x"), tuple[str, int])
assert_type(call("m", response_model=Genre)(prompt)("x"), Genre)
assert_type(call("m", response_model=Names)(prompt)("x"), Names)
assert_type(call("m", response_model=Page[Book])(prompt)("x"), Page[Book])
assert_type(call("m", response_model=int | str)(prompt)("x"), int | str)
assert_type(call("m", response_model=Book | None)(prompt)("x"), Book | None)
assert_type(call("m", response_model=Optional[Book])(prompt)("x"), Book | None)  # noqa: UP045  # the old spelling, too
assert_type(call("m", response_model=Literal["a", "b"])(prompt)("x"), Literal["a", "b"])
assert_type(call("m", response_model=Annotated[int, Field(ge=0)])(prompt)("x"), int)


def title_of(book: Book) -> str:
    return book.title


assert_type(call("m", response_model=Book, output_parser=title_of)(prompt)("x"), str)
assert_type(call("m", response_model=Book, tools=[add])(prompt)("x"), Book | openai.OpenAICallResponse)
assert_type(
    call("m", response_model=Book, tools=[add], output_parser=title_of)(prompt)("x"), str | openai.OpenAICallResponse
)


@openai.call("gpt-4o-mini", stream=True, response_model=Book)
def streamed(genre: str) -> str:
    return genre


for book in streamed("fantasy"):
    assert_type(book, Book)
assert_type(streamed("fantasy").constructed_response_model, Book)
assert_type(
    call("m", stream={"every": "field"}, response_model=list[Book])(prompt)("x"), BaseStructuredStream[list[Book]]
)
for item in call("m", stream=True, response_model=Book, tools=[add])(prompt)("x"):
    assert_type(item, Book | openai.OpenAICallResponse)


@openai.call("gpt-4o-mini", stream=True, response_model=int | None)
async def streamed_async(genre: str) -> str:
    return genre


async def awaited() -> None:
    assert_type(await recommend_async("fantasy"), Book)
    async for number in await streamed_async("fantasy"):
        assert_type(number, int | None)
