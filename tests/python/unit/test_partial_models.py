"""`partial(Model)`: the class of a model that is still being written."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ferroscope.core.base._partial import partial

T = TypeVar("T")


class Author(BaseModel):
    """Who wrote it."""

    name: str = Field(min_length=3)
    born: date | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    bark: str


class Box(BaseModel, Generic[T]):
    content: T


class Tree(BaseModel):
    name: str
    branches: list[Tree] = Field(default_factory=list)
    parent: Tree | None = None


class Book(BaseModel):
    """A book."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=40, description="As on the cover.")] = "untitled"
    authors: list[Author]
    tags: set[str] = Field(default_factory=set)
    chapters: dict[str, list[Author]]
    rating: int | str | None
    pet: Cat | Dog = Field(discriminator="kind")
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]
    pair: tuple[int, ...]
    box: Box[Author]
    render: Callable[[int], str] | None = Field(None, exclude=True)
    anything: Any
    price_in_eur: float = Field(alias="priceInEur", gt=0)


# What the checkers know of a partial class is that it is the model; its optional fields they do not.
PartialBook: Any = partial(Book)
PartialAuthor: Any = partial(Author)


def test_a_partial_class_is_a_subclass_with_the_name_the_module_and_the_docstring() -> None:
    assert issubclass(PartialBook, Book)
    assert (PartialBook.__name__, PartialBook.__module__, PartialBook.__doc__) == (
        "PartialBook",
        __name__,
        "A book.",
    )


def test_every_field_is_optional_and_everything_inside_too() -> None:
    cats_and_dogs: Any = partial(Cat) | partial(Dog) | None
    assert {name: field.annotation for name, field in PartialBook.model_fields.items()} == {
        "title": str | None,
        "authors": list[PartialAuthor | None] | None,
        "tags": set[str | None] | None,
        "chapters": dict[str | None, list[PartialAuthor | None] | None] | None,
        "rating": int | str | None,
        "pet": cats_and_dogs,
        "pets": list[cats_and_dogs] | None,
        "pair": tuple[int | None, ...] | None,
        "box": partial(Box[Author]) | None,
        "render": Callable[[int], str] | None,
        "anything": Any,
        "price_in_eur": float | None,
    }
    assert all(field.default is None for field in PartialBook.model_fields.values())
    assert PartialBook().model_dump() == {name: None for name in Book.model_fields if name != "render"}


def test_a_class_is_made_once() -> None:
    assert partial(Book) is PartialBook
    assert PartialBook.model_fields["authors"].annotation == list[PartialAuthor | None] | None


def test_aliases_descriptions_constraints_and_configuration_stay() -> None:
    assert PartialBook.model_fields["title"].description == "As on the cover."
    assert PartialBook.model_validate({"priceInEur": 2}).price_in_eur == 2
    for wrong in ({"priceInEur": -1}, {"title": "x" * 41}, {"unknown": 1}):
        with pytest.raises(ValidationError):
            PartialBook.model_validate(wrong)


def test_preserved_fields_stay_as_they_are() -> None:
    made = partial(Author, {"name"})
    assert made is partial(Author, {"name"})
    assert made is not PartialAuthor
    assert {name: (f.annotation, f.is_required()) for name, f in made.model_fields.items()} == {
        "name": (str, True),
        "born": (date | None, False),
    }


def test_a_model_may_contain_itself() -> None:
    made = partial(Tree)
    grown = made.model_validate({"name": "oak", "branches": [{"branches": [{}]}]})
    assert grown.model_dump() == {
        "name": "oak",
        "branches": [
            {
                "name": None,
                "branches": [{"name": None, "branches": None, "parent": None}],
                "parent": None,
            }
        ],
        "parent": None,
    }
    assert all(type(tree) is made for tree in grown.branches)


def test_models_that_contain_each_other() -> None:
    class Folder(BaseModel):
        files: list[File]

    class File(BaseModel):
        folder: Folder | None

    Folder.model_rebuild(_types_namespace={"File": File, "Folder": Folder})
    made = partial(Folder)
    assert made.model_validate({"files": [{"folder": {"files": [{}]}}]}).model_dump() == {
        "files": [{"folder": {"files": [{"folder": None}]}}]
    }
    assert issubclass(partial(File), File)


def test_validators_of_the_model_run_when_the_class_itself_validates() -> None:
    class Shouted(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def shout(cls, text: str) -> str:
            return text.upper()

    assert partial(Shouted).model_validate({"text": "a"}).text == "A"


def test_a_model_and_its_partial_class_are_collected_together() -> None:
    def make() -> weakref.ref[type[BaseModel]]:
        class Passing(BaseModel):
            a: int

        return weakref.ref(partial(Passing))

    gone = make()
    gc.collect()
    assert gone() is None
