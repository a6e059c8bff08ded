"""What tools return, as the text that the model reads."""

from __future__ import annotations

import datetime
from collections import UserDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr

from ferroscope.core.base._tools.output import transform_tool_outputs


class Book(BaseModel):
    title: str
    published: datetime.date = datetime.date(1815, 12, 23)


class Genre(str, Enum):  # noqa: UP042  (of a StrEnum, `str()` is the value already)
    CRIME = "crime"


class Shelf(Enum):
    TOP = 1
    NEW = datetime.date(2026, 1, 2)


class Level(IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: Decimal


@dataclass
class Loan:
    book: Book
    until: datetime.date
    cover: bytes = b"\xff"
    notes: list[Any] = field(default_factory=list)


NOON = datetime.datetime(2026, 1, 2, 12, 0, tzinfo=datetime.UTC)


class Response:
    @classmethod
    @transform_tool_outputs
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        return [{"tool": tool, "content": output} for tool, output in tools_and_outputs]


OUTPUTS = [
    ("text", "text"),
    ("", ""),
    ("żółw", "żółw"),
    (Genre.CRIME, "crime"),
    (b"\x00\xff", "AP8="),
    (3, "3"),
    (0.5, "0.5"),
    (True, "true"),
    (None, "null"),
    ([1, "a", None], '[1, "a", null]'),
    ((1, (2,)), "[1, [2]]"),
    ({7}, "[7]"),
    (frozenset({7}), "[7]"),
    ({"a": {"b": b"\x00"}, 1: ["c"]}, '{"a": {"b": "AA=="}, "1": ["c"]}'),
    (Book(title="Emma"), '{"title":"Emma","published":"1815-12-23"}'),
    ([Book(title="Emma")], '[{"title": "Emma", "published": "1815-12-23"}]'),
    (NOON, '"2026-01-02T12:00:00Z"'),
    (
        {"at": NOON, "on": [NOON.date()], "by": NOON.time()},
        '{"at": "2026-01-02T12:00:00Z", "on": ["2026-01-02"], "by": "12:00:00"}',
    ),
    (datetime.timedelta(hours=25), '"P1DT1H"'),
    (Decimal("1.50"), '"1.50"'),
    ([UUID(int=1)], '["00000000-0000-0000-0000-000000000001"]'),
    ([PurePosixPath("/a/b"), Path("c"), SecretStr("x"), ip_address("::1")], '["/a/b", "c", "**********", "::1"]'),
    ([Shelf.TOP, Shelf.NEW, Level.LOW, Genre.CRIME], '[1, "2026-01-02", 1, "crime"]'),
    (
        Loan(Book(title="Emma"), NOON.date()),
        '{"book": {"title": "Emma", "published": "1815-12-23"}, "until": "2026-01-02", "cover": "/w==", "notes": []}',
    ),
    (
        [Loan(Book(title="Emma"), NOON.date(), notes=[Point(1, Decimal(2))])],
        '[{"book": {"title": "Emma", "published": "1815-12-23"}, "until": "2026-01-02", "cover": "/w==", '
        '"notes": [[1, "2"]]}]',
    ),
    (
        {PurePosixPath("/a"): 1, UUID(int=2): 2, Genre.CRIME: 3, Shelf.NEW: 4, None: 5, True: 6},
        '{"/a": 1, "00000000-0000-0000-0000-000000000002": 2, "crime": 3, "2026-01-02": 4, "null": 5, "true": 6}',
    ),
    ([float("nan"), float("inf"), 1.5], "[null, null, 1.5]"),
    (
        deque([1, {"a": 1}.keys(), range(2), bytearray(b"\xff"), UserDict(a=b"\xfb")]),
        '[1, ["a"], [0, 1], "/w==", {"a": "+w=="}]',
    ),
]


@pytest.mark.parametrize(("output", "text"), OUTPUTS)
def test_every_kind_of_output(output: Any, text: str) -> None:
    assert Response.tool_message_params([("t", output)]) == [{"tool": "t", "content": text}]


def test_the_order_of_several_is_kept() -> None:
    assert Response.tool_message_params([("a", 1), ("b", "x")]) == [
        {"tool": "a", "content": "1"},
        {"tool": "b", "content": "x"},
    ]


@pytest.mark.parametrize("output", [object(), [object()], {"a": object}, {object(): 1}, [Loan]])
def test_what_has_no_text_is_an_error(output: Any) -> None:
    with pytest.raises(TypeError, match=r"^Unsupported type for serialization: <class '"):
        Response.tool_message_params([("t", output)])
