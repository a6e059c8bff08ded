"""What tools return, as the text that the model reads."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope.core.base._tool_output import transform_tool_outputs


class Book(BaseModel):
    title: str
    published: datetime.date = datetime.date(1815, 12, 23)


class Genre(str, Enum):  # noqa: UP042  (of a StrEnum, `str()` is the value already)
    CRIME = "crime"


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
]


@pytest.mark.parametrize(("output", "text"), OUTPUTS)
def test_every_kind_of_output(output: Any, text: str) -> None:
    assert Response.tool_message_params([("t", output)]) == [{"tool": "t", "content": text}]


def test_the_order_of_several_is_kept() -> None:
    assert Response.tool_message_params([("a", 1), ("b", "x")]) == [
        {"tool": "a", "content": "1"},
        {"tool": "b", "content": "x"},
    ]


@pytest.mark.parametrize("output", [object(), [object()], {"a": 1j}])
def test_what_has_no_text_is_an_error(output: Any) -> None:
    with pytest.raises(TypeError, match=r"^Unsupported type for serialization: <class '"):
        Response.tool_message_params([("t", output)])
