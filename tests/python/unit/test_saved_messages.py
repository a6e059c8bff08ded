"""Histories as text, and back: equal, and of the same classes."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

import ferroscope
from ferroscope import (
    AudioPart,
    BaseMessageParam,
    CacheControlPart,
    ImagePart,
    Messages,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    dump_messages,
    load_messages,
)

DATA = b"\x00\xff"


def sdk(name: str, members: dict[str, Any]) -> Any:
    """An object of an SDK, as the SDK itself would read it; the test is skipped where the SDK is not installed."""
    module, _, path = name.partition(":")
    return getattr(pytest.importorskip(module), path).model_validate(members)


def bytes_in_a_dict() -> Any:
    return {"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": DATA}}}]}


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {}}}
SPOKEN = {"id": "audio_1", "data": "UklGRg==", "expires_at": 1, "transcript": "Yes."}
HISTORIES: dict[str, Any] = {
    "common messages": lambda: [
        Messages.System("Be brief."),
        BaseMessageParam(
            role="user",
            content=[
                TextPart(type="text", text="ünï\ud83d"),
                CacheControlPart(type="cache_control", cache_type="1h"),
                ImagePart(type="image", media_type="image/png", image=DATA, detail=None),
                AudioPart(type="audio", media_type="audio/wav", audio=DATA),
                AudioPart(type="audio", media_type="audio/wav", audio="UklGRg=="),
            ],
        ),
        BaseMessageParam(
            role="assistant",
            content=[ToolCallPart.model_validate({"type": "tool_call", "name": "f", "arguments": "{", "id": "1"})],
            provider_data={"format": "openai_chat", "members": {"reasoning_content": "Hm."}},
        ),
        BaseMessageParam(role="tool", content=[ToolResultPart(type="tool_result", content="r", id="1")]),
    ],
    "dicts": lambda: [
        {"role": "user", "content": "Hi"},
        bytes_in_a_dict(),
        {"role": "user", "content": ("a", ["b"]), "$ref": {"$bytes": "no"}, 3: None, "n": 10**30, "x": 1.5, "t": True},
    ],
    "openai": lambda: [
        sdk(
            "openai.types.chat:ChatCompletionMessage",
            {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [CALL], "audio": SPOKEN},
        )
    ],
    "an answer that lacks what is required": lambda: [
        pytest.importorskip("openai.types.chat").ChatCompletionMessage.construct(content="Hi", tool_calls=[{"id": 1}])
    ],
    "anthropic, blocks in a dict": lambda: [
        {
            "role": "assistant",
            "content": [
                sdk("anthropic.types:ThinkingBlock", {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}),
                sdk("anthropic.types:ToolUseBlock", {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}),
            ],
        }
    ],
    "groq": lambda: [
        sdk(
            "groq.types.chat:ChatCompletionMessage", {"role": "assistant", "content": "x", "reasoning": "Hm.", "new": 1}
        )
    ],
    "google": lambda: [
        sdk(
            "google.genai.types:Content",
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True, "thought_signature": DATA},
                    {"function_call": {"name": "f", "args": {"a": [1]}}},
                ],
            },
        )
    ],
    "cohere": lambda: [sdk("cohere.types:AssistantMessageResponse", {"role": "assistant", "tool_plan": "I", "new": 1})],
    "azure": lambda: [
        pytest.importorskip("azure.ai.inference.models").AssistantMessage(content="Hi"),
        pytest.importorskip("azure.ai.inference.models").UserMessage("Hi"),
    ],
}


@pytest.mark.parametrize("make", HISTORIES.values(), ids=HISTORIES)
def test_a_history_is_restored_exactly(make: Any) -> None:
    history = make()
    text = dump_messages(history)
    restored = load_messages(text)
    assert restored == history
    assert list(map(_shape, restored)) == list(map(_shape, history))
    assert load_messages(text.encode()) == history
    assert dump_messages(restored) == text


def _shape(value: Any) -> Any:
    """The classes of a value and of all in it, and the fields that are set."""
    if isinstance(value, BaseModel):
        members = {**vars(value), **(value.__pydantic_extra__ or {})}
        return type(value), value.model_fields_set, {name: _shape(inner) for name, inner in members.items()}
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return [type(value), *map(_shape, value)] if isinstance(value, list | tuple) else type(value)


def test_it_is_a_text_of_our_own_form() -> None:
    assert json.loads(dump_messages([Messages.User("Hi"), {"role": "user", "content": b"\x00"}])) == {
        "format": "ferroscope-messages",
        "version": 1,
        "messages": [
            {"$message": {"role": "user", "content": "Hi"}},
            {"role": "user", "content": {"$bytes": "AA=="}},
        ],
    }


class Mine(BaseModel):
    a: int = 1


REFUSED: dict[str, tuple[Any, str]] = {
    "an object": (
        [{"role": "user", "content": [object()]}],
        r"messages\[0\]\['content'\]\[0\] is an object, which cannot be saved",
    ),
    "a model of the program's": (["", Mine()], r"messages\[1\] is a .*Mine, .* or the result of its `model_dump\(\)`"),
    "a set": ([{"a": {1}}], r"messages\[0\]\['a'\] is a set, which cannot be saved"),
}


@pytest.mark.parametrize(("history", "error"), REFUSED.values(), ids=REFUSED)
def test_what_could_not_be_restored_is_not_saved(history: Any, error: str) -> None:
    with pytest.raises(TypeError, match=error):
        dump_messages(history)


def saved(message: Any, version: int = 1) -> str:
    return json.dumps({"format": "ferroscope-messages", "version": version, "messages": [message]})


BROKEN: dict[str, tuple[str, str]] = {
    "no JSON": ("[", "not a saved message history: .* pass the text that `dump_messages` returned"),
    "another JSON": ("[]", "not a saved message history: its member 'format' is not 'ferroscope-messages'"),
    "a later version": (
        saved({}, 2),
        "the message history has version 2 of the format, .* reads version 1: update ferroscope",
    ),
    "a class from elsewhere": (
        saved({"$object": "subprocess:Popen", "members": {"args": "ls"}}),
        "the class 'subprocess:Popen', which is not part of a provider's SDK",
    ),
    "a name of an SDK that is no message": (
        saved({"$object": "openai:OpenAI", "members": {}}),
        "the class 'openai:OpenAI', which the installed SDK does not have",
    ),
    "a name that is not there": (
        saved({"$object": "openai.types.chat:Gone", "members": {}}),
        "the class 'openai.types.chat:Gone', which the installed SDK does not have",
    ),
}


@pytest.mark.parametrize(("text", "error"), BROKEN.values(), ids=BROKEN)
def test_a_text_that_is_no_saved_history_is_refused(text: str, error: str) -> None:
    pytest.importorskip("openai")
    with pytest.raises(ValueError, match=error):
        load_messages(text)


@pytest.mark.parametrize("message", [Messages.User("Hi"), {"role": "user", "content": "Hi"}, "Hi"])
def test_a_message_in_place_of_a_history_is_refused(message: Any) -> None:
    with pytest.raises(TypeError, match=r"a list of messages: write `dump_messages\(\[...\]\)`"):
        dump_messages(message)


def test_a_missing_sdk_is_named() -> None:
    with pytest.raises(ferroscope.MissingExtraError, match="package 'groq', which is not installed") as caught:
        load_messages(saved({"$object": "groq.no_such_module:Message", "members": {}}))
    assert caught.value.name == "groq.no_such_module"


def test_the_names_are_loaded_when_they_are_used() -> None:
    assert import_module("ferroscope").dump_messages is dump_messages
    assert {"dump_messages", "load_messages"} <= set(ferroscope.__all__)
