"""Where in the user's program a call of ours comes from."""

from __future__ import annotations

import sys

_OURS = f"{__name__.partition('.')[0]}."


def callers_level() -> int:
    """How far up the first frame outside Ferroscope stands, for the `stacklevel` of a warning of who asks."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        level, frame = level + 1, frame.f_back
    return level
