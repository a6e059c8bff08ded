"""One class for each tool and provider: made once, shared by nobody else, gone when nobody needs it."""

from __future__ import annotations

import functools
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope.core.base.tool import BaseTool, provider_tool_type
from ferroscope.core.openai.tool import OpenAITool


def double(x: int) -> int:
    """Doubles."""
    return 2 * x


class Triple(BaseTool):
    x: int

    def call(self) -> int:
        return 3 * self.x


class Point(BaseModel):
    x: int


class Multiplier:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def multiply(self, x: int) -> int:
        """Multiplies."""
        return self.factor * x

    def __call__(self, x: int) -> int:
        return self.factor * x


class Grouped(OpenAITool):
    """A second kind of tool, as another provider has."""


KEPT = Multiplier(5)


@pytest.mark.parametrize(
    "tool",
    [
        double,
        Triple,
        Point,
        functools.partial(double),
        KEPT,
        OpenAITool.type_from_fn(double),
        BaseTool.type_from_fn(double),
        BaseTool.type_from_base_type(int),
    ],
)
def test_the_same_tool_gives_the_same_class(tool: Any) -> None:
    assert provider_tool_type(tool, OpenAITool) is provider_tool_type(tool, OpenAITool)


def test_a_class_of_the_provider_is_taken_as_it_is() -> None:
    tool = OpenAITool.type_from_fn(double)
    assert provider_tool_type(tool, OpenAITool) is tool


def test_another_provider_gets_a_class_of_its_own() -> None:
    assert provider_tool_type(double, Grouped) is not provider_tool_type(double, OpenAITool)
    assert issubclass(provider_tool_type(double, Grouped), Grouped)


def test_a_method_is_known_again_by_its_object() -> None:
    five, six = Multiplier(5), Multiplier(6)
    of_five = provider_tool_type(five.multiply, OpenAITool)
    of_six = provider_tool_type(six.multiply, OpenAITool)
    assert of_five is provider_tool_type(five.multiply, OpenAITool)
    assert of_five is not of_six
    assert [tool.model_validate({"x": 2}).call() for tool in (of_five, of_six)] == [10, 12]
    assert of_five.wire_schema() is of_six.wire_schema()


def test_callable_objects_are_told_apart() -> None:
    def annotated(name: str) -> Callable[..., object]:
        class Named:
            def __call__(self, x: int) -> str:
                return name

        return Named()

    first, second = annotated("first"), annotated("second")
    assert [provider_tool_type(fn, OpenAITool).model_validate({"x": 1}).call() for fn in (first, second)] == [
        "first",
        "second",
    ]


def test_a_wrapper_does_not_answer_for_what_it_wraps() -> None:
    plain = provider_tool_type(double, OpenAITool)

    @functools.wraps(double)
    def negated(x: int) -> int:
        return -double(x)

    wrapped = provider_tool_type(negated, OpenAITool)
    assert wrapped is not plain
    assert (plain.model_validate({"x": 1}).call(), wrapped.model_validate({"x": 1}).call()) == (2, -2)
    assert provider_tool_type(double, OpenAITool) is plain


def test_a_subclass_does_not_answer_for_its_parent() -> None:
    parent = provider_tool_type(Triple, OpenAITool)

    class Sextuple(Triple):
        def call(self) -> int:
            return 2 * super().call()

    child = provider_tool_type(Sextuple, OpenAITool)
    assert (parent.model_validate({"x": 1}).call(), child.model_validate({"x": 1}).call()) == (3, 6)


def of_a_function() -> tuple[Any, Any]:
    def local(x: int) -> int:
        return x

    return local, provider_tool_type(local, OpenAITool)


def of_a_class() -> tuple[Any, Any]:
    class Local(BaseTool):
        x: int

        def call(self) -> int:
            return self.x

    return Local, provider_tool_type(Local, OpenAITool)


def of_a_method() -> tuple[Any, Any]:
    instance = Multiplier(1)
    return instance, provider_tool_type(instance.multiply, OpenAITool)


def of_a_partial() -> tuple[Any, Any]:
    partial = functools.partial(double)
    return partial, provider_tool_type(partial, OpenAITool)


@pytest.mark.parametrize("make", [of_a_function, of_a_class, of_a_method, of_a_partial])
def test_nothing_keeps_a_tool_alive_that_nobody_uses(make: Callable[[], tuple[Any, Any]]) -> None:
    tool, made = make()
    made.tool_schema()
    made.partial_from_values({"x": 1}, id=None, name="t", delta="1")
    references = [weakref.ref(tool), weakref.ref(made)]
    del tool, made
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_a_class_keeps_its_object_alive() -> None:
    made = provider_tool_type(Multiplier(7).multiply, OpenAITool)
    gc.collect()
    assert made.model_validate({"x": 2}).call() == 14


def test_threads_that_ask_at_once_get_one_class() -> None:
    def local(x: int) -> int:
        return x

    barrier = threading.Barrier(8)
    found: list[type[OpenAITool]] = []

    def ask() -> None:
        barrier.wait()
        found.append(provider_tool_type(local, OpenAITool))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
