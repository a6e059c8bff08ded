"""Short representations of objects, for logs, debuggers and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any, Final

_TEXT: Final = 120  # characters
_ITEMS: Final = 10

# Any: values of every kind.


class Shown:
    """A value whose `repr` is a given text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class ShortRepr:
    """A pydantic model whose `repr` shows the beginning of long texts, and the size of bytes."""

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():  # type: ignore[misc]  # pydantic's, of the next class
            yield name, shorten(value)


def shorten(value: Any) -> Any:
    """Return a value whose `repr` is short."""
    match value:
        case str() if len(value) > _TEXT:
            return Shown(f"{value[:_TEXT]!r}... ({len(value):,} characters)")
        case bytes() | bytearray():
            return Shown(f"<{len(value):,} bytes>")
        case list() | tuple() if len(value) > _ITEMS:
            return [*map(shorten, value[:_ITEMS]), Shown(f"... ({len(value):,} items)")]
        case list():
            return [shorten(item) for item in value]
        case dict():
            return {name: shorten(item) for name, item in value.items()}
        case _:
            return value


def readable(read: Callable[[], Any]) -> Any:
    """Return a property's value, or the name of the exception that it raises: a `repr` must not fail."""
    try:
        return shorten(read())
    except Exception as error:
        return Shown(f"<{type(error).__name__}>")


def html_block(text: str, facts: Mapping[str, object]) -> str:
    """Return a text and a line of facts as HTML for a notebook; everything is escaped."""
    line = " · ".join(f"{escape(name)}: {escape(str(value))}" for name, value in facts.items() if value is not None)
    return f'<div><pre style="white-space: pre-wrap">{escape(text)}</pre><small>{line}</small></div>'


def html_table(head: Iterable[str], rows: Iterable[Iterable[object]], caption: str) -> str:
    """Return a table as HTML for a notebook; everything is escaped."""

    def row(cells: Iterable[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<table><caption>{escape(caption)}</caption>{row(head, 'th')}{body}</table>"
