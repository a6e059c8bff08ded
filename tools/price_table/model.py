"""What a price table is made of: sources, units, rates, rows, models."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

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
    only_apis: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    """The names that only one API has, by the API, the source and the day it was checked."""


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


def rounded(value: Decimal, noise: list[str]) -> Decimal:
    """The price without the noise of a float that went through somebody's multiplication."""
    if len(value.as_tuple().digits) <= 12:
        return value
    clean = value.quantize(Decimal(1).scaleb(value.adjusted() - 9), rounding=ROUND_HALF_EVEN).normalize()
    noise.append(f"{value} -> {plain(clean)}")
    return clean
