"""Tools in the middle of a stream: what is known shows, nothing else is made up."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from ferroscope.core.base.tool import BaseTool, provider_tool_type
from ferroscope.core.openai.tool import OpenAITool
from ferroscope.errors import ToolArgumentsError


class Author(BaseModel):
    name: str
    born: int


class Shelve(BaseTool):
    """Shelves books."""

    title: str = Field(min_length=3)
    copies: int = Field(default=1, alias="count")
    author: Author | None = None
    others: list[Author] = Field(default=[])
    by_role: dict[str, Author] = Field(default={})
    tags: list[str] = Field(default=[])
    either: Author | list[str] | str = ""

    def call(self) -> str:
        return self.title


TOOL = provider_tool_type(Shelve, OpenAITool)


def partial(values: dict[str, object]) -> Any:
    return TOOL.partial_from_values(values, id="call_1", name="Shelve", delta="x", arguments="{...")


def test_fields_that_are_not_known_are_none_whatever_their_default() -> None:
    assert partial({"title": "E"}).args == {
        "title": "E",
        "copies": None,
        "author": None,
        "others": None,
        "by_role": None,
        "tags": None,
        "either": None,
    }


def test_a_partial_tool_is_an_instance_of_the_users_class_under_its_real_name() -> None:
    tool = partial({"title": "E"})
    assert isinstance(tool, Shelve)
    assert isinstance(tool, TOOL)
    assert (type(tool).__name__, tool._name(), tool._description()) == (
        "PartialShelve",
        "Shelve",
        "Shelves books.",
    )
    assert type(tool) is type(partial({}))


def test_a_partial_tool_knows_its_call_and_the_last_fragment() -> None:
    tool = partial({"title": "E"})
    assert (tool.id, tool.delta) == ("call_1", "x")
    assert (tool.tool_call.function.name, tool.tool_call.function.arguments) == ("Shelve", "{...")


def test_nested_values_are_partial_models() -> None:
    tool = partial(
        {
            "count": 2,
            "author": {"name": "Jan"},
            "others": [{"name": "A", "born": 1}, {}],
            "by_role": {"editor": {"born": 2}},
            "tags": ["a"],
            "either": {"name": "B"},
        }
    )
    assert (tool.title, tool.copies, tool.tags) == (None, 2, ["a"])
    assert isinstance(tool.author, Author)
    assert tool.author.model_dump() == {"name": "Jan", "born": None}
    assert [(other.name, other.born) for other in tool.others] == [("A", 1), (None, None)]
    assert tool.by_role["editor"].born == 2
    assert tool.either.name == "B"


def test_values_may_be_given_by_the_names_of_the_fields_and_as_models() -> None:
    author = Author(name="Jan", born=1)
    tool = partial({"copies": 3, "author": author})
    assert tool.copies == 3
    assert tool.author is author


def test_a_class_of_its_own_is_not_made_for_every_delta() -> None:
    assert len({type(partial({"title": "E" * length})) for length in range(5)}) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", {"title": None, "pages": None}),
        ("{", {"title": None, "pages": None}),
        ('{"title": "Em', {"title": "Em", "pages": None}),
        ('{"title": "Emma", "pages": 1', {"title": "Emma", "pages": None}),
        ('{"title": "Emma", "pages": 12}', {"title": "Emma", "pages": 12}),
    ],
)
def test_an_unfinished_sdk_call(arguments: str, expected: dict[str, object]) -> None:
    def note(title: str, pages: int) -> None: ...

    tool = OpenAITool.type_from_fn(note)
    call = tool.from_arguments(id="c", name="note", arguments='{"title":"x","pages":1}').tool_call
    call.function.arguments = arguments
    assert tool.from_tool_call(call, allow_partial=True).args == expected


def test_what_is_no_beginning_of_an_object_is_an_error() -> None:
    def note(title: str) -> None: ...

    tool = OpenAITool.type_from_fn(note)
    call = tool.from_arguments(id="c", name="note", arguments='{"title":"x"}').tool_call
    call.function.arguments = '{"title": nope'
    with pytest.raises(ToolArgumentsError, match="tool 'note', call 'c': the arguments are not valid JSON: "):
        tool.from_tool_call(call, allow_partial=True)
