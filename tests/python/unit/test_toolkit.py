"""Toolkits: methods as tools that share the toolkit's fields."""

from __future__ import annotations

import gc
import weakref
from abc import ABC
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest
from pydantic import PrivateAttr

from ferroscope.core.base.tool import BaseTool, provider_tool_type
from ferroscope.core.base.toolkit import BaseToolKit, is_toolkit_tool, toolkit_tool
from ferroscope.core.openai.tool import OpenAITool


class BookTools(BaseToolKit):
    __namespace__: ClassVar[str | None] = "book_tools"
    level: Literal["beginner", "advanced"]
    _seen: list[str] = PrivateAttr(default_factory=list)

    @toolkit_tool
    def suggest(self, title: str, author: str = "unknown") -> str:
        """Suggests a book to a {self.level}.

        Args:
            title: A title for a {self.level!r}.
            author: Who wrote it.
        """
        self._seen.append(title)
        return f"{title} by {author} for {self.level}s"

    @toolkit_tool
    async def look_up(self, isbn: str) -> str:
        """Looks a book up."""
        return f"{isbn} for {self.level}s"

    @toolkit_tool
    class Count(BaseTool):
        """Counts books for a {self.level}."""

        at_most: int

        def call(self) -> str:
            return f"{self.at_most} {self.level}s"  # type: ignore[attr-defined]

    def not_a_tool(self) -> None: ...


def by_name(toolkit: BaseToolKit) -> dict[str, type[OpenAITool]]:
    return {tool._name(): provider_tool_type(tool, OpenAITool) for tool in toolkit.create_tools()}


def test_the_tools_of_a_toolkit_are_sent_with_rendered_docstrings() -> None:
    assert [tool.tool_schema()["function"] for tool in by_name(BookTools(level="beginner")).values()] == [
        {
            "name": "book_tools_Count",
            "description": "Counts books for a beginner.",
            "parameters": {
                "type": "object",
                "properties": {"at_most": {"type": "integer", "title": "At Most"}},
                "required": ["at_most"],
            },
        },
        {
            "name": "book_tools_look_up",
            "description": "Looks a book up.",
            "parameters": {
                "type": "object",
                "properties": {"isbn": {"type": "string"}},
                "required": ["isbn"],
            },
        },
        {
            "name": "book_tools_suggest",
            "description": "Suggests a book to a beginner.",
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "A title for a 'beginner'."},
                    "author": {"type": "string", "description": "Who wrote it.", "default": "unknown"},
                },
                "required": ["title"],
            },
        },
    ]


async def test_tools_act_on_their_own_toolkit() -> None:
    kits = [BookTools(level="beginner"), BookTools(level="advanced"), BookTools(level="beginner")]
    tools = [by_name(kit) for kit in kits]
    arguments = '{"title":"Emma"}'
    suggested = [
        tool["book_tools_suggest"].from_arguments(id="c", name="book_tools_suggest", arguments=arguments)
        for tool in tools
    ]
    assert [tool.call() for tool in suggested] == [
        "Emma by unknown for beginners",
        "Emma by unknown for advanceds",
        "Emma by unknown for beginners",
    ]
    assert [kit._seen for kit in kits] == [["Emma"], ["Emma"], ["Emma"]]
    look_up = tools[1]["book_tools_look_up"].from_arguments(id="c", name="x", arguments='{"isbn":"1"}')
    assert await look_up.call() == "1 for advanceds"
    count = tools[1]["book_tools_Count"].from_arguments(id="c", name="x", arguments='{"at_most":3}')
    assert isinstance(count, BookTools.Count)
    assert count.call() == "3 advanceds"


def test_however_an_instance_is_made_it_is_bound() -> None:
    (_, _, created) = BookTools(level="advanced").create_tools()
    tool: Any = provider_tool_type(created, OpenAITool)
    expected = "Emma by unknown for advanceds"
    made: list[Any] = [
        tool.model_validate({"title": "Emma"}),
        tool.model_validate_json('{"title":"Emma"}'),
        tool.model_validate_strings({"title": "Emma"}),
        tool(title="Emma"),
        tool.model_construct(title="Emma", author="unknown"),
        tool.model_validate(tool.model_validate({"title": "Emma"})),
        created.model_validate({"title": "Emma"}),
    ]
    assert [instance.call() for instance in made] == [expected] * len(made)
    assert all(isinstance(instance, created) for instance in made)
    assert all(isinstance(instance, tool) for instance in made[:-1])
    made[0].title = "Dune"
    assert made[0].call() == "Dune by unknown for advanceds"


def test_a_tool_follows_the_toolkits_state() -> None:
    kit = BookTools(level="beginner")
    tool = by_name(kit)["book_tools_suggest"].model_validate({"title": "Emma"})
    kit.level = "advanced"
    assert tool.call() == "Emma by unknown for advanceds"
    assert by_name(kit)["book_tools_suggest"]._description() == "Suggests a book to a advanced."


def test_the_same_toolkit_gives_the_same_classes_while_they_say_the_same() -> None:
    kit = BookTools(level="beginner")
    first, again = kit.create_tools(), kit.create_tools()
    assert first == again
    kit.level = "advanced"
    count, look_up, suggest = kit.create_tools()
    # Of the three, only this one's docstring speaks of nothing that changed.
    assert (count in first, look_up in first, suggest in first) == (False, True, False)
    assert BookTools(level="beginner").create_tools() != first


def test_nothing_keeps_a_toolkit_alive_that_nobody_uses() -> None:
    kit = BookTools(level="beginner")
    made = kit.create_tools()
    references: list[Callable[[], object]] = [weakref.ref(kit), *(weakref.ref(tool) for tool in made)]
    del made, kit
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


def test_an_unfinished_tool_of_a_toolkit() -> None:
    tool = by_name(BookTools(level="beginner"))["book_tools_suggest"]
    partial = tool.partial_from_values({"title": "Em"}, id="c", name="book_tools_suggest", delta="Em")
    assert (partial.args, partial._name(), partial.delta) == (
        {"title": "Em", "author": None},
        "book_tools_suggest",
        "Em",
    )
    assert isinstance(partial, tool)


def test_what_is_not_about_self_stays_as_written() -> None:
    class Kit(BaseToolKit):
        name: str = "N"

        @toolkit_tool
        def variables(self) -> None:
            """About {self.name}, {later}, {later.too:>3} and {{literal}}."""

        @toolkit_tool
        def with_json(self, a: int) -> None:
            """About {self.name:>3}: {"a": {"b": 1}} and {self.name.__class__.__name__}.

            Example:
                {"a": 1}
            """

    variables, with_json = Kit().create_tools()
    assert variables._description() == "About N, {later}, {later.too:>3} and {literal}."
    assert with_json._description() == 'About   N: {"a": {"b": 1}} and str.'
    assert with_json.model_json_schema()["examples"] == [{"a": 1}]


def test_without_a_namespace_names_are_the_methods() -> None:
    class Kit(BaseToolKit):
        @toolkit_tool
        def first(self) -> None:
            """First."""

        @toolkit_tool
        class Second(BaseTool):
            """Second."""

            def call(self) -> None: ...

    assert [tool._name() for tool in Kit().create_tools()] == ["Second", "first"]


def test_inherited_methods_and_static_ones() -> None:
    class Base(BaseToolKit, ABC):
        """Has no tools yet, which is allowed of an abstract toolkit."""

    class Kit(Base):
        @toolkit_tool
        def plain(self, a: int) -> int:
            """Plain."""
            return a

        @staticmethod  # type: ignore[type-var]  # typed for methods; at run time a static one will do
        @toolkit_tool
        def static(a: int) -> int:
            """Static."""
            return a

    class More(Kit):
        @toolkit_tool
        def extra(self, a: int) -> int:
            """Extra."""
            return a

    made = More().create_tools()
    assert [tool._name() for tool in made] == ["extra", "plain", "static"]
    assert [tool.model_validate({"a": 1}).call() for tool in made] == [1, 1, 1]


def test_marks() -> None:
    assert is_toolkit_tool(BookTools.suggest)
    assert is_toolkit_tool(BookTools.Count)
    assert not is_toolkit_tool(BookTools.not_a_tool)


def test_the_same_class_may_be_defined_again() -> None:
    def cell() -> type[BaseToolKit]:
        class Notebook(BaseToolKit):
            __namespace__: ClassVar[str | None] = "notebook"

            @toolkit_tool
            def f(self) -> None:
                """F."""

        return Notebook

    first, second = cell(), cell()
    assert first is not second
    assert [kit().create_tools()[0]._name() for kit in (first, second)] == ["notebook_f", "notebook_f"]


def test_a_subclass_may_keep_its_parents_namespace() -> None:
    class Advanced(BookTools):
        level: Literal["beginner", "advanced"] = "advanced"

    assert list(by_name(Advanced())) == ["book_tools_Count", "book_tools_look_up", "book_tools_suggest"]


def another_with_the_namespace() -> None:
    class Other(BaseToolKit):
        __namespace__: ClassVar[str | None] = "book_tools"

        @toolkit_tool
        def f(self) -> None:
            """F."""


def without_tools() -> None:
    class Empty(BaseToolKit):
        def f(self) -> None: ...


def without_a_docstring() -> None:
    class Silent(BaseToolKit):
        @toolkit_tool
        def f(self) -> None: ...


def with_an_unknown_variable() -> None:
    class Wrong(BaseToolKit):
        level: str

        @toolkit_tool
        def f(self) -> None:
            """For {self.levle.upper}."""


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (another_with_the_namespace, "The namespace book_tools is already used"),
        (without_tools, "No toolkit_tool method found"),
        (without_a_docstring, "The toolkit_tool method must have a docstring"),
        (
            with_an_unknown_variable,
            "The toolkit_tool method template variable self.levle.upper is not found in the class",
        ),
    ],
)
def test_mistakes_appear_when_the_toolkit_is_defined(define: Any, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        define()
    assert str(raised.value) == message
