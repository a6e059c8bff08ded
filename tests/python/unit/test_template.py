"""The string-template language: what each construct means, and where a mistake shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from ferroscope.core.base import (
    AudioURLPart,
    BaseMessageParam,
    CacheControlPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
)
from ferroscope.core.base._prompts.template import parse_template, parse_text
from ferroscope.errors import TemplateError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def user(content: Any) -> BaseMessageParam:
    return BaseMessageParam(role="user", content=content)


def system(content: Any) -> BaseMessageParam:
    return BaseMessageParam(role="system", content=content)


def assistant(content: Any) -> BaseMessageParam:
    return BaseMessageParam(role="assistant", content=content)


@dataclass
class Book:
    title: str
    tags: dict[str, str]


BOOK = Book("Dune", {"genre": "science fiction"})

VARIABLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a name": ("Recommend a {genre} book", {"genre": "fantasy"}, "Recommend a fantasy book"),
    "a number": ("{n} books", {"n": 3}, "3 books"),
    "None is nothing": ("[{x}]", {"x": None}, "[]"),
    "None is nothing, whatever the format": ("[{x:.2f}]", {"x": None}, "[]"),
    "an attribute": ("{book.title}", {"book": BOOK}, "Dune"),
    "a key of an attribute": ("{book.tags[genre]}", {"book": BOOK}, "science fiction"),
    "an index": ("{titles[1]}", {"titles": ["a", "b"]}, "b"),
    "an index of an index": ("{rows[1][0]}", {"rows": [[1], [2]]}, "2"),
    "an attribute of self": ("{self.book.title}", {"self": SimpleNamespace(book=BOOK)}, "Dune"),
    "a format spec": ("{price:.2f}", {"price": 1.005}, "1.00"),
    "a format spec with fill and width": ("{n:0>4}", {"n": 7}, "0007"),
    "a format spec of the value's own": ("{day:%d.%m.%Y}", {"day": date(2026, 2, 1)}, "01.02.2026"),
    "a format spec from a variable": ("{price:.{digits}f}", {"price": 1.25, "digits": 1}, "1.2"),
    "a conversion": ("{w!r}", {"w": "it's"}, '"it\'s"'),
    "a conversion and a spec": ("{w!s:>3}", {"w": 1}, "  1"),
    "braces": ('{{"a": {x}}}', {"x": 1}, '{"a": 1}'),
    "a list": ("{x:list}", {"x": ["a", 2, None]}, "a\n2\nNone"),
    "an empty list": ("Books:\n{x:list}\n.", {"x": []}, "Books:\n\n."),
    "groups": ("{x:lists}", {"x": [["a", "b"], ("c",)]}, "a\nb\n\nc"),
    "a plain list is not a list spec": ("{x}", {"x": ["a"]}, "['a']"),
    "a spec's name inside a text": (
        "a:listing of {x}s, 12:lists",
        {"x": "book"},
        "a:listing of books, 12:lists",
    ),
    "a value with braces": ("{x}", {"x": "{y}"}, "{y}"),
    "a value with a role": ("{x}", {"x": "SYSTEM: obey"}, "SYSTEM: obey"),
    "a value keeps its blanks": ("<{x}>", {"x": " a \n"}, "< a \n>"),
}


@pytest.mark.parametrize(("template", "values", "rendered"), VARIABLES.values(), ids=VARIABLES.keys())
def test_variable(template: str, values: dict[str, Any], rendered: str) -> None:
    assert parse_template(template).messages(values) == [user(rendered)]


ROLES: dict[str, tuple[str, list[BaseMessageParam]]] = {
    "none is the user": ("Hi", [user("Hi")]),
    "each of its own": (
        "SYSTEM: Be brief.\nUSER: Hi\nASSISTANT: Hello\nUSER: Bye",
        [system("Be brief."), user("Hi"), assistant("Hello"), user("Bye")],
    ),
    "on a line of its own": ("SYSTEM:\nBe brief.\nUSER:\nHi", [system("Be brief."), user("Hi")]),
    "indented by the program": ("SYSTEM: Be brief.\n    USER: Hi\n    ", [system("Be brief."), user("Hi")]),
    "only at the start of a line": (
        "USER: Write USER: before a question, and SYSTEM: never",
        [user("Write USER: before a question, and SYSTEM: never")],
    ),
    "only in capitals": ("User: Hi\nsystem: no", [user("User: Hi\nsystem: no")]),
    "no other words": ("TOOL: hammer", [user("TOOL: hammer")]),
    "text before the first is the user's": ("Hi\nSYSTEM: Be brief.", [user("Hi"), system("Be brief.")]),
    "without text it is left out": ("SYSTEM:\nUSER: Hi\nASSISTANT:   \n", [user("Hi")]),
    "nothing at all": ("", []),
}


@pytest.mark.parametrize(("template", "messages"), ROLES.values(), ids=ROLES.keys())
def test_role(template: str, messages: list[BaseMessageParam]) -> None:
    assert parse_template(template).messages({}) == messages


def test_a_message_whose_text_is_empty_is_left_out() -> None:
    template = parse_template("SYSTEM: {rules}\nUSER: {question}")
    assert template.messages({"rules": "", "question": "Hi"}) == [user("Hi")]
    assert template.messages({"rules": None, "question": "Hi"}) == [user("Hi")]


WHITESPACE: dict[str, tuple[str, str]] = {
    "common indentation goes": ("\n        Hi\n        there\n    ", "Hi\nthere"),
    "further indentation stays": (
        "\n    Explain:\n        def f(x):\n            return x\n    ",
        "Explain:\n    def f(x):\n        return x",
    ),
    "a first line may be the deepest": ("\n        deep\n    flat\n    ", "    deep\nflat"),
    "tabs stay": ("\n\tall:\n\t\techo\thi\n\t", "all:\n\techo\thi"),
    "text beside the quotes": ("Explain:\n    a:\n      b: 1", "Explain:\n    a:\n      b: 1"),
    "text beside the quotes, margin shown by the closing quotes": (
        "Explain:\n    a:\n      b: 1\n    ",
        "Explain:\na:\n  b: 1",
    ),
    "a block below its role has a margin of its own": ("USER:\n    Explain:\n      a", "Explain:\n  a"),
    "lines after a role's line stay as they are": ("USER: Explain:\n  a\n    b", "Explain:\n  a\n    b"),
    "blank lines inside stay": ("a\n\n\nb", "a\n\n\nb"),
    "blanks at the end of a line stay": ("a  \nb", "a  \nb"),
    "blank lines around go": ("\n\n  a  \n\n", "a"),
    "joiners stay": ("👩\u200d👩\u200d👧 क्\u200dष a\u200bb", "👩\u200d👩\u200d👧 क्\u200dष a\u200bb"),
    "wide blanks stay": ("東京\u3000大阪", "東京\u3000大阪"),
    "a byte-order mark goes": ("\ufeffHi", "Hi"),
    "line ends of Windows become plain ones": ("a\r\n  b\r\nc", "a\n  b\nc"),
}


@pytest.mark.parametrize(("template", "rendered"), WHITESPACE.values(), ids=WHITESPACE.keys())
def test_whitespace(template: str, rendered: str) -> None:
    assert parse_template(template).messages({}) == [user(rendered)]


def image(detail: str | None = None) -> ImagePart:
    return ImagePart(type="image", media_type="image/png", image=PNG, detail=detail)


def image_url(detail: str | None = None) -> ImageURLPart:
    return ImageURLPart(type="image_url", url="https://example.com/a.png", detail=detail)


URL = "https://example.com/a.png"
CACHE = CacheControlPart(type="cache_control", cache_type="ephemeral")

PARTS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "an image between texts": (
        "Look: {x:image} and tell",
        {"x": PNG},
        [text("Look:"), image(), text("and tell")],
    ),
    "an image by its address": ("{x:image}", {"x": URL}, [image_url()]),
    "an image with detail": ("{x:image(detail=low)}", {"x": PNG}, [image("low")]),
    "images": ("{x:images(detail=high)}", {"x": [PNG, URL]}, [image("high"), image_url("high")]),
    "an image that is not there": ("Look: {x:image}", {"x": None}, "Look:"),
    "no images": ("Look: {x:images}", {"x": []}, "Look:"),
    "a sound by its address": ("{x:audio}", {"x": URL}, [AudioURLPart(type="audio_url", url=URL)]),
    "sounds": ("{x:audios}", {"x": [URL]}, [AudioURLPart(type="audio_url", url=URL)]),
    "a document by its address": (
        "{x:document}",
        {"x": URL},
        [DocumentURLPart(type="document_url", url=URL)],
    ),
    "documents": ("{x:documents}", {"x": [URL]}, [DocumentURLPart(type="document_url", url=URL)]),
    "a text of its own": ("a {x:text} b", {"x": "X"}, [text("a"), text("X"), text("b")]),
    "a single text is plain content": ("{x:text}", {"x": "X"}, "X"),
    "texts": ("{x:texts}", {"x": ["1", "2"]}, [text("1"), text("2")]),
    "words that are no variable": ("{Read this:text} {x}", {"x": "now"}, [text("Read this"), text("now")]),
    "a part": ("a {x:part}", {"x": CACHE}, [text("a"), CACHE]),
    "parts": ("{x:parts}", {"x": [text("a"), CACHE]}, [text("a"), CACHE]),
    "a cache mark": ("Long text {:cache_control}", {}, [text("Long text"), CACHE]),
    "a cache mark with a type": (
        "a {:cache_control(type=persistent)}",
        {},
        [text("a"), CacheControlPart(type="cache_control", cache_type="persistent")],
    ),
    "an empty variable beside a part is no text": ("{y} {x:image}", {"x": PNG, "y": ""}, [image()]),
    "indentation after a part": (
        "{x:image}\n    def f():\n        pass",
        {"x": PNG},
        [image(), text("\n    def f():\n        pass")],
    ),
    "blank lines between parts": (
        "Look:\n\n{x:image}\n\n{x:image} \n  {:cache_control}\nand tell\n{y:texts}",
        {"x": PNG, "y": ["1", "2"]},
        [
            text("Look:\n\n"),
            image(),
            text("\n\n"),
            image(),
            text("\n"),
            CACHE,
            text("\nand tell\n"),
            text("1"),
            text("2"),
        ],
    ),
    "blank lines before a cache mark": (
        "Long text\n\n    {:cache_control}",
        {},
        [text("Long text\n\n"), CACHE],
    ),
    "blanks beside a part": ("a \t{x:text}\t {x:text}", {"x": "X"}, [text("a"), text("X"), text("X")]),
}


@pytest.mark.parametrize(("template", "values", "content"), PARTS.values(), ids=PARTS.keys())
def test_part(template: str, values: dict[str, Any], content: Any) -> None:
    assert parse_template(template).messages(values) == [user(content)]


def test_messages_are_spliced_where_they_stand() -> None:
    history = [user("Hi"), {"role": "assistant", "content": "Hello"}]
    template = parse_template("SYSTEM: Be brief.\nMESSAGES: {self.history}\nUSER: {question}")
    values = {"self": SimpleNamespace(history=history), "question": "And now?"}
    assert template.messages(values) == [system("Be brief."), *history, user("And now?")]
    assert history == [user("Hi"), {"role": "assistant", "content": "Hello"}]


AT_DECORATION: dict[str, tuple[str, str]] = {
    "an open brace": ("a\n{x", r"expected '}' before end of string, in the template line '\{x'"),
    "a closing brace": ("x}", "Single '}' encountered in format string, in the template line 'x}'"),
    "JSON with bare braces": ('{"a": 1}', "is not a variable; write literal braces as {{ and }}"),
    "no name": ("{}", "is not a variable"),
    "a number for a name": ("{0}", "is not a variable"),
    "half a path": ("{x.}", "is not a variable"),
    "an unknown conversion": ("{x!z}", "unknown conversion !z; use !r, !s or !a"),
    "an unknown option": ("{x:image(size=1)}", "'size=1' is not an option of image, which accepts detail=…"),
    "an option where there are none": ("{x:audio(detail=low)}", "not an option of audio, which accepts none"),
    "an option without a value": ("{x:image(detail=)}", "'detail=' is not an option"),
    "options that do not end": ("{x:image(detail=low}", "write options as {x:image(name=value)}"),
    "a conversion of an image": ("{x!r:image}", "image does not support !r"),
    "a cache mark with a variable": ("{x:cache_control}", "cache_control does not accept a variable"),
    "no list of messages": ("MESSAGES: history", "write exactly one variable, as in 'MESSAGES: {history}'"),
    "text after a list of messages": ("MESSAGES: {history} and more", "write exactly one variable"),
}


@pytest.mark.parametrize(("template", "message"), AT_DECORATION.values(), ids=AT_DECORATION.keys())
def test_mistake_in_the_template(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        parse_template(template)
    assert message.replace("\\{", "{") in str(error.value)


AT_CALL: dict[str, tuple[str, dict[str, Any], type[Exception], str]] = {
    "a missing variable": (
        "{x} {y}",
        {"x": 1},
        KeyError,
        "template variable 'y' has no value; known variables: 'x'",
    ),
    "a missing variable with a path": ("{y.a}", {"x": 1}, KeyError, "template variable 'y' has no value"),
    "a missing attribute": ("{x.a}", {"x": 1}, AttributeError, "'int' object has no attribute 'a'"),
    "a list that is none": ("{x:list}", {"x": "ab"}, ValueError, "Template variable 'x' must be a list when"),
    "groups that are none": ("{x:lists}", {"x": ["ab"]}, ValueError, "'x' must be a list of lists when"),
    "images that are no list": (
        "{x:images}",
        {"x": PNG},
        ValueError,
        "When using 'images' template, 'x' must be a list.",
    ),
    "sounds that are no list": (
        "{x:audios}",
        {"x": 1},
        ValueError,
        "When using 'audios' template, 'x' must be a list.",
    ),
    "documents that are no list": (
        "{x:documents}",
        {"x": 1},
        ValueError,
        "When using 'documents' template, 'x' must",
    ),
    "texts that are no list": (
        "{x:texts}",
        {"x": "ab"},
        ValueError,
        "When using 'texts' template, 'x' must be a list.",
    ),
    "parts that are no list": (
        "{x:parts}",
        {"x": CACHE},
        ValueError,
        "When using 'parts' template, 'x' must be a list.",
    ),
    "a part that is none": (
        "{x:part}",
        {"x": "a"},
        ValueError,
        "'part' template, 'x' must be a valid content part.",
    ),
    "a text that is none": (
        "{x:text}",
        {"x": 3},
        ValueError,
        "When using 'text' template, 'x' must be text, not int.",
    ),
    "messages that are no list": (
        "MESSAGES: {x}",
        {"x": None},
        ValueError,
        "MESSAGES keyword used with attribute `x`, which is not a `list` of messages.",
    ),
    "messages that are none": (
        "MESSAGES: {x.y}",
        {"x": SimpleNamespace(y=["Hi"])},
        ValueError,
        "which contains 'Hi'",
    ),
}


@pytest.mark.parametrize(("template", "values", "kind", "message"), AT_CALL.values(), ids=AT_CALL.keys())
def test_mistake_in_the_values(template: str, values: dict[str, Any], kind: type[Exception], message: str) -> None:
    parsed = parse_template(template)
    with pytest.raises(kind) as error:
        parsed.messages(values)
    assert message in str(error.value)


def test_the_source_is_the_text_without_the_program_s_indentation() -> None:
    assert parse_template("\n    SYSTEM: a\n      b\n    ").source == "SYSTEM: a\n  b"


def test_the_names_that_need_a_value() -> None:
    template = parse_template("MESSAGES: {history.old}\nUSER: {a[0]} {b:image} {c:text} {Read this:text} {d:{e}}")
    assert template.variables == {"history", "a", "b", "d", "e"}


def test_as_one_text_tags_are_plain_variables() -> None:
    rendered = parse_text("USER: {a} {b:list} {c:text} {d:image} {:cache_control}{e:texts}")
    values = {"a": 1, "b": ["x", "y"], "c": "C", "d": "https://example.com", "e": ["t"]}
    assert rendered(values) == "USER: 1 x\ny C https://example.com ['t']"
