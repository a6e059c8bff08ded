"""A program of Mirascope v1 after `ferroscope migrate migrated.py --write`: only the imports have changed.

Run it with `python migrated.py fantasy`.
"""

import sys

from pydantic import BaseModel, ValidationError, field_validator
from tenacity import retry, stop_after_attempt

from ferroscope.core import BaseTool, openai, prompt_template
from ferroscope.retries.tenacity import collect_errors


class Stock(BaseTool):
    """Return the number of copies of a book."""

    title: str

    def call(self) -> str:
        """Return the number as text."""
        return f"3 copies of {self.title}"


class Book(BaseModel):
    """A book."""

    title: str
    author: str

    @field_validator("title")
    @classmethod
    def _is_not_shouted(cls, title: str) -> str:
        if title.isupper():
            raise ValueError("the title must not be in capitals")
        return title


@retry(stop=stop_after_attempt(3), after=collect_errors(ValidationError))
@openai.call("gpt-4o-mini", response_model=Book)
def recommend(genre: str, *, errors: list[ValidationError] | None = None) -> str:
    if errors:
        return f"Recommend a {genre} book. Your last answers were wrong: {errors}"
    return f"Recommend a {genre} book"


@openai.call("gpt-4o-mini", tools=[Stock])
@prompt_template("How many copies of {book.title} are there?")
def count(book: Book) -> None: ...


if __name__ == "__main__":
    book = recommend(sys.argv[1])
    print(f"{book.title} by {book.author}")
    response = count(book)
    print(response.tool.call() if response.tool else response.content)
