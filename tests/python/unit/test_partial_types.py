"""Whatever the type of a field: when the text is complete, the last instance shows what the model itself reads."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    SecretStr,
    StringConstraints,
    computed_field,
    create_model,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass
from typing_extensions import TypeAliasType, TypedDict

from ferroscope._engine.partial import PartialReader


class Item(BaseModel):
    name: str
    n: int = 3


class Record(TypedDict):
    a: int
    b: NotRequired[str]


class Pair(NamedTuple):
    x: int
    y: str


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Color(str, Enum):  # noqa: UP042 - the older spelling is the common one
    RED = "red"


@dataclass
class Shelf:
    a: int
    items: list[Item]


class Cat(BaseModel):
    kind: Literal["cat"]
    toys: list[Item]


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Items = TypeAliasType("Items", list[Item])

ITEM = '{"name": "abc", "n": 12}'


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (list[Item] | None, f"[{ITEM}, {ITEM}]"),
        (Annotated[list[Item], Field(min_length=1)], f"[{ITEM}]"),
        (dict[str, Item] | None, f'{{"a": {ITEM}, "b": {ITEM}}}'),
        (list[list[Item]], f"[[{ITEM}], []]"),
        (tuple[Item, ...], f"[{ITEM}]"),
        (Annotated[Item, BeforeValidator(lambda value: value)], ITEM),
        (Shelf, f'{{"a": 1, "items": [{ITEM}]}}'),
        (Items, f"[{ITEM}]"),
        (Pet, f'{{"kind": "cat", "toys": [{ITEM}]}}'),
        (list[Pet], f'[{{"kind": "cat", "toys": [{ITEM}]}}, {{"kind": "dog", "name": "d"}}]'),
        (list[Cat | Dog | None], '[null, {"kind": "dog", "name": "d"}]'),
        (str | Item, ITEM),
        (str | list[str], '"abc"'),
        (int | list[int], "[1, 2]"),
        (int | list[int], "5"),
        (Record, '{"a": 1, "b": "x"}'),
        (Pair, '[1, "x"]'),
        (Level, "2"),
        (Color, '"red"'),
        (Literal[1, "a", None], "null"),
        (type(None), "null"),
        (object, '{"a": 1}'),
        (Decimal, "1.50"),
        (UUID, '"12345678-1234-5678-1234-567812345678"'),
        (timedelta, '"PT1H"'),
        (bytes, '"ab"'),
        (SecretStr, '"x"'),
        (HttpUrl, '"https://example.com/"'),
        (ByteSize, '"1kb"'),
        (Json[list[int]], '"[1, 2]"'),
        (Annotated[str, StringConstraints(strip_whitespace=True)], '"  ab "'),
        (list[Annotated[str, AfterValidator(str.upper)]], '["ab"]'),
        (deque[int], "[1, 2]"),
        (frozenset[int], "[1, 1]"),
        (Sequence[str], '["a"]'),
        (Iterable[int], "[1]"),
        (tuple[()], "[]"),
        (OrderedDict[str, int], '{"a": 1}'),
        (defaultdict[str, list[int]], '{"a": [1]}'),
        (Mapping[str, Any], '{"a": {"b": [1]}}'),
        (dict, '{"a": 1}'),
        (list, '[1, "a"]'),
        (tuple, "[1]"),
        (set, "[1]"),
    ],
)
def test_the_last_instance_shows_what_the_model_reads(annotation: Any, text: str) -> None:
    fields: dict[str, Any] = {"x": (annotation, Field(description="The value.")), "y": (int, 0)}
    reader: PartialReader[Any] = PartialReader(create_model("Holder", **fields))
    shown = [(value, repr(value)) for value in reader.read(f'{{"x": {text}, "y": 7}}')]
    last, final = shown[-1][0], reader.finish()
    assert [repr(value) for value, _ in shown] == [before for _, before in shown]
    if annotation == Iterable[int]:
        # The model itself keeps an iterator there.
        assert ([*last.x], [*final.x]) == ([1], [1])
    else:
        assert last.model_dump(warnings=False) == final.model_dump()
    assert last.y == 7


def test_what_a_model_configures_holds_for_its_instances() -> None:
    class Configured(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, frozen=True, use_enum_values=True)
        first_name: str
        best_color: Color

        @computed_field  # type: ignore[prop-decorator]
        @property
        def shouted(self) -> str:
            return self.first_name.upper()

    reader = PartialReader(Configured)
    *_, last = reader.read('{"firstName": "ab", "bestColor": "red"}')
    assert last.model_dump() == {"first_name": "ab", "best_color": "red", "shouted": "AB"}
    assert last.model_dump() == reader.finish().model_dump()
