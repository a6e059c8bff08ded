"""Functions by name, for the command line and for other processes."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Any: the function is the user's own.


def load_function(name: str) -> Callable[..., Any]:
    """Return the function of `module:function` or `file.py:function`.

    Raises:
        ValueError: The name has another form, or there is no such function.
        ImportError: There is no such module.
    """
    where, _, path = name.rpartition(":")
    if not where or not path:
        raise ValueError(f"the function must have the form `module:function` or `file.py:function`, not {name!r}")
    if where.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(where).stem, where)
        if spec is None or spec.loader is None or not Path(where).exists():
            raise ValueError(f"no such file: {where!r}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        module = importlib.import_module(where)
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ValueError(f"{where!r} has no function {path!r}")
    return found  # type: ignore[no-any-return]


def importable_name(fn: Callable[..., Any]) -> str:
    """Return the name by which workers import a function.

    Raises:
        ValueError: The function is local, or belongs to the program's main module.
    """
    module, name = getattr(fn, "__module__", ""), getattr(fn, "__qualname__", "")
    if not module or module == "__main__" or "<" in name:
        raise ValueError(
            f"the workers cannot import {name or fn!r} of the module {module!r}: move it to a module, and pass it or "
            "its name (`module:function`)"
        )
    return f"{module}:{name}"
