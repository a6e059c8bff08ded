"""What a stream received, kept to be decoded again."""

from __future__ import annotations

from ..errors import LimitExceededError

# More than the longest answers of current models, less than what hurts.
DEFAULT_BYTES = 16 * 1024 * 1024


class ReplayBuffer:
    """The pieces of a stream, as they were read, up to a limit."""

    __slots__ = ("_max_bytes", "_pieces", "_size")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._pieces: list[bytes | str] = []

    def add(self, piece: bytes | str) -> None:
        """Keeps a piece; beyond the limit nothing is kept any more."""
        self._size += len(piece)
        if self._size <= self._max_bytes:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def pieces(self) -> list[bytes | str]:
        """Return all pieces.

        Raises:
            ferroscope.errors.LimitExceededError: There were more than could be kept.
        """
        if self._size > self._max_bytes:
            raise LimitExceededError(
                f"the stream cannot be replayed: it has more than the {self._max_bytes} bytes that were to be kept; "
                "set a higher limit with `stream={'replay': bytes}`"
            )
        return self._pieces
