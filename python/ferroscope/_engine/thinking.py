"""Thoughts in the text of an answer, as some reasoning models write them. JSON inside of thoughts is only a draft."""

from __future__ import annotations

import re
from typing import Final

from .._core import JsonError, PartialJson

# The tags of DeepSeek, Qwen and most others; of Claude without its own blocks; of ByteDance's Seed; of Mistral.
_NAMES: Final = ("think", "thinking", "thought", "reasoning", "seed:think")
_TAG: Final = re.compile(rf"<(/?)(?:{'|'.join(_NAMES)})>|\[(/?)think\]", re.IGNORECASE)
_TAGS: Final = (*(f"<{end}{name}>" for name in _NAMES for end in ("", "/")), "[think]", "[/think]")
_LONGEST: Final = max(map(len, _TAGS))


def without_thoughts(text: str) -> str:
    """Return a text without its thoughts: `<think>` blocks and the like, and all text before a single `</think>`.

    A tag inside a string of a JSON document is part of the string.
    """
    if _TAG.search(text) is None:
        return text
    thoughts = ThoughtFilter()
    thoughts.feed(text)
    return thoughts.rest()


class ThoughtFilter:
    """A filter that removes thoughts from a text in pieces."""

    __slots__ = ("_held", "_kept", "_thinks")

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._held = ""  # possibly the beginning of a tag
        self._thinks = False

    def feed(self, piece: str) -> tuple[str, bool]:
        """Add a piece of the text.

        Returns:
            The text of the piece without thoughts, and whether all text before it turned out to be thoughts: some
            models
            write only the closing tag.
        """
        if not self._held and not self._thinks and "<" not in piece and "[" not in piece:
            self._kept.append(piece)
            return piece, False
        text, self._held = self._held + piece, ""
        kept: list[str] = []
        at, restarts = 0, False
        for tag in _TAG.finditer(text):
            before, is_end = text[at : tag.start()], bool(tag[1] or tag[2])
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
        """Return all the text without thoughts, at its end."""
        return "".join(self._kept) + ("" if self._thinks else self._held)

    def _is_in_document(self, kept: list[str], tag: str) -> bool:
        """Return whether a tag is inside a string of a JSON document that is still open."""
        document = PartialJson(root="container")
        try:
            document.feed("".join([*self._kept, *kept]))
            begun = document.span[0] is not None and not document.is_complete
            document.feed(tag)
        except JsonError:
            return False
        return begun


def _tag_begun(text: str) -> int:
    """Return the number of characters at the end of a text that may begin a tag."""
    end = text[-_LONGEST:].lower()
    at = max(end.rfind("<"), end.rfind("["))
    return len(end) - at if at >= 0 and any(tag.startswith(end[at:]) for tag in _TAGS) else 0
