"""Thoughts in the text of an answer, as reasoning models write them: JSON inside them is a draft."""

from __future__ import annotations

import re
from typing import Final

from .._core import JsonError, PartialJson

_TAG: Final = re.compile(r"<(/?)think(?:ing)?>")
_TAGS: Final = ("<think>", "<thinking>", "</think>", "</thinking>")
_LONGEST: Final = max(map(len, _TAGS))


def without_thoughts(text: str) -> str:
    """Return a text without the thoughts in it: `<think>` blocks, and all text in front of a lone `</think>`.

    A tag in a string of a JSON document is a part of the string.
    """
    if _TAG.search(text) is None:
        return text
    thoughts = ThoughtFilter()
    thoughts.feed(text)
    return thoughts.rest()


class ThoughtFilter:
    """Removes thoughts from a text that arrives in pieces."""

    __slots__ = ("_held", "_kept", "_thinks")

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._held = ""  # the beginning of a tag, perhaps
        self._thinks = False

    def feed(self, piece: str) -> tuple[str, bool]:
        """Add a piece of the text.

        Returns:
            The text that was kept of it, and whether all that was kept before turned out to be thoughts: some models
            write the closing tag alone.
        """
        if not self._held and not self._thinks and "<" not in piece:
            self._kept.append(piece)
            return piece, False
        text, self._held = self._held + piece, ""
        kept: list[str] = []
        at, restarts = 0, False
        for tag in _TAG.finditer(text):
            before, is_end = text[at : tag.start()], bool(tag[1])
            if self._thinks:
                self._thinks = not is_end
            elif self._is_in_document([*kept, before], tag[0]):
                kept += before, tag[0]
            elif is_end:
                kept.clear()
                self._kept.clear()
                restarts = True
            else:
                kept.append(before)
                self._thinks = True
            at = tag.end()
        rest = text[at:]
        held = _tag_begun(rest)
        self._held = rest[len(rest) - held :]
        if not self._thinks:
            kept.append(rest[: len(rest) - held])
        self._kept += kept
        return "".join(kept), restarts

    def rest(self) -> str:
        """Return all the text that was kept, at its end."""
        return "".join(self._kept) + ("" if self._thinks else self._held)

    def _is_in_document(self, kept: list[str], tag: str) -> bool:
        """Return whether a tag is in a string of a JSON document that is still open."""
        document = PartialJson(root="container")
        try:
            document.feed("".join([*self._kept, *kept]))
            begun = document.span[0] is not None and not document.is_complete
            document.feed(tag)
        except JsonError:
            return False
        return begun


def _tag_begun(text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a tag."""
    at = text.rfind("<", max(len(text) - _LONGEST, 0))
    return len(text) - at if at >= 0 and any(tag.startswith(text[at:]) for tag in _TAGS) else 0
