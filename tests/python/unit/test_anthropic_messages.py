"""Messages in Anthropic's form: to the wire and back, without loss."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from ferroscope._dialects.anthropic.messages import (
    parse_message,
    parse_messages,
    render_messages,
)
from ferroscope._dialects.anthropic.system import accepts_system_messages, join_system, split_system
from ferroscope._dialects.openai_chat.messages import parse_messages as parse_openai
from ferroscope._dialects.openai_chat.messages import render_messages as render_openai
from ferroscope.core.base import (
    AudioPart,
    AudioURLPart,
    BaseMessageParam,
    CacheControlPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ferroscope.core.base._messages.provider_data import Endpoint

PNG = b"\x89PNG\r\n\x1a\n"
PDF = b"%PDF-1.7"
BASE64_PNG = base64.b64encode(PNG).decode()
BASE64_PDF = base64.b64encode(PDF).decode()


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def message(*parts: Any, role: str = "user", **extra: Any) -> BaseMessageParam:
    return BaseMessageParam(role=role, content=list(parts), **extra)


BOTH_WAYS = {
    "text": (message(text("a"), text("b")), [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
    "image": (
        message(ImagePart(type="image", media_type="image/png", image=PNG, detail=None)),
        [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64_PNG}}],
    ),
    "image by address": (
        message(ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None)),
        [{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}],
    ),
    "document": (
        message(DocumentPart(type="document", media_type="application/pdf", document=PDF)),
        [{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": BASE64_PDF}}],
    ),
    "document by address": (
        message(DocumentURLPart(type="document_url", url="https://example.com/a.pdf")),
        [{"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}],
    ),
    "text and several calls": (
        message(
            text("Let me see."),
            ToolCallPart(type="tool_call", name="add", args={"a": 1}, id="1"),
            ToolCallPart(type="tool_call", name="now", args={}, id="2"),
            role="assistant",
        ),
        [
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 1}},
            {"type": "tool_use", "id": "2", "name": "now", "input": {}},
        ],
    ),
    "results": (
        message(
            ToolResultPart(type="tool_result", content="3", id="1"),
            ToolResultPart(type="tool_result", content="no clock", id="2", is_error=True),
        ),
        [
            {"type": "tool_result", "tool_use_id": "1", "content": "3", "is_error": False},
            {"type": "tool_result", "tool_use_id": "2", "content": "no clock", "is_error": True},
        ],
    ),
    "cache control": (
        message(text("long"), CacheControlPart(type="cache_control", cache_type="ephemeral"), text("short")),
        [
            {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "short"},
        ],
    ),
    "cache control for an hour": (
        message(text("long"), CacheControlPart(type="cache_control", cache_type="1h")),
        [{"type": "text", "text": "long", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    ),
}


@pytest.mark.parametrize(("common", "blocks"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_what_both_forms_have_goes_both_ways(common: BaseMessageParam, blocks: list[dict[str, Any]]) -> None:
    wire: list[Any] = [{"role": common.role, "content": blocks}]
    assert render_messages([common]) == wire
    assert parse_messages(wire) == [common]


KEPT: dict[str, list[dict[str, Any]]] = {
    "thinking": [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "ZW5j"},
        {"type": "text", "text": "4"},
    ],
    "citations": [
        {
            "type": "text",
            "text": "Rust 1.95",
            "citations": [{"type": "char_location", "cited_text": "1.95", "document_index": 0}],
        }
    ],
    "server tools": [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "rust"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "text", "text": "It is out."},
    ],
    "a call with a caller": [
        {"type": "tool_use", "id": "1", "name": "roll", "input": {}, "caller": {"type": "direct"}},
    ],
    "a result with an image": [
        {
            "type": "tool_result",
            "tool_use_id": "1",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64_PNG}},
            ],
        }
    ],
    "a document with a title": [
        {
            "type": "document",
            "title": "Annual report",
            "citations": {"enabled": True},
            "source": {"type": "base64", "media_type": "application/pdf", "data": BASE64_PDF},
        }
    ],
    "nothing that has a common form": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}],
}


@pytest.mark.parametrize("blocks", KEPT.values(), ids=KEPT)
def test_what_only_anthropic_has_comes_back_as_it_was(blocks: list[dict[str, Any]]) -> None:
    wire: list[Any] = [{"role": "assistant", "content": blocks}]
    common = parse_messages(wire)
    stored = [BaseMessageParam.model_validate_json(one.model_dump_json()) for one in common]
    assert render_messages(common) == wire
    assert render_messages(stored) == wire


CACHE = CacheControlPart(type="cache_control", cache_type="ephemeral")
CACHED = {"cache_control": {"type": "ephemeral"}}
THOUGHT, REDACTED, FOUR = KEPT["thinking"]
SEARCH, FOUND, OUT = KEPT["server tools"]
FIVE = {"type": "text", "text": "5"}
MIXED = [THOUGHT, FOUR, SEARCH, FOUND, OUT]
CHANGED: dict[str, tuple[list[dict[str, Any]], Any, list[dict[str, Any]]]] = {
    "cached": (KEPT["thinking"], [text("4"), CACHE], [THOUGHT, REDACTED, {**FOUR, **CACHED}]),
    "no longer cached": ([THOUGHT, {**FOUR, **CACHED}], [text("4")], [THOUGHT, FOUR]),
    "cached with citations": (KEPT["citations"], [text("Rust 1.95"), CACHE], [{**KEPT["citations"][0], **CACHED}]),
    "edited": (KEPT["thinking"], [text("5")], [THOUGHT, REDACTED, FIVE]),
    "made a string": (KEPT["thinking"], "5", [THOUGHT, REDACTED, FIVE]),
    "emptied": (KEPT["thinking"], [], [THOUGHT, REDACTED]),
    "edited in the middle": (MIXED, [text("5"), text("It is out.")], [THOUGHT, FIVE, SEARCH, FOUND, OUT]),
    "longer": (MIXED, [text("4"), text("It is out."), text("5")], [*MIXED, FIVE]),
    "longer in the middle": (MIXED, [text("4"), text("5"), text("It is out.")], [*MIXED[:4], FIVE, OUT]),
    "shorter": (MIXED, [text("It is out.")], [THOUGHT, SEARCH, FOUND, OUT]),
    "all new": (MIXED, [text("5")], [THOUGHT, SEARCH, FOUND, FIVE]),
}


@pytest.mark.parametrize(("blocks", "content", "expected"), CHANGED.values(), ids=CHANGED)
def test_a_message_that_was_changed_keeps_what_has_no_part(
    blocks: list[dict[str, Any]], content: Any, expected: list[dict[str, Any]]
) -> None:
    common = parse_message({"role": "assistant", "content": blocks})
    changed = common.model_copy(update={"content": content})
    assert render_messages([changed]) == [{"role": "assistant", "content": expected}]
    assert common == parse_message({"role": "assistant", "content": blocks})


def test_answers_of_tools_that_follow_one_another_are_one_message() -> None:
    results = [
        message(ToolResultPart(type="tool_result", name=name, content=name, id=name), role="tool") for name in "ab"
    ]
    wire = render_messages([*results, BaseMessageParam(role="user", content="And now?"), results[0]])
    assert [(one["role"], len(one["content"])) for one in wire if isinstance(one, dict)] == [
        ("user", 2),
        ("user", len("And now?")),
        ("user", 1),
    ]


def test_a_history_of_another_provider_moves_over() -> None:
    """Text, several calls and their answers in one turn, from OpenAI and back."""
    openai: list[Any] = [
        {"role": "user", "content": "What is 1 + 2, and when?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":1,"b":2}'}},
                {"id": "2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "3"},
        {"role": "tool", "tool_call_id": "2", "content": "noon"},
    ]
    wire = render_messages(parse_openai(openai))
    assert wire == [
        {"role": "user", "content": "What is 1 + 2, and when?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 1, "b": 2}},
                {"type": "tool_use", "id": "2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "3", "is_error": False},
                {"type": "tool_result", "tool_use_id": "2", "content": "noon", "is_error": False},
            ],
        },
    ]
    assert render_openai(parse_messages(wire)) == openai
    names = [part.name for part in parse_messages(wire)[2].content if isinstance(part, ToolResultPart)]
    assert names == ["add", "now"]


def test_a_data_url_becomes_bytes() -> None:
    image = ImageURLPart(type="image_url", url=f"data:image/png;base64,{BASE64_PNG}", detail=None)
    document = DocumentURLPart(type="document_url", url=f"data:application/pdf;base64,{BASE64_PDF}")
    blocks = [*BOTH_WAYS["image"][1], *BOTH_WAYS["document"][1]]
    assert render_messages([message(image, document)]) == [{"role": "user", "content": blocks}]


def test_a_document_that_is_text_is_a_text_elsewhere() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "It was a bright cold day."}
    wire: list[Any] = [{"role": "user", "content": [{"type": "document", "title": "1984", "source": source}]}]
    common = parse_messages(wire)
    assert common[0].content == [text("It was a bright cold day.")]
    assert render_messages(common) == wire


def test_arguments_that_were_no_json_are_still_an_input() -> None:
    call = ToolCallPart.model_validate({"type": "tool_call", "name": "add", "id": "1", "arguments": "1, 2"})
    blocks = [{"type": "tool_use", "id": "1", "name": "add", "input": {"arguments": "1, 2"}}]
    assert render_messages([message(call, role="assistant")]) == [{"role": "assistant", "content": blocks}]


REFUSED = {
    "another image": (
        ImagePart(type="image", media_type="image/heic", image=b"", detail=None),
        "Unsupported image media type: image/heic. Anthropic currently only supports JPEG, PNG, GIF, and WebP images.",
    ),
    "another document": (
        DocumentPart(type="document", media_type="text/plain", document=b""),
        "Unsupported document media type: text/plain. Anthropic currently only supports PDF document.",
    ),
    **{
        part.type: (
            part,
            f"Anthropic currently only supports text, image, and cache control parts. Part provided: {part.type}",
        )
        for part in (
            AudioPart(type="audio", media_type="audio/wav", audio=b""),
            AudioURLPart(type="audio_url", url="https://example.com/a.wav"),
            CacheControlPart(type="cache_control", cache_type="ephemeral"),
        )
    },
}


@pytest.mark.parametrize(("part", "error"), REFUSED.values(), ids=REFUSED)
def test_parts_that_anthropic_does_not_take(part: Any, error: str) -> None:
    with pytest.raises(ValueError) as caught:
        render_messages([message(part)])
    assert str(caught.value) == error


SYSTEMS: dict[str, tuple[list[Any], Any]] = {
    "one text": ([BaseMessageParam(role="system", content="Be brief")], "Be brief"),
    "OpenAI's newer word for it": ([BaseMessageParam(role="developer", content="Be brief")], "Be brief"),
    "several": (
        [
            BaseMessageParam(role="system", content="Be brief"),
            {"role": "system", "content": [{"type": "text", "text": "Be kind"}]},
        ],
        [{"type": "text", "text": "Be brief"}, {"type": "text", "text": "Be kind"}],
    ),
    "with cache control": (
        [
            message(
                text("Be brief"),
                CacheControlPart(type="cache_control", cache_type="ephemeral"),
                role="system",
            )
        ],
        [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral"}}],
    ),
}


@pytest.mark.parametrize(("messages", "system"), SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_message_becomes_the_system_prompt(messages: list[Any], system: Any) -> None:
    """v1 took the first only (D23)."""
    hello = {"role": "user", "content": "Hello"}
    contents, others = split_system(render_messages([*messages[:1], hello, *messages[1:]]))
    assert (join_system(contents), others) == (system, [hello])


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def system(content: Any) -> dict[str, Any]:
    return {"role": "system", "content": content}


def block(value: str, **extra: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **extra}


USE = {"type": "tool_use", "id": "1", "name": "now", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "1", "content": "noon", "is_error": False}
CLEANED: dict[str, tuple[list[Any], list[Any]]] = {
    "an answer of blanks": ([user("hi"), assistant(" \n"), user("go")], [user("hi"), user("go")]),
    "an answer of blank texts": ([user("hi"), assistant([block("\n")]), user("go")], [user("hi"), user("go")]),
    "blanks before a call": (
        [user("hi"), assistant([block("\n"), USE]), user([RESULT])],
        [user("hi"), assistant([USE]), user([RESULT])],
    ),
    "blanks behind a result": (
        [user("hi"), assistant([USE]), user([RESULT]), user(" ")],
        [user("hi"), assistant([USE]), user([RESULT])],
    ),
    "a blank part with a cache mark": (
        [user([block(" ", cache_control={"type": "ephemeral"}), block("go")])],
        [user([block("go")])],
    ),
    "a blank prompt": ([user(" ")], [user(" ")]),
    "the beginning of an answer": (
        [user("hi"), assistant("The answer is: ")],
        [user("hi"), assistant("The answer is:")],
    ),
    "the beginning of an answer in blocks": (
        [user("hi"), assistant([block("A: "), block("The answer is:\n")])],
        [user("hi"), assistant([block("A: "), block("The answer is:")])],
    ),
    "an answer that is not the last": (
        [user("hi"), assistant("Yes. "), user("go")],
        [user("hi"), assistant("Yes. "), user("go")],
    ),
}


@pytest.mark.parametrize(("messages", "wire"), CLEANED.values(), ids=CLEANED)
def test_texts_that_the_api_refuses_are_not_sent(messages: list[Any], wire: list[Any]) -> None:
    """As common messages, and as Anthropic's own."""
    common = [one if isinstance(one, str) else parse_message(one) for one in messages]
    before = copy.deepcopy([messages, common])
    assert render_messages(messages) == wire
    assert render_messages(common) == wire
    assert [messages, common] == before


NEWEST, OLDER = "claude-opus-4-8", "claude-haiku-4-5"
TOOLS = [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "rate"}}]
PLACED: dict[str, tuple[str, list[Any], list[Any]]] = {
    "at the beginning": (NEWEST, [system("A"), user("hi")], [system("A"), user("hi")]),
    "at the end": (
        NEWEST,
        [system("A"), user("hi"), assistant("yes"), user("."), system(TOOLS)],
        [system("A"), user("hi"), assistant("yes"), user("."), system(TOOLS)],
    ),
    "before an answer": (
        NEWEST,
        [user("hi"), system("A"), assistant("yes"), user(".")],
        [user("hi"), system("A"), assistant("yes"), user(".")],
    ),
    "behind a server's tool": (
        NEWEST,
        [user("hi"), assistant([SEARCH]), system("A"), assistant("yes")],
        [user("hi"), assistant([SEARCH]), system("A"), assistant("yes")],
    ),
    "OpenAI's word for it": (NEWEST, [user("hi"), {"role": "developer", "content": "A"}], [user("hi"), system("A")]),
    "behind an answer, which the API refuses": (
        NEWEST,
        [user("hi"), assistant("yes"), system("A"), user(".")],
        [system("A"), user("hi"), assistant("yes"), user(".")],
    ),
    "two of them, which the API refuses": (
        NEWEST,
        [user("hi"), system("A"), system("B")],
        [system("A"), user("hi"), system("B")],
    ),
    "an older model": (
        OLDER,
        [user("hi"), assistant("yes"), user("."), system("A")],
        [system("A"), user("hi"), assistant("yes"), user(".")],
    ),
}


@pytest.mark.parametrize(("model", "messages", "wire"), PLACED.values(), ids=PLACED)
def test_a_system_message_stays_where_the_model_takes_it(model: str, messages: list[Any], wire: list[Any]) -> None:
    destination = Endpoint("anthropic", model)
    common = [parse_message(one) for one in messages]
    assert render_messages(messages, destination) == wire
    assert render_messages(common, destination) == wire


MODELS = {
    "claude-opus-4-8": True,
    "us.anthropic.claude-opus-4-8-20260528-v1:0": True,
    "anthropic/claude-opus-4.8": True,
    "claude-sonnet-5": True,
    "claude-fable-5-1": True,
    "claude-mythos-preview": False,
    "claude-opus-4-7": False,
    "claude-opus-4-20250514": False,
    "claude-sonnet-4@20250514": False,
    "claude-haiku-4-5": False,
    "claude-3-7-sonnet-latest": False,
    "claude-3.5-sonnet": False,
    "claude-2.1": False,
    "glm-5": False,
}


@pytest.mark.parametrize(("model", "takes"), MODELS.items())
def test_models_that_take_system_messages(model: str, takes: bool) -> None:
    assert accepts_system_messages(model) is takes


def test_the_blocks_of_the_sdk_are_read_too() -> None:
    types = pytest.importorskip("anthropic.types")
    wire = {"role": "assistant", "content": [types.TextBlock(type="text", text="Hello")]}
    assert parse_message(wire) == message(text("Hello"), role="assistant")
