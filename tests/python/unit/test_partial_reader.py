"""Instances of a model that grow with the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    RootModel,
    ValidationError,
    field_validator,
    model_validator,
)

from ferroscope._core import JsonError
from ferroscope._engine.partial import PartialReader, nodes
from ferroscope.core.base._partial import partial

T = TypeVar("T")


class Genre(Enum):
    NOVEL = "novel"
    ESSAY = "essay"


class Author(BaseModel):
    name: str
    born: date | None = None


class Book(BaseModel):
    title: str
    year: int
    genre: Genre
    authors: list[Author]


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def shown(target: Any, text: str, **options: Any) -> list[Any]:
    """The different values that show while the text arrives letter by letter, as plain data."""
    reader: PartialReader[Any] = PartialReader(target, **options)
    values: list[Any] = []
    for value in reader.read(text, every="change"):
        plain = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
        if not values or values[-1] != plain:
            values.append(plain)
    return values


def field(annotation: Any, text: str, **options: Any) -> list[Any]:
    """The different values of one field while its text arrives; None first."""

    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        x: annotation  # pyright: ignore[reportInvalidTypeForm]

    values = [value.get("x") for value in shown(Holder, f'{{"x": {text}}}', **options)]
    return [value for at, value in enumerate(values) if at == 0 or values[at - 1] != value]


def test_a_model_grows_and_ends_as_the_model_itself() -> None:
    text = '{"title": "Emma", "year": 1815, "genre": "novel", "authors": [{"name": "Jane", "born": "1775-12-16"}]}'
    reader = PartialReader(Book)
    dumps = []
    for value in reader.read(pieces(text, 16)):
        assert type(value) is partial(Book)
        dumps.append(value.model_dump(exclude_none=True))
    assert dumps == [
        {"title": "Emma"},
        {"title": "Emma", "year": 1815},
        {"title": "Emma", "year": 1815, "genre": Genre.NOVEL},
        {"title": "Emma", "year": 1815, "genre": Genre.NOVEL, "authors": [{}]},
        {
            "title": "Emma",
            "year": 1815,
            "genre": Genre.NOVEL,
            "authors": [{"name": "Jane"}],
        },
        {
            "title": "Emma",
            "year": 1815,
            "genre": Genre.NOVEL,
            "authors": [{"name": "Jane"}],
        },
        {
            "title": "Emma",
            "year": 1815,
            "genre": Genre.NOVEL,
            "authors": [{"name": "Jane", "born": date(1775, 12, 16)}],
        },
    ]
    book = reader.finish()
    assert type(book) is Book
    assert book == Book(
        title="Emma",
        year=1815,
        genre=Genre.NOVEL,
        authors=[Author(name="Jane", born=date(1775, 12, 16))],
    )


@dataclass
class Point:
    x: int
    y: int


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Page(BaseModel, Generic[T]):
    data: list[T]
    more: Page[T] | None = None


class Names(RootModel[list[str]]):
    pass


@pytest.mark.parametrize(
    ("annotation", "text", "values"),
    [
        (str, '"abc"', [None, "", "a", "ab", "abc"]),
        (str | None, "null", [None]),
        (Annotated[str, Field(min_length=3)], '"ab"', [None, "", "a", "ab"]),
        (
            Annotated[str, AfterValidator(str.upper)],
            '"ab"',
            [None, "", "a", "ab", "AB"],
        ),
        (int, "120", [None, 120]),
        (int, '"12"', [None, 12]),
        (int, '"abc"', [None]),
        (Annotated[int, Field(gt=5)], "3", [None, 3]),
        (float, "1.5", [None, 1.5]),
        (bool, "true", [None, True]),
        (date, '"1813-01-28"', [None, date(1813, 1, 28)]),
        (Genre, '"essay"', [None, Genre.ESSAY]),
        (Genre, '"poem"', [None]),
        (Literal["ab", "abc"], '"abc"', [None, "abc"]),
        (int | str, '"ab"', [None, "", "a", "ab"]),
        (int | date, '"1813-01-28"', [None, date(1813, 1, 28)]),
        (list[int], "[1, 2]", [None, [], [1], [1, 2]]),
        (list[int], '[1, "x", 3]', [None, [], [1], [1, None], [1, None, 3]]),
        (
            list[str],
            '["ab", "c"]',
            [None, [], [""], ["a"], ["ab"], ["ab", ""], ["ab", "c"]],
        ),
        (list[Genre], '["novel"]', [None, [], [Genre.NOVEL]]),
        (dict[str, int], '{"a": 1, "b": 2}', [None, {}, {"a": 1}, {"a": 1, "b": 2}]),
        (dict[int, str], '{"1": "a"}', [None, {}, {1: ""}, {1: "a"}]),
        (
            set[str],
            '["ab", "ab"]',
            [None, set(), {""}, {"a"}, {"ab"}, {"ab", ""}, {"ab", "a"}, {"ab"}],
        ),
        (tuple[int, str], '[1, "ab"]', [None, (1, ""), (1, "a"), (1, "ab")]),
        (Point, '{"x": 1, "y": 2}', [None, {"x": 1, "y": 2}]),
        (Names, '["a"]', [None, [], [""], ["a"]]),
        (
            Any,
            '[1, {"a": "b"}]',
            [None, [], [1], [1, {}], [1, {"a": ""}], [1, {"a": "b"}]],
        ),
        (JsonValue, '{"a": 1}', [None, {}, {"a": 1}]),
        (
            Cat | Dog,
            '{"kind": "dog", "name": "x"}',
            [
                None,
                {},
                {"kind": "dog"},
                {"kind": "dog", "name": ""},
                {"kind": "dog", "name": "x"},
            ],
        ),
        (
            dict[str, list[Author]],
            '{"a": [{"name": "x"}]}',
            [
                None,
                {},
                {"a": []},
                {"a": [{}]},
                {"a": [{"name": ""}]},
                {"a": [{"name": "x"}]},
            ],
        ),
        (Author | None, "null", [None]),
        (Author, '[{"name": "x"}]', [None]),
        (list[Author], '{"name": "x"}', [None]),
    ],
)
def test_what_a_field_shows_while_it_arrives(annotation: Any, text: str, values: list[Any]) -> None:
    assert field(annotation, text) == values


def test_field_validators_run_on_complete_fields_and_model_validators_on_the_final_value_alone() -> None:
    ran: list[str] = []

    class Checked(BaseModel):
        name: str
        size: int

        @field_validator("name")
        @classmethod
        def check_name(cls, name: str) -> str:
            ran.append(f"name {name}")
            return name.title()

        @model_validator(mode="after")
        def check_all(self) -> Checked:
            ran.append(f"all {self.size}")
            return self

    reader = PartialReader(Checked)
    names = {value.name for value in reader.read('{"name": "jo", "size": 3}')}
    assert names == {None, "", "j", "jo", "Jo"}
    assert ran == ["name jo"]
    assert reader.finish() == Checked(name="jo", size=3)


def test_what_fails_its_validators_shows_as_its_type_and_the_final_error_tells() -> None:
    class Fussy(BaseModel):
        name: str
        size: int = Field(gt=10)

        @field_validator("name")
        @classmethod
        def never(cls, name: str) -> str:
            raise TypeError("not a ValidationError")

    class Sized(BaseModel):
        size: int = Field(gt=10)

    reader = PartialReader(Fussy)
    last = [*reader.read('{"name": "jo", "size": 3}')][-1]
    assert (last.name, last.size) == ("jo", 3)
    sized = PartialReader(Sized)
    sized.feed('{"size": 3}')
    with pytest.raises(ValidationError, match="greater than 10"):
        sized.finish()


def test_an_instance_does_not_change_after_it_was_handed_out() -> None:
    class Shelf(BaseModel):
        books: list[Book]
        notes: dict[str, list[str]]

    text = (
        '{"books": [{"title": "Emma", "year": 1815, "genre": "novel", "authors": [{"name": "Jane"}, {"name": "X"}]},'
        '{"title": "Two", "year": 2, "genre": "essay", "authors": []}], "notes": {"a": ["x", "yz"], "b": ["1", "2"]}}'
    )
    reader = PartialReader(Shelf)
    kept = [(value, value.model_dump_json()) for value in reader.read(text)]
    assert len(kept) == len(text)
    assert [value.model_dump_json() for value, _ in kept] == [json for _, json in kept]
    assert kept[-1][0].model_dump() == reader.finish().model_dump()


def test_whoever_keeps_only_a_list_keeps_it_as_it_was() -> None:
    class Numbers(BaseModel):
        xs: list[int]
        by_name: dict[str, int]

    text = (
        '{"xs": ['
        + ",".join(map(str, range(40)))
        + '], "by_name": {'
        + ",".join(f'"{n}": {n}' for n in range(40))
        + "}}"
    )
    kept_lists: list[tuple[list[int], int]] = []
    kept_dicts: list[tuple[dict[str, int], int]] = []
    for at, value in enumerate(PartialReader(Numbers).read(text)):
        if at % 3 == 0 and value.xs is not None:
            kept_lists.append((value.xs, len(value.xs)))
        if at % 5 == 0 and value.by_name is not None:
            kept_dicts.append((value.by_name, len(value.by_name)))
    assert all(xs == [*range(length)] for xs, length in kept_lists)
    assert all(d == {str(n): n for n in range(length)} for d, length in kept_dicts)
    assert len(kept_lists) > 10
    assert len(kept_dicts) > 10


@pytest.mark.parametrize("keep_every", [1, 2, 3, 50])
def test_a_long_text_that_somebody_keeps_stays_as_it_was(keep_every: int) -> None:
    class Letter(BaseModel):
        text: str

    whole = "".join(f"{n} é😀" if n % 7 == 0 else f"{n} plain text " for n in range(1_500))
    reader = PartialReader(Letter)
    kept: list[str] = []
    for at, value in enumerate(reader.read(pieces(json.dumps({"text": whole}), 11))):
        if at % keep_every == 0 and value.text is not None:
            kept.append(value.text)
    lengths = [len(text) for text in kept]
    assert kept == [whole[:length] for length in lengths]
    assert lengths == sorted(lengths)
    assert lengths[-1] > 15_000
    assert reader.finish().text == whole


def test_a_long_text_that_nobody_keeps_is_not_copied() -> None:
    class Letter(BaseModel):
        text: str

    seen: set[int] = set()
    deltas = ['{"text": "', *["eight ch"] * 20_000, '"}']
    for value in PartialReader(Letter).read(deltas):
        if value.text is not None and len(value.text) > 100_000:
            seen.add(id(value.text))
    # Two copies take turns; growing them moves them now and then. A new one each time would be 7,500.
    assert len(seen) < 500


def test_a_list_that_nobody_keeps_is_not_copied() -> None:
    class Numbers(BaseModel):
        xs: list[int]

    seen: set[int] = set()
    for value in PartialReader(Numbers).read('{"xs": [' + "1," * 500 + "1]}"):
        seen.add(id(value.xs))
        del value
    # None, the buffers that take turns, and the complete list.
    assert len(seen) < 8


def test_what_is_complete_is_shared_between_instances() -> None:
    reader = PartialReader(Book)
    reader.feed('{"title": "E", "authors": [{"name": "Jane"}, {"name": "J')
    first = reader.value
    reader.feed("oe")
    second = reader.value
    assert first is not None
    assert second is not None
    assert first is not second
    assert first.authors[0] is second.authors[0]
    assert [author.name for author in first.authors] == ["Jane", "J"]
    assert [author.name for author in second.authors] == ["Jane", "Joe"]


def test_done_fields_are_known() -> None:
    reader = PartialReader(Book)
    reader.feed('{"title": "Emma", "year": 1815, "authors": [{"name": "Jane"}, {"name": "J')
    asked: list[tuple[tuple[str | int, ...], bool]] = [
        (("title",), True),
        (("year",), True),
        (("genre",), False),
        (("authors",), False),
        (("authors", 0), True),
        (("authors", 0, "name"), True),
        (("authors", 1), False),
        (("authors", 1, "name"), False),
        (("authors", 2), False),
        ((), False),
    ]
    assert [(path, reader.is_done(*path)) for path, _ in asked] == asked
    reader.feed('o"}], "genre": "novel"}')
    assert reader.completed == [
        ("authors", 1, "name"),
        ("authors", 1),
        ("authors",),
        ("genre",),
        (),
    ]
    assert all(reader.is_done(*path) for path in [(), ("genre",), ("authors", 1)])


def test_instances_for_every_delta_for_every_change_or_for_every_completed_field() -> None:
    deltas = ['{"ti', "tle", '": "Em', "", "ma", '", "year": 18', "15", "}"]

    def titles(
        every: Literal["delta", "change", "field"],
    ) -> list[tuple[str | None, int | None]]:
        return [(value.title, value.year) for value in PartialReader(Book).read(deltas, every=every)]

    nothing: tuple[None, None] = (None, None)
    assert titles("delta") == [
        nothing, nothing, ("Em", None), ("Em", None), ("Emma", None), ("Emma", None), ("Emma", None), ("Emma", 1815),
    ]  # fmt: skip
    assert titles("change") == [
        nothing,
        ("Em", None),
        ("Emma", None),
        ("Emma", None),
        ("Emma", 1815),
    ]
    assert titles("field") == [("Emma", None), ("Emma", 1815)]


def test_nothing_shows_before_the_document_begins_and_prose_around_it_is_passed_over() -> None:
    text = 'Of course [as {you} asked]:\n```json\n{"name": "Jane"}\n```\nAnything {else}?'
    reader = PartialReader(Author)
    assert not reader.feed("Of course [")
    assert reader.value is None
    reader = PartialReader(Author)
    names = [value.name for value in reader.read(text, every="change")]
    assert names == [None, None, "", "J", "Ja", "Jan", "Jane", "Jane"]
    assert reader.finish() == Author(name="Jane")


@pytest.mark.parametrize(
    ("target", "text", "values", "final"),
    [
        (list[int], "[1, 2]", [[], [1], [1, 2]], [1, 2]),
        (list[Author], 'Here: [{"name": "a"}]', None, [Author(name="a")]),
        (str, '"ab"', ["", "a", "ab"], "ab"),
        (int, "12", [], 12),
        (dict[str, int], '{"a": 1}', [{}, {"a": 1}], {"a": 1}),
    ],
)
def test_any_type_can_be_read(target: Any, text: str, values: list[Any] | None, final: object) -> None:
    reader: PartialReader[Any] = PartialReader(target)
    seen = [*reader.read(text, every="change")]
    if values is not None:
        assert [value for at, value in enumerate(seen) if at == 0 or seen[at - 1] != value] == values
    assert reader.finish() == final


def test_given_fields_show_from_the_first_instance_on_whatever_the_text_says() -> None:
    reader = PartialReader(Book, prefilled={"year": 1815})
    assert [(value.title, value.year) for value in reader.read(['{"title": "E', '", "year": 3, "genre": "novel"'])] == [
        ("E", 1815),
        ("E", 1815),
    ]
    reader.feed(', "authors": []}')
    assert reader.finish() == Book(title="E", year=1815, genre=Genre.NOVEL, authors=[])


def test_aliases_extra_fields_and_private_attributes() -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(extra="allow")
        eur: float = Field(alias="priceInEur")
        names: list[str] = Field(validation_alias=AliasChoices("n", "names"), default_factory=list)
        _seen: int = PrivateAttr(default=7)

    reader = PartialReader(Odd)
    *_, last = reader.read('{"priceInEur": 2.5, "names": ["a"], "more": {"x": [1]}}')
    assert (last.eur, last.names, last.model_extra, last._seen) == (
        2.5,
        ["a"],
        {"more": {"x": [1]}},
        7,
    )
    assert last.model_fields_set == {"eur", "names"}


def test_unknown_fields_are_passed_over_with_all_they_hold() -> None:
    assert shown(Author, '{"x": {"name": "no", "y": [{"name": "no"}]}, "name": "a"}') == [
        {},
        {"name": ""},
        {"name": "a"},
    ]


def test_a_strict_model_takes_from_json_what_json_cannot_say_otherwise() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        day: date
        size: int

    reader = PartialReader(Strict)
    *_, last = reader.read('{"day": "1813-01-28", "size": "3"}')
    assert last.model_dump() == {"day": date(1813, 1, 28), "size": None}
    with pytest.raises(ValidationError, match="size"):
        reader.finish()


def test_a_model_may_contain_itself() -> None:
    class Tree(BaseModel):
        name: str
        branches: list[Tree] = []

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    text = '{"name": "a", "branches": [{"name": "b", "branches": [{"name": "c"}]}]}'
    reader = PartialReader(Tree)
    *_, last = reader.read(text)
    assert last.branches[0].branches[0].name == "c"
    assert reader.finish().model_dump() == Tree.model_validate_json(text).model_dump()


def test_a_generic_model_may_contain_itself() -> None:
    reader = PartialReader(Page[int])
    *_, last = reader.read('{"data": [1], "more": {"data": [2, 3]}}')
    assert type(last) is type(last.more)
    assert last.model_dump() == {"data": [1], "more": {"data": [2, 3], "more": None}}
    assert reader.finish() == Page[int](data=[1], more=Page[int](data=[2, 3]))


def test_malformed_text_names_the_byte_and_the_value_before_it_stays() -> None:
    reader = PartialReader(Book)
    with pytest.raises(JsonError, match="byte 36: invalid number") as raised:
        reader.feed('{"title": "Emma", "year": 18, "x": 1x')
    assert raised.value.offset == 36
    assert reader.value is not None
    assert (reader.value.title, reader.value.year) == ("Emma", 18)


def test_a_document_that_ends_early_is_an_error_and_its_value_stays() -> None:
    reader = PartialReader(Book)
    reader.feed('{"title": "Em')
    with pytest.raises(
        JsonError,
        match="byte 13: the text ends where the rest of a string was expected",
    ):
        reader.finish()
    assert reader.value is not None
    assert reader.value.title == "Em"
    assert reader.raw == {"title": "Em"}


def test_deltas_may_come_from_any_iterator() -> None:
    def source() -> Iterator[bytes]:
        yield b'{"name": "J\xc3'
        yield b'\xa9r\xc3\xb4me"}'

    assert [value.name for value in PartialReader(Author).read(source())] == [
        "J",
        "Jérôme",
    ]


NESTED = json.dumps({"rows": [{"cells": [{"x": [1, 2, n], "y": {"a": "b" * n}}] * 3, "n": n} for n in range(12)]})


class Cell(BaseModel):
    x: list[int]
    y: dict[str, str]


class Row(BaseModel):
    cells: list[Cell]
    n: int


class Table(BaseModel):
    rows: list[Row]


@pytest.mark.parametrize("target", [dict, dict[str, list[dict[str, Any]]], Table], ids=str)
@pytest.mark.parametrize("kept", [1, 2, 3, 7])
def test_whoever_keeps_some_of_the_instances_sees_none_of_them_change(target: Any, kept: int) -> None:
    reader: PartialReader[Any] = PartialReader(target)
    instances: list[tuple[Any, str]] = []
    for number, piece in enumerate(pieces(NESTED, 5)):
        reader.feed(piece)
        if number % kept == 0:
            value = reader.value
            instances.append((value, repr(value)))
    assert [repr(value) for value, _ in instances] == [shown for _, shown in instances]
    final = reader.finish()
    assert (final.model_dump() if isinstance(final, BaseModel) else final) == json.loads(NESTED)


@pytest.mark.parametrize("target", [dict, Table], ids=str)
def test_containers_in_containers_are_not_copied_for_every_delta(monkeypatch: pytest.MonkeyPatch, target: Any) -> None:
    """Looks inside, because only time would tell otherwise."""
    free = nodes.Buffers.free
    found: list[bool] = []

    def noted(buffers: nodes.Buffers[Any]) -> Any:
        shown = free(buffers)
        found.append(shown is not None)
        return shown

    monkeypatch.setattr(nodes.Buffers, "free", noted)
    reader: PartialReader[Any] = PartialReader(target)
    reader.feed('{"rows": [')
    for number in range(50):
        reader.feed(f'{{"cells": [], "n": {number}}}, ')
    reader.feed('{"cells": [{"x": [')
    for number in range(10):
        reader.feed(f"{number}, ")
    del found[:]
    for number in range(100):
        reader.feed(f"{number}, ")
    assert all(found)
