"""Uses of the prompt decorators that the type checkers must refuse, each on the line with the mark."""

from __future__ import annotations

from ferroscope import Messages, TextPart, prompt_template
from ferroscope.core import BasePrompt
from ferroscope.core.base import metadata


@prompt_template("Recommend a {genre} book")
def recommend(genre: str) -> None: ...


recommend(1)  # rejected: the wrong type
recommend()  # rejected: no argument
recommend("fantasy", n=2)  # rejected: an unknown argument


@prompt_template()  # rejected: a number is no prompt
def number() -> int:
    return 1


@metadata({"tag": {"a"}})  # rejected: an unknown key
def noted() -> str:
    return ""


@prompt_template("Recommend a {genre} book")
class Recommendation(BasePrompt):
    genre: str


Recommendation(gerne="fantasy")  # rejected: an unknown field
Messages.User(3)  # rejected: no content
TextPart(type="image", text="a")  # rejected: another part's type
