"""Reads genai-prices: exact prices with history and variants, and rules for names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from .model import GENAI, Rate, Rates, Row, rounded

GENAI_PROVIDERS = {"aws": "bedrock", "x-ai": "xai", "moonshotai": "moonshot"}
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
        since = start_of(variant.get("constraint"))
        if since is None:
            rows.append(Row(when, rates, "genai", GENAI.date))
            continue
        dated = Row(f"{since} {when}", rates, "genai", GENAI.date)
        date = since.removeprefix("from=")
        if any(
            other is not variant
            and condition(other["when"]) == when
            and (start_of(other.get("constraint")) or "") < since
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
