"""Every public name of Mirascope v1 is here, takes what it took, or is listed with a reason.

`v1_names.json` holds the names; `docs/deviations.md` lists the gaps. A gap that is not listed fails, and so
does one that is listed as left out and is there.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

ROOT = Path(__file__).parents[3]
NAMES_FILE = Path(__file__).with_name("v1_names.json")
NAMES: dict[str, dict[str, Any]] = json.loads(NAMES_FILE.read_text())["modules"]
SURFACE = ROOT.parent / "shared/contract/api_surface_v1.json"

# Packages whose every name must be here, and those of their modules. A provider joins when it is complete.
COMPLETE = (
    "mirascope.beta",
    "mirascope.core.anthropic",
    "mirascope.core.azure",
    "mirascope.core.base",
    "mirascope.core.bedrock",
    "mirascope.core.costs",
    "mirascope.core.gemini",
    "mirascope.core.google",
    "mirascope.core.openai",
    "mirascope.core.vertex",
    "mirascope.integrations",
    "mirascope.llm",
    "mirascope.mcp",
    "mirascope.retries",
    "mirascope.tools",
)


def in_scope(module: str) -> bool:
    return module in ("mirascope", "mirascope.core") or f"{module}.".startswith(
        tuple(f"{package}." for package in COMPLETE)
    )


MODULES = sorted(filter(in_scope, NAMES))


def ours(name: str) -> str:
    return name.replace("mirascope", "ferroscope", 1)


def listed(section: str) -> set[str]:
    text = (ROOT / "docs/deviations.md").read_text()
    body = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return {name for line in body.splitlines() for name in re.findall(r"^- `(ferroscope[\w.]*)`", line)}


LEFT_OUT = listed("Names")
TO_COME = listed("Names still to come")


def find(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name, None)


def gaps_of(module: str) -> set[str]:
    try:
        mine = importlib.import_module(ours(module))
    except ModuleNotFoundError:
        return {ours(module)}
    return {gap for name, kept in NAMES[module].items() for gap in gaps_of_name(mine, name, kept)}


def gaps_of_name(module: ModuleType, name: str, kept: dict[str, Any]) -> set[str]:
    path = f"{module.__name__}.{name}"
    try:
        value = getattr(module, name)
    except (AttributeError, ModuleNotFoundError):
        return {path}
    if home := kept.get("same_as"):
        return set() if find(ours(home)) in (value, None) else {path}
    match kept["kind"]:
        case "module":
            return set() if inspect.ismodule(value) else {path}
        case "function":
            return set() if callable(value) and takes(value, kept["params"]) else {path}
        case "typeddict":
            return {f"{path}.{key}" for key in kept["keys"] if key not in typed_dict_keys(value)}
        case "value":
            return set() if "values" not in kept or set(get_args(value)) == set(kept["values"]) else {path}
        case "class":
            return gaps_of_class(path, value, kept)
    return set()


def gaps_of_class(path: str, value: Any, kept: dict[str, Any]) -> set[str]:
    gaps: set[str] = set()
    fields = value.model_fields if isinstance(value, type) and issubclass(value, BaseModel) else {}
    for field, required in kept.get("fields", {}).items():
        if field in fields:
            if fields[field].is_required() and not required:
                gaps.add(f"{path}.{field}")
        elif not has_attribute(value, field):
            gaps.add(f"{path}.{field}")
    gaps |= {f"{path}.{name}" for name in kept.get("properties", ()) if not has_attribute(value, name)}
    for name, params in kept.get("methods", {}).items():
        method = inspect.getattr_static(value, name, None)
        if isinstance(method, classmethod | staticmethod):
            method = method.__func__
        if method is None or not takes(method, params):
            gaps.add(f"{path}.{name}")
    return gaps


def has_attribute(value: Any, name: str) -> bool:
    if inspect.getattr_static(value, name, None) is not None or name in getattr(value, "model_fields", {}):
        return True
    return any(name in getattr(kind, "__annotations__", {}) for kind in getattr(value, "__mro__", ()))


def typed_dict_keys(value: Any) -> set[str]:
    return {*getattr(value, "__required_keys__", ()), *getattr(value, "__optional_keys__", ())}


def takes(fn: Any, params: list[str]) -> bool:
    """Whether whatever a caller could pass then can be passed now."""
    try:
        mine = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return False
    by_name = {parameter.name: parameter for parameter in mine}
    any_positional = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in mine)
    any_keyword = any(parameter.kind is parameter.VAR_KEYWORD for parameter in mine)
    keyword_only = False
    for position, written in enumerate(params):
        name, optional = written.lstrip("*").removesuffix("="), written.endswith("=")
        if written.startswith("*"):
            keyword_only = True
            if written == "*":
                continue
            if not (any_keyword if written.startswith("**") else any_positional):
                return False
            continue
        parameter = by_name.get(name)
        if parameter is None:
            if not any_keyword or not (keyword_only or any_positional):
                return False
            continue
        if optional and parameter.default is parameter.empty:
            return False
        if not keyword_only and not any_positional and mine[position] is not parameter:
            return False
    known = {written.lstrip("*").removesuffix("=") for written in params}
    return all(
        parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in mine
        if parameter.name not in known
    )


@pytest.mark.filterwarnings("ignore:`ferroscope.core.(gemini|vertex)` is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:`ferroscope.integrations.tenacity` is now:UserWarning")
@pytest.mark.parametrize("module", MODULES, ids=ours)
def test_every_name_of_v1_is_here_or_listed(module: str) -> None:
    gaps = gaps_of(module)
    if ours(module) in TO_COME:
        pytest.skip("still to come")
    assert gaps - LEFT_OUT - TO_COME == set()
    assert {gap for gap in LEFT_OUT if gap.rpartition(".")[0] == ours(module)} - gaps == set()


@pytest.mark.skipif(not SURFACE.exists(), reason="the description of v1 is not beside the checkout")
def test_the_names_are_what_the_tool_writes() -> None:
    before = NAMES_FILE.read_text()
    try:
        subprocess.run([sys.executable, ROOT / "tools/v1_names.py", SURFACE], check=True, capture_output=True)
        assert NAMES_FILE.read_text() == before
    finally:
        NAMES_FILE.write_text(before)


@pytest.mark.parametrize("package", ["ferroscope", "ferroscope.core", "ferroscope.core.base", "ferroscope.retries"])
def test_every_promised_name_can_be_imported_and_is_shown(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    for name in module.__all__:
        assert f"{package}.{name}" in TO_COME or getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))


def test_importing_the_package_imports_nothing_that_could_wait() -> None:
    script = "import sys, ferroscope;print(sorted({m.partition('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    heavy = ["pydantic", "openai", "anthropic", "PIL", "pydub", "orjson", "asyncio", "ssl"]
    run = subprocess.run([sys.executable, "-c", script, *heavy], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_common_nouns_import_no_sdk_and_no_media_library() -> None:
    script = (
        "import sys, ferroscope.core.base as b;"
        "[getattr(b, n) for n in b.__all__ if n not in sys.argv[-1].split()];"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    )
    heavy = ["openai", "anthropic", "PIL", "pydub", "httpx"]
    # The one name that is a media library, and what is not there yet.
    apart = " ".join(["AudioSegment", *(name.rpartition(".")[2] for name in TO_COME)])
    run = subprocess.run([sys.executable, "-c", script, *heavy, apart], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
