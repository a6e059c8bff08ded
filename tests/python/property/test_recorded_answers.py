"""Recorded answers through a call: what the next request of the same provider and model sends back of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ferroscope import Messages, errors, llm
from ferroscope._core import StreamDecoder
from ferroscope.testing import ProviderServer, Replay
from ferroscope.testing._wires.aws_event_stream import frame

ROOT = Path(__file__).parents[3]
OWN = ROOT / "tests/corpus"
RECORDED = ROOT.parent / "shared/corpus"

Body = dict[str, Any]  # Any: JSON
REASONING = ("reasoning_content", "reasoning", "reasoning_details")


@dataclass(frozen=True)
class Wire:
    """A wire format.

    Attributes:
        sdk: The module that has to be installed.
        provider: The provider of recordings that no provider of ours made.
        providers: Those of the corpus that have another name here.
        apis: The names of the format in the corpus.
        environment: The variables of the calls.
        answer: Returns the message in a body.
        sent: Returns the messages of a request, the first and the last of which are the user's.
        model: The model of the calls.
        params: The call parameters.
    """

    sdk: str
    provider: str
    providers: dict[str, str]
    apis: tuple[str, ...]
    environment: dict[str, str]
    answer: Callable[[Body], Any]
    sent: Callable[[Body], list[Any]]
    model: str = "m"
    params: dict[str, Any] | None = None


def chat_message(body: Body) -> Any:
    """Return the message of a chat completion: the members that requests take, and reasoning."""
    message = {"role": "assistant", **(body["choices"][0].get("message") or {})}
    names = ("role", "content", "tool_calls", "function_call", "refusal", *REASONING)
    sound = {"audio": {"id": message["audio"]["id"]}} if message.get("audio") else {}
    return {name: message[name] for name in names if name in message} | sound


def contents(body: Body) -> Any:
    """Return the content of a candidate, without empty texts and without calls that never ended."""
    content = (body.get("candidates") or [{}])[0].get("content") or {}
    parts = [
        part
        for part in content.get("parts") or ()
        if part not in ({}, {"text": ""}) and not part.get("functionCall", {}).get("willContinue")
    ]
    return {"role": "model", "parts": parts} if parts else {}


def cohere_message(body: Body) -> Any:
    """Return the message; a lone text is a string, and a message with nothing in it is left out."""
    message = {name: value for name, value in body["message"].items() if value not in ("", [], None)}
    content = [block for block in message.get("content") or () if block.get("text") != ""]
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        return {**message, "content": content[0]["text"]}
    message["content"] = content
    return message if any(value for name, value in message.items() if name != "role") else {}


def converse_message(body: Body) -> Any:
    """Return the message without what the API refuses: blank texts and reasoning without a signature."""
    blocks = []
    for block in body["output"]["message"]["content"]:
        text = block.get("text")
        reasoning = block.get("reasoningContent")
        unsigned = reasoning and not (reasoning.get("reasoningText") or {}).get("signature")
        if (text is None or text.strip()) and not (unsigned and "redactedContent" not in reasoning):
            blocks.append(block)
    return {"role": "assistant", "content": blocks} if blocks else {}


def anthropic_message(body: Body) -> Any:
    """Return the message without empty texts."""
    blocks = [
        block for block in body.get("content") or () if not (block["type"] == "text" and not block["text"].strip())
    ]
    return {"role": "assistant", "content": blocks} if blocks else {}


# The items that parts represent: they go back with their ids only beside what has no part.
_WITH_PARTS = ("message", "function_call", "custom_tool_call")


def opaque_items(body: Body) -> Any:
    """Return the items of a response that only the API understands; reasoning that nothing follows is left out."""
    items = body["output"]
    while items and items[-1]["type"] == "reasoning":
        items = items[:-1]
    return [item for item in items if item["type"] not in _WITH_PARTS]


WIRES = {
    "openai_chat": Wire(
        "openai",
        "openai",
        {"azure-openai": "azure", "moonshotai": "moonshot", "vercel-gateway": "vercel", "ollama-cloud": "ollama"},
        ("openai-chat",),
        {},
        chat_message,
        lambda body: body["messages"],
    ),
    "gemini": Wire(
        "google.genai",
        "google",
        {},
        ("gemini-stream", "gemini-generate"),
        {"GOOGLE_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": "{google}"},
        contents,
        lambda body: body["contents"],
    ),
    "cohere": Wire(
        "cohere",
        "cohere",
        {},
        ("cohere-v2",),
        {"CO_API_KEY": "k", "CO_API_URL": "{cohere}"},
        cohere_message,
        lambda body: body["messages"],
    ),
    "bedrock_converse": Wire(
        "botocore",
        "bedrock",
        {},
        ("bedrock-converse", "bedrock-converse-stream"),
        {
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "{bedrock}",
        },
        converse_message,
        lambda body: body["messages"],
        model="anthropic.m",
    ),
    "anthropic": Wire(
        "anthropic",
        "anthropic",
        {},
        ("anthropic-messages",),
        {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "{anthropic}"},
        anthropic_message,
        lambda body: body["messages"],
        params={"max_tokens": 99},
    ),
    "openai_responses": Wire(
        "openai",
        "openai",
        {"azure-openai": "azure", "xai": "xai"},
        ("openai-responses",),
        {},
        opaque_items,
        lambda body: body["input"],
        params={"api": "responses"},
    ),
}
# The providers of OpenAI's format that the environment leads to the server.
CHAT = {
    "OPENAI_API_KEY": "k",
    "OPENAI_BASE_URL": "{openai}",
    "AZURE_OPENAI_API_KEY": "k",
    "AZURE_OPENAI_ENDPOINT": "{azure}",
    "GROQ_API_KEY": "k",
    "GROQ_BASE_URL": "{groq}",
    "MISTRAL_API_KEY": "k",
    "MISTRAL_BASE_URL": "{mistral}",
    "XAI_API_KEY": "k",
    "XAI_BASE_URL": "{xai}",
    "OPENROUTER_API_KEY": "k",
    "OPENROUTER_BASE_URL": "{openai}",
    "DEEPSEEK_API_KEY": "k",
    "DEEPSEEK_BASE_URL": "{openai}",
}


# The SDKs of these formats send nothing that they do not know.
CLOSED = ("bedrock_converse", "gemini")
LEFT_OUT = {
    "google-gemini/089-gemini-stream-with-tools-1",  # its signature is not base64, and the SDK's is bytes
}


@dataclass(frozen=True)
class Recording:
    """An answer: its body, or the body of its stream."""

    name: str
    provider: str
    streamed: bool
    body: bytes


def own_recordings(dialect: str) -> Iterator[Recording]:
    """Yield the project's own streams and their twins without streaming."""
    wire = WIRES[dialect]
    for path in sorted((OWN / dialect).glob("*.json")):
        yield Recording(f"{path.stem}, whole", wire.provider, False, path.read_bytes())
        if (stream := path.with_suffix(".sse")).exists():
            yield Recording(path.stem, wire.provider, True, stream.read_bytes())
        else:
            yield Recording(path.stem, wire.provider, True, framed(path.with_suffix(".jsonl").read_bytes(), dialect))


def collected_recordings(dialect: str) -> Iterator[Recording]:
    """Yield the recordings of the collection; none where it is absent."""
    wire, index = WIRES[dialect], RECORDED / "INDEX.json"
    for entry in json.loads(index.read_text())["entries"] if index.exists() else ():
        if entry["api"] not in wire.apis or entry["http_status"] != 200:
            continue
        body = (RECORDED / entry["id"] / entry["response_file"]).read_bytes()
        if entry["stream"] and entry["framing"] == "unframed-jsonl":
            body = framed(body, dialect)
        name = wire.providers.get(entry["provider"], entry["provider"])
        known = name in ("openai", "azure", "groq", "mistral", "xai", "openrouter", "deepseek")
        yield Recording(entry["id"], name if known and wire.sdk == "openai" else wire.provider, entry["stream"], body)


def framed(lines: bytes, dialect: str) -> bytes:
    """Return the body of a stream of which an event in each line was kept."""
    events = [json.loads(line) for line in lines.splitlines() if line.strip()]
    if dialect == "bedrock_converse":
        return b"".join(frame("event", *item) for event in events for item in event.items())
    done = b"data: [DONE]\n\n" if dialect == "openai_chat" else b""
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + done


def plain(value: Any, name: str = "") -> Any:
    """Return JSON without what means nothing: null and empty members, and ways to write the same."""
    if isinstance(value, dict):
        members = {re.sub("_([a-z])", lambda found: found[1].upper(), key): one for key, one in value.items()}
        is_call = "function" in members
        return {
            key: plain(one, key)
            for key, one in members.items()
            if one is not None
            and one not in ("", [])
            and not (key == "arguments" and one in ("{}", {}))
            and not (key == "prefix" and one is False)
            # Mistral's SDK sends an index, and the API takes ids of one form only.
            and not (is_call and key in ("id", "index"))
            # Botocore does not know the type of a tool use.
            and not (key == "type" and "toolUseId" in members)
        }
    if isinstance(value, list):
        return [plain(one) for one in value]
    if name == "arguments" and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if name in ("thoughtSignature", "data") and isinstance(value, str):
        return value.replace("-", "+").replace("_", "/")
    return value


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


def send_back(server: ProviderServer, wire: Wire, recording: Recording) -> tuple[Body, list[Any]] | None:
    """Return an answer as JSON, and the messages that the next request has of it; None if it ends in an error."""
    call: Any = llm.call(  # type: ignore[call-overload]
        recording.provider, wire.model, stream=recording.streamed, call_params=wire.params
    )
    ask: Any = llm.call(recording.provider, wire.model, call_params=wire.params)  # type: ignore[call-overload]
    server.forget()
    server.reply(Replay(recording.body) if recording.streamed else Replay(b"", body=recording.body))
    try:
        answer = call(lambda: "Hi")()
        if recording.streamed:
            for _ in answer:
                pass
    except (errors.StreamError, errors.APIError):
        return None
    server.reply("Done.")
    ask(lambda: [Messages.User("Hi"), answer.message_param, Messages.User("Go on")])()
    return folded(recording, wire), wire.sent(server.requests[-1].json)[1:-1]


def folded(recording: Recording, wire: Wire) -> Body:
    """Return an answer as the provider would send it without streaming."""
    if recording.streamed:
        decoder = StreamDecoder(next(name for name, one in WIRES.items() if one is wire))
        decoder.feed(recording.body)
        decoder.finish()
        for _ in decoder:
            pass
        body: Body = json.loads(decoder.response())
        return body
    read: Body = json.loads(recording.body)
    return read


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore:.* is not a valid :UserWarning")
@pytest.mark.parametrize("dialect", WIRES)
def test_an_answer_goes_back_to_its_model_as_it_came(
    dialect: str, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = WIRES[dialect]
    pytest.importorskip(wire.sdk)
    for name, value in (wire.environment or CHAT).items():
        urls = {one: server.base_url(one) for one in re.findall(r"{(\w+)}", value)}
        monkeypatch.setenv(name, value.format(**urls))
    compared = 0
    for recording in (*own_recordings(dialect), *collected_recordings(dialect)):
        if recording.name in LEFT_OUT or (dialect in CLOSED and recording.name.startswith("unknown_")):
            continue
        if (found := send_back(server, wire, recording)) is None:
            continue
        body, sent = found
        expected = plain(wire.answer(body))
        if recording.provider == "azure" and isinstance(expected, dict):
            expected.pop("reasoningContent", None)  # which its models refuse
        if dialect == "openai_responses":
            got = [item for item in plain(sent) if item.get("type", "message") not in _WITH_PARTS]
        else:
            got = plain(sent[0]) if sent else {}
        assert got == expected, recording.name
        compared += 1
    assert compared > 20
