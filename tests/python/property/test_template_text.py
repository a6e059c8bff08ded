"""Whatever text a template has, it is rendered as it is, or refused as a template."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ferroscope import BaseMessageParam
from ferroscope.core.base._prompts.template import parse_template, parse_text
from ferroscope.errors import TemplateError

ROLE = re.compile(r"^[ \t]*(SYSTEM|USER|ASSISTANT|MESSAGES):", re.MULTILINE)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\ufeff"), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        [
            *("{", "}", "{{", "}}", "(", ")", "[", "]", ":", "!", ".", "a", "image", "\n", " ", "\t"),
            *("{x}", "{x:list}", "{x!r}", "{x.y[0]}", "{x:image(detail=low)}", "{:cache_control}"),
            *("SYSTEM:", "USER:", "MESSAGES:"),
        ]
    ),
    max_size=12,
).map("".join)


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@settings(deadline=None)
@given(TEXT)
@example("👩\u200d👧\u3000{}\t \n  b")
def test_a_text_at_the_margin_is_rendered_as_it_is(text: str) -> None:
    text = "a" + "\n".join("" if not line.strip(" \t") else line for line in text.split("\n")) + "z"
    if ROLE.search(text):
        return
    assert parse_template(escaped(text)).messages({}) == [BaseMessageParam(role="user", content=text)]


@settings(deadline=None)
@given(TEXT, st.sampled_from(["    ", "\t", "  "]))
def test_a_margin_makes_no_difference(text: str, margin: str) -> None:
    source = escaped("a" + text)
    indented = "\n" + "\n".join(margin + line for line in source.split("\n")) + "\n" + margin
    assert parse_template(indented).messages({}) == parse_template("\n" + source).messages({})


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["x", "y", "zz"]), TEXT, min_size=3), TEXT)
def test_variables_mean_what_str_format_means(values: dict[str, str], text: str) -> None:
    source = escaped(text) + "<{x}{y!r}{zz:>5}{{{x}}}>"
    assert parse_text(source)(values) == source.format(**values)


@settings(deadline=None)
@given(PIECES)
@example("{x:image(detail=low}")
@example("{x:{x}}")
@example("MESSAGES: {x}{x}")
def test_any_source_is_read_or_refused(source: str) -> None:
    values: dict[str, Any] = {"x": "1"}
    try:
        template = parse_template(source)
    except TemplateError:
        return
    if template.variables <= values.keys():
        # "1" is no list, no message and has no attribute. A KeyError would be a name that was not told.
        with suppress(ValueError, AttributeError, TypeError, IndexError):
            template.messages(values)
