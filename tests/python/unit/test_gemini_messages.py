"""Contents of Gemini: what common messages become on the wire, and what contents become in common."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from ferroscope import BaseMessageParam
from ferroscope._core import StreamDecoder
from ferroscope._dialects.anthropic.messages import render_messages as render_for_anthropic
from ferroscope._dialects.gemini.messages import (
    join_system,
    needs_fetch,
    parse_message,
    parse_messages,
    render_messages,
    split_system,
)
from ferroscope._dialects.gemini.parameters import (
    add_tools,
    ask_for_json,
    config_dict,
    force_function,
    render_params,
)
from ferroscope._dialects.gemini.parts import MessageRules
from ferroscope._dialects.gemini.tools import declare_function
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

genai = pytest.importorskip("google.genai")
types = genai.types

GEMINI_3 = Endpoint("google", "gemini-3-flash-preview")
GEMINI_2 = Endpoint("google", "gemini-2.5-flash")
PNG = b"\x89PNG\r\n\x1a\n"
PDF = b"%PDF-1.7"
DUMMY = b"context_engineering_is_the_way_to_go"

# Any: JSON of whatever shape.
Json = Any


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def call(name: str, args: dict[str, Json] | None, id: str | None = None) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=name, args=args, id=id)


def result(content: str, id: str | None = None, name: str = "", *, is_error: bool = False) -> ToolResultPart:
    return ToolResultPart(type="tool_result", name=name, content=content, id=id, is_error=is_error)


def message(role: str, *content: Json) -> BaseMessageParam:
    lone = content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)
    return BaseMessageParam(role=role, content=lone)


def fetched(url: str) -> bytes:
    return {"png": PNG, "pdf": PDF, "txt": b"words", "wav": b"RIFF....WAVE"}[url.rpartition(".")[2]]


def in_sdk(content: Json) -> Json:
    """What the SDK makes of a content, which refuses members that it does not know."""
    return types.Content.model_validate(content).model_dump(exclude_none=True)


# ---- to the wire

PARTS: list[tuple[Json, Json]] = [
    (text("Hi"), {"text": "Hi"}),
    (
        ImagePart(type="image", media_type="image/png", image=PNG, detail="low"),
        {"inline_data": {"mime_type": "image/png", "data": PNG}},
    ),
    (
        ImagePart(type="image", media_type="image/heic", image=b"x", detail=None),
        {"inline_data": {"mime_type": "image/heic", "data": b"x"}},
    ),
    (
        ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None),
        {"inline_data": {"mime_type": "image/png", "data": PNG}},
    ),
    (
        ImageURLPart(type="image_url", url="data:image/png;base64,iVBORw0KGgo=", detail=None),
        {"inline_data": {"mime_type": "image/png", "data": PNG}},
    ),
    (
        ImageURLPart(type="image_url", url="gs://bucket/a.png", detail=None),
        {"file_data": {"file_uri": "gs://bucket/a.png", "mime_type": "image/png"}},
    ),
    (
        AudioPart(type="audio", media_type="audio/wav", audio="UklGRg=="),
        {"inline_data": {"mime_type": "audio/wav", "data": b"RIFF"}},
    ),
    (
        AudioPart(type="audio", media_type="audio/flac", audio=b"fLaC"),
        {"inline_data": {"mime_type": "audio/flac", "data": b"fLaC"}},
    ),
    (
        AudioURLPart(type="audio_url", url="https://example.com/a.wav"),
        {"inline_data": {"mime_type": "audio/wav", "data": b"RIFF....WAVE"}},
    ),
    (
        DocumentPart(type="document", media_type="application/pdf", document=PDF),
        {"inline_data": {"mime_type": "application/pdf", "data": PDF}},
    ),
    (
        DocumentPart(type="document", media_type="text/csv", document=b"a,b"),
        {"inline_data": {"mime_type": "text/csv", "data": b"a,b"}},
    ),
    (
        DocumentURLPart(type="document_url", url="https://example.com/a.pdf"),
        {"inline_data": {"mime_type": "application/pdf", "data": PDF}},
    ),
    (
        DocumentURLPart(type="document_url", url="https://example.com/a.txt"),
        {"inline_data": {"mime_type": "text/plain", "data": b"words"}},
    ),
    (
        DocumentURLPart(type="document_url", url="https://generativelanguage.googleapis.com/v1beta/files/abc"),
        {"file_data": {"file_uri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
    ),
    (
        DocumentURLPart(type="document_url", url="https://www.youtube.com/watch?v=abc"),
        {"file_data": {"file_uri": "https://www.youtube.com/watch?v=abc"}},
    ),
    (call("f", {"a": 1}, "c1"), {"function_call": {"name": "f", "args": {"a": 1}, "id": "c1"}}),
    (call("f", {}), {"function_call": {"name": "f", "args": {}}}),
    (
        ToolCallPart(type="tool_call", name="f", id="c1", arguments="{broken"),  # type: ignore[call-arg]
        {"function_call": {"name": "f", "args": {"arguments": "{broken"}, "id": "c1"}},
    ),
    (result("4", name="f"), {"function_response": {"name": "f", "response": {"content": "4"}}}),
    (
        result("no such file", name="f", is_error=True),
        {"function_response": {"name": "f", "response": {"error": "no such file"}}},
    ),
]


@pytest.mark.parametrize(("part", "expected"), PARTS)
def test_a_part_on_the_wire(part: Json, expected: Json):
    [content] = render_messages([message("user", part)], fetch=fetched)
    assert content == {"role": "user", "parts": [expected]}
    assert in_sdk(content) == content


REFUSED: list[tuple[Json, str]] = [
    (
        ImagePart(type="image", media_type="image/gif", image=b"GIF8", detail=None),
        "Unsupported image media type: image/gif. Google currently only supports the image types image/heic",
    ),
    (
        AudioPart(type="audio", media_type="audio/midi", audio=b"x"),
        "Unsupported audio media type: audio/midi. Google currently only supports the audio types audio/aac",
    ),
    (
        DocumentPart(type="document", media_type="application/zip", document=b"PK"),
        "Unsupported document media type: application/zip. Google currently only supports",
    ),
    (
        DocumentURLPart(type="document_url", url="https://example.com/a.txt?b"),
        "Failed to load or encode data from https://example.com/a.txt?b",
    ),
]


@pytest.mark.parametrize(("part", "reason"), REFUSED)
def test_a_part_that_google_does_not_take_is_named(part: Json, reason: str):
    def fail(url: str) -> bytes:
        raise OSError("no network")

    with pytest.raises(ValueError, match=r"^Unsupported|^Failed") as caught:
        render_messages([message("user", part)], fetch=fail)
    assert str(caught.value).startswith(reason)


def test_a_server_that_reads_urls_gets_them():
    part = ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None)
    vertex = MessageRules(provider="Vertex", reads_urls=True)
    expected = {"file_data": {"file_uri": "https://example.com/a.png", "mime_type": "image/png"}}
    assert render_messages([message("user", part)], vertex) == [{"role": "user", "parts": [expected]}]
    assert needs_fetch([message("user", part)]) and not needs_fetch([message("user", part)], vertex)
    for url in ("data:image/png;base64,iVBORw0KGgo=", "gs://bucket/a.png"):
        assert not needs_fetch([message("user", ImageURLPart(type="image_url", url=url, detail=None)), "Hi"])


def test_a_conversation_on_the_wire():
    own = {"role": "user", "parts": [{"text": "mine"}]}
    messages: list[Json] = [
        message("system", "Be brief."),
        message("user", text("Weather?"), CacheControlPart(type="cache_control", cache_type="ephemeral")),
        message("assistant", text(""), call("w", {"c": "Oslo"}, "c1"), call("w", {"c": "Rome"}, "c2")),
        message("tool", result("cold", "c1")),
        message("tool", result("warm", "c2")),
        message("assistant", ""),
        message("assistant", "Cold and warm."),
        own,
        "a text",
    ]
    assert render_messages(messages, destination=GEMINI_2) == [
        {"role": "system", "parts": [{"text": "Be brief."}]},
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {
            "role": "model",
            "parts": [
                {"function_call": {"name": "w", "args": {"c": "Oslo"}, "id": "c1"}},
                {"function_call": {"name": "w", "args": {"c": "Rome"}, "id": "c2"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"function_response": {"name": "w", "response": {"content": "cold"}, "id": "c1"}},
                {"function_response": {"name": "w", "response": {"content": "warm"}, "id": "c2"}},
            ],
        },
        {"role": "model", "parts": [{"text": "Cold and warm."}]},
        own,
        "a text",
    ]


def test_results_get_the_names_of_their_calls_and_no_ids_that_no_call_has():
    contents = [
        {"role": "model", "parts": [{"functionCall": {"name": "a", "args": {}}}, {"functionCall": {"name": "b"}}]},
        message("tool", result("1", "made_up_1"), result("2", "made_up_2", "b")),
        message("tool", result("3", "nobody")),
    ]
    assert render_messages(contents)[1] == {
        "role": "user",
        "parts": [
            {"function_response": {"name": "a", "response": {"content": "1"}}},
            {"function_response": {"name": "b", "response": {"content": "2"}}},
            {"function_response": {"name": "unknown_tool", "response": {"content": "3"}, "id": "nobody"}},
        ],
    }


@pytest.mark.parametrize(
    ("model", "signed"),
    [
        ("gemini-3-flash-preview", True),
        ("models/gemini-flash-latest", True),
        ("gemini-2.5-pro", False),
        ("models/gemini-1.5-flash", False),
        ("gemma-3-27b-it", False),
    ],
)
def test_a_call_that_another_model_made_gets_the_signature_that_google_names_for_it(model: str, signed: bool):
    contents = [message("assistant", text("So"), call("a", {}), call("b", {}))]
    [content] = render_messages(contents, destination=Endpoint("google", model))
    assert isinstance(content, dict)
    signatures = [part.get("thought_signature") for part in content["parts"]]
    assert signatures == [None, DUMMY if signed else None, None]


# ---- from the wire, and back

TURN = {
    "role": "model",
    "parts": [
        {"text": "Hm.", "thought": True},
        {"text": "I look. "},
        {"executable_code": {"language": "PYTHON", "code": "1+1"}},
        {"code_execution_result": {"outcome": "OUTCOME_OK", "output": "2"}},
        {"function_call": {"name": "w", "args": {"c": "Oslo"}, "id": "c1"}, "thought_signature": b"sig1"},
        {"function_call": {"name": "w", "args": {"c": "Rome"}, "id": "c2"}},
        {"text": "", "thought_signature": b"sig2"},
    ],
}
PLAIN_TURN = [
    TURN["parts"][1],
    TURN["parts"][2],
    TURN["parts"][3],
    {"function_call": {"name": "w", "args": {"c": "Oslo"}, "id": "c1"}},
    {"function_call": {"name": "w", "args": {"c": "Rome"}, "id": "c2"}},
]
COMMON_TURN = [text("I look. "), call("w", {"c": "Oslo"}, "c1"), call("w", {"c": "Rome"}, "c2")]


def test_a_model_turn_is_one_message_that_goes_back_as_it_came():
    common = parse_message(TURN, GEMINI_3)
    assert (common.role, common.content) == ("assistant", COMMON_TURN)
    stored = BaseMessageParam.model_validate_json(common.model_dump_json())
    for one in (common, stored):
        assert render_messages([one], destination=GEMINI_3) == [TURN]
        assert render_messages([one]) == [TURN]
    # The JSON of the API, and the SDK's own object.
    wire = types.Content.model_validate(TURN)
    assert parse_message(wire, GEMINI_3) == common
    assert parse_message(json.loads(wire.model_dump_json(by_alias=True, exclude_none=True)), GEMINI_3) == common
    assert in_sdk(TURN) == TURN


def test_thoughts_and_signatures_go_to_the_model_that_made_them_only():
    common = parse_message(TURN, GEMINI_3)
    before = common.model_copy(deep=True)
    assert render_messages([common], destination=GEMINI_2) == [{"role": "model", "parts": PLAIN_TURN}]
    signed = [*PLAIN_TURN]
    signed[3] = {**signed[3], "thought_signature": DUMMY}
    newer = Endpoint("google", "gemini-4-pro")
    assert render_messages([common], destination=newer) == [{"role": "model", "parts": signed}]
    # Another provider with the same wire format gets the parts alone.
    vertex = Endpoint("vertex", "gemini-2.5-flash")
    assert render_messages([common], destination=vertex) == [
        {"role": "model", "parts": [PLAIN_TURN[0], *PLAIN_TURN[3:]]}
    ]
    assert common == before


def test_other_formats_get_the_parts():
    common = [parse_message(TURN, GEMINI_3), message("tool", result("cold", "c1"), result("warm", "c2"))]
    openai = render_for_openai(common, destination=Endpoint("openai", "gpt-5"))
    assert [(one["role"], len(one.get("tool_calls", ()))) for one in openai if isinstance(one, dict)] == [
        ("assistant", 2),
        ("tool", 0),
        ("tool", 0),
    ]
    anthropic = render_for_anthropic(common, Endpoint("anthropic", "claude-haiku-4-5"))
    assert [block["type"] for block in anthropic[0]["content"]] == ["text", "tool_use", "tool_use"]  # type: ignore[index]


def test_what_was_edited_goes_as_it_is_now_in_its_place():
    common = parse_message(TURN, GEMINI_3)
    assert isinstance(common.content, list)
    common.content[0] = text("I looked. ")
    common.content[1] = call("w", {"c": "Bergen"}, "c1")
    parts = list(TURN["parts"])
    parts[1] = {"text": "I looked. "}
    parts[4] = {"function_call": {"name": "w", "args": {"c": "Bergen"}, "id": "c1"}, "thought_signature": b"sig1"}
    assert render_messages([common], destination=GEMINI_3) == [{"role": "model", "parts": parts}]


def test_a_call_that_was_cut_off_goes_nowhere():
    parts = [
        {"text": "I call."},
        {"functionCall": {"name": "w", "args": {"c": "Os"}, "willContinue": True}, "thoughtSignature": "c2ln"},
    ]
    common = parse_message({"role": "model", "parts": parts}, GEMINI_3)
    assert common.content == "I call."
    assert render_messages([common], destination=GEMINI_3) == [{"role": "model", "parts": [{"text": "I call."}]}]


READ: list[tuple[str, Json, str, Json]] = [
    ("a text", "Hi", "user", "Hi"),
    ("a content with a text", {"role": "user", "parts": [{"text": "Hi"}]}, "user", "Hi"),
    ("a content with a bare text", {"role": "user", "parts": "Hi"}, "user", "Hi"),
    ("parts", ["Hi", {"text": "you"}], "user", [text("Hi"), text("you")]),
    ("a part", {"text": "Hi"}, "user", "Hi"),
    ("a call without a content", {"functionCall": {"name": "f", "args": {}}}, "assistant", [call("f", {})]),
    (
        "media",
        {
            "role": "user",
            "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                {"inlineData": {"mimeType": "audio/wav", "data": b"RIFF"}},
                {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
                {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}},
                {"fileData": {"mimeType": "audio/wav", "fileUri": "gs://b/a.wav"}},
                {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
            ],
        },
        "user",
        [
            ImagePart(type="image", media_type="image/png", image=PNG, detail=None),
            AudioPart(type="audio", media_type="audio/wav", audio=b"RIFF"),
            DocumentPart(type="document", media_type="application/pdf", document=PDF),
            ImageURLPart(type="image_url", url="gs://b/a.png", detail=None),
            AudioURLPart(type="audio_url", url="gs://b/a.wav"),
            DocumentURLPart(type="document_url", url="gs://b/a.pdf"),
        ],
    ),
    (
        "results",
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "id": "c1", "response": {"result": "4"}}},
                {"functionResponse": {"name": "f", "response": {"error": "no"}}},
                {"functionResponse": {"name": "f", "response": {"camelCase": 1}}},
            ],
        },
        "tool",
        [
            result("4", "c1", "f"),
            result("no", None, "f", is_error=True),
            result('{"camelCase": 1}', None, "f"),
        ],
    ),
]


@pytest.mark.parametrize(("story", "wire", "role", "content"), READ, ids=[row[0] for row in READ])
def test_reading(story: str, wire: Json, role: str, content: Json):
    common = parse_message(wire)
    assert (common.role, common.content) == (role, content)
    # And it goes back the same, for all that the SDK sees of it.
    given = wire if isinstance(wire, dict) and "role" in wire else None
    if given is not None and isinstance(given["parts"], list):
        [back] = render_messages([common])
        assert in_sdk(back) == in_sdk(given)


def test_a_file_that_was_uploaded():
    file = types.File(
        name="files/a", uri="https://generativelanguage.googleapis.com/v1beta/files/a", mime_type="image/png"
    )
    common = parse_message([file, "What is it?"])
    assert common.content == [ImageURLPart(type="image_url", url=file.uri, detail=None), text("What is it?")]
    [content] = render_messages([common])
    assert content == {
        "role": "user",
        "parts": [{"file_data": {"file_uri": file.uri, "mime_type": "image/png"}}, {"text": "What is it?"}],
    }


def test_what_has_no_part_is_kept_and_named():
    video = {"role": "user", "parts": [{"inline_data": {"mime_type": "video/mp4", "data": b"v"}}, {"text": "?"}]}
    common = parse_message(video)
    assert common.content == "?"
    assert (common.__pydantic_extra__ or {})["provider_data"]["unsupported"] == ["video"]
    assert render_messages([common]) == [video]


def test_what_is_no_message_is_refused():
    with pytest.raises(ValueError, match="an int is not a message part"):
        parse_message([3])


# ---- the system prompt


def test_the_system_prompt_is_no_content():
    messages = render_messages(
        [message("system", "Be brief."), message("developer", "Be kind."), message("user", "Hi")]
    )
    system, others = split_system(messages)
    assert others == [{"role": "user", "parts": [{"text": "Hi"}]}]
    assert system == [{"text": "Be brief."}, {"text": "Be kind."}]
    assert join_system(None, system[:1]) == "Be brief."
    assert join_system(None, system) == {"parts": system}
    assert join_system("First.", system[:1]) == {"parts": [{"text": "First."}, {"text": "Be brief."}]}
    given = types.Content(parts=[types.Part(text="First.")])
    assert join_system(given, []) is given
    assert join_system(given, system[:1]) == {"parts": [{"text": "First."}, {"text": "Be brief."}]}


# ---- every recorded turn

RECORDED = Path(__file__).parents[4] / "shared" / "corpus"


def recorded_turns() -> list[Json]:
    index = RECORDED / "INDEX.json"
    if not index.exists():
        return []
    found = []
    for entry in json.loads(index.read_text())["entries"]:
        path = RECORDED / entry["id"] / entry["response_file"]
        if entry["api"] in ("gemini-stream", "gemini-stream-json") and entry["framing"] in ("sse", "json-array"):
            decoder = StreamDecoder("gemini", framing="sse" if path.suffix == ".sse" else "json_lines")
            decoder.feed(path.read_bytes())
            decoder.fold()
            for candidate in json.loads(decoder.response()).get("candidates", []):
                if candidate.get("content", {}).get("parts"):
                    found.append(pytest.param(candidate["content"], id=entry["id"]))
    return found


@pytest.mark.parametrize("content", recorded_turns())
def test_a_recorded_turn_goes_back_as_it_came(content: Json):
    content = {"role": "model", **content}
    if "thought_abc123" in json.dumps(content):
        pytest.skip("its signature is no base64, which the SDK refuses")
    given = in_sdk(content)
    common = BaseMessageParam.model_validate_json(parse_message(content, GEMINI_2).model_dump_json())
    # The API sends empty texts, and refuses them when they come back.
    given["parts"] = [part for part in given["parts"] if part != {"text": ""}]
    back = [in_sdk(rendered) for rendered in render_messages([common], destination=GEMINI_2)]
    assert back == ([given] if given["parts"] else [])


# ---- configuration


def test_parameters_go_into_the_configuration():
    params = {"temperature": 0.5, "max_tokens": 9, "stop": "END", "seed": 1, "frequency_penalty": None, "top_p": None}
    expected = {"temperature": 0.5, "max_output_tokens": 9, "stop_sequences": ["END"]}
    assert render_params(params) == {"config": expected}
    assert render_params({}) == {}
    given = types.GenerateContentConfig(temperature=0.1, tools=[len])
    assert render_params({"config": given, **params})["config"] == {
        "temperature": 0.1,
        "tools": [len],
        "max_output_tokens": 9,
        "stop_sequences": ["END"],
    }
    assert given.max_output_tokens is None, "what is given stays as it is"
    assert config_dict({"maxOutputTokens": 3, "topK": None}) == {"max_output_tokens": 3}


def test_tools_and_what_asks_for_them():
    config: dict[str, Json] = {"tools": [{"google_search": {}}]}
    add_tools(config, [declare_function("f", "Does it.", {"type": "object", "properties": {"a": {"type": "integer"}}})])
    force_function(config, "f")
    ask_for_json(config, {"type": "object"})
    checked = types.GenerateContentConfig.model_validate(config)
    assert config == {
        "tools": [
            {"google_search": {}},
            {
                "function_declarations": [
                    {
                        "name": "f",
                        "description": "Does it.",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"a": {"type": "INTEGER"}},
                            "property_ordering": ["a"],
                        },
                    }
                ]
            },
        ],
        "automatic_function_calling": {"disable": True},
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        "response_mime_type": "application/json",
        "response_json_schema": {"type": "object"},
    }
    assert checked.tools[1].function_declarations[0].name == "f"


class Inner(BaseModel):
    """Something inside."""

    name: str
    kind: str | None = Field(default=None, description="Its kind.", max_length=9)


class Outer(BaseModel):
    inner: Inner
    several: list[Inner] = Field(min_length=1)
    either: int | str
    maybe: Inner | None = None


class Node(BaseModel):
    children: list["Node"]


SCHEMAS: list[tuple[str, Json, Json]] = [
    ("no arguments", {"type": "object", "properties": {}}, {}),
    (
        "references are resolved",
        Outer.model_json_schema(),
        {
            "parameters": {
                "type": "OBJECT",
                "properties": {
                    "inner": (
                        inner := {
                            "type": "OBJECT",
                            "description": "Something inside.",
                            "properties": {
                                "name": {"type": "STRING"},
                                "kind": {
                                    "type": "STRING",
                                    "max_length": 9,
                                    "description": "Its kind.",
                                    "nullable": True,
                                },
                            },
                            "required": ["name"],
                            "property_ordering": ["name", "kind"],
                        }
                    ),
                    "several": {"type": "ARRAY", "items": inner, "min_items": 1},
                    "either": {"any_of": [{"type": "INTEGER"}, {"type": "STRING"}]},
                    "maybe": {**inner, "nullable": True},
                },
                "required": ["inner", "several", "either"],
                "property_ordering": ["inner", "several", "either", "maybe"],
            }
        },
    ),
    (
        "choices, and formats that it does not know",
        {
            "type": "object",
            "properties": {
                "a": {"enum": ["x", "y"], "type": "string"},
                "b": {"const": "z", "type": "string"},
                "c": {"type": "string", "format": "uri"},
                "d": {"type": "string", "format": "date-time"},
            },
        },
        {
            "parameters": {
                "type": "OBJECT",
                "properties": {
                    "a": {"type": "STRING", "enum": ["x", "y"], "format": "enum"},
                    "b": {"type": "STRING", "enum": ["z"], "format": "enum"},
                    "c": {"type": "STRING"},
                    "d": {"type": "STRING", "format": "date-time"},
                },
                "property_ordering": ["a", "b", "c", "d"],
            }
        },
    ),
    *(
        (story, schema, {"parameters_json_schema": schema})
        for story, schema in [
            ("a type that has itself", Node.model_json_schema()),
            (
                "an object of any names",
                {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}},
            ),
            ("numbers to choose from", {"type": "object", "properties": {"a": {"enum": [1, 2], "type": "integer"}}}),
            (
                "a tuple",
                {"type": "object", "properties": {"a": {"type": "array", "prefixItems": [{"type": "string"}]}}},
            ),
            ("anything", {"type": "object", "properties": {"a": {}}}),
        ]
    ),
]


@pytest.mark.parametrize(("story", "schema", "expected"), SCHEMAS, ids=[row[0] for row in SCHEMAS])
def test_function_declarations(story: str, schema: Json, expected: Json):
    declaration = declare_function("f", None, schema)
    assert declaration == {"name": "f", **expected}
    types.FunctionDeclaration.model_validate(declaration)


def test_common_messages_pass_through_the_reader():
    common = message("user", "Hi")
    assert parse_messages([common, "you"]) == [common, message("user", "you")]
    assert parse_messages([common])[0] is common
