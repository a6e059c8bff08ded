"""Messages and parameters of Cohere: common messages on the wire, and its messages in the common form."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ferroscope import BaseMessageParam
from ferroscope._core import StreamDecoder
from ferroscope._dialects.anthropic.messages import parse_messages as parse_of_anthropic
from ferroscope._dialects.anthropic.messages import render_messages as render_for_anthropic
from ferroscope._dialects.cohere.messages import parse_message, parse_messages, render_messages
from ferroscope._dialects.cohere.parameters import (
    ask_for_json,
    force_function,
    render_params,
    with_preamble,
)
from ferroscope._dialects.openai_chat.messages import render_messages as render_for_openai
from ferroscope.core.base._messages.provider_data import Endpoint
from ferroscope.core.base.message_param import (
    AudioPart,
    AudioURLPart,
    CacheControlPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

COMMAND = Endpoint("cohere", "command-a-03-2025")
REASONING = Endpoint("cohere", "command-a-reasoning-08-2025")
CORPUS = Path(__file__).parents[2] / "corpus" / "cohere"

# Any: JSON of whatever shape.
Json = Any


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def call(name: str, args: dict[str, Json] | None, id: str | None = None) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=name, args=args, id=id)


def result(content: str, id: str | None = None, *, is_error: bool = False) -> ToolResultPart:
    return ToolResultPart(type="tool_result", content=content, id=id, is_error=is_error)


def message(role: str, *content: Json) -> BaseMessageParam:
    lone = content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)
    return BaseMessageParam(role=role, content=lone)


def wire_call(id: str, name: str, arguments: str) -> dict[str, Json]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


# ---- to the wire

RENDERED: list[tuple[str, list[BaseMessageParam], list[dict[str, Json]]]] = [
    ("a text", [message("user", "Hi")], [{"role": "user", "content": "Hi"}]),
    (
        "several texts",
        [message("user", text("One."), text("Two."))],
        [{"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}],
    ),
    (
        "system messages",
        [message("system", "Be brief."), message("developer", text("In rhyme."))],
        [{"role": "system", "content": "Be brief."}, {"role": "system", "content": "In rhyme."}],
    ),
    (
        "parallel calls and their results",
        [
            message("assistant", text("Two."), call("weather", {"city": "Oslo"}, "a"), call("time", {}, "b")),
            message("tool", result("sunny", "a"), result('{"hour": 9}', "b")),
        ],
        [
            {
                "role": "assistant",
                "content": "Two.",
                "tool_calls": [wire_call("a", "weather", '{"city":"Oslo"}'), wire_call("b", "time", "{}")],
            },
            {"role": "tool", "tool_call_id": "a", "content": '{"output":"sunny"}'},
            {"role": "tool", "tool_call_id": "b", "content": '{"hour": 9}'},
        ],
    ),
    (
        "calls without a text have no content",
        [message("assistant", call("time", {}, "a")), message("tool", result("", "a"))],
        [
            {"role": "assistant", "tool_calls": [wire_call("a", "time", "{}")]},
            {"role": "tool", "tool_call_id": "a", "content": '{"output":""}'},
        ],
    ),
    (
        "an empty text beside a call is left out",
        [message("assistant", text(""), call("time", {}, "a"))],
        [{"role": "assistant", "tool_calls": [wire_call("a", "time", "{}")]}],
    ),
    ("an empty message of the assistant is left out", [message("assistant", ""), message("assistant", text(""))], []),
    ("an empty prompt stays", [message("user", "")], [{"role": "user", "content": ""}]),
    (
        "results of other shapes than objects",
        [message("tool", result("[1]", "a"), result("{broken", "b"), result("no city", "c", is_error=True))],
        [
            {"role": "tool", "tool_call_id": "a", "content": '{"output":"[1]"}'},
            {"role": "tool", "tool_call_id": "b", "content": '{"output":"{broken"}'},
            {"role": "tool", "tool_call_id": "c", "content": '{"error":"no city"}'},
        ],
    ),
    (
        "results among other parts of a user's message",
        [message("user", result("4", "a"), text("And now?"))],
        [
            {"role": "tool", "tool_call_id": "a", "content": '{"output":"4"}'},
            {"role": "user", "content": "And now?"},
        ],
    ),
    (
        "images, by their bytes and by their address",
        [
            message(
                "user",
                text("Look"),
                ImagePart(type="image", media_type="image/png", image=b"x", detail="low"),
                ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None),
            )
        ],
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA==", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}},
                ],
            }
        ],
    ),
    (
        "cache marks are left out",
        [message("user", text("Hi"), CacheControlPart(type="cache_control", cache_type="ephemeral"))],
        [{"role": "user", "content": "Hi"}],
    ),
    (
        "calls without ids get them, and their results the same",
        [message("assistant", call("time", {})), message("tool", result("9"))],
        [
            {"role": "assistant", "tool_calls": [wire_call("call_1", "time", "{}")]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"output":"9"}'},
        ],
    ),
    (
        "arguments that are no object go back as they came",
        [message("assistant", ToolCallPart(type="tool_call", name="f", id="a", arguments="{broken"))],  # type: ignore[call-arg]
        [{"role": "assistant", "tool_calls": [wire_call("a", "f", "{broken")]}],
    ),
]


@pytest.mark.parametrize(("messages", "expected"), [case[1:] for case in RENDERED], ids=[case[0] for case in RENDERED])
def test_common_messages_on_the_wire(messages: list[BaseMessageParam], expected: list[dict[str, Json]]) -> None:
    before = copy.deepcopy(messages)
    assert render_messages(messages, COMMAND) == expected
    assert messages == before


@pytest.mark.parametrize(
    "part",
    [
        AudioPart(type="audio", media_type="audio/wav", audio=b"x"),
        AudioURLPart(type="audio_url", url="https://example.com/a.wav"),
        DocumentPart(type="document", media_type="application/pdf", document=b"x"),
        DocumentURLPart(type="document_url", url="https://example.com/a.pdf"),
    ],
    ids=lambda part: part.type,
)
def test_parts_that_cohere_does_not_take_are_named(part: Json) -> None:
    told = f"^Cohere currently only supports text and image parts. Part provided: {part.type}$"
    with pytest.raises(ValueError, match=told):
        render_messages([message("user", text("Look"), part)])


def test_messages_of_coheres_own_pass_through() -> None:
    cohere = pytest.importorskip("cohere")
    own = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
    model = cohere.UserChatMessageV2(content="Hi")
    rendered = render_messages([own, model])
    assert rendered[0] is own
    assert rendered[1] is model


def test_messages_of_the_old_api_are_sent_in_the_form_of_the_new_one() -> None:
    cohere = pytest.importorskip("cohere")
    from cohere.types import ChatbotMessage

    assert cohere
    old = [{"role": "USER", "message": "Hi"}, ChatbotMessage(message="Hello"), {"role": "CHATBOT", "message": "So?"}]
    old[1].role = "CHATBOT"  # type: ignore[attr-defined]  # the old union of messages has it as its tag
    assert render_messages(old) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "assistant", "content": "So?"},
    ]
    assert [(one.role, one.content) for one in parse_messages(old)] == [
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("assistant", "So?"),
    ]


# ---- from the wire, and back

CITED = {"start": 0, "end": 5, "text": "Sunny", "sources": [{"type": "tool", "id": "a:0"}]}
PARSED: list[tuple[str, dict[str, Json], str, Json]] = [
    ("a text", {"role": "user", "content": "Hi"}, "user", "Hi"),
    ("a block", {"role": "user", "content": [{"type": "text", "text": "Hi"}]}, "user", "Hi"),
    (
        "a plan and calls",
        {
            "role": "assistant",
            "tool_plan": "I will look",
            "tool_calls": [wire_call("a", "weather", '{"city":"Oslo"}'), wire_call("b", "time", "{}")],
        },
        "assistant",
        [call("weather", {"city": "Oslo"}, "a"), call("time", {}, "b")],
    ),
    (
        "thinking and text",
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Sunny."}],
        },
        "assistant",
        "Sunny.",
    ),
    (
        "citations",
        {"role": "assistant", "content": [{"type": "text", "text": "Sunny."}], "citations": [CITED]},
        "assistant",
        "Sunny.",
    ),
    (
        "an image",
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}},
            ],
        },
        "user",
        [text("What is it?"), ImageURLPart(type="image_url", url="https://example.com/a.png", detail="high")],
    ),
    (
        "an output",
        {"role": "tool", "tool_call_id": "a", "content": '{"output":"sunny"}'},
        "tool",
        [result("sunny", "a")],
    ),
    (
        "an error",
        {"role": "tool", "tool_call_id": "a", "content": '{"error":"no city"}'},
        "tool",
        [result("no city", "a", is_error=True)],
    ),
    ("an object", {"role": "tool", "tool_call_id": "a", "content": '{"t":24}'}, "tool", [result('{"t":24}', "a")]),
    ("a bare text", {"role": "tool", "tool_call_id": "a", "content": "sunny"}, "tool", [result("sunny", "a")]),
    (
        "blocks of a result",
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [
                {"type": "text", "text": "sunny"},
                {"type": "document", "document": {"id": "d", "data": {"t": 24}}},
            ],
        },
        "tool",
        [result('sunny{"t":24}', "a")],
    ),
]


def with_plain_text(wire: dict[str, Json]) -> dict[str, Json]:
    """Return a message whose content is one text block with the text alone, which means the same."""
    match wire.get("content"):
        case [{"type": "text", "text": lone}]:
            return {**wire, "content": lone}
        case _:
            return wire


@pytest.mark.parametrize(("wire", "role", "content"), [case[1:] for case in PARSED], ids=[case[0] for case in PARSED])
def test_messages_of_the_wire_in_common_and_back(wire: dict[str, Json], role: str, content: Json) -> None:
    before = copy.deepcopy(wire)
    parsed = parse_message(wire, COMMAND)
    assert (parsed.role, parsed.content) == (role, content)
    stored = BaseMessageParam.model_validate_json(parsed.model_dump_json())
    [again] = render_messages([stored], COMMAND)
    assert wire == before
    assert again == with_plain_text(wire)


def test_thinking_goes_back_to_its_model_alone_and_the_plan_to_every_model() -> None:
    wire = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Look."}],
        "tool_plan": "I will look",
        "tool_calls": [wire_call("a", "time", "{}")],
    }
    parsed = parse_message(wire, REASONING)
    assert render_messages([parsed], REASONING) == [wire]
    assert render_messages([parsed], COMMAND) == [{**wire, "content": "Look."}]
    assert render_messages([parsed], Endpoint("other", "command-a-03-2025")) == [
        {"role": "assistant", "content": "Look.", "tool_calls": [wire_call("a", "time", "{}")]}
    ]


def test_citations_do_not_go_back_with_an_edited_text() -> None:
    wire = {"role": "assistant", "content": "Sunny.", "citations": [CITED]}
    parsed = parse_message(wire, COMMAND)
    assert render_messages([parsed], COMMAND) == [wire]
    parsed.content = "Rainy."
    assert render_messages([parsed], COMMAND) == [{"role": "assistant", "content": "Rainy."}]


def test_an_edited_call_keeps_the_plan() -> None:
    wire = {"role": "assistant", "tool_plan": "I will look", "tool_calls": [wire_call("a", "f", "{}")]}
    parsed = parse_message(wire, COMMAND)
    parsed.content = [call("f", {"x": 1}, "a")]
    assert render_messages([parsed], COMMAND) == [{**wire, "tool_calls": [wire_call("a", "f", '{"x":1}')]}]


def test_a_result_gets_the_name_of_its_tool() -> None:
    wire = [
        {"role": "assistant", "tool_calls": [wire_call("a", "time", "{}")]},
        {"role": "tool", "tool_call_id": "a", "content": "9"},
    ]
    [_, parsed] = parse_messages(wire)
    assert parsed.content == [ToolResultPart(type="tool_result", name="time", content="9", id="a")]


@pytest.mark.parametrize("name", ["tool_plan", "tools_parallel", "thinking", "citations", "tool_plan_after_thinking"])
def test_a_streamed_response_continues_the_conversation(name: str) -> None:
    decoder = StreamDecoder("cohere")
    decoder.feed((CORPUS / f"{name}.sse").read_bytes())
    decoder.fold()
    answer = json.loads(decoder.response())["message"]
    parsed = parse_message(answer, COMMAND)
    [again] = render_messages([parsed], COMMAND)
    expected = with_plain_text(answer)
    for message in (again, expected):
        for one in message.get("tool_calls", []):  # type: ignore[union-attr]
            one["function"]["arguments"] = json.loads(one["function"]["arguments"])
    assert again == expected


def test_histories_move_between_providers() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "toolu_1", "name": "time", "input": {"zone": "CET"}},
    ]
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "9"}
    history = parse_of_anthropic(
        [{"role": "assistant", "content": blocks}, {"role": "user", "content": [answer]}],
        Endpoint("anthropic", "claude-haiku-4-5"),
    )
    assert render_messages(history, COMMAND) == [
        {"role": "assistant", "content": "Let me see.", "tool_calls": [wire_call("toolu_1", "time", '{"zone":"CET"}')]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": '{"output":"9"}'},
    ]
    ours = parse_messages(
        [
            {"role": "assistant", "tool_plan": "I will look", "tool_calls": [wire_call("a", "time", "{}")]},
            {"role": "tool", "tool_call_id": "a", "content": '{"output":"9"}'},
        ],
        COMMAND,
    )
    assert render_for_openai(ours) == [
        {"role": "assistant", "content": None, "tool_calls": [wire_call("a", "time", "{}")]},
        {"role": "tool", "tool_call_id": "a", "content": "9"},
    ]
    assert render_for_anthropic(ours) == [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "time", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": "9", "is_error": False}],
        },
    ]


# ---- parameters


def test_parameters_get_coheres_names() -> None:
    params = {
        "temperature": 0.1,
        "max_tokens": 9,
        "top_p": 0.5,
        "stop": "!",
        "seed": None,
        "preamble": "Be brief.",
        "citation_quality": "fast",
        "documents": ["text", {"id": "d", "title": "a", "snippet": "b"}, {"title": "c"}, {"data": {"text": "e"}}],
    }
    assert render_params(params) == {
        "temperature": 0.1,
        "max_tokens": 9,
        "p": 0.5,
        "stop_sequences": ["!"],
        "preamble": "Be brief.",
        "citation_options": {"mode": "FAST"},
        "documents": [
            "text",
            {"id": "d", "data": {"title": "a", "snippet": "b"}},
            {"data": {"title": "c"}},
            {"data": {"text": "e"}},
        ],
    }
    assert render_params({"stop": ["a", "b"]}) == {"stop_sequences": ["a", "b"]}


def test_a_parameter_that_is_gone_is_named() -> None:
    with pytest.raises(ValueError, match="v2 chat API has no parameter 'connectors': pass the results of a search"):
        render_params({"connectors": [{"id": "web-search"}]})
    assert render_params({"connectors": None}) == {}


def test_the_preamble_is_the_first_system_message() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    assert with_preamble(messages, "Be brief.") == [{"role": "system", "content": "Be brief."}, *messages]
    assert with_preamble(messages, None) == messages


def test_tools_and_structured_answers() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    declaration = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    kwargs: dict[str, Json] = {"tools": [{}]}
    force_function(kwargs, declaration)
    assert kwargs == {"tools": [declaration], "tool_choice": "REQUIRED"}
    kwargs = {}
    ask_for_json(kwargs, schema)
    assert kwargs == {"response_format": {"type": "json_object", "json_schema": schema}}
    ask_for_json(kwargs, None)
    assert kwargs["response_format"]["json_schema"] == schema
