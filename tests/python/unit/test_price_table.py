"""The committed price table: well formed, explained, and no older than what it is made of."""

from __future__ import annotations

import hashlib
import os
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest

from ferroscope import prices
from ferroscope._core import prices_only_api

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "rust/ferroscope-core/src/price/prices/table.tsv"
TOOLS = ROOT / "tools"


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(TOOLS))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "price_table"]:
        del sys.modules[name]


def head_and_body() -> tuple[dict[str, list[str]], str]:
    text = TABLE.read_text(encoding="utf-8")
    start = text.index("\n[") + 1
    head: dict[str, list[str]] = {}
    for line in text[:start].splitlines():
        if line.startswith("!"):
            key, *fields = line.split("\t")
            head.setdefault(key, []).append("\t".join(fields))
    return head, text[start:]


def test_nobody_edited_the_table_by_hand() -> None:
    head, body = head_and_body()
    assert head["!body"] == [hashlib.sha256(body.encode()).hexdigest()], "run tools/build_prices.py"


@pytest.mark.usefixtures("tools")
def test_the_table_is_as_new_as_the_script_and_the_corrections() -> None:
    from price_table.merge import inputs
    from price_table.model import SOURCES, VERSION

    head, _ = head_and_body()
    assert head["!inputs"] == [inputs()], "run tools/build_prices.py"
    assert head["!version"] == [VERSION]
    pinned = [f"{source.key}\t{source.package} {source.version} (MIT)" for source in SOURCES]
    assert head["!source"][1:] == pinned


SOURCES_FOLDER = os.environ.get("FERROSCOPE_PRICE_SOURCES")


@pytest.mark.usefixtures("tools")
@pytest.mark.skipif(not SOURCES_FOLDER, reason="FERROSCOPE_PRICE_SOURCES names no folder with the pinned packages")
def test_the_table_is_what_the_pinned_packages_make() -> None:
    from price_table.merge import build_table

    text, build = build_table(Path(SOURCES_FOLDER or ""))
    assert TABLE.read_text(encoding="utf-8") == text
    assert build.unexplained == []


def test_every_row_has_a_source_and_a_date_and_stands_in_order() -> None:
    head, body = head_and_body()
    known = {source.split("\t")[0] for source in head["!source"]}
    sections = [line.split("\t")[0].strip("[]") for line in body.splitlines() if line.startswith("[")]
    assert sections == sorted(sections)
    for section in body.split("\n["):
        rows = [line.split("\t") for line in section.splitlines()[1:]]
        ids = [model_id for model_id, _ in groupby(row[0] for row in rows)]
        assert ids == sorted(set(ids))
        for row in rows:
            if row[1] != "=":
                _, when, rates, source, checked, *names = row
                assert (when, rates) != ("", "")
                assert bool(names) is (when == "api")
                assert source in known
                assert date(2026, 8, 1) <= date.fromisoformat(checked) <= date(2026, 12, 31)


ONLY_API = [
    ("openai", "o1-pro", "responses"),
    ("openai", "o3-deep-research-2025-06-26", "responses"),
    ("openai", "gpt-5-pro", "responses"),
    ("openai", "gpt-5-codex", "responses"),
    ("openai", "computer-use-preview", "responses"),
    ("openai", "openai/o3-pro", "responses"),
    ("openai", "O3-PRO", "responses"),
    ("azure", "gpt-5-pro", "responses"),
    ("xai", "grok-4.20-multi-agent", "responses"),
    # They share a row of prices with models that have one API only.
    ("openai", "gpt-5", None),
    ("openai", "gpt-5.1", None),
    ("openai", "gpt-4o-mini", None),
    ("openai", "o1", None),
    ("openai", "a-model-of-tomorrow", None),
    ("anthropic", "claude-haiku-4-5", None),
    ("nobody", "o1-pro", None),
]


@pytest.mark.parametrize(("provider", "model", "api"), ONLY_API)
def test_models_that_have_one_api_only(provider: str, model: str, api: str | None) -> None:
    assert prices_only_api(provider, model) == api


def test_a_deployment_has_the_only_api_of_its_model() -> None:
    prices.alias("azure", "our-deployment", model="o3-pro")
    try:
        assert prices_only_api("azure", "our-deployment") == "responses"
    finally:
        prices.reset()


def test_every_correction_has_a_reason_a_source_and_a_date() -> None:
    data = tomllib.loads((TOOLS / "price_corrections.toml").read_text(encoding="utf-8"))
    for row in data["row"]:
        assert {"provider", "model", "rates", "source", "checked", "why"} <= row.keys(), row
        assert row["source"]
        assert row["why"]
        assert isinstance(row["checked"], date)
    for row in data["acknowledged"]:
        assert row["why"]
        assert row["models"]
