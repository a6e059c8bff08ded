"""Reads a value that is no object while it is written: as `{"value": ...}`, which was asked for, or bare."""

from __future__ import annotations

from typing import Any

from .._core import JsonError
from ..core.base.stream_config import Every
from .extraction import Extraction
from .partial import PartialReader


class ValueReader:
    """A value, growing with the text that is fed.

    Two readers read until one turns out to be right: at the first key, which is `value` or not.
    """

    __slots__ = ("_bare", "_right", "_wrapped")

    def __init__(self, extraction: Extraction) -> None:
        self._wrapped: PartialReader[Any] = PartialReader(extraction.model)
        self._bare: PartialReader[Any] | None = PartialReader(extraction.target)
        self._right: PartialReader[Any] | None = None

    @property
    def value(self) -> Any:
        """The value as of the last feed; None while nothing shows."""
        if self._right is self._wrapped:
            shown = self._wrapped.value
            return None if shown is None else vars(shown)["value"]
        return None if self._right is None else self._right.value

    def feed(self, delta: str) -> bool:
        """Reads more of the text; says whether `value` may have changed.

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
            # A list that is still open is the document, whatever objects are in it.
            self._right = bare
        elif members:
            self._right = self._wrapped if "value" in members or bare is None else bare

    def wants(self, every: Every, changed: bool) -> bool:
        """Return whether the last feed is one to give an instance after."""
        return (self._right or self._wrapped).wants(every, changed)

    def is_done(self, *path: str | int) -> bool:
        """Return whether the value at a path inside the value is complete."""
        if self._right is None:
            return False
        return self._right.is_done(*(("value", *path) if self._right is self._wrapped else path))
