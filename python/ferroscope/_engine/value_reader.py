"""An incremental reader for values that are not objects, in the requested form `{"value": ...}` or bare."""

from __future__ import annotations

from typing import Any

from .._core import JsonError
from ..core.base.stream_config import Every
from .extraction import Extraction
from .partial import PartialReader


class ValueReader:
    """A value that grows with the text.

    Two readers process the text in parallel until one is known to be right. The first key, `value` or another, decides.
    """

    __slots__ = ("_bare", "_right", "_wrapped")

    def __init__(self, extraction: Extraction) -> None:
        self._wrapped: PartialReader[Any] = PartialReader(extraction.model)
        self._bare: PartialReader[Any] | None = PartialReader(extraction.target)
        self._right: PartialReader[Any] | None = None

    @property
    def value(self) -> Any:
        """The value after the last `feed`; None until there is one."""
        if self._right is self._wrapped:
            shown = self._wrapped.value
            return None if shown is None else vars(shown)["value"]
        return None if self._right is None else self._right.value

    def feed(self, delta: str) -> bool:
        """Add a piece of the text. Return whether `value` may have changed.

        Raises:
            JsonError: The text is not JSON.
        """
        if self._right is not None:
            return self._right.feed(delta)
        changed = self._wrapped.feed(delta)
        bare = self._bare
        if bare is not None:
            try:
                changed = bare.feed(delta) or changed
            except JsonError:
                bare = self._bare = None
        self._decide()
        return changed

    def _decide(self) -> None:
        bare = self._bare
        members = self._wrapped.raw if isinstance(self._wrapped.raw, dict) else {}
        if bare is not None and isinstance(bare.raw, list) and not bare.is_complete:
            # An open list is the document itself, even if there are objects in it.
            self._right = bare
        elif members:
            self._right = self._wrapped if "value" in members or bare is None else bare

    def wants(self, every: Every, changed: bool) -> bool:
        """Return whether to yield an instance after the last `feed`."""
        return (self._right or self._wrapped).wants(every, changed)

    def is_done(self, *path: str | int) -> bool:
        """Return whether the value at a path inside the value is complete."""
        if self._right is None:
            return False
        return self._right.is_done(*(("value", *path) if self._right is self._wrapped else path))
