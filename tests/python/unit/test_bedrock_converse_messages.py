"""Messages and parameters of Bedrock's Converse: common messages on the wire, and its messages in the common form."""

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ferroscope import BaseMessageParam
from ferroscope._core import StreamDecoder
from ferroscope._dialects.anthropic.messages import render_messages as render_for_anthropic
from ferroscope._dialects.bedrock_converse.blobs import dump_event, read_event, read_response
from ferroscope._dialects.bedrock_converse.messages import (
    needs_fetch,
    parse_message,
    parse_messages,
    render_messages,
    split_system,
)
from ferroscope._dialects.bedrock_converse.parameters import (
    add_tools,
    add_tools_of_history,
    declare_tool,
    force_tool,
    join_system,
    render_params,
)
from ferroscope._dialects.openai_chat.messages import parse_messages as parse_of_openai
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

pytest.importorskip("botocore")

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

CLAUDE = Endpoint("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0")
NOVA = Endpoint("bedrock", "amazon.nova-2-lite-v1:0")
CORPUS = Path(__file__).parents[2] / "corpus" / "bedrock_converse"
PNG = b"\x89PNG\r\n\x1a\n"
PDF = b"%PDF-1.7"

# Any: JSON of whatever shape.
Json = Any


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def mark(cache_type: str = "ephemeral") -> CacheControlPart:
    return CacheControlPart(type="cache_control", cache_type=cache_type)


def call(name: str, args: dict[str, Json] | None, id: str | None = None) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=name, args=args, id=id)


def result(content: str, id: str | None = None, *, is_error: bool = False) -> ToolResultPart:
    return ToolResultPart(type="tool_result", content=content, id=id, is_error=is_error)


def message(role: str, *content: Json) -> BaseMessageParam:
    lone = content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)
    return BaseMessageParam(role=role, content=lone)


def fetched(url: str) -> bytes:
    return {"png": PNG, "pdf": PDF, "md": b"# words"}[url.rpartition(".")[2]]


def tool_use(id: str, name: str, given: Json, **members: Json) -> dict[str, Json]:
    return {"toolUse": {"toolUseId": id, "name": name, "input": given, **members}}


def tool_result(id: str, *content: Json, **members: Json) -> dict[str, Json]:
    return {"toolResult": {"toolUseId": id, "content": list(content), **members}}


def reasoning(value: str, signature: str | None = None) -> dict[str, Json]:
    signed = {"signature": signature} if signature else {}
    return {"reasoningContent": {"reasoningText": {"text": value, **signed}}}


def check(messages: list[Json], **request: Json) -> None:
    """Check a request against the SDK's model of the API."""
    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    shape = model.operation_model("Converse").input_shape
    report = ParamValidator().validate({"modelId": "m", "messages": messages, **request}, shape)
    assert not report.has_errors(), report.generate_report()


# ---- to the wire

PARTS: list[tuple[Json, Json]] = [
    (text("Hi"), {"text": "Hi"}),
    (
        ImagePart(type="image", media_type="image/jpeg", image=b"x", detail="low"),
        {"image": {"format": "jpeg", "source": {"bytes": b"x"}}},
    ),
    (
        ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None),
        {"image": {"format": "png", "source": {"bytes": PNG}}},
    ),
    (
        ImageURLPart(type="image_url", url="data:image/webp;base64,eA==", detail=None),
        {"image": {"format": "webp", "source": {"bytes": b"x"}}},
    ),
    (
        ImageURLPart(type="image_url", url="s3://bucket/a.gif", detail=None),
        {"image": {"format": "gif", "source": {"s3Location": {"uri": "s3://bucket/a.gif"}}}},
    ),
    (
        DocumentPart(type="document", media_type="application/pdf", document=PDF),
        {"document": {"format": "pdf", "name": "document-1", "source": {"bytes": PDF}}},
    ),
    (
        DocumentPart(type="document", media_type="text/csv", document=b"a,b"),
        {"document": {"format": "csv", "name": "document-1", "source": {"bytes": b"a,b"}}},
    ),
    (
        DocumentURLPart(type="document_url", url="https://example.com/a.pdf"),
        {"document": {"format": "pdf", "name": "document-1", "source": {"bytes": PDF}}},
    ),
    (
        DocumentURLPart(type="document_url", url="https://example.com/a.md"),
        {"document": {"format": "md", "name": "document-1", "source": {"bytes": b"# words"}}},
    ),
    (
        DocumentURLPart(type="document_url", url="s3://bucket/a.pdf"),
        {
            "document": {
                "format": "pdf",
                "name": "document-1",
                "source": {"s3Location": {"uri": "s3://bucket/a.pdf"}},
            }
        },
    ),
    (call("f", {"a": 1}, "c1"), tool_use("c1", "f", {"a": 1})),
    (
        ToolCallPart(type="tool_call", name="f", id="c1", arguments="{broken"),  # type: ignore[call-arg]
        tool_use("c1", "f", {"arguments": "{broken"}),
    ),
    (result("4", "c1"), tool_result("c1", {"text": "4"})),
    (result("", "c1"), tool_result("c1")),
    (result("no city", "c1", is_error=True), tool_result("c1", {"text": "no city"}, status="error")),
]


@pytest.mark.parametrize(("part", "block"), PARTS)
def test_a_part_on_the_wire(part: Json, block: Json) -> None:
    rendered = render_messages([message("user", part)], CLAUDE, fetch=fetched)
    assert rendered == [{"role": "user", "content": [block]}]
    check(rendered)


UNSUPPORTED: list[tuple[Json, str]] = [
    (AudioPart(type="audio", media_type="audio/wav", audio=b"x"), "text, image and document parts.*audio$"),
    (AudioURLPart(type="audio_url", url="https://example.com/a.wav"), "text, image and document parts.*audio_url$"),
    (
        ImagePart(type="image", media_type="image/heic", image=b"x", detail=None),
        "Unsupported image media type: image/heic. Bedrock currently only supports JPEG, PNG, GIF, and WebP images.",
    ),
    (
        DocumentPart(type="document", media_type="application/zip", document=b"x"),
        "Unsupported document media type: application/zip. .* pdf, csv, doc, docx, xls, xlsx, html, txt, md.",
    ),
    (ImageURLPart(type="image_url", url="gs://bucket/a.png", detail=None), "'gs://bucket/a.png' cannot be fetched"),
    (ImageURLPart(type="image_url", url="s3://bucket/a", detail=None), "Unsupported image media type: "),
]


@pytest.mark.parametrize(("part", "error"), UNSUPPORTED)
def test_parts_that_bedrock_does_not_take_are_named(part: Json, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        render_messages([message("user", part)], CLAUDE, fetch=fetched)


def test_only_web_urls_are_fetched() -> None:
    image = ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None)
    stored = ImageURLPart(type="image_url", url="s3://bucket/a.png", detail=None)
    assert needs_fetch([message("user", image)])
    assert not needs_fetch([message("user", "Hi"), message("user", stored), {"role": "user", "content": []}])

    def fail(url: str) -> bytes:
        raise OSError("no route")

    with pytest.raises(ValueError, match=r"Failed to load or encode data from https://example\.com/a\.png"):
        render_messages([message("user", image)], fetch=fail)


RENDERED: list[tuple[str, list[Json], list[Json]]] = [
    ("a text", [message("user", "Hi")], [{"role": "user", "content": [{"text": "Hi"}]}]),
    (
        "messages of one role follow one another",
        [message("user", "One."), message("user", "Two."), message("assistant", "Three.")],
        [
            {"role": "user", "content": [{"text": "One."}, {"text": "Two."}]},
            {"role": "assistant", "content": [{"text": "Three."}]},
        ],
    ),
    (
        "results of parallel calls, in two messages, and a prompt",
        [
            message("assistant", text("Two."), call("weather", {"city": "Oslo"}, "a"), call("time", {}, "b")),
            message("tool", result("sunny", "a")),
            message("tool", result("9", "b")),
            message("user", "And?"),
        ],
        [
            {
                "role": "assistant",
                "content": [{"text": "Two."}, tool_use("a", "weather", {"city": "Oslo"}), tool_use("b", "time", {})],
            },
            {
                "role": "user",
                "content": [tool_result("a", {"text": "sunny"}), tool_result("b", {"text": "9"}), {"text": "And?"}],
            },
        ],
    ),
    (
        "blank texts are left out, and messages of nothing else",
        [
            message("user", "Hi"),
            message("assistant", text("\n"), call("time", {}, "a")),
            message("tool", result("9", "a")),
            message("assistant", ""),
            message("user", " "),
        ],
        [
            {"role": "user", "content": [{"text": "Hi"}]},
            {"role": "assistant", "content": [tool_use("a", "time", {})]},
            {"role": "user", "content": [tool_result("a", {"text": "9"})]},
        ],
    ),
    (
        "cache marks are points in their place",
        [message("user", mark(), text("Long."), mark(), text("More."), mark("1h"))],
        [
            {
                "role": "user",
                "content": [
                    {"text": "Long."},
                    {"cachePoint": {"type": "default"}},
                    {"text": "More."},
                    {"cachePoint": {"type": "default", "ttl": "1h"}},
                ],
            }
        ],
    ),
    (
        "ids that the API refuses are replaced in calls and results alike",
        [message("assistant", call("time", {}, "call:1/a")), message("tool", result("9", "call:1/a"))],
        [
            {"role": "assistant", "content": [tool_use("call_1_a", "time", {})]},
            {"role": "user", "content": [tool_result("call_1_a", {"text": "9"})]},
        ],
    ),
    (
        "documents have names of their own",
        [
            message("user", DocumentPart(type="document", media_type="text/plain", document=b"a"), text("?")),
            message("assistant", "A."),
            message("user", DocumentPart(type="document", media_type="text/plain", document=b"b"), text("?")),
        ],
        [
            {
                "role": "user",
                "content": [
                    {"document": {"format": "txt", "name": "document-1", "source": {"bytes": b"a"}}},
                    {"text": "?"},
                ],
            },
            {"role": "assistant", "content": [{"text": "A."}]},
            {
                "role": "user",
                "content": [
                    {"document": {"format": "txt", "name": "document-2", "source": {"bytes": b"b"}}},
                    {"text": "?"},
                ],
            },
        ],
    ),
]


@pytest.mark.parametrize(("messages", "expected"), [case[1:] for case in RENDERED], ids=[case[0] for case in RENDERED])
def test_common_messages_on_the_wire(messages: list[Json], expected: list[Json]) -> None:
    before = copy.deepcopy(messages)
    rendered = render_messages(messages, CLAUDE, fetch=fetched)
    assert rendered == expected
    assert messages == before
    check(rendered)


def test_messages_of_bedrocks_own_pass_through() -> None:
    own = {"role": "user", "content": [{"video": {"format": "mp4", "source": {"bytes": b"x"}}}, {"text": " "}]}
    rendered = render_messages([own, message("user", "What is it?")])
    assert rendered[0] is own
    assert rendered[1:] == [{"role": "user", "content": [{"text": "What is it?"}]}]


def test_the_system_prompt_is_a_parameter() -> None:
    messages = [message("system", text("Be brief."), mark()), message("user", "Hi"), message("developer", "In rhyme.")]
    system, others = split_system(render_messages(messages))
    blocks = [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}, {"text": "In rhyme."}]
    assert (system, others) == (blocks, [{"role": "user", "content": [{"text": "Hi"}]}])
    assert join_system("You are a poet.", system) == [{"text": "You are a poet."}, *blocks]
    assert join_system(None, system) == blocks
    assert split_system([{"role": "system", "content": "Be brief."}])[0] == blocks[:1]
    check(others, system=join_system("You are a poet.", system))


# ---- from the wire, and back

CITED = {"citationsContent": {"content": [{"text": "Sunny."}], "citations": [{"title": "facts"}]}}
SERVER_TOOL = [
    tool_use("s", "search", {"query": "ruby"}, type="server_tool_use"),
    tool_result("s", {"text": "[HIDDEN]"}, type="search_result", status="success"),
]
PARSED: list[tuple[str, dict[str, Json], str, Json]] = [
    ("a text", {"role": "user", "content": [{"text": "Hi"}]}, "user", "Hi"),
    (
        "reasoning, text and a call",
        {"role": "assistant", "content": [reasoning("Hm.", "c2ln"), {"text": "ok"}, tool_use("a", "f", {"x": 1})]},
        "assistant",
        [text("ok"), call("f", {"x": 1}, "a")],
    ),
    (
        "redacted reasoning",
        {"role": "assistant", "content": [{"reasoningContent": {"redactedContent": b"\x00\x01"}}, {"text": "ok"}]},
        "assistant",
        "ok",
    ),
    (
        "citations",
        {"role": "assistant", "content": [{"text": "I read: "}, CITED]},
        "assistant",
        [text("I read: "), text("Sunny.")],
    ),
    (
        "a tool of the service",
        {"role": "assistant", "content": [*SERVER_TOOL, {"text": "4.0"}]},
        "assistant",
        "4.0",
    ),
    (
        "results",
        {
            "role": "user",
            "content": [
                tool_result("a", {"text": "sunny"}),
                tool_result("b", {"json": {"t": 24}}, status="success"),
                tool_result("c", {"text": "no"}, {"text": " city"}, status="error"),
            ],
        },
        "tool",
        [result("sunny", "a"), result('{"t":24}', "b"), result("no city", "c", is_error=True)],
    ),
    (
        "media",
        {
            "role": "user",
            "content": [
                {"image": {"format": "png", "source": {"bytes": PNG}}},
                {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a", "bucketOwner": "1"}}}},
                {"document": {"format": "txt", "name": "facts", "source": {"text": "It rains."}}},
                {
                    "document": {
                        "format": "pdf",
                        "name": "more",
                        "source": {"bytes": PDF},
                        "citations": {"enabled": True},
                    }
                },
                {"video": {"format": "mp4", "source": {"bytes": b"x"}}},
                {"cachePoint": {"type": "default", "ttl": "5m"}},
                {"guardContent": {"text": {"text": "Check me.", "qualifiers": ["query"]}}},
            ],
        },
        "user",
        [
            ImagePart(type="image", media_type="image/png", image=PNG, detail=None),
            ImageURLPart(type="image_url", url="s3://bucket/a", detail=None),
            text("It rains."),
            DocumentPart(type="document", media_type="application/pdf", document=PDF),
            mark("5m"),
            text("Check me."),
        ],
    ),
]


@pytest.mark.parametrize(("wire", "role", "content"), [case[1:] for case in PARSED], ids=[case[0] for case in PARSED])
def test_messages_of_the_wire_in_common_and_back(wire: dict[str, Json], role: str, content: Json) -> None:
    before = copy.deepcopy(wire)
    parsed = parse_message(wire, CLAUDE)
    assert (parsed.role, parsed.content) == (role, content)
    stored = BaseMessageParam.model_validate_json(parsed.model_dump_json())
    assert render_messages([stored], CLAUDE) == [wire]
    assert wire == before


def test_reasoning_goes_back_signed_and_to_its_model_alone() -> None:
    redacted = {"reasoningContent": {"redactedContent": b"\x00"}}
    rest = [{"text": "ok"}, tool_use("a", "f", {})]
    wire = {"role": "assistant", "content": [reasoning("Hm.", "c2ln"), redacted, reasoning("So."), *rest]}
    parsed = parse_message(wire, CLAUDE)
    same, other = render_messages([parsed], CLAUDE), render_messages([parsed], NOVA)
    assert same == [{"role": "assistant", "content": [reasoning("Hm.", "c2ln"), redacted, *rest]}]
    assert other == [{"role": "assistant", "content": rest}]
    assert render_messages([parsed], Endpoint("other", CLAUDE.model)) == other
    check(same)


def test_an_edited_text_keeps_its_place_beside_reasoning() -> None:
    wire = {"role": "assistant", "content": [reasoning("Hm.", "c2ln"), {"text": "ok"}, tool_use("a", "f", {})]}
    parsed = parse_message(wire, CLAUDE)
    parsed.content = [text("fine"), call("f", {"x": 1}, "a")]
    assert render_messages([parsed], CLAUDE) == [
        {"role": "assistant", "content": [reasoning("Hm.", "c2ln"), {"text": "fine"}, tool_use("a", "f", {"x": 1})]}
    ]


def test_a_result_gets_the_name_of_its_tool() -> None:
    wire = [
        {"role": "assistant", "content": [tool_use("a", "time", {}, type="tool_use")]},
        {"role": "user", "content": [tool_result("a", {"text": "9"})]},
    ]
    asked, answered = parse_messages(wire, CLAUDE)
    assert answered.content == [ToolResultPart(type="tool_result", name="time", content="9", id="a")]
    assert render_messages([asked], CLAUDE) == [{"role": "assistant", "content": [tool_use("a", "time", {})]}]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_streamed_response_continues_the_conversation(path: Path) -> None:
    if path.stem in ("unknown_everything", "exception_throttling", "exception_of_the_model"):
        pytest.skip("no answer that the SDK takes back")
    decoder = StreamDecoder("bedrock_converse")
    for line in path.read_text().splitlines():
        decoder.feed_event(line)
    answer = read_response(decoder.response())["output"]["message"]
    wire = render_messages([parse_message(answer, CLAUDE)], CLAUDE)
    own = [block for block in answer["content"] if block.get("text") != ""]
    for block in own:
        if block.get("toolUse", {}).get("type") == "tool_use":
            del block["toolUse"]["type"]  # what a tool use is anyway
    assert wire == ([{**answer, "content": own}] if own else [])
    check(wire)


def test_histories_move_between_providers() -> None:
    history = parse_of_openai(
        [
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "time", "arguments": '{"zone":"CET"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "9"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}]},
        ],
        Endpoint("openai", "gpt-5-mini"),
    )
    assert render_messages(history, CLAUDE) == [
        {"role": "assistant", "content": [{"text": "Let me see."}, tool_use("call_1", "time", {"zone": "CET"})]},
        {
            "role": "user",
            "content": [
                tool_result("call_1", {"text": "9"}),
                {"image": {"format": "png", "source": {"bytes": b"x"}}},
            ],
        },
    ]
    ours = parse_messages(
        [
            {"role": "assistant", "content": [reasoning("Hm.", "c2ln"), tool_use("a", "time", {})]},
            {"role": "user", "content": [tool_result("a", {"text": "9"})]},
        ],
        CLAUDE,
    )
    calls = [{"id": "a", "type": "function", "function": {"name": "time", "arguments": "{}"}}]
    assert render_for_openai(ours) == [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "9"},
    ]
    assert render_for_anthropic(ours) == [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "time", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": "9", "is_error": False}],
        },
    ]


# ---- blobs


def test_blobs_are_bytes_for_the_sdk_and_base64_in_json() -> None:
    redacted = base64.b64encode(b"\x00\x01").decode()
    image = {"image": {"format": "png", "source": {"bytes": "eA=="}}}
    body = {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"redactedContent": redacted}},
                    image,
                    tool_use("a", "f", {"bytes": "eA=="}),
                    {"toolResult": {"content": [{"json": {"bytes": "eA=="}}]}},
                ],
            }
        }
    }
    [reasoned, shown, used, answered] = read_response(json.dumps(body).encode())["output"]["message"]["content"]
    assert reasoned == {"reasoningContent": {"redactedContent": b"\x00\x01"}}
    assert shown == {"image": {"format": "png", "source": {"bytes": b"x"}}}
    assert used == tool_use("a", "f", {"bytes": "eA=="})
    assert answered == {"toolResult": {"content": [{"json": {"bytes": "eA=="}}]}}

    delta = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": b"\x00\x01"}}}
    data = dump_event({"contentBlockDelta": delta})
    assert json.loads(data)["contentBlockDelta"]["delta"]["reasoningContent"]["redactedContent"] == redacted
    assert read_event(data.encode()) == {"contentBlockDelta": delta}
    padded = b'{"contentBlockStop":{"contentBlockIndex":0,"p":"abc"}}'
    assert read_event(padded) == {"contentBlockStop": {"contentBlockIndex": 0}}
    with pytest.raises(TypeError, match="Type is not JSON serializable: object"):
        dump_event({"contentBlockStop": object()})


# ---- parameters


def test_shared_parameters_are_in_the_inference_config() -> None:
    params = {
        "temperature": 0.1,
        "max_tokens": 9,
        "top_p": None,
        "stop": "!",
        "seed": 7,
        "frequency_penalty": 0.1,
        "inferenceConfig": {"maxTokens": 5},
        "additionalModelRequestFields": {"top_k": 3},
    }
    before = copy.deepcopy(params)
    rendered = render_params(params)
    assert rendered == {
        "inferenceConfig": {"maxTokens": 5, "temperature": 0.1, "stopSequences": ["!"]},
        "additionalModelRequestFields": {"top_k": 3},
    }
    assert params == before
    assert render_params({"stop": ["a"]}) == {"inferenceConfig": {"stopSequences": ["a"]}}
    assert render_params({}) == {}
    check([], **rendered)


def test_tools_are_offered_beside_those_of_the_parameters() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    spec = declare_tool("weather", "Get the weather.", schema)
    assert spec == {"toolSpec": {"name": "weather", "description": "Get the weather.", "inputSchema": {"json": schema}}}
    given = {"tools": [{"systemTool": {"name": "nova_grounding"}}]}
    kwargs: dict[str, Json] = {"toolConfig": given}
    add_tools(kwargs, [spec])
    force_tool(kwargs, "weather")
    assert kwargs == {
        "toolConfig": {
            "tools": [{"systemTool": {"name": "nova_grounding"}}, spec],
            "toolChoice": {"tool": {"name": "weather"}},
        }
    }
    assert len(given["tools"]) == 1
    check([], **kwargs)
    kwargs = {}
    add_tools(kwargs, [])
    assert kwargs == {}


def test_a_history_with_tools_names_them_in_a_request_without_tools() -> None:
    history = render_messages(
        [
            message("assistant", call("weather", {}, "a"), call("time", {}, "b"), call("weather", {}, "c")),
            message("tool", result("1", "a"), result("2", "b"), result("3", "c")),
        ]
    )
    kwargs: dict[str, Json] = {}
    add_tools_of_history(kwargs, history)
    assert [tool["toolSpec"]["name"] for tool in kwargs["toolConfig"]["tools"]] == ["weather", "time"]
    check(history, **kwargs)
    known = copy.deepcopy(kwargs)
    add_tools_of_history(kwargs, history)
    assert kwargs == known
    kwargs = {}
    add_tools_of_history(kwargs, history[1:])
    assert [tool["toolSpec"]["name"] for tool in kwargs["toolConfig"]["tools"]] == ["unknown_tool"]
    kwargs = {}
    add_tools_of_history(kwargs, render_messages([message("user", "Hi")]))
    assert kwargs == {}
