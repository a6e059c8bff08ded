"""`calculate_cost` with the signature of v1."""

from __future__ import annotations

import pytest

from ferroscope import prices
from ferroscope.core.base.types import CostMetadata, GoogleMetadata, ImageMetadata
from ferroscope.core.costs import calculate_cost


@pytest.mark.parametrize(
    ("provider", "model", "metadata", "expected"),
    [
        ("openai", "gpt-4o", {"input_tokens": 1000, "output_tokens": 100}, 0.0035),
        ("openai", "gpt-4o", {"input_tokens": 1000, "output_tokens": 0, "cached_tokens": 1000}, 0.00125),
        ("openai", "gpt-4o", {"input_tokens": 1000, "output_tokens": 100, "batch_mode": True}, 0.00175),
        ("openai", "o3", {"input_tokens": 1000, "output_tokens": 100, "tier": "flex"}, 0.0014),
        ("openai", "o3", {"input_tokens": 1000, "output_tokens": 100, "tier": "standard"}, 0.0028),
        ("openai", "text-embedding-3-small", {"input_tokens": 1000}, 2e-05),
        ("anthropic", "claude-sonnet-4-6", {"input_tokens": 10, "output_tokens": 10, "cached_tokens": 1000}, 0.00048),
        ("bedrock", "global.anthropic.claude-sonnet-4-6", {"input_tokens": 10, "output_tokens": 1}, 4.5e-05),
        ("google", "gemini-2.5-pro", {"input_tokens": 300_000, "output_tokens": 0}, 0.75),
        ("gemini", "gemini-2.5-flash", {"input_tokens": 1000, "output_tokens": 0}, 0.0003),
        ("vertex", "gemini-2.5-flash", {"input_tokens": 1000, "output_tokens": 0}, 0.0003),
        # Claude leaves cached tokens out wherever it is called.
        ("vertex", "claude-sonnet-4-6", {"input_tokens": 10, "output_tokens": 10, "cached_tokens": 1000}, 0.00048),
        ("azure", "gpt-4o", {"input_tokens": 1000, "output_tokens": 0, "region": "eu"}, 0.00275),
        ("litellm", "openai/gpt-4o", {"input_tokens": 1000, "output_tokens": 100}, 0.0035),
        ("litellm", "anything", {"input_tokens": 1000, "output_tokens": 100, "cost": 0.25}, 0.25),
        ("openai", "gpt-4o", {"input_tokens": 1000.0, "output_tokens": 100.0}, 0.0035),
        (
            "google",
            "gemini-2.5-pro",
            {"context_cache_tokens": 100_000, "context_cache_hours": 0.5, "input_tokens": 0, "output_tokens": 0},
            0.225,
        ),
        (
            "google",
            "gemini-2.5-flash",
            {"input_tokens": 0, "output_tokens": 0, "google": GoogleMetadata(grounding_requests=2)},
            0.07,
        ),
        # Images are in the counts already; v1 added them a second time.
        (
            "openai",
            "gpt-4o",
            {"input_tokens": 1000, "output_tokens": 100, "images": [ImageMetadata(width=4096, height=4096)]},
            0.0035,
        ),
        ("openai", "gpt-4o", {}, None),
        ("openai", "gpt-unheard-of", {"input_tokens": 1000, "output_tokens": 100}, None),
        ("openai", "gpt-4o", {"input_tokens": 10, "output_tokens": 1, "cached_tokens": 11}, None),
        ("openai", "gpt-4o", {"input_tokens": -1, "output_tokens": 1}, None),
        ("openai", "gpt-4o", {"input_tokens": 10, "output_tokens": 1, "tier": "scale"}, None),
    ],
)
def test_counts_have_a_price(provider: str, model: str, metadata: dict[str, object], expected: float | None) -> None:
    given = CostMetadata.model_validate(metadata)
    before = given.model_copy(deep=True)
    assert calculate_cost(provider, model, given) == expected  # type: ignore[arg-type]  # names beyond v1's, too
    assert given == before


TIERS = ["", "Standard", "on_demand", "ON-DEMAND", "auto", "standard_only", "regular", "flex", "Priority", "batch"]


@pytest.mark.parametrize("tier", [*TIERS, "on_demand_priority", "ON_DEMAND_FLEX", "unheard-of"])
@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "o3"), ("OpenAI", "o3"), ("azure_openai", "gpt-4o"), ("litellm", "openai/o3"), ("vertex", "o3")],
)
def test_both_doors_agree_on_every_tier_and_name(provider: str, model: str, tier: str) -> None:
    given = CostMetadata(input_tokens=1000, output_tokens=100, tier=tier)
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    cost = prices.cost(provider, model, usage, context={"service_tier": tier})
    assert calculate_cost(provider, model, given) == cost.usd  # type: ignore[arg-type]  # names beyond v1's, too


def test_the_standard_tier_has_the_standard_price_by_any_word() -> None:
    for tier in TIERS[:7]:
        given = CostMetadata(input_tokens=1000, output_tokens=100, tier=tier)
        assert calculate_cost("openai", "gpt-4o", given) == 0.0035


def test_a_count_that_is_not_known_leaves_the_cost_unknown() -> None:
    assert calculate_cost("openai", "gpt-4o", CostMetadata(input_tokens=1000)) is None
    assert calculate_cost("openai", "gpt-4o", CostMetadata(output_tokens=1000)) is None


def test_without_counts_there_is_no_cost() -> None:
    assert calculate_cost("openai", "gpt-4o") is None


def test_an_unknown_provider_is_refused_until_it_has_prices() -> None:
    metadata = CostMetadata(input_tokens=1, output_tokens=1)
    for given in (metadata, None):
        with pytest.raises(ValueError, match='no price table has the provider "acme"'):
            calculate_cost("acme", "model-x", given)  # type: ignore[arg-type]  # the point of the test
    prices.register([{"provider": "acme", "model": "model-x", "rates": {"input": "1", "output": "1"}}])
    try:
        assert calculate_cost("acme", "model-x", metadata) == 2e-06  # type: ignore[arg-type]  # registered now
    finally:
        prices.reset()
