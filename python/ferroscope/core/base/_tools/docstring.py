"""The parsing of a function's docstring: its description, parameters and examples."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import Final

# The names that docstring_parser uses for parameter sections, in its three styles. "attribute" is left out, because
# attributes document a class.
_PARAMETER_SECTIONS: Final = frozenset(
    {"param", "parameter", "arg", "argument", "key", "keyword", "other_param", "receive"}
)


# Sections that docstring_parser does not support: it drops such a section if it follows a supported one.
_REMARKS: Final = (
    "Note",
    "Notes",
    "Warning",
    "Warnings",
    "Important",
    "Tip",
    "See Also",
    "References",
    "Todo",
)


@dataclass(frozen=True, slots=True)
class FunctionDoc:
    """A parsed docstring.

    Attributes:
        description: The text about the function: summary, body, `Returns:`, `Raises:`, remarks.
        parameters: The name and description of each documented parameter, in the order of the docstring.
        examples: The JSON values of the `Example(s):` sections.
    """

    description: str
    parameters: tuple[tuple[str, str], ...]
    examples: tuple[object, ...]


def read_docstring(text: str) -> FunctionDoc:
    """Parse a docstring in Google, NumPy or Sphinx style."""
    # Imported here, because only programs with tools need it.
    import docstring_parser
    from docstring_parser import google
    from docstring_parser.common import Docstring, DocstringExample, DocstringParam

    parsed = docstring_parser.parse(text)
    if parsed.style is docstring_parser.DocstringStyle.GOOGLE:
        remarks = [google.Section(title, title, google.SectionType.SINGULAR) for title in _REMARKS]
        parsed = google.GoogleParser([*google.DEFAULT_SECTIONS, *remarks]).parse(text)
    parameters: list[tuple[str, str]] = []
    examples: list[object] = []
    after: list[str] = []
    selected = Docstring(style=parsed.style)
    selected.short_description = parsed.short_description
    selected.blank_after_short_description = parsed.blank_after_short_description
    selected.long_description = parsed.long_description
    selected.blank_after_long_description = parsed.blank_after_long_description
    for meta in parsed.meta:
        if isinstance(meta, DocstringParam):
            if meta.args and meta.args[0] in _PARAMETER_SECTIONS:
                # NumPy style documents "x, y : int" in one entry, and variadic parameters with their stars.
                parameters += [
                    (name.strip().lstrip("*"), (meta.description or "").strip()) for name in meta.arg_name.split(",")
                ]
        elif isinstance(meta, DocstringExample):
            # A snippet is a doctest, and its "description" the output.
            values = None if meta.snippet else _json_values(meta.description or "")
            if values is None:
                selected.meta.append(meta)
            else:
                examples += values
        elif meta in parsed.many_returns or meta in parsed.raises:
            selected.meta.append(meta)
        elif meta.args and meta.args[0] in _REMARKS:
            after.append(f"{meta.args[0]}:\n{textwrap.indent(meta.description or '', '    ')}")
    composed = docstring_parser.compose(selected).strip()
    if any(not meta.type_name for meta in selected.many_returns):
        # For an entry without a type, Google style still writes the colon.
        composed = composed.replace(":\n    : ", ":\n    ")
    description = "\n\n".join([composed, *after])
    return FunctionDoc(description.strip(), tuple(parameters), tuple(examples))


def _json_values(text: str) -> list[object] | None:
    """Return the JSON values that the text consists of; None for any other text (prose, a doctest)."""
    decoder = json.JSONDecoder()
    values: list[object] = []
    rest = text.strip()
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except ValueError:
            return None
        values.append(value)
        rest = rest[end:].lstrip(" \t\r\n,")
    return values
