"""The price tables: the built-in table, and the prices that a program adds."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from .._core import (
    prices_alias,
    prices_info,
    prices_load,
    prices_provider,
    prices_reset,
    prices_rows,
    prices_scale,
    prices_where,
)


class PriceRow(TypedDict):
    """Prices of a model in USD per million tokens, thousand calls or hour (see `docs/prices.md`)."""

    provider: str
    model: str
    rates: Mapping[str, str | int | float | Decimal] | str
    """`{"input": "2.5", "output": 10}`, or the text form of the table: `"input=2.5,>200000:5 output=10"`."""
    names: NotRequired[Iterable[str]]
    """Other names of the model."""
    when: NotRequired[str]
    """Conditions: `"from=2026-08-16T16:00Z"`, `"batch"`, `"tier=flex"`, `"region=eu"`, ..."""
    checked: NotRequired[str | date]
    source: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Info:
    """The version, age, sources and size of the built-in table."""

    version: str
    age_days: int
    sources: Mapping[str, str]
    providers: tuple[str, ...]
    models: int
    rows: int


@dataclass(frozen=True, slots=True)
class RateRow:
    """A row of the price tables.

    Attributes:
        when: The conditions of the row; empty if it always applies.
        rates: One tuple per unit: its name, the price in USD, the number of units that the price is for, and the prices
            of longer prompts. The latter are pairs of a limit and a price.
        source: The source of the prices.
        checked: The date on which the prices were last checked.
    """

    when: str
    rates: tuple[tuple[str, str, int, tuple[tuple[str, str], ...]], ...]
    source: str
    checked: str


@dataclass(frozen=True, slots=True)
class Rates:
    """All rows of a model, in the order in which they are matched."""

    provider: str
    model_id: str
    matched_by: str
    url: str
    rows: tuple[RateRow, ...]


def register(rows: Iterable[PriceRow]) -> None:
    """Register prices, which take precedence over all tables; for each rate, the last registered price wins.

    Raises:
        ValueError: A row has an unknown unit or an invalid rate.

    Example:
        >>> from ferroscope import prices
        >>> prices.register([{"provider": "acme", "model": "model-x", "rates": {"input": 1, "output": "4.5"}}])
        >>> prices.cost("acme", "model-x", {"prompt_tokens": 10**6, "completion_tokens": 0}).total
        Decimal('1')
        >>> prices.reset()
    """
    given = list(rows)
    by_provider: dict[str, list[str]] = {}
    sources: dict[str, str] = {}
    for row in given:
        provider = prices_provider(row["provider"])[0]
        model = _text(row["model"]).lower()
        rates = row["rates"]
        if not isinstance(rates, str):
            rates = " ".join(f"{unit}={_price(price)}" for unit, price in rates.items())
        source = _text(row.get("source", "registered"))
        sources[source] = source
        checked = str(row.get("checked") or datetime.now(UTC).date())
        lines = by_provider.setdefault(provider, [])
        names = [_text(name).lower() for name in row.get("names", ())]
        lines.append("\t".join([model, "=", *names]))
        lines.append("\t".join([model, _text(row.get("when", "")) or "-", _text(rates), source, checked]))
    text = [f"!source\t{source}\t{source}" for source in sources]
    for provider, lines in by_provider.items():
        # The table format requires the rows of a model to be adjacent.
        text += [f"[{provider}]\t-\t-", *sorted(lines, key=lambda line: line.split("\t", 1)[0])]
    prices_load("\n".join(text) + "\n")


def load(source: str | os.PathLike[str] | Mapping[str, object] | Iterable[PriceRow]) -> None:
    """Load a table that takes precedence over all others.

    Args:
        source: Rows, a mapping `{"rows": [...]}`, or the path of a file: JSON or TOML with `rows`, or the text form of
            the table.

    Raises:
        ValueError: A row has an unknown unit or an invalid rate, or there are no rows.
    """
    match source:
        case str() | os.PathLike():
            path = Path(source)
            _load_text(path.read_text(encoding="utf-8"), path.suffix)
        case Mapping():
            register(_rows(source))
        case _:
            register(source)


def _load_text(text: str, suffix: str) -> None:
    if suffix == ".toml":
        register(_rows(tomllib.loads(text)))
    elif suffix == ".json" or re.match(r"\s*(\{|\[\s*[\]{])", text):
        register(_rows(json.loads(text, parse_float=Decimal)))
    else:
        prices_load(text)


def _rows(data: object) -> Iterable[PriceRow]:
    rows = data.get("rows") if isinstance(data, Mapping) else data
    if not isinstance(rows, list):
        raise ValueError("a price table must be a list of rows, or have a list under 'rows'")
    return cast(list[PriceRow], rows)


def update(url: str, *, sha256: str | None = None, timeout: float = 10.0) -> None:
    """Fetch a table and load it. No other function of the package uses the network.

    Args:
        url: The URL (https or file) of a table in a format of `load`.
        sha256: The expected SHA-256 digest of the content, in hexadecimal.
        timeout: Limit of the request in seconds.

    Raises:
        ValueError: The URL has another scheme, or the digest differs.
    """
    if not url.startswith(("https://", "file:")):
        raise ValueError(f"prices can only be fetched over https, not from {url!r}")
    from urllib.request import urlopen  # slow to import, and rarely needed

    with urlopen(url, timeout=timeout) as answer:
        content: bytes = answer.read()
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise ValueError(f"the table at {url!r} has the SHA-256 digest {found}, not {sha256}")
    _load_text(content.decode(), Path(url.split("?")[0]).suffix)


def alias(provider: str, name: str, model: str, *, region: str | None = None) -> None:
    """Define another name of a model, such as an Azure deployment.

    Example:
        >>> from ferroscope import prices
        >>> prices.alias("azure", "prod-eu-1", "gpt-4o", region="eu")
        >>> prices.cost("azure", "prod-eu-1", {"prompt_tokens": 10**6, "completion_tokens": 0}).model_id
        'eu/gpt-4o'
        >>> prices.reset()
    """
    prices_alias(provider, name, model, region)


def scale(provider: str, factor: str | int | Decimal | Fraction, *, model: str | None = None) -> None:
    """Multiply the prices of a provider, or of one of its models, by a contract's factor.

    The factor does not apply to registered prices.

    Example:
        >>> from ferroscope import prices
        >>> prices.scale("openai", "0.78")
        >>> prices.cost("openai", "gpt-4o", {"prompt_tokens": 10**6, "completion_tokens": 0}).total
        Decimal('1.95')
        >>> prices.reset()
    """
    prices_scale(provider, model, str(factor))


def reset() -> None:
    """Remove all registered and loaded prices, aliases and factors."""
    prices_reset()


def info() -> Info:
    """Return the version and age of the built-in table."""
    version, sources, providers, models, rows = prices_info()
    age = (datetime.now(UTC).date() - date.fromisoformat(version)).days
    return Info(version, age, dict(sources), tuple(providers), models, rows)


def rates(provider: str, model: str) -> Rates:
    """Return the rows of a model, best match first.

    Raises:
        LookupError: No table has the model; the message suggests similar names.
    """
    provider, model_id, matched_by, url, rows = prices_rows(provider, model)
    return Rates(
        provider,
        model_id,
        matched_by,
        url,
        tuple(
            RateRow(
                when="" if when == "-" else when,
                rates=tuple((unit, price, per, tuple(steps)) for unit, price, per, steps in prices),
                source=source,
                checked=checked,
            )
            for when, prices, source, checked in rows
        ),
    )


def providers_of(model: str) -> tuple[str, ...]:
    """Return the providers whose tables contain the model."""
    return tuple(prices_where(model))


def _text(value: str) -> str:
    if "\t" in value or "\n" in value:
        raise ValueError(f"the text {value!r} of a price table must not contain tabs or line breaks")
    return value


def _price(price: str | int | float | Decimal) -> str:
    # `str` gives the shortest text of a float, which is the number that was written; "f" avoids an exponent.
    return price if isinstance(price, str) else format(Decimal(str(price)), "f")


if os.environ.get("FERROSCOPE_PRICES"):
    load(os.environ["FERROSCOPE_PRICES"])
