"""The interface of a cache."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Cache(Protocol):
    """A store of recorded answers. Its methods are called from any thread.

    An exception of a method is logged, and the call goes on without the cache.

    Attributes:
        blocks: Whether the methods may block, on a disk or a network. Async calls then run them in a thread.
    """

    @property
    def blocks(self) -> bool:
        """Whether the methods may block."""
        ...

    def get(self, key: str, /) -> bytes | None:
        """Return the answer with this key; None if there is none, or if it is too old.

        Args:
            key: A SHA-256 digest of the request, in hexadecimal.
        """
        ...

    def set(self, key: str, value: bytes, /) -> None:
        """Store an answer, in place of an older one with the same key."""
        ...


def check_limits(ttl: float | None, max_bytes: int) -> None:
    """Check the limits of a cache.

    Raises:
        ValueError: A limit is not greater than 0.
    """
    if ttl is not None and not ttl > 0:
        raise ValueError(f"`ttl` of a cache must be more than 0 seconds, not {ttl!r}")
    if not max_bytes > 0:
        raise ValueError(f"`max_bytes` of a cache must be greater than 0, not {max_bytes!r}")
