"""`ferroscope doctor`: print the installed packages and the configuration for a bug report, without any keys."""

from __future__ import annotations

import os
import platform
import re
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from . import __version__
from ._engine.provider import Provider
from .core._registry import provider_names, provider_record
from .errors import MissingExtraError
from .prices import FREE, info
from .prices._cli import find_rates

# Modules whose distribution has another name.
_DISTRIBUTIONS: Final = {"azure": "azure-ai-inference", "google": "google-genai", "botocore": "boto3"}
_HTTP_LIBRARIES: Final = ("httpx2", "httpx", "aiohttp")
_SEE: Final = "has a price: see `ferroscope prices`"
_NO_PRICE: Final = "has no price: `ferroscope.prices.register` adds one"
_KEY: Final = re.compile(r"KEY|TOKEN|CREDENTIAL|SECRET")


def run_doctor(models: Sequence[str] = ()) -> int:
    """Print the report.

    Args:
        models: Models to look up in the price table, as `model` or `provider/model`.

    Returns:
        The exit status: 1 if one of the models has no price.
    """
    print(f"ferroscope {__version__}, Python {platform.python_version()}, {platform.platform()}")
    with warnings.catch_warnings():
        # Loading the record of a deprecated provider emits a warning, and the report loads all records.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _print_report(models)


def _print_report(models: Sequence[str]) -> int:
    print("\nproviders")
    _print_table(_provider_rows())
    print("\ntransports")
    _print_table(_transport_rows())
    print("\nprices")
    found = {model: bool(find_rates(model)) for model in models}
    _print_table([*_price_rows(), *((model, _SEE if known else _NO_PRICE) for model, known in found.items())])
    return 0 if all(found.values()) else 1


def _print_table(rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> None:
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  " + "  ".join([*cells, row[-1]]).rstrip())


# -- providers ------------------------------------------------------------


def _provider_rows() -> Iterator[tuple[str, ...]]:
    for name in provider_names():
        try:
            record = provider_record(name)
        except MissingExtraError as error:
            yield name, "not installed", str(error)
            continue
        for one in (record, *record.alternatives):
            yield name, _sdk(one), _keys(one)


def _sdk(record: Provider) -> str:
    distribution = _DISTRIBUTIONS.get(record.sdk, record.sdk.replace(".", "-"))
    found = _version(distribution)
    return f"{distribution} is not installed" if found is None else f"{distribution} {found}"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _keys(record: Provider) -> str:
    """Return the state of the environment variables for keys; the values are never read out."""
    names = [name for name in record.clients.environment if _KEY.search(name)]
    states = (f"{name} is {'set' if os.environ.get(name) else 'not set'}" for name in names)
    return ", ".join(states) or "needs no key"


# -- transports ------------------------------------------------------------


def _transport_rows() -> Iterator[tuple[str, ...]]:
    for library in _HTTP_LIBRARIES:
        found = _version(library)
        yield library, "not installed" if found is None else found
    chosen = os.environ.get("FERROSCOPE_TRANSPORT")
    yield "FERROSCOPE_TRANSPORT", "not set" if chosen is None else repr(chosen)


# -- prices ------------------------------------------------------------


def _price_rows() -> Iterator[tuple[str, ...]]:
    table = info()
    yield "table", f"{table.version}, {table.age_days} days old, {table.models} models"
    without = [name for name in provider_names() if not _is_priced(name, table.providers)]
    yield "providers without prices", ", ".join(without) or "none"


def _is_priced(name: str, known: tuple[str, ...]) -> bool:
    try:
        return provider_record(name).price_provider in (FREE, *known)
    except MissingExtraError:
        return True  # unknown without the SDK
