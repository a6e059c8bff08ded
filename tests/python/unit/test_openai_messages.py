"""Golden messages of OpenAI's chat format: what a prompt is on the wire, and what the wire is as a message.

Each expected value was written by hand from OpenAI's API reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessage

from ferroscope import (
    AudioPart,
    AudioURLPart,
    BaseMessageParam,
    CacheControlPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    Messages,
    Quirks,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    prompt_template,
)
from ferroscope._dialects.openai_chat.message_parts import OPENAI
from ferroscope._dialects.openai_chat.messages import (
    MessageRules,
    needs_fetch,
    parse_message,
    parse_messages,
    render_messages,
)
from ferroscope.core.base._messages.provider_data import Endpoint
from ferroscope.core.base._prompts.plan import plan_prompt

PNG = b"\x89PNG\r\n\x1a\n"
PNG_URL = "data:image/png;base64,iVBORw0KGgo="
WAV = b"RIFF\x04\x00\x00\x00WAVE"
WAV_TEXT = "UklGRgQAAABXQVZF"


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


def wire_text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def call(id: str, name: str = "find", **args: Any) -> ToolCallPart:
    return ToolCallPart(type="tool_call", name=name, args=args, id=id)


def wire_call(id: str, arguments: str, name: str = "find") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(id: str, content: str, name: str = "find") -> ToolResultPart:
    return ToolResultPart(type="tool_result", name=name, content=content, id=id)


def user(content: Any) -> BaseMessageParam:
    return BaseMessageParam(role="user", content=content)


def assistant(content: Any, **extra: Any) -> BaseMessageParam:
    return BaseMessageParam(role="assistant", content=content, **extra)


def kept(*pieces: dict[str, Any], unsupported: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    """What a message keeps of its provider's form."""
    data: dict[str, Any] = {"format": "openai_chat", "pieces": list(pieces), "members": members}
    data["unsupported"] = list(unsupported)
    return {"provider_data": {name: value for name, value in data.items() if value}}


# -- from a prompt function to the wire (contract 2.2, 3) --------------------------------------------------


def returning(value: Any) -> Callable[[], Any]:
    return lambda: value


@prompt_template(
    """
    SYSTEM:
    You are a librarian.
    MESSAGES: {history}
    USER:
    Which of these
    {books:list}
    is shown here? {cover:image(detail=low)} Answer with {n} word.
    """
)
def librarian(history: list[Any], books: list[str], cover: bytes, n: int = 1) -> None: ...


PROMPTS: dict[str, tuple[Callable[..., Any], dict[str, Any], list[Any]]] = {
    "a text": (returning("Hi"), {}, [{"role": "user", "content": "Hi"}]),
    "an empty text": (returning(""), {}, [{"role": "user", "content": ""}]),
    "texts": (
        returning(["a", "b"]),
        {},
        [{"role": "user", "content": [wire_text("a"), wire_text("b")]}],
    ),
    "only parts": (
        returning([text("a"), ImagePart(type="image", media_type="image/png", image=PNG, detail=None)]),
        {},
        [
            {
                "role": "user",
                "content": [
                    wire_text("a"),
                    {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "auto"}},
                ],
            }
        ],
    ),
    "messages": (
        returning([Messages.System("Be brief."), Messages.User("Hi"), Messages.Assistant("Hello")]),
        {},
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
        ],
    ),
    "provider dicts": (
        returning([{"role": "developer", "content": "Be brief."}, user("Hi")]),
        {},
        [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    ),
    "a template": (
        librarian,
        {
            "history": [user("Hi"), {"role": "assistant", "content": "Hello"}],
            "books": ["Dune", "Emma"],
            "cover": PNG,
        },
        [
            {"role": "system", "content": "You are a librarian."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {
                "role": "user",
                "content": [
                    wire_text("Which of these\nDune\nEmma\nis shown here?"),
                    {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}},
                    wire_text("Answer with 1 word."),
                ],
            },
        ],
    ),
}


@pytest.mark.parametrize(("fn", "arguments", "wire"), PROMPTS.values(), ids=PROMPTS.keys())
def test_prompt_on_the_wire(fn: Callable[..., Any], arguments: dict[str, Any], wire: list[Any]) -> None:
    plan = plan_prompt(fn)
    prompt = plan.resolve(plan.bind((), arguments), plan.fn(**arguments))
    assert render_messages(prompt.messages) == wire


# -- every part to the wire (contract 9.1, 9.12) ------------------------------------------------------------

TO_WIRE: dict[str, tuple[BaseMessageParam, list[Any]]] = {
    "one text stays a list": (user([text("a")]), [{"role": "user", "content": [wire_text("a")]}]),
    "no parts, no message": (user([]), []),
    "an image": (
        user([ImagePart(type="image", media_type="image/png", image=PNG, detail="high")]),
        [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": PNG_URL, "detail": "high"}}],
            }
        ],
    ),
    "an image by its address": (
        user([ImageURLPart(type="image_url", url="https://example.com/a.svg", detail=None)]),
        [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.svg", "detail": "auto"}}],
            }
        ],
    ),
    "a sound": (
        user([AudioPart(type="audio", media_type="audio/wav", audio=WAV)]),
        [
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"format": "wav", "data": WAV_TEXT}}],
            }
        ],
    ),
    "a sound in base64": (
        user([AudioPart(type="audio", media_type="audio/mpeg", audio="SUQz")]),
        [
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"format": "mp3", "data": "SUQz"}}],
            }
        ],
    ),
    "a sound in a data URL": (
        user([AudioURLPart(type="audio_url", url=f"data:audio/wav;base64,{WAV_TEXT}")]),
        [
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"format": "wav", "data": WAV_TEXT}}],
            }
        ],
    ),
    "an assistant's text": (assistant([text("a")]), [{"role": "assistant", "content": "a"}]),
    "an assistant's texts": (
        assistant([text("a"), text("b")]),
        [{"role": "assistant", "content": [wire_text("a"), wire_text("b")]}],
    ),
    "a tool call": (
        assistant([call("1", title="Dune")]),
        [{"role": "assistant", "content": None, "tool_calls": [wire_call("1", '{"title":"Dune"}')]}],
    ),
    "text and several tool calls": (
        assistant([text("Let me see."), call("1", title="Dune"), call("2", title="Çà")]),
        [
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [wire_call("1", '{"title":"Dune"}'), wire_call("2", '{"title":"Çà"}')],
            }
        ],
    ),
    "a tool call without arguments": (
        assistant([ToolCallPart(type="tool_call", name="find", id="1")]),
        [{"role": "assistant", "content": None, "tool_calls": [wire_call("1", "{}")]}],
    ),
    "a tool call with an integer of any size": (
        assistant([call("1", n=10**30)]),
        [{"role": "assistant", "content": None, "tool_calls": [wire_call("1", f'{{"n": {10**30}}}')]}],
    ),
    "tool results": (
        BaseMessageParam(role="tool", content=[result("1", "yes"), result("2", "no")]),
        [
            {"role": "tool", "tool_call_id": "1", "content": "yes"},
            {"role": "tool", "tool_call_id": "2", "content": "no"},
        ],
    ),
    "a tool result between texts": (
        user([text("a"), result("1", "yes"), text("b")]),
        [
            {"role": "user", "content": [wire_text("a")]},
            {"role": "tool", "tool_call_id": "1", "content": "yes"},
            {"role": "user", "content": [wire_text("b")]},
        ],
    ),
    "a name": (
        BaseMessageParam(role="user", content="Hi", name="Ann"),
        [{"role": "user", "content": "Hi", "name": "Ann"}],
    ),
    "what only an answer has": (
        assistant("a", **kept(annotations=[{"type": "x"}], executed_tools=[1])),
        [
            {"role": "assistant", "content": "a"},
        ],
    ),
}


@pytest.mark.parametrize(("message", "wire"), TO_WIRE.values(), ids=TO_WIRE.keys())
def test_message_to_the_wire(message: BaseMessageParam, wire: list[Any]) -> None:
    before = message.model_copy(deep=True)
    assert render_messages([message]) == wire
    assert message == before


REFUSED: dict[str, tuple[Any, str]] = {
    "an image type": (
        ImagePart(type="image", media_type="image/heic", image=b"", detail=None),
        "Unsupported image media type: image/heic. OpenAI currently only supports JPEG, PNG, GIF, and WebP images.",
    ),
    "an audio type": (
        AudioPart(type="audio", media_type="audio/flac", audio=b""),
        "Unsupported audio media type: audio/flac. OpenAI currently only supports WAV and MP3 audio file types.",
    ),
    "a document that is no PDF": (
        DocumentPart(type="document", media_type="text/html", document=b""),
        "Unsupported document media type: text/html. OpenAI currently only supports PDF documents.",
    ),
    "a document out of reach": (
        DocumentURLPart(type="document_url", url="gs://bucket/a.pdf"),
        "OpenAI accepts a document only as bytes, and 'gs://bucket/a.pdf' cannot be fetched: pass its bytes",
    ),
    "a sound out of reach": (
        AudioURLPart(type="audio_url", url="gs://bucket/a.wav"),
        "OpenAI accepts audio only as bytes, and 'gs://bucket/a.wav' cannot be fetched: pass its bytes",
    ),
    "a sound on a private address": (
        AudioURLPart(type="audio_url", url="http://127.0.0.1/a.wav"),
        "Failed to load or encode data from http://127.0.0.1/a.wav",
    ),
}


@pytest.mark.parametrize(("part", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_part_that_the_server_does_not_take(part: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        render_messages([user([part])])
    assert str(error.value) == message


def test_a_sound_by_its_address_is_read() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return WAV

    message = user([AudioURLPart(type="audio_url", url="https://example.com/a")])
    assert needs_fetch([message])
    assert not needs_fetch([user("a"), user([text("a")]), {"role": "user"}])
    assert render_messages([message], fetch=fetch) == [
        {
            "role": "user",
            "content": [{"type": "input_audio", "input_audio": {"format": "wav", "data": WAV_TEXT}}],
        }
    ]
    assert asked == ["https://example.com/a"]


def test_a_server_that_hears_nothing_and_knows_no_detail() -> None:
    rules = MessageRules("Groq", Quirks(audio=False, image_detail=False))
    image = ImageURLPart(type="image_url", url="https://example.com/a.png", detail="low")
    assert render_messages([user([image])], rules) == [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}],
        }
    ]
    with pytest.raises(ValueError, match="Groq currently only supports text and image parts"):
        render_messages([user([AudioPart(type="audio", media_type="audio/wav", audio=WAV)])], rules)


def test_reasoning_goes_back_where_the_server_wants_it() -> None:
    wire = {"role": "assistant", "content": "42", "reasoning_content": "6 × 7"}
    message = parse_message(wire)
    assert message == assistant("42", **kept(reasoning_content="6 × 7"))
    assert render_messages([message], MessageRules(quirks=Quirks(reasoning_back=()))) == [
        {"role": "assistant", "content": "42"}
    ]
    assert render_messages([message], MessageRules(quirks=Quirks(reasoning_back=("reasoning_content",)))) == [wire]


def test_a_provider_s_own_message_passes_untouched() -> None:
    own = {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}], "cache": True}
    sdk = ChatCompletionMessage(role="assistant", content="a")
    rendered = render_messages([own, sdk])
    assert rendered[0] is own
    assert rendered[1] is sdk


# -- the wire and back ------------------------------------------------------------

BOTH_WAYS: dict[str, tuple[list[dict[str, Any]], list[BaseMessageParam]]] = {
    "a text": ([{"role": "user", "content": "Hi"}], [user("Hi")]),
    "the developer's": (
        [{"role": "developer", "content": "Be brief."}],
        [BaseMessageParam(role="developer", content="Be brief.")],
    ),
    "texts": (
        [{"role": "system", "content": [wire_text("a")]}],
        [BaseMessageParam(role="system", content=[text("a")])],
    ),
    "an image": (
        [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}}],
            }
        ],
        [user([ImageURLPart(type="image_url", url=PNG_URL, detail="low")])],
    ),
    "a sound": (
        [
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"format": "mp3", "data": "SUQz"}}],
            }
        ],
        [user([AudioPart(type="audio", media_type="audio/mp3", audio="SUQz")])],
    ),
    "text, several calls and their results": (
        [
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [wire_call("1", '{"title":"Dune"}'), wire_call("2", "{}", "list")],
            },
            {"role": "tool", "tool_call_id": "1", "content": "yes"},
            {"role": "tool", "tool_call_id": "2", "content": "[]"},
        ],
        [
            assistant([text("Let me see."), call("1", title="Dune"), call("2", "list")]),
            BaseMessageParam(role="tool", content=[result("1", "yes")]),
            BaseMessageParam(role="tool", content=[result("2", "[]", "list")]),
        ],
    ),
    "a call alone": (
        [{"role": "assistant", "content": None, "tool_calls": [wire_call("1", "{}")]}],
        [assistant([call("1")])],
    ),
    "arguments that are no JSON": (
        [{"role": "assistant", "content": None, "tool_calls": [wire_call("1", '{"title":')]}],
        [
            assistant(
                [
                    ToolCallPart.model_validate(
                        {"type": "tool_call", "name": "find", "id": "1", "arguments": '{"title":'}
                    )
                ]
            )
        ],
    ),
    "a custom tool's call": (
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}],
            }
        ],
        [
            assistant(
                [
                    ToolCallPart.model_validate(
                        {
                            "type": "tool_call",
                            "name": "sql",
                            "args": {"input": "select 1"},
                            "id": "1",
                            "custom_input": "select 1",
                        }
                    )
                ]
            )
        ],
    ),
    "a refusal": (
        [{"role": "assistant", "content": None, "refusal": "I can't help with that."}],
        [assistant("I can't help with that.", **kept(refusal="I can't help with that."))],
    ),
    "a refusal after text": (
        [{"role": "assistant", "content": "Well.", "refusal": "No."}],
        [assistant([text("Well."), text("No.")], **kept(refusal="No."))],
    ),
    "a spoken answer": (
        [{"role": "assistant", "audio": {"id": "audio_1"}}],
        [assistant("", **kept(audio={"id": "audio_1"}))],
    ),
    "a name": (
        [{"role": "user", "content": "Hi", "name": "Ann"}],
        [BaseMessageParam(role="user", content="Hi", **kept(name="Ann"))],
    ),
    "a function's answer, as it was once written": (
        [{"role": "function", "content": "yes", "name": "find"}],
        [BaseMessageParam(role="function", content=[ToolResultPart(type="tool_result", name="find", content="yes")])],
    ),
}


@pytest.mark.parametrize(("wire", "messages"), BOTH_WAYS.values(), ids=BOTH_WAYS.keys())
def test_the_wire_and_back(wire: list[dict[str, Any]], messages: list[BaseMessageParam]) -> None:
    parsed = parse_messages(wire)
    assert parsed == messages
    assert render_messages(parsed) == wire
    # A history is often kept as JSON in between.
    kept = [BaseMessageParam.model_validate_json(message.model_dump_json()) for message in parsed]
    assert render_messages(kept) == wire


PDF = b"%PDF-"
PDF_URL = "data:application/pdf;base64,JVBERi0="
DOCUMENT = DocumentPart(type="document", media_type="application/pdf", document=PDF)
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF_URL}}
STORED = {"type": "file", "file": {"file_id": "f"}}


def test_documents_are_files() -> None:
    by_url = DocumentURLPart(type="document_url", url=PDF_URL)
    remote = DocumentURLPart(type="document_url", url="https://example.com/a.pdf")
    wire = {"type": "file", "file": {"filename": "document.pdf", "file_data": PDF_URL}}
    message = user([DOCUMENT, by_url, remote])
    assert needs_fetch([message])
    assert render_messages([message], fetch=lambda url: PDF) == [{"role": "user", "content": [wire] * 3}]
    deaf = MessageRules("Azure", Quirks(audio=False))
    with pytest.raises(
        ValueError, match=r"Azure currently only supports text and image parts\. Part provided: document"
    ):
        render_messages([message], deaf)


PIECES: dict[str, tuple[Any, list[Any]]] = {
    "a file": ([wire_text("see"), FILE], [text("see"), DOCUMENT]),
    "a stored file": ([wire_text("see"), STORED], [text("see")]),
    "a file of bare base64": ([{"type": "file", "file": {"file_data": "JVBERi0="}}], []),
    "a file by its address": (
        [{"type": "file", "file": {"file_data": "https://example.com/a.pdf"}}],
        [DocumentURLPart(type="document_url", url="https://example.com/a.pdf")],
    ),
    "a sound that is a string": (
        [{"type": "input_audio", "input_audio": WAV_TEXT}],
        [AudioPart(type="audio", media_type="audio/wav", audio=WAV_TEXT)],
    ),
    "a document by its address": (
        [{"type": "document_url", "document_url": "https://example.com/a.pdf"}],
        [DocumentURLPart(type="document_url", url="https://example.com/a.pdf")],
    ),
    "thoughts": ([{"type": "thinking", "thinking": []}, wire_text("4")], [text("4")]),
    "a reference": ([wire_text("4"), {"type": "reference", "reference_ids": [1]}], [text("4")]),
}


@pytest.mark.parametrize(("content", "parts"), PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_content_without_a_part_goes_back_as_it_came(role: str, content: Any, parts: list[Any]) -> None:
    wire: list[Any] = [{"role": role, "content": content}]
    [message] = parse_messages(wire)
    assert message.content == (parts or "")
    assert render_messages([BaseMessageParam.model_validate_json(message.model_dump_json())]) == wire


def test_an_edited_result_is_sent_as_it_is_now() -> None:
    content = [wire_text("see"), {"type": "image_url", "image_url": {"url": PNG_URL}}]
    wire: list[Any] = [{"role": "tool", "tool_call_id": "1", "content": content}]
    [message] = parse_messages(wire)
    assert message.content == [result("1", "see", "")]
    assert render_messages([message]) == wire
    edited = message.model_copy(update={"content": [result("1", "seen")]})
    assert render_messages([edited]) == [{"role": "tool", "tool_call_id": "1", "content": "seen"}]


def test_members_of_others_messages_stay_with_the_server() -> None:
    wire: list[Any] = [{"role": "user", "content": "Hi", "name": "Ann", "cache_control": {"type": "ephemeral"}}]
    messages = parse_messages(wire, Endpoint("openrouter", "m"))
    assert render_messages(messages, OPENAI, Endpoint("openrouter", "n")) == wire
    elsewhere = render_messages(messages, OPENAI, Endpoint("openai", "m"))
    assert elsewhere == [{"role": "user", "content": "Hi"}]
    by_hand = BaseMessageParam(role="user", content="Hi", name="Ann")
    assert render_messages([by_hand], OPENAI, Endpoint("openai", "m")) == [
        {"role": "user", "content": "Hi", "name": "Ann"}
    ]


MARK = CacheControlPart(type="cache_control", cache_type="ephemeral")
HOUR = CacheControlPart(type="cache_control", cache_type="1h")
MARKED: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "a text": (
        [text("a"), MARK],
        [wire_text("a")],
        [{**wire_text("a"), "cache_control": {"type": "ephemeral"}}],
    ),
    "for an hour": (
        [text("a"), HOUR, text("b")],
        [wire_text("a"), wire_text("b")],
        [{**wire_text("a"), "cache_control": {"type": "ephemeral", "ttl": "1h"}}, wire_text("b")],
    ),
    "nothing before it": ([MARK, text("a")], [wire_text("a")], [wire_text("a")]),
    "a file": ([DOCUMENT, MARK], [FILE], [{**FILE, "cache_control": {"type": "ephemeral"}}]),
}


@pytest.mark.parametrize(("parts", "plain", "marked"), MARKED.values(), ids=MARKED)
def test_cache_marks_stop_no_move(parts: list[Any], plain: list[Any], marked: list[Any]) -> None:
    def without_names(wire: list[Any]) -> list[Any]:
        return json.loads(json.dumps(wire).replace("document.pdf", "a.pdf"))  # type: ignore[no-any-return]

    rules = MessageRules("OpenRouter", Quirks(cache_control=True, documents=True))
    assert without_names(render_messages([user(parts)])) == [{"role": "user", "content": plain}]
    assert without_names(render_messages([user(parts)], rules)) == [{"role": "user", "content": marked}]
    origin, elsewhere = Endpoint("openrouter", "m"), Endpoint("openai", "m")
    read = parse_messages([{"role": "user", "content": marked}], origin)
    assert render_messages(read, OPENAI, origin) == [{"role": "user", "content": marked}]
    assert without_names(render_messages(read, rules, elsewhere)) == [{"role": "user", "content": marked}]
    assert without_names(render_messages(read, OPENAI, elsewhere)) == [{"role": "user", "content": plain}]


def test_a_result_without_an_id_finds_its_call_by_name() -> None:
    calls = [ToolCallPart(type="tool_call", name=name, args={}) for name in ("find", "list")]
    results = [ToolResultPart(type="tool_result", name=name, content=name) for name in ("list", "find")]
    wire = render_messages([assistant(calls), BaseMessageParam(role="tool", content=results)])
    assert wire == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [wire_call("call_1", "{}"), wire_call("call_2", "{}", "list")],
        },
        {"role": "tool", "tool_call_id": "call_2", "content": "list", "name": "list"},
        {"role": "tool", "tool_call_id": "call_1", "content": "find", "name": "find"},
    ]


def test_a_function_of_the_old_api_is_a_tool_where_its_call_is_one() -> None:
    old: list[Any] = [
        {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": '{"title":"Dune"}'}},
        {"role": "function", "name": "find", "content": "yes"},
    ]
    origin = Endpoint("openai", "gpt-4-0613")
    messages = parse_messages(old, origin)
    assert render_messages(messages, OPENAI, origin) == old
    assert render_messages(messages, OPENAI, Endpoint("openai", "gpt-4o")) == old
    elsewhere = render_messages(messages, OPENAI, Endpoint("groq", "llama"))
    assert elsewhere == [
        {"role": "assistant", "content": None, "tool_calls": [wire_call("call_1", '{"title":"Dune"}')]},
        {"role": "tool", "tool_call_id": "call_1", "content": "yes", "name": "find"},
    ]


FROM_WIRE: dict[str, tuple[dict[str, Any], BaseMessageParam]] = {
    "an answer with empty fields": (
        {
            "role": "assistant",
            "content": "a",
            "refusal": None,
            "tool_calls": None,
            "audio": None,
            "annotations": [],
        },
        assistant("a"),
    ),
    "an answer without content": ({"role": "assistant", "content": None}, assistant("")),
    "text and a call without arguments": (
        {"role": "assistant", "content": "t", "tool_calls": [wire_call("1", "")]},
        assistant([text("t"), call("1")]),
    ),
    "empty text beside a call": (
        {"role": "assistant", "content": "", "tool_calls": [wire_call("1", "{}")]},
        assistant([call("1")]),
    ),
    "a tool's answer with its name": (
        {"role": "tool", "content": "r", "tool_call_id": "1", "name": "find"},
        BaseMessageParam(role="tool", content=[result("1", "r")]),
    ),
    "an image whose address is a string": (
        {"role": "user", "content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]},
        user([ImageURLPart(type="image_url", url="https://example.com/a.png", detail=None)]),
    ),
    "a tool's answer without an id": (
        {"role": "tool", "content": "r"},
        BaseMessageParam(role="tool", content=[ToolResultPart(type="tool_result", name="", content="r")]),
    ),
    "content that is one part": ({"role": "user", "content": wire_text("Hi")}, user("Hi")),
    "content of strings": ({"role": "user", "content": ["a", "b"]}, user([text("a"), text("b")])),
    "a tool's answer that is an object": (
        {"role": "tool", "content": {"t": 24}, "tool_call_id": "1"},
        BaseMessageParam(role="tool", content=[result("1", '{"t":24}', "")]),
    ),
    "arguments that are an object": (
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "find", "arguments": {"n": 1}}}],
        },
        assistant([call("1", n=1)]),
    ),
    "a tool's answer in parts": (
        {"role": "tool", "content": [wire_text("a"), wire_text("b")], "tool_call_id": "1"},
        BaseMessageParam(role="tool", content=[result("1", "ab", "")]),
    ),
    "a refusal among parts": (
        {"role": "assistant", "content": [wire_text("Well."), {"type": "refusal", "refusal": "No."}]},
        assistant([text("Well."), text("No.")], **kept(wire_text("Well."), {"type": "refusal", "refusal": "No."})),
    ),
    "a spoken answer with its transcript": (
        {
            "role": "assistant",
            "content": None,
            "audio": {"id": "audio_1", "data": "SUQz", "expires_at": 1, "transcript": "Yes."},
        },
        assistant("Yes.", **kept(audio={"id": "audio_1", "expires_at": 1, "transcript": "Yes."})),
    ),
    "arguments that are no object": (
        {"role": "assistant", "content": None, "tool_calls": [wire_call("1", "[1]")]},
        assistant([ToolCallPart.model_validate({"type": "tool_call", "name": "find", "id": "1", "arguments": "[1]"})]),
    ),
}


@pytest.mark.parametrize(("wire", "message"), FROM_WIRE.values(), ids=FROM_WIRE.keys())
def test_message_from_the_wire(wire: dict[str, Any], message: BaseMessageParam) -> None:
    before = json.dumps(wire)
    assert parse_message(wire) == message
    assert json.dumps(wire) == before


def test_a_spoken_answer_goes_back_by_its_id_alone() -> None:
    spoken = parse_message(
        {
            "role": "assistant",
            "content": None,
            "audio": {"id": "audio_1", "data": "SUQz", "transcript": "Yes."},
        }
    )
    assert render_messages([spoken]) == [{"role": "assistant", "audio": {"id": "audio_1"}}]


def test_the_sdk_s_own_message_is_read() -> None:
    sdk = ChatCompletionMessage.model_validate(
        {"role": "assistant", "content": "t", "tool_calls": [wire_call("1", '{"title": "Dune"}')]}
    )
    assert parse_message(sdk) == assistant([text("t"), call("1", title="Dune")])


def test_a_common_message_is_itself() -> None:
    message = user("a")
    assert parse_messages([message])[0] is message
