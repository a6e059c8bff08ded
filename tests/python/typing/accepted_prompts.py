"""Uses of the prompt decorators that the type checkers must understand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_type

from PIL import Image

from ferroscope import BaseDynamicConfig, BaseMessageParam, ImagePart, Messages, TextPart, prompt_template
from ferroscope.core import BasePrompt
from ferroscope.core.base import metadata


@prompt_template("Recommend a {genre} book")
def by_template(genre: str, *, n: int = 1) -> None: ...


assert_type(by_template("fantasy", n=2), list[BaseMessageParam])


@prompt_template("Recommend a {upper} book")
def by_template_and_config(genre: str) -> BaseDynamicConfig:
    return {"computed_fields": {"upper": genre.upper()}, "metadata": {"tags": {"a"}}}


assert_type(by_template_and_config("fantasy"), list[BaseMessageParam])


@prompt_template("Recommend a {genre} book")
async def by_template_async(genre: str) -> None: ...


@prompt_template()
def by_text(genre: str) -> str:
    return genre


assert_type(by_text("fantasy"), list[BaseMessageParam])


@prompt_template()
async def by_text_async(genre: str) -> str:
    return genre


async def awaited() -> None:
    assert_type(await by_template_async("fantasy"), list[BaseMessageParam])
    assert_type(await by_text_async("fantasy"), list[BaseMessageParam])


@prompt_template()
def by_messages(genre: str) -> Messages.Type:
    return [Messages.System("Be brief."), Messages.User(genre)]


assert_type(by_messages("fantasy"), list[BaseMessageParam])


@prompt_template()
def by_parts(picture: Image.Image) -> list[str | TextPart | Image.Image]:
    return ["What is this?", TextPart(type="text", text="Be brief."), picture]


assert_type(by_parts(Image.new("RGB", (1, 1))), list[BaseMessageParam])


@prompt_template()
def by_message_list(genre: str) -> list[BaseMessageParam]:
    return [Messages.User(genre)]


assert_type(by_message_list("fantasy"), list[BaseMessageParam])


class Librarian:
    name = "Ann"

    @prompt_template("You are {self.name}. {query}")
    def ask(self, query: str) -> None: ...


assert_type(Librarian().ask("Hi"), list[BaseMessageParam])


@metadata({"tags": {"version:0001"}})
@prompt_template("Recommend a {genre} book")
def noted(genre: str) -> None: ...


assert_type(noted("fantasy"), list[BaseMessageParam])


@prompt_template("Recommend a {genre} book")
@metadata({"tags": {"version:0001"}})
class Recommendation(BasePrompt):
    genre: str


prompt = Recommendation(genre="fantasy")
assert_type(prompt, Recommendation)
assert_type(prompt.message_params(), list[BaseMessageParam])


def counted(fn: Callable[..., object]) -> Callable[..., int]:
    return lambda **fields: len(fields)


assert_type(prompt.run(counted), int)

pictures: Iterable[Image.Image] = []
assert_type(
    Messages.User(
        [
            "a",
            Image.new("RGB", (1, 1)),
            ImagePart(type="image", media_type="image/png", image=b"", detail=None),
        ]
    ),
    BaseMessageParam,
)
