"""Ids of tool calls and results: a table of histories in shorthand, one string a message.

Internal, so that each rule is seen alone; the wires are in `contract/test_histories.py`. `+a` is a call with the id
`a`, `=a` its result, `+a:name` a call of a named tool.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ferroscope.core.base._tools.ids import ToolId, unify_tool_ids

ANY, PLAIN, NINE, SHORT = "", "[a-zA-Z0-9_-]+", "[a-zA-Z0-9]{9}", "[a-zA-Z0-9_-]{1,64}"
LONG = "x" * 70


def read(message: str) -> list[ToolId]:
    found = []
    for word in message.split():
        id, _, name = word[1:].partition(":" if word[0] in "+=" else "\0")
        found.append(ToolId(word[0] == "+", id or None, name))
    return found


def replace(message: str, ids: Sequence[str]) -> str:
    return " ".join(word[0] + id for word, id in zip(message.split(), ids, strict=True))


CASES: dict[str, tuple[str, list[str], list[str]]] = {
    "ids that are right": (PLAIN, ["hi", "+a +b", "=a =b", "+c", "=c"], ["hi", "+a +b", "=a =b", "+c", "=c"]),
    "missing": (ANY, ["+", "="], ["+call_1", "=call_1"]),
    "missing from two calls": (ANY, ["+ +", "=", "="], ["+call_1 +call_2", "=call_1", "=call_2"]),
    "missing in a later turn": (ANY, ["+a", "=a", "+", "="], ["+a", "=a", "+call_2", "=call_2"]),
    "missing, results in another order": (
        ANY,
        ["+:x +:y", "=:y", "=:x"],
        ["+call_1 +call_2", "=call_2", "=call_1"],
    ),
    "missing from the result alone": (ANY, ["+a", "="], ["+a", "=a"]),
    "missing beside one that has that name": (
        ANY,
        ["+call_2 +", "=call_2 ="],
        ["+call_2 +call_2_2", "=call_2 =call_2_2"],
    ),
    "repeated in a message": (ANY, ["+a +a", "=a", "=a"], ["+a +a_2", "=a", "=a_2"]),
    "repeated in every turn": (
        ANY,
        ["+a", "=a", "+a", "=a", "+a", "=a"],
        ["+a", "=a", "+a_2", "=a_2", "+a_3", "=a_3"],
    ),
    "repeated, the first unanswered": (ANY, ["+a +b", "=b", "+a", "=a"], ["+a +b", "=b", "+a_2", "=a_2"]),
    "a call a message, then the results": (ANY, ["+a", "+a", "=a", "=a"], ["+a", "+a_2", "=a", "=a_2"]),
    "a result that comes twice": (ANY, ["+a", "=a", "=a"], ["+a", "=a", "=a"]),
    "a result without its call": (PLAIN, ["=a.b"], ["=a_b"]),
    "other characters": (PLAIN, ["+f.x", "=f.x"], ["+f_x", "=f_x"]),
    "the same after rewriting": (PLAIN, ["+f.x +f_x", "=f_x =f.x"], ["+f_x +f_x_2", "=f_x_2 =f_x"]),
}


@pytest.mark.parametrize(("pattern", "history", "expected"), CASES.values(), ids=CASES)
def test_ids_of_a_history(pattern: str, history: list[str], expected: list[str]) -> None:
    before = list(history)
    made = unify_tool_ids(history, pattern, read, replace)
    assert made == expected
    assert history == before
    for length in range(len(history)):  # what is sent later changes nothing of what was sent before
        assert unify_tool_ids(history[:length], pattern, read, replace) == expected[:length]


def test_messages_that_need_no_other_ids_are_the_same_objects() -> None:
    history = ["+a", "=a"]
    assert unify_tool_ids(history, NINE + "|a", read, replace) is history


@pytest.mark.parametrize("pattern", [NINE, SHORT])
def test_ids_of_a_fixed_length_are_the_same_each_time(pattern: str) -> None:
    import re

    ids = ["call_PTLP8xhu3uwZ4nlnrrJha", "turn1_0", "toolu_01A", LONG, LONG + "y", "ünï", ""]
    made = {}
    for id in ids:
        call, result = unify_tool_ids([f"+{id}", f"={id}"], pattern, read, replace)
        assert call[1:] == result[1:]
        assert re.fullmatch(pattern, call[1:])
        made[id] = call[1:]
    assert len(set(made.values())) == len(ids)
    together = unify_tool_ids([f"+{id}" for id in ids[:-1]], pattern, read, replace)
    assert together == [f"+{made[id]}" for id in ids[:-1]]


def test_a_pattern_that_no_id_can_match_is_named() -> None:
    with pytest.raises(ValueError, match=r"no id of letters and digits matches the pattern of tool ids '\[!\]\+'"):
        unify_tool_ids(["+a"], "[!]+", read, replace)
