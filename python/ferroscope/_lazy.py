"""Names that are imported on first use (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any


def lazy_names(package: str, where: Mapping[str, str | None]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package from a table of its names.

    Args:
        package: The package's `__name__`.
        where: The module of each name, relative to the package; None if the name is a submodule.
    """

    def find(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = where[name]
        found = import_module(f".{name}", package) if module is None else getattr(import_module(module, package), name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *where})

    return find, names


@cache
def load_name(where: str) -> Any:  # Any: the type of the named object
    """Import `"module:name"` on first use, and return it."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def union_of_installed(kind: Any, *names: str) -> Any:  # Any: as above
    """Return the union of a type and of those types, each named as `"module:name"`, whose packages are installed."""
    for name in names:
        with suppress(ImportError):
            kind |= load_name(name)
    return kind
