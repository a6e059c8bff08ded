"""Reads litellm's JSON: the widest list, without history; the dimensions are spelled in the names of its fields."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from .genai import GENAI_PROVIDERS
from .model import LITELLM, PER, Rate, Rates, Row, Source, rounded

LITELLM_PROVIDERS = {
    "azure_ai": "azure",
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "bedrock_mantle": "bedrock",
    "amazon_nova": "bedrock",
    "gemini": "google",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "fireworks_ai-embedding-models": "fireworks",
    "cohere_chat": "cohere",
    "text-completion-openai": "openai",
    "codestral": "mistral",
    "text-completion-codestral": "mistral",
    "github_copilot": "github-copilot",
    "voyage": "voyageai",
    "meta_llama": "meta",
    "ollama": "ollama",
}
# Nothing a call's usage could be priced with, or not a provider of models.
LITELLM_SKIPPED = {
    "sample_spec", "chatgpt", "microsoft_365_copilot", "ollama", "lemonade", "searxng", "duckduckgo", "serper",
    "tavily", "exa_ai", "linkup", "firecrawl", "google_pse", "dataforseo", "parallel_ai", "bing_grounding",
    "tinyfish", "nimble", "you_com", "apiserpent", "agentcore", "aws_polly", "transcribe", "strands_decider",
    "coralbricks", "reducto", "nace", "laya",
}  # fmt: skip

# Prefixes of a key in litellm that say who serves, not what is served.
LITELLM_PREFIXES = {
    "azure", "azure_ai", "bedrock", "bedrock_converse", "bedrock_mantle", "gemini", "vertex_ai", "together_ai",
    "fireworks_ai", "xai", "mistral", "moonshot", "deepseek", "groq", "cohere", "cohere_chat", "perplexity", "zai",
    "cerebras", "openrouter", "text-completion-codestral", "codestral", "anthropic", "openai", "amazon_nova",
}  # fmt: skip

LITELLM_UNITS = {
    "input_cost_per_token": "input", "output_cost_per_token": "output", "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write", "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio", "output_cost_per_audio_token": "output_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio", "input_cost_per_image_token": "input_image",
    "output_cost_per_image_token": "output_image", "cache_read_input_image_token_cost": "cache_read_image",
    "input_cost_per_video_token": "input_video", "output_cost_per_video_token": "output_video",
    "output_cost_per_reasoning_token": "output_reasoning", "citation_cost_per_token": "output_citation",
    "input_cost_per_character": "character", "ocr_cost_per_page": "page", "annotation_cost_per_page": "annotated_page",
    "input_cost_per_request": "request", "output_cost_per_image": "image", "input_cost_per_image": "input_image_piece",
    "code_interpreter_cost_per_session": "container_session",
}  # fmt: skip
LITELLM_TIERS = {
    "batches": "batch",
    "priority": "tier=priority",
    "flex": "tier=flex",
    "ultrafast": "tier=ultrafast",
    "balanced": "tier=balanced",
}
LITELLM_FIELD = re.compile(
    r"^(?P<base>.+?)(?P<hour>_above_1hr)?(?:_above_(?P<limit>\d+)k_tokens)?(?:_(?P<tier>batches|priority|flex|ultrafast|balanced))?$"
)


def litellm_entries(folder: Path) -> dict[str, dict[str, Any]]:
    raw: dict[str, dict[str, Any]] = json.loads(
        (folder / LITELLM.file).read_text(encoding="utf-8"), parse_float=Decimal
    )
    return {key: entry for key, entry in raw.items() if key != "sample_spec"}


def litellm_place(key: str, entry: dict[str, Any]) -> tuple[str, str] | None:
    """(provider, name) of an entry, None if it is not a model of a provider."""
    served = str(entry.get("litellm_provider"))
    if served in LITELLM_SKIPPED or served == "None":
        return None
    provider = "vertex" if served.startswith("vertex_ai") else LITELLM_PROVIDERS.get(served, served)
    name = key.lower()
    if (
        re.search(r"month-commitment|^(bedrock/|azure/)?(us|eu|ap|ca|sa|me|af|il|mx)(-gov)?-[a-z]+-\d/", name)
        or "*" in name
        or name.endswith("/")
    ):
        return None
    head, _, rest = name.partition("/")
    if rest and (head == served or head in LITELLM_PREFIXES or GENAI_PROVIDERS.get(head, head) == provider):
        name = rest
    if re.match(r"(us|eu|ap|ca|sa)(-gov)?-[a-z]+-\d/", name):
        return None
    return provider, name


# The providers whose calls can be made through several APIs.
SEVERAL_APIS = {"openai", "azure", "xai"}


def only_api(entry: dict[str, Any]) -> str | None:
    """The API that a model has if it has no other."""
    endpoints = {str(path).rsplit("/v1/", 1)[-1] for path in entry.get("supported_endpoints") or ()} - {"batch"}
    return "responses" if endpoints == {"responses"} or entry.get("mode") == "responses" else None


def litellm_rows(entry: dict[str, Any], provider: str, source: Source, noise: list[str]) -> list[Row]:
    cells: dict[str, dict[str, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    mode = entry.get("mode")
    for key, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not value or value < 0:
            continue
        unit, when, limit, scale = None, "", "", Decimal(1_000_000)
        if key == "input_cost_per_second":
            unit, scale = "input_audio_seconds", Decimal(3_600)
        elif key == "output_cost_per_second":
            unit, scale = (
                ("video_seconds", Decimal(1))
                if mode == "video_generation"
                else ("output_audio_seconds", Decimal(3_600))
            )
        elif key == "input_cost_per_query" and mode == "rerank":
            unit, scale = "rerank", Decimal(1_000)
        elif key == "google_maps_grounding_cost_per_query":
            unit, scale = "maps_grounding", Decimal(1_000)
        elif key == "file_search_cost_per_1k_calls":
            unit, scale = "file_search", Decimal(1)
        else:
            found = LITELLM_FIELD.match(key)
            assert found is not None
            unit = LITELLM_UNITS.get(found["base"] + (found["hour"] or ""))
            if unit is None:
                continue
            scale = Decimal(PER.get(unit, 1_000_000))
            when = LITELLM_TIERS.get(found["tier"] or "", "")
            limit = found["limit"] or ""
        price = rounded((Decimal(value) * scale).normalize(), noise)
        cells[when][unit][limit] = price
    search = entry.get("search_context_cost_per_query")
    if isinstance(search, dict) and search.get("search_context_size_medium"):
        cells[""]["web_search"][""] = Decimal(search["search_context_size_medium"]) * 1_000
    sign = ">=" if provider == "xai" else ">"
    rows = []
    for when, units in cells.items():
        rates: Rates = {}
        for unit, by_limit in units.items():
            if "" not in by_limit:
                continue
            tiers = tuple((f"{sign}{limit}000", by_limit[limit]) for limit in sorted(filter(None, by_limit), key=int))
            rates[unit] = Rate(by_limit[""], tiers)
        tiered = entry.get("tiered_pricing") if not when else None
        if isinstance(tiered, list):
            rates.update(litellm_ranges(tiered))
        rates = {unit: rate for unit, rate in rates.items() if redundant(unit, rates) is False}
        if rates:
            rows.append(Row(when, rates, source.key, source.date))
    if not cells and isinstance(entry.get("tiered_pricing"), list):
        rates = litellm_ranges(entry["tiered_pricing"])
        if rates:
            rows.append(Row("", rates, source.key, source.date))
    rows.extend(litellm_off_peak(entry, source))
    return rows


def redundant(unit: str, rates: Rates) -> bool:
    """A price for a part that equals the price of the whole says nothing."""
    whole = {"output_reasoning": "output", "input_image": "input", "input_video": "input"}.get(unit)
    return whole is not None and rates.get(whole) == rates[unit]


def litellm_ranges(tiered: list[dict[str, Any]]) -> Rates:
    rates: Rates = {}
    for key, unit in LITELLM_UNITS.items():
        steps = [
            (int(Decimal(step["range"][0])), Decimal(step[key]) * 1_000_000)
            for step in tiered
            if step.get(key) and "range" in step
        ]
        if steps and steps[0][0] == 0:
            rates[unit] = Rate(steps[0][1], tuple((f">{start}", price) for start, price in steps[1:]))
    return rates


def litellm_off_peak(entry: dict[str, Any], source: Source) -> Iterator[Row]:
    plan = entry.get("off_peak_pricing")
    if not isinstance(plan, dict):
        return
    rates = {unit: Rate(Decimal(plan[key]) * 1_000_000) for key, unit in LITELLM_UNITS.items() if plan.get(key)}
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    for window in plan["windows"]:
        hours = window["hours_utc"]
        days = window.get("weekdays", [1, 2, 3, 4, 5, 6, 7])
        text = f"days={names[days[0] - 1]}-{names[days[-1] - 1]}"
        for span in [hours] if isinstance(hours, str) else hours:
            yield Row(
                " ".join(filter(None, [text, "" if span == "00:00-00:00" else f"hours={span}"])),
                rates,
                source.key,
                source.date,
            )


def uplift(entry: dict[str, Any], source: Source) -> Iterator[Row]:
    for key, when in (
        ("regional_processing_uplift_multiplier_eu", "region=eu"),
        ("regional_processing_uplift_multiplier_us", "region=us"),
        ("regional_endpoint_uplift_multiplier", "region=!global"),
    ):
        if entry.get(key):
            share = Fraction(str(entry[key]))
            yield Row(when, f"*={share.numerator}/{share.denominator}", source.key, source.date)
