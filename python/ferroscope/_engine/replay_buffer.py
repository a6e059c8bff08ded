"""The buffer of a stream's received data, for decoding it again."""

from __future__ import annotations

from ..errors import LimitExceededError

# More than the longest answers of current models need.
DEFAULT_BYTES = 16 * 1024 * 1024


class ReplayBuffer:
    """The pieces of a stream as they were read, up to a limit in bytes."""

    __slots__ = ("_max_bytes", "_pieces", "_size")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._pieces: list[bytes | str] = []

    def add(self, piece: bytes | str) -> None:
        """Add a piece. Beyond the limit, nothing is stored."""
        self._size += len(piece)
        if self._size <= self._max_bytes:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def pieces(self) -> list[bytes | str]:
        """Return all pieces.

        Raises:
            ferroscope.errors.LimitExceededError: The stream was longer than the limit.
        """
        if self._size > self._max_bytes:
            raise LimitExceededError(
                f"the stream cannot be replayed: it is longer than the replay buffer of {self._max_bytes} bytes; "
                "set a higher limit with `stream={'replay': bytes}`"
            )
        return self._pieces
