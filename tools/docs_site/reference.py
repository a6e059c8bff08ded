"""The pages of the API reference, and the check that every public name is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from types import ModuleType

import ferroscope


def public_modules() -> Iterator[ModuleType]:
    """Return the modules with an `__all__`, without those whose path has a private part."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # modules with their names of v1 warn that they have moved
        yield from _modules_below(ferroscope)


def _modules_below(package: ModuleType) -> Iterator[ModuleType]:
    if hasattr(package, "__all__"):
        yield package
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(found.name)
        if found.ispkg:
            yield from _modules_below(module)
        elif hasattr(module, "__all__"):
            yield module


def page_of(module: ModuleType) -> str:
    """Return the Markdown of a module's page. mkdocstrings fills in the docstrings."""
    blocks = [f"# {module.__name__}", f"::: {module.__name__}", *(f"::: {path}" for path in _hidden_by_modules(module))]
    return "\n\n".join([*blocks, ""])


def _hidden_by_modules(module: ModuleType) -> Iterator[str]:
    """Return the paths of functions with the name of their module, which mkdocstrings takes for the module."""
    for name in module.__all__:
        defined_in = getattr(getattr(module, name), "__module__", "")
        if defined_in.rpartition(".")[2] == name:
            yield f"{defined_in}.{name}"


def index() -> str:
    """Return the Markdown of the page that lists the modules."""
    rows = [f"| [`{module.__name__}`]({module.__name__}.md) | {_summary(module)} |" for module in public_modules()]
    return "\n".join(["# API reference", "", "| module | contents |", "|---|---|", *rows, ""])


def _summary(module: ModuleType) -> str:
    return " ".join((module.__doc__ or "").partition("\n\n")[0].split())


def undocumented() -> list[str]:
    """Return the public names, and the public members of public classes, without a docstring."""
    missing: list[str] = []
    seen: set[type] = set()
    for module in public_modules():
        if not module.__doc__:
            missing.append(module.__name__)
        for name in module.__all__:
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isroutine(value)):
                continue
            if not inspect.getdoc(value):
                missing.append(f"{module.__name__}.{name}")
            if inspect.isclass(value) and value.__module__.startswith("ferroscope") and value not in seen:
                seen.add(value)
                missing += [f"{module.__name__}.{name}.{member}" for member in _undocumented_members(value)]
    return missing


def _undocumented_members(owner: type) -> Iterator[str]:
    for name, value in vars(owner).items():
        is_member = isinstance(value, (property, classmethod, staticmethod)) or inspect.isfunction(value)
        if is_member and not name.startswith("_") and not _is_documented(owner, name):
            yield name


def _is_documented(owner: type, name: str) -> bool:
    # `inspect.getdoc` finds the docstring of a base class's member for functions only.
    return any(vars(base)[name].__doc__ for base in owner.__mro__ if name in vars(base))
