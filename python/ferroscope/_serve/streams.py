"""The streams of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..web import ResumableStreams

# Answers of the page go on without a reader for a while, so connections do not bound their number.
MAX_STREAMS: Final = 1000


def new_streams(redis: str | None, max_running: int) -> ResumableStreams:
    """Return the streams of a process, kept in its memory or in Redis."""
    from ..web import ResumableStreams

    if redis is None:
        return ResumableStreams(max_running=max_running)
    from ..web.redis import RedisStore

    return ResumableStreams(RedisStore(redis), max_running=max_running)
