"""Thoughts in the text of an answer: what is in them is no answer, whatever the pieces."""

from __future__ import annotations

import pytest

from ferroscope._engine.thinking import ThoughtFilter, without_thoughts

TABLE = {
    "no thoughts": ('{"a": 1}', '{"a": 1}'),
    "a block": ('<think>{"a": 0}</think>\n{"a": 1}', '\n{"a": 1}'),
    "two blocks": ('<think>{"a": 0}</think><think>{"a": 2}</think>{"a": 1}', '{"a": 1}'),
    "a block behind text": ('Well. <thinking>{"a": 0}</thinking>{"a": 1}', 'Well. {"a": 1}'),
    "the end alone": ('Perhaps {"a": 0}.</think>{"a": 1}', '{"a": 1}'),
    "the end alone, behind an open draft": ('Perhaps {"a": </think>{"a": 1}', '{"a": 1}'),
    "a block that does not end": ('<think>{"a": 0}', ""),
    "an inner block": ('<think>a <think> b </think> c </think>{"a": 1}', '{"a": 1}'),
    "tags in a string": ('{"a": "<think>x</think>"}', '{"a": "<think>x</think>"}'),
    "an end in a string": ('<think>x</think>{"a": "</think>"}', '{"a": "</think>"}'),
    "capitals": ('<THINK>{"a": 0}</Think>{"a": 1}', '{"a": 1}'),
    "a thought": ('<thought>{"a": 0}</thought>{"a": 1}', '{"a": 1}'),
    "reasoning": ('<reasoning>[{"a": 0}]</reasoning>{"a": 1}', '{"a": 1}'),
    "Seed's tag": ('<seed:think>{"a": 0}</seed:think>{"a": 1}', '{"a": 1}'),
    "Mistral's tag": ('[THINK]{"a": [0]}[/THINK]{"a": [1]}', '{"a": [1]}'),
    "brackets in a string": ('{"a": "[THINK]", "b": [["x"]]}', '{"a": "[THINK]", "b": [["x"]]}'),
    "no tag": ('{"a": "1 < 2 <thin"} <', '{"a": "1 < 2 <thin"} <'),
}


@pytest.mark.parametrize("name", TABLE)
def test_thoughts_are_removed(name: str) -> None:
    text, expected = TABLE[name]
    assert without_thoughts(text) == expected


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_pieces_make_no_difference(name: str, size: int) -> None:
    text, expected = TABLE[name]
    thoughts, kept = ThoughtFilter(), ""
    for at in range(0, len(text), size):
        piece, restarts = thoughts.feed(text[at : at + size])
        kept = piece if restarts else kept + piece
    assert thoughts.rest() == expected
    assert expected.startswith(kept)
    assert len(expected) - len(kept) < len("</seed:think>")
