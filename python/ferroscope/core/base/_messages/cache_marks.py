"""Cache marks: parts that belong to the part before them, as the member `cache_control` of its piece on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from ..message_param import CacheControlPart, ContentPart

Marked: TypeAlias = tuple[ContentPart, CacheControlPart | None]
"""A part, and the cache mark behind it."""

# How long a cache entry lives, where that is given instead of the cache's type.
_LIFETIMES: Final = frozenset({"5m", "1h"})


def with_marks(parts: Sequence[ContentPart]) -> list[Marked]:
    """Return each part with the cache mark behind it; a mark without a part before it is a part of its own."""
    marked: list[Marked] = []
    for part in parts:
        if isinstance(part, CacheControlPart) and marked:
            marked[-1] = marked[-1][0], part
        else:
            marked.append((part, None))
    return marked


def parse_mark(piece: Mapping[str, Any]) -> CacheControlPart | None:  # Any: JSON of the provider's
    """Return the cache mark that a piece has."""
    cache = piece.get("cache_control")
    return CacheControlPart(type="cache_control", cache_type=cache.get("ttl") or cache["type"]) if cache else None


def render_mark(piece: Mapping[str, Any], mark: CacheControlPart | None) -> dict[str, Any]:
    """Return a copy of a piece with that cache mark and no other."""
    if parse_mark(piece) == mark:
        return dict(piece)
    plain = {name: value for name, value in piece.items() if name != "cache_control"}
    return plain if mark is None else {**plain, "cache_control": _cache_control(mark.cache_type)}


def _cache_control(cache_type: str) -> dict[str, str]:
    return {"type": "ephemeral", "ttl": cache_type} if cache_type in _LIFETIMES else {"type": cache_type}
