"""Names that are imported when they are first needed (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any


def lazy_names(package: str, where: Mapping[str, str | None]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make a package's `__getattr__` and `__dir__` from a table of its names.

    Args:
        package: The package's `__name__`.
        where: For each name the module that has it, relative to the package; None if the name is a submodule.
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
def load_name(where: str) -> Any:  # Any: whatever has that name
    """Import `"module:name"` when it is first needed, and return it."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
