"""Histories that one provider began and another continues: the request of the second one, in full."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest

from ferroscope import BaseMessageParam, ImagePart, Messages, TextPart, dump_messages, llm, load_messages
from ferroscope.testing import Answer, ProviderServer, Reasoning, Text, ToolCall, ToolCalls

from .conftest import ROWS, close_litellm

# v1's name of the package warns when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:`ferroscope.core:DeprecationWarning")

PNG = b"\x89PNG\r\n\x1a\n"
BASE64 = "iVBORw0KGgo="
IDS = ("call_1", "call_2")
ASKED = [
    Messages.System("Be brief."),
    BaseMessageParam(
        role="user",
        content=[
            TextPart(type="text", text="Where?"),
            ImagePart(type="image", media_type="image/png", image=PNG, detail=None),
        ],
    ),
]
# Thoughts and calls in parallel, the first of which is signed where the format has signatures.
ANSWER = Answer(
    Reasoning("Hm.", signature="c2ln"),
    Text("Let me see."),
    ToolCalls(
        ToolCall("weather", {"city": "Oslo"}, IDS[0], signature="c2ln"), ToolCall("weather", {"city": "Rome"}, IDS[1])
    ),
)


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


# -- the same history in the body of each format ------------------------------------------------------------------

Body = dict[str, Any]


def chat_calls(ids: tuple[str, str] = IDS) -> list[Body]:
    return [
        {"id": one, "type": "function", "function": {"name": "weather", "arguments": {"city": city}}}
        for one, city in zip(ids, ("Oslo", "Rome"), strict=True)
    ]


def chat(detail: Body, assistant: Body, ids: tuple[str, str] = IDS, results: tuple[str, str] | None = None) -> Body:
    image = {"url": f"data:image/png;base64,{BASE64}", **detail}
    texts = results or ("sunny in Oslo", "no such city")
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Where?"}, {"type": "image_url", "image_url": image}],
            },
            {"role": "assistant", "content": "Let me see.", "tool_calls": chat_calls(ids), **assistant},
            *({"role": "tool", "tool_call_id": one, "content": text} for one, text in zip(ids, texts, strict=True)),
        ]
    }


def responses(answer: list[Body]) -> Body:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{BASE64}", "detail": "auto"}
    return {
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Where?"}, image]},
            *answer,
            {"type": "function_call_output", "call_id": IDS[0], "output": "sunny in Oslo"},
            {"type": "function_call_output", "call_id": IDS[1], "output": "no such city"},
        ]
    }


def anthropic(thoughts: list[Body]) -> Body:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}}
    return {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Where?"}, image]},
            {
                "role": "assistant",
                "content": [
                    *thoughts,
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": IDS[0], "name": "weather", "input": {"city": "Oslo"}},
                    {"type": "tool_use", "id": IDS[1], "name": "weather", "input": {"city": "Rome"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": IDS[0], "content": "sunny in Oslo", "is_error": False},
                    {"type": "tool_result", "tool_use_id": IDS[1], "content": "no such city", "is_error": True},
                ],
            },
        ],
    }


def gemini(thoughts: list[Body], signed: Body) -> Body:
    def result(place: int, response: Body) -> Body:
        return {"functionResponse": {"id": IDS[place], "name": "weather", "response": response}}

    return {
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "Where?"}, {"inlineData": {"mimeType": "image/png", "data": BASE64}}],
            },
            {
                "role": "model",
                "parts": [
                    *thoughts,
                    {"text": "Let me see."},
                    {"functionCall": {"id": IDS[0], "name": "weather", "args": {"city": "Oslo"}}, **signed},
                    {"functionCall": {"id": IDS[1], "name": "weather", "args": {"city": "Rome"}}},
                ],
            },
            {"role": "user", "parts": [result(0, {"content": "sunny in Oslo"}), result(1, {"error": "no such city"})]},
        ],
    }


def bedrock(thoughts: list[Body]) -> Body:
    def use(place: int, city: str) -> Body:
        return {"toolUse": {"toolUseId": IDS[place], "name": "weather", "input": {"city": city}}}

    failed = {"toolUseId": IDS[1], "content": [{"text": "no such city"}], "status": "error"}
    return {
        "system": [{"text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [{"text": "Where?"}, {"image": {"format": "png", "source": {"bytes": BASE64}}}],
            },
            {"role": "assistant", "content": [*thoughts, {"text": "Let me see."}, use(0, "Oslo"), use(1, "Rome")]},
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": IDS[0], "content": [{"text": "sunny in Oslo"}]}},
                    {"toolResult": failed},
                ],
            },
        ],
    }


MESSAGE = [
    {"role": "assistant", "content": "Let me see."},
    {"type": "function_call", "call_id": IDS[0], "name": "weather", "arguments": {"city": "Oslo"}},
    {"type": "function_call", "call_id": IDS[1], "name": "weather", "arguments": {"city": "Rome"}},
]
# The response's own items, with their ids, as the server sent them.
ITEMS = [
    {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {
        "id": "msg_2",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Let me see.", "annotations": [], "logprobs": []}],
    },
    {**MESSAGE[1], "id": "fc_3", "status": "completed"},
    {**MESSAGE[2], "id": "fc_4", "status": "completed"},
]
NINE = ("nZe7oYDT3", "p9fdDDYHi")
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
OBJECTS = ('{"output":"sunny in Oslo"}', '{"error":"no such city"}')
AUTO = {"detail": "auto"}


@dataclass(frozen=True)
class Side:
    """A provider at either end.

    Attributes:
        provider: The provider's name, for `llm.call`.
        model: The model.
        sdk: The module that has to be installed.
        foreign: The body of a history that another provider began.
        own: The body of a history of the provider's own.
        oldest: The oldest version of the SDK, if not all will do.
        options: The call parameters.
        without: Variables that would choose another API of the provider.
    """

    provider: str
    model: str
    sdk: str
    foreign: Body
    own: Body
    oldest: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    without: tuple[str, ...] = ()


def side(label: str, foreign: Body, own: Body, without: tuple[str, ...] = ()) -> Side:
    row = next(one for one in ROWS if one.label == label)
    sdk = getattr(row.wire, "package", row.wire.sdk)
    return Side(row.name, row.model, sdk, foreign, own, row.wire.oldest, tuple(row.options.items()), without)


SIDES = {
    "openai": side("openai", chat(AUTO, {}), chat(AUTO, {"reasoning_content": "Hm."})),
    "openai-responses": side("openai-responses", responses(MESSAGE), responses(ITEMS)),
    "anthropic": side("anthropic", anthropic([]), anthropic([THINKING])),
    "google": side(
        "google",
        gemini([], {}),
        gemini([{"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"}], {"thoughtSignature": "c2ln"}),
    ),
    "vertex": side(
        "vertex",
        gemini([], {}),
        gemini([{"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"}], {"thoughtSignature": "c2ln"}),
    ),
    "groq": side("groq", chat({}, {}), chat({}, {"reasoning": "Hm."})),
    "mistral": side(
        "mistral",
        chat({}, {}, NINE),
        chat(
            {},
            {
                "content": [
                    {
                        "type": "thinking",
                        "thinking": [{"type": "text", "text": "Hm."}],
                        "signature": "c2ln",
                        "closed": True,
                    },
                    {"type": "text", "text": "Let me see."},
                ]
            },
            NINE,
        ),
    ),
    "cohere": side(
        "cohere",
        chat(AUTO, {}, results=OBJECTS),
        chat(
            AUTO,
            {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Let me see."}]},
            results=OBJECTS,
        ),
    ),
    "xai": side("xai", chat(AUTO, {}), chat(AUTO, {"reasoning_content": "Hm."})),
    # Azure's models refuse reasoning that comes back.
    "azure": side("azure", chat(AUTO, {}), chat(AUTO, {})),
    "azure-inference": side(
        "azure-inference", chat(AUTO, {}), chat(AUTO, {}), ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT")
    ),
    "bedrock": side(
        "bedrock",
        bedrock([]),
        bedrock([{"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}]),
    ),
    "litellm": Side(
        "litellm", "openai/gpt-4o-mini", "litellm", chat(AUTO, {}), chat(AUTO, {"reasoning_content": "Hm."})
    ),
}


def conversation(body: Body) -> Body:
    """Return the conversation in a body: arguments read, without what an SDK adds by itself."""
    members = ("messages", "input", "contents", "system", "systemInstruction")
    return {name: plain(value) for name, value in body.items() if name in members}


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    fields = {{"mime_type": "mimeType"}.get(name, name): plain(one) for name, one in value.items()}
    if isinstance(fields.get("arguments"), str):
        fields["arguments"] = json.loads(fields["arguments"])
    # Defaults of Mistral's SDK.
    if fields.get("prefix") is False:
        del fields["prefix"]
    if "function" in fields and fields.get("index") == 0:
        del fields["index"]
    return fields


class Talk:
    """Asks models of every provider, sync or async, over the loopback server."""

    def __init__(self, kind: str, server: ProviderServer, runner: asyncio.Runner) -> None:
        self.kind, self.server, self.runner = kind, server, runner

    def ask(self, label: str, history: list[Any]) -> Any:
        """Return the response of a provider to a history."""
        at = SIDES[label]
        options: dict[str, Any] = {"tools": [weather], "call_params": dict(at.options) or None}
        decorate: Any = llm.call(at.provider, at.model, **options)  # type: ignore[call-overload]
        with pytest.MonkeyPatch.context() as environment:
            for name in at.without:
                environment.delenv(name)
            if self.kind == "sync":
                return decorate(lambda: history)()

            async def prompt() -> list[Any]:
                return history

            return self.runner.run(decorate(prompt)(), context=copy_context())

    def begin(self, label: str) -> list[Any]:
        """Return the history of a conversation up to the results of two tool calls, the second of which failed."""
        self.server.reply(ANSWER)
        answer = self.ask(label, ASKED)
        results = answer.tool_message_params([(tool, tool.call()) for tool in answer.tools])
        failed = results[-1].content[-1]
        failed.content, failed.is_error = "no such city", True
        return [*ASKED, answer.message_param, *results]

    def sent(self) -> Body:
        """Return the conversation in the last request."""
        return conversation(self.server.requests[-1].json)


@pytest.fixture
def talk(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    for row in ROWS:
        for name, value in row.environment.items():
            monkeypatch.setenv(name, value.format(url=server.base_url(row.url_name)))
    with asyncio.Runner() as runner:
        yield Talk(request.param, server, runner)
        close_litellm(runner)


both = pytest.mark.parametrize("talk", ["sync", "async"], indirect=True)
first_side = pytest.mark.parametrize("first", SIDES)


# Older ones drop thoughts, or their signatures.
SINCE = {"mistral": ("mistralai", 300), "bedrock": ("botocore", 137)}


def need_own(label: str) -> None:
    """Skip where the SDK does not send all of the provider's own."""
    need(label)
    if (found := SINCE.get(label)) is not None:
        major, minor = version(found[0]).split(".")[:2]
        if int(major) * 100 + int(minor) < found[1]:
            pytest.skip("the SDK does not send all of the provider's own")


def need(*labels: str) -> None:
    """Skip where an SDK is missing."""
    for label in labels:
        pytest.importorskip(SIDES[label].sdk, minversion=SIDES[label].oldest)


@both
@first_side
def test_a_history_goes_back_to_its_provider_as_it_came(first: str, talk: Talk) -> None:
    need_own(first)
    history = talk.begin(first)
    before = dump_messages(history)
    talk.server.reply("Done.")
    talk.ask(first, load_messages(before))
    assert talk.sent() == SIDES[first].own
    assert dump_messages(history) == before


@pytest.mark.parametrize("talk", ["sync"], indirect=True)
@first_side
@pytest.mark.parametrize("second", SIDES)
def test_a_history_continues_with_another_provider_and_back(first: str, second: str, talk: Talk) -> None:
    """Tools, results and media go on; thoughts and signatures stay, and are there for the way back."""
    if first == second:
        pytest.skip("the test above")
    need_own(first)
    need(second)
    history = talk.begin(first)
    before = dump_messages(history)
    talk.server.reply("Done.", "Sure.")
    answer = talk.ask(second, history)
    assert talk.sent() == SIDES[second].foreign
    assert dump_messages(history) == before
    talk.ask(first, [*history, answer.message_param, Messages.User("Go on")])
    for name, own in SIDES[first].own.items():
        sent = talk.sent()[name]
        assert (sent[: len(own)] if isinstance(own, list) else sent) == own
