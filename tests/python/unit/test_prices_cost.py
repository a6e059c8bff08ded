"""The cost of usage objects: every case of the corpus, and what a result says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from ferroscope import prices
from ferroscope.core.base import Usage as CommonUsage

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared/cases/cost_cases.jsonl"


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def in_order(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


@pytest.mark.parametrize("case", read(ROOT / "tests/corpus/cost/cases.jsonl"), ids=lambda case: case["id"])
def test_our_cases_are_exact(case: dict[str, Any]) -> None:
    cost = prices.cost(
        case["provider"],
        case["model"],
        case["usage"],
        api=case["api"],
        at=case["at"],
        context=case.get("context"),
    )
    told = cost.to_dict()
    items = told["items"]
    assert isinstance(items, list)
    assert (told["total"], told["status"], in_order(items)) == (case["usd"], case["status"], in_order(case["items"]))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared cases lie beside the repository")
def test_the_shared_cases_are_exact() -> None:
    wrong = {}
    for case in read(SHARED):
        cost = prices.cost(
            case["provider"],
            case["model"],
            case["usage"],
            api=case["api"],
            at=case["as_of"],
            context=case.get("context"),
        )
        told = cost.to_dict()
        items = told["items"]
        assert isinstance(items, list)
        got = (told["total"], in_order(items), case.get("reason") and told["status"])
        expected = (case["expected_usd"], in_order(case["items"]), case.get("reason"))
        if got != expected:
            wrong[case["id"]] = (got, expected)
    assert wrong == {}


CHAT = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
EXPECTED = Decimal("0.003")


class Details(BaseModel):
    cached_tokens: int = 400


class Usage(BaseModel):
    prompt_tokens: int = 1000
    completion_tokens: int = 100
    prompt_tokens_details: Details = Details()


@pytest.mark.parametrize(
    "usage",
    [
        CHAT,
        orjson.dumps(CHAT),
        bytearray(orjson.dumps(CHAT)),
        json.dumps(CHAT),
        Usage(),
        {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": Details()},
        SimpleNamespace(prompt_tokens=1000, completion_tokens=100, prompt_tokens_details={"cached_tokens": 400}),
        {"model": "gpt-4o", "choices": [], "usage": CHAT},
    ],
    ids=["dict", "bytes", "bytearray", "text", "pydantic", "mixed", "attributes", "whole response"],
)
def test_a_usage_may_come_in_any_form(usage: object) -> None:
    assert prices.cost("openai", "gpt-4o", usage).total == EXPECTED


def test_nothing_is_written_into_what_is_given() -> None:
    usage, context = {**CHAT}, {"service_tier": "default", "batch": False, "tool_calls": {"web_search": 0}}
    before = json.dumps([usage, context])
    prices.cost("openai", "gpt-4o", usage, context=context)
    assert json.dumps([usage, context]) == before


PEAK = datetime(2026, 11, 18, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    [
        PEAK,
        PEAK.replace(tzinfo=None),
        PEAK.astimezone(timezone(timedelta(hours=8))),
        "2026-11-18T09:30:00+08:00",
        PEAK.timestamp(),
    ],
)
def test_a_time_may_come_in_any_form(at: datetime | str | float) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    assert prices.cost("deepseek", "deepseek-v4-pro", usage, at=at).total == Decimal("0.00132")
    assert prices.cost("deepseek", "deepseek-v4-pro", usage, context={"timestamp": at}).total == Decimal("0.00132")


def test_a_whole_response_tells_its_tier_and_its_searches() -> None:
    response = {
        "model": "gpt-5",
        "service_tier": "priority",
        "output": [{"type": "web_search_call"}, {"type": "message"}, {"type": "web_search_call"}],
        "usage": {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 10,
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    cost = prices.cost("openai", "gpt-5", response)
    assert [(item.item, item.count, item.tier) for item in cost.items] == [
        ("input", 1000, "priority"),
        ("output", 10, "priority"),
        ("web_search calls", 2, ""),
    ]


def test_a_result_tells_where_its_prices_come_from() -> None:
    cost = prices.cost("openai", "openai/gpt-4o", CHAT)
    assert (cost.model_id, cost.matched_by) == ("gpt-4o", "normalized name")
    assert cost.provenance.url.startswith("https://")
    assert cost.provenance.table == prices.info().version
    assert [source for source, _ in cost.provenance.sources] == ["genai"]


def test_an_unknown_cost_is_none_and_says_why() -> None:
    cost = prices.cost("anthropic", "claude-sonnet-4-7", {"input_tokens": 5, "output_tokens": 5})
    assert (cost.total, cost.usd, cost.status, cost.items) == (None, None, "unknown_model", ())
    assert cost.assumptions == (
        'no price for the model "claude-sonnet-4-7" of anthropic; '
        "close names: claude-sonnet-3-7, claude-sonnet-4-0, claude-sonnet-4-5",
    )
    with pytest.raises(ValueError, match="is unknown \\(unknown_model\\)"):
        float(cost)


def test_a_partial_cost_keeps_its_lower_bound() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 0, "server_tool_use": {"web_search_requests": 1}}
    cost = prices.cost("anthropic", "claude-3-opus-20240229", usage)
    assert (cost.total, cost.status, cost.lower_bound) == (None, "partial", Decimal("0.015"))
    assert cost.assumptions == ("claude-3-opus-latest has no price for web_search",)


def test_an_estimate_says_so() -> None:
    cost = prices.cost("openai", "gpt-4o", CHAT, context={"estimated": True})
    assert (cost.total, cost.status) == (EXPECTED, "estimate")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("servicetier", "service_tier"),
        ("tier", "service_tier"),
        ("geo_", "inference_geo"),
        ("bacth", "batch"),
        ("routes", "route"),
    ],
)
def test_a_misspelt_key_of_a_context_is_refused(key: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"{key!r} is not a key of a price context") as caught:
        prices.cost("openai", "gpt-4o", CHAT, context={key: "flex"})
    if key != "geo_":
        assert f"(did you mean {meant!r}?)" in str(caught.value)
    for known in ("service_tier", "region", "route", "search_type", "units"):
        assert known in str(caught.value)


@pytest.mark.parametrize(
    "context", [{"timestamp": None}, {"route": "fast"}, {"search_type": None}, {"inference_geo": "eu"}]
)
def test_a_condition_that_no_price_of_the_model_asks_for_changes_nothing(context: Mapping[str, object]) -> None:
    cost = prices.cost("openai", "gpt-4o", CHAT, context=context)
    assert (cost.total, cost.assumptions) == (EXPECTED, ())


def test_a_registered_price_may_ask_for_a_condition_of_its_own() -> None:
    rows: list[prices.PriceRow] = [
        {"provider": "acme", "model": "model-x", "rates": {"input": 1, "output": 1}},
        {"provider": "acme", "model": "model-x", "rates": {"input": 2, "output": 2}, "when": "shift=night"},
    ]
    prices.register(rows)
    try:
        usage = {"prompt_tokens": 10**6, "completion_tokens": 0}
        by_shift = [prices.cost("acme", "model-x", usage, context={"shift": word}).total for word in ("day", "night")]
        assert by_shift == [Decimal(1), Decimal(2)]
    finally:
        prices.reset()
    with pytest.raises(ValueError, match="'shift'"):
        prices.cost("openai", "gpt-4o", CHAT, context={"shift": "night"})


def test_counts_of_an_unknown_unit_are_refused() -> None:
    with pytest.raises(ValueError, match='unknown unit "teleports"; units are input, '):
        prices.cost("openai", "gpt-4o", CHAT, context={"units": {"teleports": 1}})


def test_sums_are_exact_where_doubles_are_not() -> None:
    costs = [prices.cost("openai", "gpt-4o-mini", {"prompt_tokens": n, "completion_tokens": n}) for n in (1, 2, 3)]
    total = sum((cost.total for cost in costs if cost.total is not None), Decimal(0))
    assert total == Decimal("0.0000045")
    assert costs[0].usd == 7.5e-07


@pytest.mark.parametrize(
    ("provider", "model", "total", "items"),
    [
        # Their input includes cached tokens.
        ("openai", "gpt-4o-mini", "0.18", [("input", 600_000), ("cache read", 400_000), ("output", 100_000)]),
        (
            "google",
            "gemini-2.5-flash",
            "0.442",
            [("text input", 600_000), ("cached text", 400_000), ("text output", 100_000)],
        ),
        # Theirs does not.
        (
            "anthropic",
            "claude-sonnet-4-5",
            "8.49",
            [("input", 1_000_000), ("cache read", 400_000), ("output", 100_000)],
        ),
        (
            "bedrock",
            "amazon.nova-lite-v1:0",
            "0.09",
            [("input", 1_000_000), ("cache read", 400_000), ("output", 100_000)],
        ),
    ],
)
def test_the_common_usage_is_priced_with_its_cached_tokens(
    provider: str, model: str, total: str, items: list[tuple[str, int]]
) -> None:
    usage = CommonUsage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=100_000, total_tokens=1_100_000)
    for form in (usage, usage.model_dump(), usage.model_dump_json()):
        cost = prices.cost(provider, model, form)
        assert (str(cost.total), cost.status) == (total, "exact")
        assert [(item.item, item.count) for item in cost.items] == items


@pytest.mark.parametrize("cached", [-1, 10**30, 1_000_001])
def test_a_common_usage_that_contradicts_itself_has_no_cost(cached: int) -> None:
    usage = CommonUsage(input_tokens=1_000_000, cached_tokens=cached, output_tokens=100_000, total_tokens=1_100_000)
    cost = prices.cost("openai", "gpt-4o-mini", usage)
    assert (cost.total, cost.status) == (None, "inconsistent_usage")
