"""Cache marks: parts that become the member `cache_control` of the content block before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from ..message_param import CacheControlPart, ContentPart

Marked: TypeAlias = tuple[ContentPart, CacheControlPart | None]
"""A part, and the cache mark that follows it."""

# Cache types that are lifetimes of a cache entry.
_LIFETIMES: Final = frozenset({"5m", "1h"})


def with_marks(parts: Sequence[ContentPart]) -> list[Marked]:
    """Return each part with the cache mark that follows it; a mark without a preceding part is returned as a part."""
    marked: list[Marked] = []
    for part in parts:
        if isinstance(part, CacheControlPart) and marked:
            marked[-1] = marked[-1][0], part
        else:
            marked.append((part, None))
    return marked


def parse_mark(piece: Mapping[str, Any]) -> CacheControlPart | None:  # Any: the provider's JSON
    """Return the cache mark of a content block, or None."""
    cache = piece.get("cache_control")
    return CacheControlPart(type="cache_control", cache_type=cache.get("ttl") or cache["type"]) if cache else None


def render_mark(piece: Mapping[str, Any], mark: CacheControlPart | None) -> dict[str, Any]:
    """Return a copy of a content block with the given cache mark and no other."""
    if parse_mark(piece) == mark:
        return dict(piece)
    plain = {name: value for name, value in piece.items() if name != "cache_control"}
    return plain if mark is None else {**plain, "cache_control": _cache_control(mark.cache_type)}


def _cache_control(cache_type: str) -> dict[str, str]:
    return {"type": "ephemeral", "ttl": cache_type} if cache_type in _LIFETIMES else {"type": cache_type}
