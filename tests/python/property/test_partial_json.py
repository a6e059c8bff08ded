"""Random documents, cut anywhere: the growing value, its edits and the instances made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ferroscope._core import PartialJson
from ferroscope._engine.partial import PartialReader
from ferroscope.core.base._partial import partial

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
documents = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
    values,
    st.booleans(),
    st.sampled_from([None, 0, 2]),
)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=40)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The bytes in pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


def copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(documents, sizes)
@settings(deadline=None)
def test_the_value_at_the_end_is_what_json_loads_reads(text: str, sizes: list[int]) -> None:
    reader = PartialJson(root="value")
    for piece in cut(text.encode(), sizes):
        reader.feed(piece)
    reader.finish()
    assert repr(reader.value) == repr(json.loads(text))


@given(documents, sizes)
def test_the_value_of_a_prefix_does_not_depend_on_the_cuts(text: str, sizes: list[int]) -> None:
    reader, whole = PartialJson(root="value"), b""
    for piece in cut(text.encode(), sizes):
        reader.feed(piece)
        whole += piece
        at_once = PartialJson(root="value")
        at_once.feed(whole)
        assert (reader.has_value, reader.value, reader.open_path) == (
            at_once.has_value,
            at_once.value,
            at_once.open_path,
        )


@given(document=documents, sizes=sizes)
@settings(deadline=None)
def test_the_value_of_a_prefix_is_what_jiter_reads(document: str, sizes: list[int]) -> None:
    jiter = pytest.importorskip("jiter")
    reader, whole = PartialJson(root="value"), b""
    for piece in cut(document.encode(), sizes):
        reader.feed(piece)
        whole += piece
        if is_in_a_number(whole):
            continue
        try:
            expected = jiter.from_json(whole, partial_mode="trailing-strings")
        except ValueError:
            # jiter calls it an error while nothing shows yet.
            assert not reader.has_value
        else:
            assert repr(reader.value) == repr(expected)


def is_in_a_number(text: bytes) -> bool:
    """Whether the text may end inside a number, which jiter shows as it is, and we when it is complete."""
    return text[-1:] in b"0123456789.eE+-"


@given(documents, sizes)
@settings(deadline=None)
def test_the_changes_of_a_feed_name_all_that_differs_and_what_is_complete(text: str, sizes: list[int]) -> None:
    reader = PartialJson(root="value")
    before: Any = None
    had_value = False
    for piece in cut(text.encode(), sizes):
        changed = reader.feed(piece)
        now = copied(reader.value)
        changes = dict(reader.changes())
        assert changed == bool(changes)
        if reader.has_value:
            assert set(differing(before, now, had_value)) <= set(changes)
        for path, done in changes.items():
            assert done == (reader.is_complete or reader.open_path[: len(path)] != path)
        before, had_value = now, reader.has_value


def differing(old: Any, new: Any, had: bool, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of scalars and empty containers that are in the new value and not in the old one."""
    if not had or type(old) is not type(new) or not isinstance(new, dict | list):
        same = had and type(old) is type(new) and old == new
        inner: Any = new.items() if isinstance(new, dict) else enumerate(new) if isinstance(new, list) else ()
        return ([] if same else [path]) + [p for k, v in inner for p in differing(None, v, False, (*path, k))]
    items: Any = new.items() if isinstance(new, dict) else enumerate(new)
    known = range(len(old)) if isinstance(old, list) else old
    return [p for k, v in items for p in differing(old[k] if k in known else None, v, k in known, (*path, k))]


class Leaf(BaseModel):
    name: str = ""
    size: int | None = None
    marks: list[str] = []


class Branch(BaseModel):
    leaves: list[Leaf]
    by_name: dict[str, Leaf]
    left: Leaf | None = None
    rest: Any = None


leaves = st.builds(Leaf, name=texts, size=st.none() | st.integers(), marks=st.lists(texts, max_size=4))
branches = st.builds(
    Branch,
    leaves=st.lists(leaves, max_size=6),
    by_name=st.dictionaries(texts, leaves, max_size=5),
    left=st.none() | leaves,
    rest=values,
)


@given(branches, sizes, st.sampled_from([1, 2, 3, 7]))
@settings(max_examples=60, deadline=None)
def test_instances_are_those_of_a_fresh_reader_and_never_change(
    branch: Branch, sizes: list[int], keep_every: int
) -> None:
    reader, whole = PartialReader(Branch), b""
    kept: list[tuple[Branch, str]] = []
    for at, piece in enumerate(cut(branch.model_dump_json().encode(), sizes)):
        reader.feed(piece)
        whole += piece
        fresh = PartialReader(Branch)
        fresh.feed(whole)
        assert repr(reader.value) == repr(fresh.value)
        if at % keep_every == 0 and reader.value is not None:
            kept.append((reader.value, repr(reader.value)))
    assert [repr(value) for value, _ in kept] == [shown for _, shown in kept]
    assert repr(reader.finish()) == repr(Branch.model_validate_json(whole))


@given(branches, sizes)
@settings(max_examples=60, deadline=None)
def test_instances_show_what_parsing_all_again_shows(branch: Branch, sizes: list[int]) -> None:
    jiter = pytest.importorskip("jiter")
    reader, whole = PartialReader(Branch), b""
    for piece in cut(branch.model_dump_json().encode(), sizes):
        reader.feed(piece)
        whole += piece
        if is_in_a_number(whole):
            continue
        again = partial(Branch).model_validate(jiter.from_json(whole, partial_mode="trailing-strings"))
        assert repr(reader.value) == repr(again)


@given(
    st.binary(max_size=60) | st.text('{}[]",:0123e.-tfn\\u \n', max_size=40).map(str.encode),
    sizes,
)
@settings(deadline=None)
def test_any_bytes_give_a_value_or_an_error_and_never_more_than_one_kind_of_error(
    data: bytes, sizes: list[int]
) -> None:
    def outcome(pieces: list[bytes]) -> tuple[Any, str]:
        reader = PartialJson()
        try:
            for piece in pieces:
                reader.feed(piece)
            reader.finish()
        except ValueError as error:
            return repr(reader.value), str(error)
        return repr(reader.value), ""

    assert outcome(cut(data, sizes)) == outcome([data])
