"""Any common messages, sent in OpenAI's format and read back, are sent the same again."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ferroscope import (
    AudioPart,
    BaseMessageParam,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ferroscope._dialects.openai_chat.messages import parse_messages, render_messages

TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
# Empty text beside a tool call is what many servers send for no text; it is read as none.
TEXT_PART = st.builds(TextPart, type=st.just("text"), text=st.text(min_size=1, max_size=8))
CALL = st.builds(
    ToolCallPart,
    type=st.just("tool_call"),
    name=TEXT,
    args=st.none() | st.dictionaries(TEXT, JSON, max_size=3),
    id=TEXT,
)
# A result without an id has the tool's name on the wire, and an id when it is read again.
ID = st.text(min_size=1, max_size=8)
RESULT = st.builds(ToolResultPart, type=st.just("tool_result"), name=TEXT, content=TEXT, id=ID)
MEDIA = (
    st.builds(
        ImagePart,
        type=st.just("image"),
        media_type=st.sampled_from(["image/png", "image/jpeg"]),
        image=st.binary(max_size=8),
        detail=st.none() | st.sampled_from(["low", "high"]),
    )
    | st.builds(ImageURLPart, type=st.just("image_url"), url=TEXT, detail=st.none())
    | st.builds(AudioPart, type=st.just("audio"), media_type=st.just("audio/wav"), audio=st.binary(max_size=8))
)
MESSAGE = st.one_of(
    st.builds(BaseMessageParam, role=st.sampled_from(["system", "user", "assistant"]), content=TEXT),
    st.builds(BaseMessageParam, role=st.just("user"), content=st.lists(TEXT_PART | MEDIA | RESULT)),
    st.builds(BaseMessageParam, role=st.just("assistant"), content=st.lists(TEXT_PART | CALL)),
    st.builds(BaseMessageParam, role=st.just("tool"), content=st.lists(RESULT, max_size=3)),
    st.builds(BaseMessageParam, role=st.just("user"), content=TEXT, name=TEXT),
)


@settings(deadline=None)
@given(st.lists(MESSAGE, max_size=4))
def test_sent_read_and_sent_again(messages: list[BaseMessageParam]) -> None:
    before = [message.model_copy(deep=True) for message in messages]
    wire = render_messages(messages)
    assert messages == before
    sent: list[Any] = json.loads(json.dumps(wire))
    assert sent == wire
    assert render_messages(parse_messages(sent)) == wire
