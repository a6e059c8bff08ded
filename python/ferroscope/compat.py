"""`import mirascope` as an alias of this package, for code that cannot be changed yet.

```python
import ferroscope.compat  # before the first import of mirascope

from mirascope import llm  # the module `ferroscope.llm`
```

The alias covers every module of Mirascope v1 that this package has. Both names lead to the same module objects, so
classes and settings are shared. `ferroscope migrate` changes the imports for good.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Final

_ALIAS: Final = "mirascope"
_PACKAGE: Final = "ferroscope"


class _Loader(Loader):
    """A loader that returns a module of this package."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has replaced the module's own spec by that of the alias.
        module.__spec__ = self._spec


class _Finder(MetaPathFinder):
    """A finder of the modules of Mirascope in this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _ALIAS:
            return None
        name = _PACKAGE + fullname[len(_ALIAS) :]
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: it is an alias of {name!r}, which does not exist; "
                "see docs/deviations.md for the modules that are left out",
                name=fullname,
            )
        return ModuleSpec(fullname, _Loader(name), is_package=found.submodule_search_locations is not None)


def _install() -> None:
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if _ALIAS in sys.modules or find_spec(_ALIAS) is not None:
        raise ImportError(
            "`ferroscope.compat` offers the name `mirascope`, but the package mirascope is installed: uninstall it "
            "with `pip uninstall mirascope`, or change the imports with `ferroscope migrate`",
            name=_ALIAS,
        )
    sys.meta_path.insert(0, _Finder())


_install()
