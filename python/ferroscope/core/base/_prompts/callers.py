"""The position of the user's code in the call stack, for warnings."""

from __future__ import annotations

import sys

_PACKAGE_PREFIX = f"{__name__.partition('.')[0]}."


def callers_level() -> int:
    """Return the `stacklevel` for a warning that points to the first frame outside Ferroscope."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE_PREFIX):
        level, frame = level + 1, frame.f_back
    return level
