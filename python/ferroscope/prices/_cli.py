"""`ferroscope prices MODEL`: print the prices of a model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime

from ._book import Rates, info, providers_of, rates

_PER = {1_000_000: "1M", 1_000: "1K", 3_600: "hour", 1: "1", 1_000_000_000: "1G"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on its own."""
    parser = argparse.ArgumentParser(
        prog="ferroscope prices", description="Show what a model costs: rates, tiers, source, age."
    )
    add_arguments(parser)
    return show_prices(parser.parse_args(argv))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to a parser."""
    parser.add_argument("model", help="a model, or provider/model")
    parser.add_argument("--provider", help="only this provider (default: all providers that have the model)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def show_prices(options: argparse.Namespace) -> int:
    """Print the prices of a model and return the exit status: 1 if the model has no price."""
    found = find_rates(options.model, options.provider)
    if not found:
        print(f"no price for {options.model!r}", file=sys.stderr)
        for provider in [options.provider] if options.provider else ["openai", "anthropic", "google"]:
            try:
                rates(provider, options.model)
            except LookupError as error:
                print(f"  {error.args[0]}", file=sys.stderr)
        return 1
    table = info()
    if options.json:
        print(json.dumps({"table": table.version, "models": [_as_dict(one) for one in found]}, indent=2))
        return 0
    for one in found:
        print(_table(one))
        print()
    print(f"table {table.version}, {table.age_days} days old; prices in USD")
    return 0


def find_rates(model: str, provider: str | None = None) -> list[Rates]:
    """Return the prices of a model or `provider/model`, of one provider or of all that have it."""
    head, slash, rest = model.partition("/")
    if provider is not None:
        return _rates_of([(provider, model)])
    return (_rates_of([(head, rest)]) if slash else []) or _rates_of([(name, model) for name in providers_of(model)])


def _rates_of(places: list[tuple[str, str]]) -> list[Rates]:
    found: dict[tuple[str, str, str], Rates] = {}
    for place in places:
        try:
            one = rates(*place)
        except LookupError:
            continue
        found.setdefault((place[0], one.provider, one.model_id), one)
    # Skip a provider that uses the prices of another one, which is in the list too.
    own = [one for (asked, named, _), one in found.items() if asked == named]
    return own or list(found.values())


def _age(checked: str) -> str:
    try:
        return f"{(datetime.now(UTC).date() - date.fromisoformat(checked)).days}d"
    except ValueError:
        return ""


def _table(one: Rates) -> str:
    lines = [("unit", "price", "per", "when", "source", "age")]
    for row in one.rows:
        for unit, price, per, steps in row.rates:
            whole = "" if unit == "*" else _PER.get(per, str(per))
            first = f"x{price}" if unit == "*" else price
            lines.append((unit, first, whole, row.when, row.source, _age(row.checked)))
            for limit, step in steps:
                when = f"{row.when} prompt{limit}".strip()
                lines.append((unit, step, whole, when, row.source, _age(row.checked)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    body = "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
    return f"{one.provider}/{one.model_id}  {one.url}\n{body}"


def _as_dict(one: Rates) -> dict[str, object]:
    return {
        "provider": one.provider,
        "model": one.model_id,
        "matched_by": one.matched_by,
        "url": one.url,
        "rows": [
            {
                "when": row.when,
                "rates": [
                    {"unit": unit, "usd": price, "per": per, "tiers": dict(steps)}
                    for unit, price, per, steps in row.rates
                ],
                "source": row.source,
                "checked": row.checked,
            }
            for row in one.rows
        ],
    }


if __name__ == "__main__":
    raise SystemExit(main())
