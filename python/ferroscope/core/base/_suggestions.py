"""Suggestions for names that a program misspelt, and short forms of values for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_EXCERPT = 60


def near_name(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that is most like a name, upper and lower case aside; None if none is."""
    if not isinstance(name, str):
        return None
    lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    return lower[near[0]] if near else None


def suggestion(name: object, known: Iterable[str]) -> str:
    """Return what ends the error message for an unknown name: the near one, or all that are known.

    Example:
        ```python
        suggestion("partial_tool", ["partial_tools", "every"])  # 'did you mean `partial_tools`?'
        ```
    """
    known = list(known)
    near = near_name(name, known)
    return f"did you mean `{near}`?" if near else f"known are {', '.join(f'`{one}`' for one in known)}"


def shortened(value: object, limit: int = _EXCERPT) -> str:
    """Return the repr of a value, cut to a number of characters."""
    # A long text is not written out to be cut.
    text = repr(value[: limit + 1] if isinstance(value, str | bytes) else value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def function_name(fn: object) -> str:
    """Return the name of a function for an error message; of a callable object, that of its class."""
    name = getattr(fn, "__qualname__", None) or type(fn).__qualname__
    return str(name)


def place_error(error: Exception, place: str) -> None:
    """Add a place to the message of an exception; to one whose class makes its own message, as a note."""
    if type(error) in (TypeError, ValueError):
        error.args = (f"{error}; {place}",)
    else:
        error.add_note(place)


def with_article(name: str) -> str:
    """Return a name after "a" or "an", by its first letter."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def type_name(value: object) -> str:
    """Return the name of a value's type with its module, except for builtin types."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
