"""Response models that the type checkers must refuse, each on the line with the mark."""

from __future__ import annotations

from pydantic import BaseModel

from ferroscope.core import openai


class Book(BaseModel):
    title: str


def prompt(genre: str) -> str:
    return genre


def title_of(book: Book) -> str:
    return book.title


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


openai.call("m", response_model=3)  # rejected: no type
openai.call("m", response_model=Book(title="Emma"))  # rejected: an instance
openai.call("m", response_model=prompt)  # rejected: a function
openai.call("m", response_model=int, output_parser=title_of)(prompt)  # rejected: the parser takes a Book
openai.call("m", response_model=Book, stream=True, output_parser=title_of)  # rejected: both at once
openai.call("m", response_model=Book, stream={"every": "word"})  # rejected: no such choice
print(openai.call("m", response_model=Book)(prompt)("x").pages)  # rejected: no such field
print(openai.call("m", response_model=Book | None)(prompt)("x").title)  # rejected: it may be None
print(openai.call("m", response_model=Book, tools=[add])(prompt)("x").title)  # rejected: it may be a response
