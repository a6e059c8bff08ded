"""The growing value: `PartialJson` through the extension module."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ferroscope._core import JsonError, PartialJson


def fed(text: str, *, mode: Any = "default", size: int = 1, **options: Any) -> PartialJson:
    reader = PartialJson(mode, **options)
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    return reader


@pytest.mark.parametrize(
    ("root", "text", "value"),
    [
        (None, '{"title": "Pride and', {"title": "Pride and"}),
        (None, '{"price": 12', {}),
        (None, '{"price": 12,', {"price": 12}),
        (None, '{"a": tru', {}),
        (None, '{"a": true', {"a": True}),
        (None, '{"a": 1, "b', {"a": 1}),
        (None, 'Sure, {you} get:\n```json\n[{"a": null}]\n``` {"b": 1}', [{"a": None}]),
        (None, '["\\ud83d', [""]),
        (None, '["\\ud83d\\ude00', ["😀"]),
        (None, '["\\ud83d!', ["\ufffd!"]),
        (None, '{"a": 1, "a": {"b": 2}, "c": 3}', {"a": {"b": 2}, "c": 3}),
        (None, "[12345678901234567890123, -0, 1e400, 2.5e-3]", [12345678901234567890123, 0, float("inf"), 0.0025]),
        ("object", 'A [list], then {"a": 1', {}),
        ("object", 'A [list], then {"a": [1, 2', {"a": [1]}),
        ("value", '"text"', "text"),
        ("value", " null ", None),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_shows_of_an_unfinished_document(root: str | None, text: str, value: object, size: int) -> None:
    assert fed(text, root=root, size=size).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"price": 12', {"price": 12}), ('{"price": 12.', {}), ('{"price": 7, "price": 12.', {"price": 7})],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_numbers_show_as_they_are_written_if_asked_for(text: str, value: object, size: int) -> None:
    assert fed(text, mode="trailing-strings", size=size).value == value


def test_containers_are_made_once_and_touched_only_where_the_text_goes_on() -> None:
    reader = PartialJson()
    reader.feed('{"done": [1, {"a": "b"}], "open": [')
    root, done, growing = reader.value, reader.value["done"], reader.value["open"]
    reader.feed('"x", "y')
    assert reader.value is root
    assert root["done"] is done
    assert root["open"] is growing
    assert growing == ["x", "y"]


def test_a_string_that_somebody_holds_does_not_change() -> None:
    reader = PartialJson()
    reader.feed('{"text": "first')
    held = reader.value["text"]
    reader.feed(" and more")
    assert (held, reader.value["text"]) == ("first", "first and more")


def test_equal_keys_of_many_objects_are_one_object_in_memory() -> None:
    reader = PartialJson()
    reader.feed('[{"name": 1}, {"name": 2}]')
    first, second = (next(iter(item)) for item in reader.value)
    assert first is second


def test_changes_say_what_a_feed_touched_and_what_it_completed() -> None:
    reader = PartialJson()
    steps: list[tuple[str, list[tuple[tuple[str | int, ...], bool]]]] = [
        ('{"items": [{"na', [((), False), (("items",), False), (("items", 0), False)]),
        ('me": "Te', [(("items", 0, "name"), False)]),
        ('a", "n": 1', [(("items", 0, "name"), True)]),
        ("2", []),
        (
            "}, {}",
            [
                (("items", 0, "n"), True),
                (("items", 0), True),
                (("items", 1), False),
                (("items", 1), True),
            ],
        ),
        ("]}", [(("items",), True), ((), True)]),
    ]
    for piece, changes in steps:
        assert reader.feed(piece) == bool(changes)
        assert reader.changes() == changes, piece


def test_the_open_path_leads_to_where_the_text_goes_on() -> None:
    reader = PartialJson()
    paths: list[tuple[str | int, ...]] = []
    for piece in ['{"a"', ': [1, {"b": "x', '"', "}", "]", "}"]:
        reader.feed(piece)
        paths.append(reader.open_path)
    assert paths == [(), ("a", 1, "b"), ("a", 1), ("a",), (), ()]


def test_bytes_may_be_cut_inside_a_character() -> None:
    reader = PartialJson()
    values = []
    for byte in '["é😀"]'.encode():
        reader.feed(bytes([byte]))
        values.append(json.dumps(reader.value, ensure_ascii=False))
    assert values == [
        "[]",
        '[""]',
        '[""]',
        '["é"]',
        '["é"]',
        '["é"]',
        '["é"]',
        '["é😀"]',
        '["é😀"]',
        '["é😀"]',
    ]


def test_the_span_of_the_document_in_the_text() -> None:
    text = 'Here: {"a": 1} done'
    reader = fed(text)
    assert text[slice(*reader.span)] == '{"a": 1}'
    assert (reader.offset, reader.is_complete) == (len(text), True)


def test_a_document_null_is_not_no_document() -> None:
    reader = PartialJson(root="value")
    assert (reader.value, reader.has_value) == (None, False)
    reader.feed("null")
    assert (reader.value, reader.has_value) == (None, True)


def test_an_error_names_the_byte_stays_and_leaves_what_came_before() -> None:
    reader = PartialJson()
    with pytest.raises(JsonError, match="byte 9: 'b' where a key in double quotes was expected") as raised:
        reader.feed('{"a": 1, b: 2}')
    assert (raised.value.offset, reader.value) == (9, {"a": 1})
    with pytest.raises(JsonError, match="byte 9"):
        reader.feed("}")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("[[[1", {"max_depth": 2}, "byte 2: containers nested deeper than 2"),
        ('["abcdef', {"max_bytes": 5}, "byte 5: text longer than 5 bytes"),
        ("[" + "9" * 5000, {}, "byte 4301: number longer than 4300 bytes"),
    ],
)
def test_limits(text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(JsonError, match=message):
        PartialJson(**options).feed(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": ', "byte 6: the text ends where a value was expected"),
        ("no JSON here", "byte 12: the text contains no JSON document"),
    ],
)
def test_finish_wants_a_whole_document(text: str, message: str) -> None:
    with pytest.raises(JsonError, match=message):
        fed(text).finish()


def test_a_number_that_is_the_whole_document_is_complete_at_the_end() -> None:
    reader = fed("12", root="value")
    assert not reader.has_value
    assert reader.finish()
    assert reader.value == 12


def test_wrong_use_says_what_is_right() -> None:
    with pytest.raises(ValueError, match="mode must be 'default' or 'trailing-strings', got \"lenient\""):
        PartialJson("lenient")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="root must be 'value', 'container' or 'object'"):
        PartialJson(root="list")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="expected str or bytes, got <class 'int'>"):
        PartialJson().feed(1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_nothing_is_kept_of_a_reader_that_is_gone() -> None:
    reader = PartialJson()
    reader.feed('{"a": ["text')
    inner = reader.value["a"]
    before = sys.getrefcount(inner)
    del reader
    # The reader's own references: the stack, the open place, the edits of the last feed, the dict.
    assert sys.getrefcount(inner) < before
    assert sys.getrefcount(inner) == 2
