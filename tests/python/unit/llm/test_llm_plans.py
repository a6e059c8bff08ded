"""Plans are made once for each set of options. Internal: from outside one would only see the time it takes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from ferroscope.errors import TemplateError
from ferroscope.llm import _call
from ferroscope.llm._call import PlannedFunction
from ferroscope.llm._context import Layer
from ferroscope.llm._options import Change, Options


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def ask(question: str) -> str:
    return question


OPTIONS = Options("openai", "m", {"tools": [add], "call_params": {"seed": 1}})


def layers(**change: Any) -> tuple[Layer, ...]:
    return (Layer(Change.of(**change), None),)


def test_a_plan_is_made_once_for_equal_options() -> None:
    planned = PlannedFunction(ask, OPTIONS)
    assert planned.plan(()) is planned.plan(())
    for change in (
        {"provider": "openai", "model": "n"},
        {"stream": {"idle_timeout": 1, "limits": {"depth": 3}}},
        {"tools": [add]},
        {"json_mode": True},
    ):
        first, second = planned.plan(layers(**change)), planned.plan(layers(**change))
        assert first.tools is second.tools
        assert first.prompt is second.prompt


def test_clients_and_parameters_are_put_into_it_for_each_call() -> None:
    planned = PlannedFunction(ask, OPTIONS)
    clients = object(), object()
    plans = [planned.plan(layers(client=client, call_params={"top_p": 0.5})) for client in clients]
    assert [plan.client for plan in plans] == list(clients)
    assert [plan.params for plan in plans] == [{"top_p": 0.5}] * 2
    assert plans[0].tools is plans[1].tools is planned.plan(()).tools
    assert (planned.plan(()).client, planned.plan(()).params) == (None, {"seed": 1})


@pytest.mark.slow
def test_no_client_is_kept() -> None:
    class Client: ...

    planned = PlannedFunction(ask, OPTIONS)
    client = Client()
    alive = weakref.ref(client)
    planned.plan(layers(client=client))
    del client
    gc.collect()
    assert alive() is None


def test_plans_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_call, "_MAX_PLANS", 3)
    planned = PlannedFunction(ask, OPTIONS)
    for number in range(10):
        assert planned.plan(layers(provider="openai", model=f"m{number}")).model == f"m{number}"
        assert len(planned._plans) <= 3


def test_options_that_cannot_be_looked_up_are_planned_each_time() -> None:
    class Parser:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, response: object) -> object:
            return response

    planned = PlannedFunction(ask, OPTIONS)
    parser = Parser()
    assert planned.plan(layers(output_parser=parser)).output_parser is parser


def test_mistakes_in_the_function_are_told_at_decoration() -> None:
    def wrong(genre: str) -> None: ...

    wrong.prompt_template = "Recommend a {genre book"  # type: ignore[attr-defined]
    with pytest.raises(TemplateError, match="genre"):
        PlannedFunction(wrong, OPTIONS)
    with pytest.raises(ValueError, match="Cannot use `output_parser` with `stream=True`"):
        PlannedFunction(ask, Options("openai", "m", {"stream": True, "output_parser": print}))
