"""What only a provider understands of its messages: kept beside the parts, and sent back by one rule.

Not through the public door, because each dialect shows only what its own wire has; the calls are in
`contract/test_histories.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from ferroscope import BaseMessageParam, Messages
from ferroscope.core.base._messages.provider_data import (
    Endpoint,
    Original,
    drop_unsupported,
    is_same_model,
    keep_original,
    original_of,
    restore_pieces,
)

CLAUDE = Endpoint("anthropic", "claude-sonnet-4-5")
THOUGHT: dict[str, Any] = {"type": "thinking", "signature": b"\x00\xff", "nested": [{"data": b""}]}


def answer(**kept: Any) -> BaseMessageParam:
    return keep_original(BaseMessageParam(role="assistant", content="4"), "anthropic", CLAUDE, **kept)


@pytest.mark.parametrize(
    ("destination", "may_be_sent_back", "same_model"),
    [
        (None, True, True),
        (CLAUDE, True, True),
        (Endpoint("anthropic", "claude-sonnet-4-5-20250929"), True, True),
        (Endpoint("anthropic", "claude-opus-4-8"), True, False),
        (Endpoint("vertex", "claude-sonnet-4-5"), False, False),
    ],
)
def test_who_gets_it_back(destination: Endpoint | None, may_be_sent_back: bool, same_model: bool) -> None:
    message = answer(pieces=[THOUGHT], members={"id": "m"})
    stored = BaseMessageParam.model_validate_json(message.model_dump_json())
    expected = Original([THOUGHT], {"id": "m"}, same_model=same_model) if may_be_sent_back else None
    for one in (message, stored):
        assert original_of(one, "anthropic", destination) == expected
        assert original_of(one, "openai_chat", destination) is None


def test_a_message_with_nothing_to_keep_has_no_field_for_it() -> None:
    assert answer(members={"refusal": None, "annotations": []}) == BaseMessageParam(role="assistant", content="4")


def test_a_message_that_would_lose_content_is_refused_and_an_empty_answer_left_out() -> None:
    file = keep_original(Messages.User(""), "openai_chat", pieces=[{"type": "file"}], unsupported=["file", "file"])
    empty = answer(pieces=[THOUGHT], unsupported=["thinking"]).model_copy(update={"content": []})
    assert drop_unsupported([file, empty], "openai_chat") == [file]
    assert drop_unsupported([empty], "anthropic", CLAUDE) == [empty]
    assert drop_unsupported([empty], "anthropic", Endpoint("vertex", "claude-sonnet-4-5")) == []
    with pytest.raises(ValueError, match=r"'user' has content that only its own provider supports \(file\)"):
        drop_unsupported([file], "anthropic")
    stored = keep_original(Messages.User(""), "anthropic", CLAUDE, pieces=[{"type": "file"}], unsupported=["file"])
    assert drop_unsupported([stored], "anthropic", Endpoint("anthropic", "claude-opus-4-8")) == [stored]
    with pytest.raises(ValueError, match=r"only its own provider supports \(file\)"):
        drop_unsupported([stored], "anthropic", Endpoint("vertex", "claude-haiku-4-5"))


NAMES = [
    ("gpt-4o", "gpt-4o-2024-08-06", True),
    ("gpt-4o", "gpt-4o-mini", False),
    ("claude-sonnet-4-20250514", "claude-sonnet-4-5", False),
    ("claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", True),
    ("anthropic.claude-sonnet-4-5-v1:0", "anthropic/claude-sonnet-4-5", True),
    ("claude-sonnet-4@20250514", "claude-sonnet-4-20250514", True),
    ("gpt-4-0613", "gpt-4-0314", False),
    ("magistral-medium-latest", "magistral-medium-2509", True),
    ("deepseek-v3", "deepseek-v4", False),
    ("deepseek-ai/DeepSeek-V3", "deepseek-v3", True),
    ("qwen2.5:7b", "qwen2.5:14b", False),
    ("models/gemini-2.5-pro", "gemini-2.5-pro", True),
    ("gpt-4.1", "gpt-4.2", False),
]


@pytest.mark.parametrize(("one", "other", "same"), NAMES)
def test_names_of_one_model(one: str, other: str, same: bool) -> None:
    assert is_same_model(one, other) is same
    assert is_same_model(other, one) is same


RESTORED: dict[str, tuple[str, str, str]] = {
    "unchanged": ("xaxbx", "ab", "xaxbx"),
    "edited": ("xaxbx", "aB", "xaxBx"),
    "all edited": ("xaxbx", "AB", "xAxBx"),
    "longer at the end": ("xaxbx", "abC", "xaxbxC"),
    "longer in the middle": ("xaxbx", "aCb", "xaxCbx"),
    "longer at the beginning": ("xaxbx", "Cab", "xCaxbx"),
    "shorter": ("xaxbx", "b", "xxbx"),
    "emptied": ("xaxbx", "", "xxx"),
    "replaced by more": ("xax", "BCD", "xxBCD"),
    "nothing but opaque pieces": ("xx", "A", "xxA"),
}


@pytest.mark.parametrize(("pieces", "units", "expected"), RESTORED.values(), ids=RESTORED)
def test_edits_win_and_opaque_pieces_keep_their_place(pieces: str, units: str, expected: str) -> None:
    """`x` is an opaque piece, a capital letter is one that was written anew."""
    restored = restore_pieces(
        [{"is": letter} for letter in pieces],
        list(units),
        read=lambda piece: None if piece["is"] == "x" else piece["is"],
        write=lambda unit, old: {"is": unit.upper()},
    )
    assert "".join(piece["is"] for piece in restored) == expected
