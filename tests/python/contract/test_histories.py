"""Histories that go back to a provider, or on to another one: the bodies of the requests, in full."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import ferroscope
from ferroscope import BaseMessageParam, Messages, Quirks, TextPart, dump_messages, llm, load_messages
from ferroscope.testing import ProviderServer, Replay

pytest.importorskip("openai")
pytest.importorskip("anthropic")


def weather(city: str = "Oslo") -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@dataclass
class Chat:
    """Asks models through one of the two doors (`core` or `llm`), sync or async, streamed or not."""

    door: str
    kind: str
    stream: bool
    server: ProviderServer
    runner: asyncio.Runner = field(repr=False)

    def ask(self, provider: str, model: str, history: list[Any], *, tools: bool = True) -> Any:
        """The response to a history."""
        options: dict[str, Any] = {"stream": self.stream, "tools": [weather] if tools else None}
        if self.door == "llm":
            decorator: Any = llm.call(provider, model, **options)  # type: ignore[call-overload]
        else:
            from importlib import import_module

            decorator = import_module(f"ferroscope.core.{provider}").call(model, **options)

        def prompt() -> Any:
            return list(history)

        async def asynchronous() -> Any:
            return list(history)

        if self.kind == "sync":
            made = decorator(prompt)()
            return made.collect() if self.stream else made

        async def call() -> Any:
            made = await decorator(asynchronous)()
            return await made.acollect() if self.stream else made

        return self.runner.run(call())

    def turn(self, response: Any) -> list[Any]:
        """What a program appends to its history for a response."""
        outputs = [(tool, tool.call()) for tool in response.tools or []]
        results = response.tool_message_params(outputs) if outputs else [Messages.User("Go on")]
        return [response.message_param, *results]

    def sent(self) -> list[dict[str, Any]]:
        """The messages of the last request."""
        messages: list[dict[str, Any]] = self.server.requests[-1].json["messages"]
        return messages


@pytest.fixture
def chat(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    for name, value in {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": server.base_url("openai"),
        "GROQ_API_KEY": "k",
        "GROQ_BASE_URL": server.base_url("groq"),
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": server.base_url("anthropic"),
    }.items():
        monkeypatch.setenv(name, value)
    door, kind, stream = request.param
    with asyncio.Runner() as runner:
        yield Chat(door, kind, stream, server, runner)


DOORS = [(door, kind, stream) for door in ("core", "llm") for kind in ("sync", "async") for stream in (False, True)]
everyway = pytest.mark.parametrize("chat", DOORS, indirect=True, ids=lambda one: "-".join(map(str, one)))
llm_only = pytest.mark.parametrize("chat", DOORS[4:], indirect=True, ids=lambda one: "-".join(map(str, one)))


# -- scripts -------------------------------------------------------------------------------------------------------


def completion(message: dict[str, Any], finish: str = "stop") -> Replay:
    """An answer in OpenAI's format, whole or streamed: each member in a chunk of its own."""
    head = {"id": "c1", "created": 1, "model": "m"}
    deltas: list[dict[str, Any]] = [{"role": "assistant"}]
    for name, value in message.items():
        if name == "tool_calls":
            deltas += [{"tool_calls": [{"index": place, **call}]} for place, call in enumerate(value)]
        elif value is not None:
            deltas.append({name: value})
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [{**head, "object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    whole = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    return Replay(
        b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n",
        body={**head, "object": "chat.completion", "choices": [whole]},
    )


DELTAS: dict[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {
    "text": lambda block: [{"type": "text_delta", "text": block["text"]}],
    "tool_use": lambda block: [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}],
    "thinking": lambda block: [
        {"type": "thinking_delta", "thinking": block["thinking"]},
        {"type": "signature_delta", "signature": block["signature"]},
    ],
}
EMPTY: dict[str, dict[str, Any]] = {
    "text": {"text": ""},
    "tool_use": {"input": {}},
    "thinking": {"thinking": "", "signature": ""},
}


def message(*blocks: dict[str, Any], stop: str = "end_turn") -> Replay:
    """An answer of Anthropic's, whole or streamed."""
    head = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None}
    usage = {"input_tokens": 1, "output_tokens": 1}
    start = {**head, "content": [], "stop_reason": None, "usage": usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for place, block in enumerate(blocks):
        kind = block["type"]
        opened = {**block, **EMPTY.get(kind, {})}
        events.append({"type": "content_block_start", "index": place, "content_block": opened})
        for delta in DELTAS.get(kind, lambda block: [])(block):
            events.append({"type": "content_block_delta", "index": place, "delta": delta})
        events.append({"type": "content_block_stop", "index": place})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage})
    events.append({"type": "message_stop"})
    return Replay(
        "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode(),
        body={**head, "content": list(blocks), "stop_reason": stop, "usage": usage},
    )


def wire_call(id: str = "call_1", city: str = "Oslo", **extra: Any) -> dict[str, Any]:
    function = {"name": "weather", "arguments": json.dumps({"city": city}, separators=(",", ":"))}
    return {"id": id, "type": "function", "function": function, **extra}


def saved(history: list[Any]) -> list[Any]:
    """The history after a stay in a database, for common messages; a provider's own are dicts."""
    return [
        BaseMessageParam.model_validate_json(one.model_dump_json()) if isinstance(one, BaseMessageParam) else one
        for one in history
    ]


# -- what only the provider understands goes back to it -------------------------------------------------------------

DETAILS = [{"type": "reasoning.encrypted", "data": "ZW5j", "format": "anthropic-claude-v1", "index": 0}]
SIGNED = {"google": {"thought_signature": "SIG=="}}
OPENAI_FORMAT: dict[str, dict[str, Any]] = {
    "DeepSeek's reasoning beside a call": {"reasoning_content": "Hm.", "tool_calls": [wire_call()]},
    "OpenRouter's reasoning": {"content": "4", "reasoning": "Hm.", "reasoning_details": DETAILS},
    "a signature on the first of two calls": {
        "tool_calls": [wire_call("call_1", extra_content=SIGNED), wire_call("call_2", "Rome")]
    },
    "thoughts among the content": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": "4"},
        ]
    },
    "a call of the old API": {"function_call": {"name": "weather", "arguments": '{"city":"Oslo"}'}},
}


@everyway
@pytest.mark.parametrize("answer", OPENAI_FORMAT.values(), ids=OPENAI_FORMAT)
def test_an_answer_in_openai_s_format_goes_back_as_it_came(answer: dict[str, Any], chat: Chat) -> None:
    chat.server.reply(completion(answer), completion({"content": "done"}))
    history: list[Any] = [Messages.User("Hi")]
    history += chat.turn(chat.ask("openai", "m", history))
    chat.ask("openai", "m", saved(history))
    assert chat.sent()[1] == {"role": "assistant", "content": None, **answer}
    assert chat.sent()[0] == {"role": "user", "content": "Hi"}


THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "ZW5j"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
TEXT = {"type": "text", "text": "4"}


@everyway
def test_an_answer_of_anthropic_s_goes_back_as_it_came(chat: Chat) -> None:
    blocks = [THOUGHT, HIDDEN, SEARCH, FOUND, TEXT, USE]
    chat.server.reply(message(*blocks, stop="tool_use"), message(TEXT))
    history: list[Any] = [Messages.User("Hi")]
    history += chat.turn(chat.ask("anthropic", "claude-haiku-4-5", history))
    chat.ask("anthropic", "claude-haiku-4-5-20251001", saved(history))
    assert chat.sent()[1] == {"role": "assistant", "content": blocks}


# -- and to nobody else ---------------------------------------------------------------------------------------------


@llm_only
def test_thoughts_stay_with_the_model_and_come_back_to_it(chat: Chat) -> None:
    """A signature that another model gets is refused, on every later turn."""
    blocks = [THOUGHT, SEARCH, FOUND, TEXT, USE]
    chat.server.reply(message(*blocks, stop="tool_use"), message(TEXT))
    history: list[Any] = [Messages.User("Hi")]
    history += chat.turn(chat.ask("anthropic", "claude-haiku-4-5", history))
    before = [one.model_copy(deep=True) for one in history]

    chat.ask("anthropic", "claude-opus-4-8", history)
    assert chat.sent()[1]["content"] == [SEARCH, FOUND, TEXT, USE]

    chat.server.reply(completion({"content": "Yes.", "reasoning_content": "Well."}))
    history += chat.turn(chat.ask("openai", "m", history))
    assert chat.sent()[1] == {
        "role": "assistant",
        "content": "4",
        "tool_calls": [wire_call("toolu_1")],
    }

    chat.server.reply(message(TEXT))
    chat.ask("anthropic", "claude-haiku-4-5", history)
    assert chat.sent()[1]["content"] == blocks
    assert chat.sent()[3] == {"role": "assistant", "content": "Yes."}
    assert history[: len(before)] == before


@llm_only
def test_reasoning_and_signatures_do_not_go_to_another_model(chat: Chat) -> None:
    call = wire_call(extra_content=SIGNED)
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    content = [thinking, {"type": "text", "text": "4"}]
    answer = {"content": content, "reasoning_content": "Hm.", "reasoning_details": DETAILS, "tool_calls": [call]}
    chat.server.reply(completion(answer), completion({"content": "done"}))
    history: list[Any] = [Messages.User("Hi")]
    history += chat.turn(chat.ask("openai", "deepseek-v4-pro", history))
    chat.ask("openai", "gpt-4o-mini", history)
    assert chat.sent()[1] == {"role": "assistant", "content": "4", "tool_calls": [wire_call()]}


@llm_only
def test_reasoning_of_one_provider_does_not_go_to_another_of_the_same_format(chat: Chat) -> None:
    pytest.importorskip("groq")
    call = wire_call(extra_content=SIGNED)
    answer = {"content": "4", "reasoning_content": "Hm.", "reasoning": "Hm.", "think": "Hm.", "tool_calls": [call]}
    chat.server.reply(completion(answer), completion({"content": "5", "reasoning": "So."}), completion({}))
    history: list[Any] = [Messages.User("Hi")]
    history += chat.turn(chat.ask("openai", "m", history))
    history += chat.turn(chat.ask("groq", "m", history))
    assert chat.sent()[1] == {"role": "assistant", "content": "4", "tool_calls": [wire_call()]}
    chat.ask("groq", "m", history)
    assert chat.sent()[3] == {"role": "assistant", "content": "5", "reasoning": "So."}


@llm_only
def test_a_document_that_the_next_provider_does_not_read_is_named(chat: Chat) -> None:
    pytest.importorskip("groq")
    asked = [{"role": "user", "content": OPENAI_ASKS}]
    chat.server.reply(completion({"content": "done"}))
    history = chat.ask("openai", "m", asked).common_messages
    with pytest.raises(ValueError, match=r"Groq currently only supports .* parts\. Part provided: document"):
        chat.ask("groq", "m", history)


# -- edits ----------------------------------------------------------------------------------------------------------


@llm_only
def test_an_edit_wins_and_what_was_not_edited_stays(chat: Chat) -> None:
    call = wire_call(extra_content=SIGNED)
    chat.server.reply(
        completion({"content": "Let me see.", "reasoning_content": "Hm.", "tool_calls": [call]}, "tool_calls"),
        completion({"content": "done"}),
    )
    answer = chat.ask("openai", "m", [Messages.User("Hi")]).message_param
    said, called = answer.content
    answer.content = [
        TextPart(type="text", text="I look."),
        called.model_copy(update={"args": {"city": "Rome"}}),
    ]
    chat.ask("openai", "m", [Messages.User("Hi"), answer], tools=False)
    assert chat.sent()[1] == {
        "role": "assistant",
        "content": "I look.",
        "reasoning_content": "Hm.",
        "tool_calls": [wire_call(city="Rome", extra_content=SIGNED)],
    }
    assert said.text == "Let me see."


# -- ids of tool calls ----------------------------------------------------------------------------------------------

IDS = {
    "missing": [None, None],
    "empty": ["", ""],
    "repeated": ["call_0", "call_0"],
    "missing beside one": ["call_1", None],
}


def call_and_result_ids(messages: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The ids of the calls and of the results, of either wire."""
    calls, results = [], []
    for one in messages:
        calls += [call.get("id") for call in one.get("tool_calls") or ()]
        results += [one["tool_call_id"]] if one["role"] == "tool" else []
        for block in one["content"] if isinstance(one["content"], list) else ():
            calls += [block["id"]] if block["type"] == "tool_use" else []
            results += [block["tool_use_id"]] if block["type"] == "tool_result" else []
    return calls, results


@everyway
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_calls_without_ids_of_their_own_get_some(ids: list[str | None], chat: Chat) -> None:
    history: list[Any] = [Messages.User("Hi")]
    for _ in range(2):  # some servers count from 0 in each answer
        calls = [wire_call(id or "", city) for id, city in zip(ids, ("Oslo", "Rome"), strict=True)]
        for id, call in zip(ids, calls, strict=True):
            if id is None:
                del call["id"]
        chat.server.reply(completion({"tool_calls": calls}, "tool_calls"))
        history += chat.turn(chat.ask("openai", "m", history))
    chat.server.reply(completion({"content": "done"}))
    chat.ask("openai", "m", history)
    made, answered = call_and_result_ids(chat.sent())
    assert made == answered
    assert len(set(made)) == 4
    assert all(isinstance(id, str) and id for id in made)
    results = [one["content"] for one in chat.sent() if one["role"] == "tool"]
    assert results == ["sunny in Oslo", "sunny in Rome"] * 2


@llm_only
def test_ids_that_the_next_provider_refuses_are_rewritten(chat: Chat) -> None:
    calls = [wire_call(f"functions.weather:{place}", city) for place, city in enumerate(("Oslo", "Rome"))]
    chat.server.reply(completion({"tool_calls": calls}, "tool_calls"))
    history: list[Any] = [Messages.User("Hi")]
    history += chat.turn(chat.ask("openai", "m", history))
    before = [one.model_copy(deep=True) for one in history]
    chat.server.reply(message(TEXT))
    chat.ask("anthropic", "claude-haiku-4-5", history)
    ids = ["functions_weather_0", "functions_weather_1"]
    assert call_and_result_ids(chat.sent()) == (ids, ids)
    assert history == before


@llm_only
def test_a_pattern_of_ids_is_a_quirk_of_a_server(chat: Chat) -> None:
    """Nine letters and digits, as Mistral wants them."""
    quirks = Quirks(tool_ids="[a-zA-Z0-9]{9}")
    ferroscope.register_provider("nine", base_url=chat.server.base_url("openai"), quirks=quirks)
    try:
        chat.server.reply(message(USE, {**USE, "id": "turn1_0"}, stop="tool_use"))
        history: list[Any] = [Messages.User("Hi")]
        history += chat.turn(chat.ask("anthropic", "claude-haiku-4-5", history))
        sent = []
        for _ in range(2):
            chat.server.reply(completion({"content": "done"}))
            chat.ask("nine", "m", history)
            sent.append(call_and_result_ids(chat.sent()))
        (calls, results), again = sent
        assert (calls, results) == again
        assert calls == results
        assert len(set(calls)) == 2
        assert all(re.fullmatch("[a-zA-Z0-9]{9}", id) for id in calls)
    finally:
        ferroscope.unregister_provider("nine")


# -- from one provider to another -------------------------------------------------------------------------------------

MARK = {"cache_control": {"type": "ephemeral"}}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
# A message of the user's in each format.
ANTHROPIC_ASKS: list[dict[str, Any]] = [
    {"type": "text", "text": "Long.", **MARK},
    {"type": "image", "source": PNG},
    {"type": "document", "source": PDF},
]
OPENAI_ASKS: list[dict[str, Any]] = [
    {"type": "text", "text": "Long."},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}},
    {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
]
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny in Oslo", "is_error": False}


@llm_only
def test_a_history_of_anthropic_s_goes_on_at_openai_and_back(chat: Chat) -> None:
    asked = [{"role": "user", "content": ANTHROPIC_ASKS}]
    chat.server.reply(message(THOUGHT, TEXT, USE, stop="tool_use"))
    first = chat.ask("anthropic", "claude-haiku-4-5", asked)
    history = saved([*first.common_messages, *chat.turn(first)])
    before = [one.model_copy(deep=True) for one in history]
    chat.server.reply(completion({"content": "done"}))
    second = chat.ask("openai", "m", history)
    assert chat.sent() == [
        {"role": "user", "content": OPENAI_ASKS},
        {"role": "assistant", "content": "4", "tool_calls": [wire_call("toolu_1")]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny in Oslo"},
    ]
    chat.server.reply(message(TEXT))
    chat.ask("anthropic", "claude-haiku-4-5", [*history, second.message_param, Messages.User("Go on")])
    assert chat.sent() == [
        *asked,
        {"role": "assistant", "content": [THOUGHT, TEXT, USE]},
        {"role": "user", "content": [RESULT]},
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": "Go on"},
    ]
    assert history == before


@llm_only
def test_a_history_of_openai_s_goes_on_at_anthropic_and_back(chat: Chat) -> None:
    system = {"role": "developer", "content": "Be brief."}
    address = {"type": "image_url", "image_url": "https://example.com/a.png"}
    asked = [system, {"role": "user", "content": [*OPENAI_ASKS, address]}]
    answer = {"content": "\n", "reasoning_content": "Hm.", "tool_calls": [wire_call("f.weather:0")]}
    chat.server.reply(completion(answer, "tool_calls"))
    first = chat.ask("openai", "m", asked)
    history = saved([*first.common_messages, *chat.turn(first), Messages.Assistant("It is ")])
    before = [one.model_copy(deep=True) for one in history]
    chat.server.reply(message(TEXT))
    second = chat.ask("anthropic", "claude-haiku-4-5", history)
    assert chat.server.requests[-1].json["system"] == "Be brief."
    assert chat.sent() == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Long."},
                *ANTHROPIC_ASKS[1:],
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            ],
        },
        {"role": "assistant", "content": [{**USE, "id": "f_weather_0"}]},
        {"role": "user", "content": [{**RESULT, "tool_use_id": "f_weather_0"}]},
        {"role": "assistant", "content": "It is"},
    ]
    chat.server.reply(completion({"content": "done"}))
    chat.ask("openai", "m", [*history[:-1], second.message_param, Messages.User("Go on")])
    assert chat.sent() == [
        *asked,
        {"role": "assistant", **answer},
        {"role": "tool", "tool_call_id": "f.weather:0", "content": "sunny in Oslo"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Go on"},
    ]
    assert history == before


@everyway
def test_a_system_message_in_the_middle_stays_where_the_model_takes_it(chat: Chat) -> None:
    start = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    end = {"role": "user", "content": "Go on"}
    chat.server.reply(message(TEXT), message(TEXT))
    response = chat.ask("anthropic", "claude-opus-4-8", [*start, end, system])
    assert chat.sent() == [*start, end, system]
    assert "system" not in chat.server.requests[-1].json
    if chat.door == "llm":
        assert [one.role for one in response.messages] == ["user", "assistant", "user", "system"]
    chat.ask("anthropic", "claude-haiku-4-5", [*start, end, system])
    assert chat.sent() == [*start, end]
    assert chat.server.requests[-1].json["system"] == system["content"]


@everyway
def test_texts_of_blanks_are_not_sent_where_they_are_refused(chat: Chat) -> None:
    blank = {"type": "text", "text": "\n"}
    chat.server.reply(message(blank, USE, stop="tool_use"), message(blank), message(TEXT))
    history: list[Any] = [Messages.User("Hi")]
    for _ in range(2):
        history += chat.turn(chat.ask("anthropic", "claude-haiku-4-5", history))
    chat.ask("anthropic", "claude-haiku-4-5", history)
    result = chat.sent()[2]["content"][0]
    assert (result["type"], result["tool_use_id"]) == ("tool_result", "toolu_1")
    assert [one for place, one in enumerate(chat.sent()) if place != 2] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": "Go on"},
    ]


# -- saved and restored -----------------------------------------------------------------------------------------------


@everyway
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_saved_history_sends_the_same_request(provider: str, chat: Chat) -> None:
    """With the SDK's own object of the answer in it, as programs append it."""
    if provider == "openai":
        chat.server.reply(completion({"reasoning_content": "Hm.", "tool_calls": [wire_call()]}, "tool_calls"))
    else:
        chat.server.reply(message(THOUGHT, TEXT, USE, stop="tool_use"))
    history: list[Any] = [Messages.User("Hi")]
    first = chat.ask(provider, "claude-haiku-4-5", history)
    _, *results = chat.turn(first)
    raw = first.response
    own = raw.choices[0].message if provider == "openai" else {"role": "assistant", "content": raw.content}
    history += [own if chat.door == "core" else first.message_param, *results]
    sent = []
    for one in (history, load_messages(dump_messages(history))):
        assert one == history
        chat.server.reply("done")
        chat.ask(provider, "claude-haiku-4-5", one)
        sent.append(chat.sent())
    assert sent[0] == sent[1]


@llm_only
def test_a_spoken_answer_is_saved_and_goes_back_by_its_id(chat: Chat) -> None:
    if chat.stream:
        pytest.skip("a sound comes whole")
    sound = {"id": "audio_1", "data": "UklGRg==", "expires_at": 1, "transcript": "Yes."}
    chat.server.reply(completion({"audio": sound}), completion({"content": "done"}))
    response = chat.ask("openai", "m", [Messages.User("Hi")])
    assert response.audio == b"RIFF"
    stored = json.loads(response._response.model_dump_json())
    assert (stored["audio"], stored["audio_transcript"]) == ("UklGRg==", "Yes.")
    assert response._response.model_dump()["audio"] == b"RIFF"
    response.model_dump_json()
    history = load_messages(dump_messages([Messages.User("Hi"), response.message_param, Messages.User("Go on")]))
    chat.ask("openai", "m", history)
    assert chat.sent()[1] == {"role": "assistant", "audio": {"id": "audio_1"}}
    chat.server.reply(message(TEXT))
    chat.ask("anthropic", "claude-haiku-4-5", history)
    assert chat.sent()[1] == {"role": "assistant", "content": "Yes."}
